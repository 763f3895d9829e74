/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "conf/uri.h"

#define TEN      "123456789."
#define FIFTY    TEN TEN TEN TEN TEN
#define HOST_255 FIFTY FIFTY FIFTY FIFTY FIFTY "12345"

Test(uri, reads_host_and_port)
{
    static const struct {
        const char *text, *host;
        uint16_t port;
        bool secure;
    } right[] = {
        {"http://milvus", "milvus", 19530, false},
        {"https://milvus.example.com", "milvus.example.com", 443, true},
        {"https://my_host-1:1", "my_host-1", 1, true},
        {"http://127.0.0.1:65535", "127.0.0.1", 65535, false},
        {"http://[::1]:8080", "::1", 8080, false},
        {"http://[fe80::1]", "fe80::1", 19530, false},
        {"http://" HOST_255 ":1", HOST_255, 1, false},
    };
    for (size_t i = 0; i < sizeof(right) / sizeof(*right); i++) {
        struct uri uri;
        const char *error = NULL;
        cr_assert_eq(uri_parse(right[i].text, &uri, &error), 0, "%s: %s", right[i].text, error);
        cr_expect_str_eq(uri.host, right[i].host);
        cr_expect_eq(uri.port, right[i].port);
        cr_expect_eq(uri.secure, right[i].secure);
    }
}

Test(uri, says_what_would_be_right)
{
    static const struct {
        const char *text, *error;
    } wrong[] = {
        {"", "starts with http://"},
        {"milvus:19530", "starts with http://"},
        {"tcp://milvus:19530", "starts with http://"},
        {"HTTP://milvus", "starts with http://"},
        {"http://", "the host is missing"},
        {"http://:19530", "the host is missing"},
        {"http://milvus:", "1 to 65535"},
        {"http://milvus:0", "1 to 65535"},
        {"http://milvus:65536", "1 to 65535"},
        {"http://milvus:1:2", "1 to 65535"},
        {"http://milvus:+1", "1 to 65535"},
        {"http://mil vus:1", "letters, digits"},
        {"http://" HOST_255 "6", "at most 255"},
        {"http://u:hunter2@milvus:1", "password_file"},
        {"http://milvus:1/", "a path or query"},
        {"http://milvus/db", "a path or query"},
        {"http://milvus?token=hunter2", "a path or query"},
        {"http://milvus#x", "a path or query"},
        {"http://[::1", "brackets"},
        {"http://[]", "no IPv6 address"},
        {"http://[::1]x", "1 to 65535"},
        {"http://[" HOST_255 "6]", "brackets"},
        {"http://::1:19530", "the host is missing"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct uri uri = {.port = 42};
        const char *error = NULL;
        cr_assert_eq(uri_parse(wrong[i].text, &uri, &error), -1, "%s", wrong[i].text);
        cr_expect(strstr(error, wrong[i].error), "%s: %s", wrong[i].text, error);
        cr_expect_null(strstr(error, "hunter2"));
        cr_expect_eq(uri.port, 42);
    }
}

Test(uri, tells_this_host_from_others)
{
    static const char *const here[] = {"localhost", "LocalHost", "127.0.0.1",       "127.255.0.9",
                                       "::1",       "0:0::0:1",  "::ffff:127.0.0.1"};
    static const char *const away[] = {"milvus",
                                       "localhost.example.com",
                                       "127.0.0.1.example.com",
                                       "10.0.0.7",
                                       "0.0.0.0",
                                       "::",
                                       "fd00::1",
                                       "::ffff:10.0.0.7",
                                       "128.0.0.1",
                                       "127.1",
                                       "local",
                                       ""};
    for (size_t i = 0; i < sizeof(here) / sizeof(*here); i++)
        cr_expect(uri_is_this_host(here[i]), "%s", here[i]);
    for (size_t i = 0; i < sizeof(away) / sizeof(*away); i++)
        cr_expect_not(uri_is_this_host(away[i]), "%s", away[i]);
}
