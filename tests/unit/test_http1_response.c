/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of answers over HTTP/1.1. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "proto/http1_response.h"

static void expect(const struct http1_response *response, const char *wanted)
{
    char text[HTTP1_RESPONSE_MAX];
    size_t length = http1_response_write(text, response);
    cr_expect_eq(length, strlen(wanted));
    cr_expect(length == strlen(wanted) && memcmp(text, wanted, length) == 0, "%.*s", (int)length,
              text);
}

#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define TIME 784111777 /* RFC 9110 section 5.6.7 */

Test(http1_response, heads)
{
    expect(&(struct http1_response){.status = 200, .date = TIME, .type = "a/b", .length = 7},
           "HTTP/1.1 200 OK\r\n" DATE "Content-Type: a/b\r\nContent-Length: 7\r\n\r\n");
    expect(&(struct http1_response){.status = 204, .date = TIME, .allow = "POST", .is_old = true},
           "HTTP/1.1 204 No Content\r\n" DATE "Allow: POST\r\nConnection: keep-alive\r\n\r\n");
    expect(&(struct http1_response){.status = 415,
                                    .date = TIME,
                                    .type = "a/b",
                                    .accepted = "gzip",
                                    .is_gzip = true,
                                    .closes = true},
           "HTTP/1.1 415 Unsupported Media Type\r\n" DATE
           "Content-Type: a/b\r\nContent-Length: 0\r\nContent-Encoding: gzip\r\n"
           "Accept-Encoding: gzip\r\nConnection: close\r\n\r\n");
    expect(&(struct http1_response){.status = 401, .date = TIME},
           "HTTP/1.1 401 Unauthorized\r\n" DATE "WWW-Authenticate: Basic realm=\"milvus\"\r\n\r\n");
}

static const char *repeat(char *to, char letter, size_t length)
{
    memset(to, letter, length);
    to[length] = '\0';
    return to;
}

Test(http1_response, longest_one_fits)
{
    char text[HTTP1_RESPONSE_MAX];
    char allow[65], accepted[65];
    struct http1_response response = {.status = 401,
                                      .date = INT32_MAX,
                                      .type = "text/plain; charset=utf-8",
                                      .length = SIZE_MAX,
                                      .is_gzip = true,
                                      .allow = repeat(allow, 'a', 64),
                                      .accepted = repeat(accepted, 'b', 64),
                                      .closes = true};
    size_t length = http1_response_write(text, &response);
    cr_assert_lt(length, sizeof(text) - 1);
    cr_expect_eq(memcmp(text + length - 4, "\r\n\r\n", 4), 0);
}
