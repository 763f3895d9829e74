/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/http1_response.h"

#include <http_parser.h>
#include <stdarg.h>
#include <stdio.h>

/* A head as it is written. */
struct head {
    char *to;
    size_t length;
};

static void add(struct head *head, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct head *head, const char *format, ...)
{
    va_list arguments;
    size_t room = HTTP1_RESPONSE_MAX - head->length;
    va_start(arguments, format);
    int length = vsnprintf(head->to + head->length, room, format, arguments);
    va_end(arguments);
    head->length += (size_t)length < room ? (size_t)length : room - 1;
}

/* IMF-fixdate (RFC 9110 section 5.6.7): English, whatever the locale. */
static void add_date(struct head *head, time_t date)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm tm;
    if (!gmtime_r(&date, &tm))
        return;
    add(head, "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d GMT\r\n", days + 3 * tm.tm_wday,
        tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void add_content(struct head *head, const struct http1_response *response)
{
    if (!response->type)
        return;
    add(head, "Content-Type: %s\r\n", response->type);
    add(head, "Content-Length: %zu\r\n", response->length);
    if (response->is_gzip)
        add(head, "Content-Encoding: gzip\r\n");
}

size_t http1_response_write(char to[HTTP1_RESPONSE_MAX], const struct http1_response *response)
{
    struct head head = {.to = to};
    add(&head, "HTTP/1.1 %u %s\r\n", response->status,
        http_status_str((enum http_status)response->status));
    add_date(&head, response->date);
    add_content(&head, response);
    if (response->allow)
        add(&head, "Allow: %s\r\n", response->allow);
    if (response->accepted)
        add(&head, "Accept-Encoding: %s\r\n", response->accepted);
    if (response->status == HTTP_STATUS_UNAUTHORIZED)
        add(&head, "WWW-Authenticate: Basic realm=\"milvus\"\r\n");
    if (response->closes)
        add(&head, "Connection: close\r\n");
    else if (response->is_old)
        add(&head, "Connection: keep-alive\r\n");
    add(&head, "\r\n");
    return head.length;
}
