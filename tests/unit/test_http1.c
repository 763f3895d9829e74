/* SPDX-License-Identifier: Apache-2.0 */
/* Requests over HTTP/1.1 as the engine reads them: each whole, byte by byte and in sevens, which
 * must come to the same. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/http1_message.h"

#define MAX_BODY   64u
#define MAX_HEADER 1024u
#define OUT_MAX    65536

static const struct http1_limits limits = {.max_header = MAX_HEADER, .max_pipelined = 1024};

static const char *const field_words[] = {
#define X(name, word, once) word,
    HTTP1_FIELDS(X)
#undef X
};
static const char *const methods[] = {"POST", "GET", "HEAD", "OPTIONS", "OTHER"};

/* What was read, in print. */
struct out {
    char text[OUT_MAX];
    size_t length;
    bool broken;
};

static void say(struct out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct out *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    out->length +=
        (size_t)vsnprintf(out->text + out->length, OUT_MAX - out->length, format, arguments);
    va_end(arguments);
    cr_assert_lt(out->length, OUT_MAX);
}

static void say_head(struct out *out, const struct http1_head *head)
{
    say(out, "%s %.*s", methods[head->method], SPAN_ARGS(head->path));
    for (int i = 0; i < HTTP1_FIELD_COUNT; i++) {
        if (i != HTTP1_HOST && head->fields[i].length > 0)
            say(out, " %s=%.*s", field_words[i], SPAN_ARGS(head->fields[i]));
    }
    say(out, "%s%s%s%s|", head->is_chunked ? " chunked" : "", head->is_old ? " old" : "",
        head->keeps_alive ? "" : " close", head->expects_continue ? " continue" : "");
}

static void take_piece(struct http1 *http, struct span bytes, struct out *out)
{
    while (!out->broken) {
        enum http1_read read = http1_take(http, &bytes);
        if (read == HTTP1_READ_MORE) {
            cr_expect_eq(bytes.length, 0);
            return;
        }
        if (read == HTTP1_READ_HEAD)
            say_head(out, http1_head(http));
        if (read == HTTP1_READ_WHOLE) {
            struct blob *body = http1_take_body(http);
            cr_expect_not(http1_busy(http));
            say(out, "%.*s|", SPAN_ARGS(blob_span(body)));
            blob_unref(body);
            http1_next(http);
        }
        if (read == HTTP1_READ_BROKEN) {
            say(out, "!%u", http1_fault(http).status);
            cr_expect(strlen(http1_fault(http).text) > 0);
            out->broken = true;
        }
    }
}

static void read_pieces(struct span input, size_t piece, struct out *out)
{
    struct http1 http;
    http1_init(&http, &limits, MAX_BODY);
    out->length = 0;
    out->text[0] = '\0';
    out->broken = false;
    for (size_t at = 0; at < input.length; at += piece) {
        size_t left = input.length - at;
        take_piece(&http, span_of(input.at + at, left < piece ? left : piece), out);
    }
    if (http1_busy(&http) && !out->broken)
        say(out, "...");
    http1_clear(&http);
}

static void expect_span(struct span input, const char *wanted)
{
    static const size_t pieces[] = {SIZE_MAX / 2, 1, 7};
    static struct out out;
    for (size_t i = 0; i < 3; i++) {
        read_pieces(input, pieces[i], &out);
        cr_expect_str_eq(out.text, wanted, "%.*s\nin pieces of %zu: %s\nwanted: %s",
                         SPAN_ARGS(input), pieces[i], out.text, wanted);
    }
}

static void expect(const char *input, const char *wanted)
{
    expect_span(span_text(input), wanted);
}

struct pair {
    const char *input;
    const char *wanted;
};

#define EXPECT_ALL(pairs)                                                                          \
    for (size_t i_ = 0; i_ < sizeof(pairs) / sizeof(*(pairs)); i_++)                               \
    expect((pairs)[i_].input, (pairs)[i_].wanted)

#define POST    "POST /p HTTP/1.1\r\nHost: h\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define TE      "POST /p transfer-encoding=chunked chunked|"

Test(http1, heads)
{
    static const struct pair pairs[] = {
        {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET /||"},
        {"HEAD /a?b=c HTTP/1.1\r\nhost:h\r\n\r\n", "HEAD /a||"},
        {"OPTIONS * HTTP/1.1\r\nHOST: \t h:80 \t\r\n\r\n", "OPTIONS *||"},
        {"GET http://h:80/a/b?c HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a/b||"},
        {"GET http://h HTTP/1.1\r\nHost: h\r\n\r\n", "GET ||"},
        {"CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n", "OTHER ||"},
        {"CONNECT h:80 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxy",
         "OTHER  content-length=2|xy|"},
        {"DELETE /a HTTP/1.1\r\nHost:\r\n\r\n", "OTHER /a||"},
        {"GET / HTTP/1.0\r\n\r\n", "GET / old close||"},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET / old||"},
        {"GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n", "GET / close||"},
        {"GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", "GET /||"},
        {POST "Authorization: Basic eA==\r\nDB-Name: b\xc3\xbc\r\nRequest-Timeout: 5\r\n"
              "Accept-Type-Allow-Int64: true\r\nUser-Agent: x\r\nAccept-Encoding: gzip\r\n"
              "Accept-Encoding: br\r\n\r\n",
         "POST /p authorization=Basic eA== db-name=b\xc3\xbc request-timeout=5 "
         "accept-encoding=gzip accept-type-allow-int64=true||"},
        {POST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\nx",
         "POST /p content-length=1 expect=100-Continue continue|x|"},
        {POST "Expect: 100-continue\r\n\r\n", "POST /p expect=100-continue||"},
        {"POST / HTTP/1.0\r\nExpect: y\r\nContent-Length: 1\r\n\r\nx",
         "POST / content-length=1 expect=y old close|x|"},
    };
    EXPECT_ALL(pairs);
}

Test(http1, bodies)
{
    static const struct pair pairs[] = {
        {POST "Content-Length: 0\r\n\r\n", "POST /p content-length=0||"},
        {POST "Content-Length: 5 \r\n\r\nhello", "POST /p content-length=5|hello|"},
        {POST "Content-Length: 5\r\n\r\nhell", "POST /p content-length=5|..."},
        {CHUNKED "5\r\nhello\r\n0\r\n\r\n", TE "hello|"},
        {CHUNKED "0\r\n\r\n", TE "|"},
        {CHUNKED "00000000000000A;ext=\"x\"\r\n0123456789\r\n1\r\n\n\r\n000\r\n\r\n",
         TE "0123456789\n|"},
        {CHUNKED "1\r\nx\r\n0\r\nTrailer: y\r\nAuthorization: z\r\nHost: w\r\n\r\n", TE "x|"},
        {POST "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
         "POST /p transfer-encoding=Chunked chunked||"},
        {CHUNKED "5\r\nhello\r\n0\r\n", TE "..."},
    };
    EXPECT_ALL(pairs);
}

Test(http1, one_after_the_other)
{
    static const struct pair pairs[] = {
        {"GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\nGE",
         "GET /a||GET /b||..."},
        {POST "Content-Length: 2\r\n\r\nxy" CHUNKED "1\r\nz\r\n0\r\n\r\n" POST "\r\n",
         "POST /p content-length=2|xy|" TE "z|POST /p||"},
        {POST "Content-Length: 1\r\n\r\nx\r\n" POST "\r\n\r\n" POST "\r\n",
         "POST /p content-length=1|x|POST /p||POST /p||"},
        {"\r\n" POST "\r\n", "POST /p||"},
        {"\r\n\r\n" POST "\r\n", "!400"},
        {"", ""},
        {"\r\n", ""},
    };
    EXPECT_ALL(pairs);
}

Test(http1, request_lines_that_are_none)
{
    static const struct pair pairs[] = {
        {"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", "!400"},
        {"GET /  HTTP/1.1\r\nHost: h\r\n\r\n", "!400"},
        {"GET / HTTP/1.1 \r\nHost: h\r\n\r\n", "!400"},
        {" GET / HTTP/1.1\r\nHost: h\r\n\r\n", "!400"},
        {"GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", "!400"},
        {"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", "!400"},
        {"GET /\x80 HTTP/1.1\r\nHost: h\r\n\r\n", "!400"},
        {"GET /#a HTTP/1.1\r\nHost: h\r\n\r\n", "!400"},
        {"GET /\r\n\r\n", "!400"},
        {"GET / http/1.1\r\nHost: h\r\n\r\n", "!400"},
        {"GET / HTTP/1.1x\r\nHost: h\r\n\r\n", "!400"},
        {"GET / HTTP/1.2\r\nHost: h\r\n\r\n", "!505"},
        {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", "!505"},
        {"GET / HTTP/0.9\r\nHost: h\r\n\r\n", "!505"},
        {"NONE / HTTP/1.1\r\nHost: h\r\n\r\n", "!501"},
        {"get / HTTP/1.1\r\nHost: h\r\n\r\n", "!501"},
        {"GET a HTTP/1.1\r\nHost: h\r\n\r\n", "!400"},
    };
    EXPECT_ALL(pairs);
}

/* RFC 9112 sections 2.2, 3.2, 5.1, 5.2. */
Test(http1, lines_that_are_wrong)
{
    static const struct pair pairs[] = {
        {"GET / HTTP/1.1\nHost: h\r\n\r\n", "!400"},
        {"GET / HTTP/1.1\r\nHost: h\n\r\n", "!400"},
        {"GET / HTTP/1.1\r\nHost: h\r\n\n", "!400"},
        {"GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n", "!400"},
        {"GET / HTTP/1.1\r\nHost: h\r\r\n\r\n", "!400"},
        {POST "X: a\r\n b\r\n\r\n", "!400"},
        {POST "X: a\r\n\tb\r\n\r\n", "!400"},
        {"GET / HTTP/1.1\r\n Host: h\r\n\r\n", "!400"},
        {"GET / HTTP/1.1\r\nHost : h\r\n\r\n", "!400"},
        {POST "Content-Length : 1\r\n\r\nx", "!400"},
        {POST "Content Length: 1\r\n\r\nx", "!400"},
        {POST "X\x80: 1\r\n\r\n", "!400"},
        {POST ": 1\r\n\r\n", "!400"},
        {POST "X\r\n\r\n", "!400"},
        {POST "X: a\x01\r\n\r\n", "!400"},
        {POST "X: a\x7f\r\n\r\n", "!400"},
        {POST "Host: h\r\n\r\n", "!400"},
        {POST "Host: i\r\n\r\n", "!400"},
        {"GET / HTTP/1.1\r\n\r\n", "!400"},
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "!400"},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "!400"},
        {"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", "!400"},
        {"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", "!400"},
        {POST "DB-Name: a\r\nDb-name: a\r\n\r\n", "!400"},
        {POST "Authorization: a\r\nAuthorization: a\r\n\r\n", "!400"},
        {POST "Expect: 200-ok\r\n\r\n", "!417"},
    };
    EXPECT_ALL(pairs);
    expect_span(span_of("GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n", 36), "!400");
    expect_span(span_of("GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n", 29), "!400");
}

Test(http1, says_what_is_wrong)
{
    cr_expect(strstr(http1_line_check(HTTP1_LINE_FIELD, span_text(" b\r\n")).text, "one line"));
    cr_expect(strstr(http1_line_check(HTTP1_LINE_FIELD, span_text("a : b\r\n")).text, "colon"));
    cr_expect(strstr(http1_line_check(HTTP1_LINE_FIELD, span_text("a: b\n")).text, "CR LF"));
    cr_expect(strstr(http1_line_check(HTTP1_LINE_CHUNK, span_text("x\r\n")).text, "hexadecimal"));
}

/* RFC 9112 sections 6.1, 6.3. */
Test(http1, lengths_that_smuggle)
{
    static const struct pair pairs[] = {
        {POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "!400"},
        {POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", "!400"},
        {POST "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "!400"},
        {POST "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxy", "!400"},
        {POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", "!400"},
        {POST "Content-Length: 1, 1\r\n\r\nx", "!400"},
        {POST "Content-Length: +1\r\n\r\nx", "!400"},
        {POST "Content-Length: -1\r\n\r\nx", "!400"},
        {POST "Content-Length: 0x1\r\n\r\nx", "!400"},
        {POST "Content-Length: 1 1\r\n\r\nx", "!400"},
        {POST "Content-Length: 1e1\r\n\r\nx", "!400"},
        {POST "Content-Length:\r\n\r\n", "!400"},
        {POST "Content-Length: 65\r\n\r\n", "!413"},
        {POST "Content-Length: 99999999999999999999999\r\n\r\n", "!400"},
        {POST "Content-Length: 18446744073709551617\r\n\r\nx", "!400"},
        {POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "!501"},
        {POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "!400"},
        {POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "!400"},
        {POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", "!400"},
        {POST "Transfer-Encoding: identity\r\n\r\n", "!400"},
        {POST "Transfer-Encoding:\r\n\r\n", "!400"},
        {POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "!400"},
        {POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", "!400"},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "!400"},
    };
    EXPECT_ALL(pairs);
}

/* RFC 9112 section 7.1. */
Test(http1, chunks_that_are_wrong)
{
    static const struct pair pairs[] = {
        {CHUNKED "\r\n", TE "!400"},
        {CHUNKED "x\r\n", TE "!400"},
        {CHUNKED "0x1\r\nx\r\n0\r\n\r\n", TE "!400"},
        {CHUNKED "+1\r\nx\r\n0\r\n\r\n", TE "!400"},
        {CHUNKED "-1\r\nx\r\n0\r\n\r\n", TE "!400"},
        {CHUNKED " 1\r\nx\r\n0\r\n\r\n", TE "!400"},
        {CHUNKED "1 \r\nx\r\n0\r\n\r\n", TE "!400"},
        {CHUNKED "1 ;a\r\nx\r\n0\r\n\r\n", TE "!400"},
        {CHUNKED "1,a\r\nx\r\n0\r\n\r\n", TE "!400"},
        {CHUNKED "1;a\x01\r\nx\r\n0\r\n\r\n", TE "!400"},
        {CHUNKED "00000000000000001\r\nx\r\n0\r\n\r\n", TE "!400"},
        {CHUNKED "0FFFFFFFFFFFFFF\r\n", TE "!413"},
        {CHUNKED "FFFFFFFFFFFFFFFF\r\n", TE "!400"},
        {CHUNKED "41\r\n", TE "!413"},
        {CHUNKED "1\nx\r\n0\r\n\r\n", TE "!400"},
        {CHUNKED "1\r\nxy\r\n0\r\n\r\n", TE "!400"},
        {CHUNKED "2\r\nx\r\n0\r\n\r\n", TE "!400"},
        {CHUNKED "1\r\nx\n0\r\n\r\n", TE "!400"},
        {CHUNKED "0\r\n\n", TE "!400"},
        {CHUNKED "0\r\nX : y\r\n\r\n", TE "!400"},
        {CHUNKED "0\r\n X: y\r\n\r\n", TE "!400"},
    };
    EXPECT_ALL(pairs);
}

/* A text that is so many bytes long: both ends, and in between one letter again and again. */
static char *stretched(const char *front, size_t length, const char *back)
{
    char *text = malloc(length + 1);
    size_t at = strlen(front);
    cr_assert_geq(length, at + strlen(back));
    memcpy(text, front, at);
    memset(text + at, 'a', length - at);
    strcpy(text + length - strlen(back), back);
    return text;
}

static void expect_joined(const char *first, char *second, const char *third, const char *wanted)
{
    size_t length = strlen(first) + strlen(second) + strlen(third);
    char *all = malloc(length + 1);
    snprintf(all, length + 1, "%s%s%s", first, second, third);
    expect(all, wanted);
    free(second);
    free(all);
}

static char *line(size_t length)
{
    return stretched("GET /?", length, " HTTP/1.1\r\n");
}

static char *header(size_t length)
{
    return stretched("X: ", length, "\r\n");
}

Test(http1, limits_of_lines_and_headers)
{
    size_t left = MAX_HEADER - strlen("Host: h\r\n\r\n");
    expect_joined("", line(HTTP1_REQUEST_LINE_MAX), "Host: h\r\n\r\n", "GET /||");
    expect_joined("", line(HTTP1_REQUEST_LINE_MAX + 1), "Host: h\r\n\r\n", "!414");
    expect_joined(POST, header(left), "\r\n", "POST /p||");
    expect_joined(POST, header(left + 1), "\r\n", "!431");
    left = MAX_HEADER - strlen("Host: h\r\nTransfer-Encoding: chunked\r\n\r\n\r\n");
    expect_joined(CHUNKED "0\r\n", header(left), "\r\n", TE "|");
    expect_joined(CHUNKED "0\r\n", header(left + 1), "\r\n", TE "!431");
    expect_joined(CHUNKED, stretched("1;", HTTP1_CHUNK_LINE_MAX, "\r\n"), "x\r\n0\r\n\r\n",
                  TE "x|");
    expect_joined(CHUNKED, stretched("1;", HTTP1_CHUNK_LINE_MAX + 1, "\r\n"), "x\r\n", TE "!400");
}

Test(http1, limits_of_bodies)
{
    expect_joined(POST "Content-Length: 64\r\n\r\n", stretched("", MAX_BODY, ""), POST "\r\n",
                  "POST /p content-length=64|"
                  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa|POST /p||");
    expect_joined(CHUNKED "20\r\n", stretched("", 32, ""),
                  "\r\n20\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n0\r\n\r\n",
                  TE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa|");
    expect_joined(CHUNKED "20\r\n", stretched("", 32, ""),
                  "\r\n20\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n1\r\nx\r\n", TE "!413");
}

/* What a head announces is only believed as it comes. */
Test(http1, memory_follows_what_has_come)
{
    static const char start[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n";
    struct http1 http;
    struct span bytes = span_text(start);
    uint8_t piece[1000] = {0};
    http1_init(&http, &limits, 1000000);
    cr_assert_eq(http1_take(&http, &bytes), HTTP1_READ_HEAD);
    for (size_t come = sizeof(piece); come < 1000000; come += sizeof(piece)) {
        bytes = span_of(piece, sizeof(piece));
        cr_assert_eq(http1_take(&http, &bytes), HTTP1_READ_MORE);
        const struct blob *body = http.message->body.blob;
        cr_assert_leq(body->size, 4 * come);
        cr_assert_leq(body->size, 1000000);
    }
    bytes = span_of(piece, sizeof(piece));
    cr_assert_eq(http1_take(&http, &bytes), HTTP1_READ_WHOLE);
    http1_clear(&http);
}

Test(http1, at_rest_it_holds_nothing)
{
    struct http1 http;
    struct span bytes = span_text(POST "\r\n");
    http1_init(&http, &limits, MAX_BODY);
    cr_expect_null(http1_head(&http));
    cr_expect_not(http1_busy(&http));
    cr_expect_eq(http1_take(&http, &bytes), HTTP1_READ_HEAD);
    cr_expect_eq(http1_take(&http, &bytes), HTTP1_READ_WHOLE);
    cr_expect_eq(http1_take(&http, &bytes), HTTP1_READ_WHOLE);
    http1_next(&http);
    cr_expect_null(http.message);
    bytes = span_text("P");
    cr_expect_eq(http1_take(&http, &bytes), HTTP1_READ_MORE);
    cr_expect(http1_busy(&http));
    cr_expect_null(http1_head(&http));
    http1_clear(&http);
}

Test(http1, body_that_is_skipped_and_field_that_is_forgotten)
{
    struct http1 http;
    struct span bytes = span_text(POST "Authorization: a\r\nContent-Length: 5\r\n\r\nhello");
    http1_init(&http, &limits, MAX_BODY);
    cr_assert_eq(http1_take(&http, &bytes), HTTP1_READ_HEAD);
    cr_expect(span_is(http1_head(&http)->fields[HTTP1_AUTHORIZATION], "a"));
    http1_forget(&http, HTTP1_AUTHORIZATION);
    cr_expect_eq(http1_head(&http)->fields[HTTP1_AUTHORIZATION].length, 0);
    http1_skip_body(&http);
    cr_expect_eq(http1_take(&http, &bytes), HTTP1_READ_WHOLE);
    cr_expect_null(http1_take_body(&http));
    http1_clear(&http);
}

Test(http1, what_accepts_gzip)
{
    static const char *const yes[] = {"gzip",           "GZIP",       "x-gzip", "deflate, gzip",
                                      "gzip;q=0.5, br", "br;q=1 , *", "*",      "gzip ; q=0.001"};
    static const char *const no[] = {
        "", "identity", "br", "gzip;q=0", "gzip;q=0.000", "*;q=0.0", "gzipx", "gzip;q=0, *"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
        cr_expect(http1_accepts_gzip(span_text(yes[i])), "%s", yes[i]);
    for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
        cr_expect_not(http1_accepts_gzip(span_text(no[i])), "%s", no[i]);
}
