/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/http1.h"

#include <stdlib.h>

#include "proto/http1_message.h"

void http1_init(struct http1 *http, const struct http1_limits *limits, uint32_t max_body)
{
    *http = (struct http1){.limits = limits, .max_body = max_body};
}

void http1_clear(struct http1 *http)
{
    http1_next(http);
}

void http1_next(struct http1 *http)
{
    struct http1_message *message = http->message;
    if (!message)
        return;
    wiped_clear(&message->line);
    wiped_clear(&message->target);
    for (size_t i = 0; i < HTTP1_FIELD_COUNT; i++)
        wiped_clear(&message->values[i]);
    buffer_clear(&message->body);
    free(message);
    http->message = NULL;
}

bool http1_busy(const struct http1 *http)
{
    return http->message && http->message->place != HTTP1_AT_END;
}

const struct http1_head *http1_head(const struct http1 *http)
{
    return http->message && http->message->is_told ? &http->message->head : NULL;
}

void http1_skip_body(struct http1 *http)
{
    http->message->skips_body = true;
}

struct blob *http1_take_body(struct http1 *http)
{
    struct buffer *body = &http->message->body;
    return body->size > 0 ? buffer_take(body) : NULL;
}

void http1_forget(struct http1 *http, enum http1_field field)
{
    wiped_clear(&http->message->values[field]);
    http->message->head.fields[field] = span_of(NULL, 0);
}

struct http1_fault http1_fault(const struct http1 *http)
{
    return http->fault;
}

static bool fail(struct http1 *http, struct http1_fault fault)
{
    if (fault.status != 0 && http->fault.status == 0)
        http->fault = fault;
    return false;
}

static bool fail_as(struct http1 *http, unsigned status, const char *text)
{
    return fail(http, (struct http1_fault){.status = status, .text = text});
}

static void begin(struct http1 *http)
{
    struct http1_message *message = calloc(1, sizeof(*message));
    if (!message)
        abort();
    http_parser_init(&message->parser, HTTP_REQUEST);
    message->parser.data = message;
    message->field = HTTP1_FIELD_COUNT;
    http->message = message;
}

/* To the parser, which takes all of it. */
static bool parse(struct http1 *http, struct span bytes)
{
    struct http1_message *message = http->message;
    size_t taken = http_parser_execute(&message->parser, &http1_settings, (const char *)bytes.at,
                                       bytes.length);
    enum http_errno error = HTTP_PARSER_ERRNO(&message->parser);
    if (message->fault.status != 0)
        return fail(http, message->fault);
    if (error == HPE_INVALID_METHOD)
        return fail_as(http, 501, "the method is none that is known");
    if (error != HPE_OK)
        return fail_as(http, 400, http_errno_description(error));
    return taken == bytes.length ||
           fail_as(http, 400, "where a part of the request ends is not clear");
}

static enum http1_line line_kind(const struct http1_message *message)
{
    switch (message->place) {
    case HTTP1_AT_START:
        return HTTP1_LINE_REQUEST;
    case HTTP1_AT_CHUNK:
        return HTTP1_LINE_CHUNK;
    case HTTP1_AT_CHUNK_END:
        return HTTP1_LINE_CHUNK_END;
    default:
        return HTTP1_LINE_FIELD;
    }
}

/* Bytes that a line may have. */
static size_t line_max(const struct http1 *http, enum http1_line kind)
{
    switch (kind) {
    case HTTP1_LINE_REQUEST:
        return HTTP1_REQUEST_LINE_MAX;
    case HTTP1_LINE_CHUNK:
        return HTTP1_CHUNK_LINE_MAX;
    case HTTP1_LINE_CHUNK_END:
        return strlen("\r\n");
    default:
        return http->limits->max_header - http->message->header_size;
    }
}

/* Takes a line, or what there is of it. False: it is not whole, or cannot be. */
static bool take_line(struct http1 *http, struct span *bytes, struct span *ret_line)
{
    struct http1_message *message = http->message;
    enum http1_line kind = line_kind(message);
    const uint8_t *end = bytes->length > 0 ? memchr(bytes->at, '\n', bytes->length) : NULL;
    size_t length = end ? (size_t)(end - bytes->at) + 1 : bytes->length;
    if (message->line.length + length > line_max(http, kind))
        return fail(http, http1_line_too_long(kind));
    struct span part = span_of(bytes->at, length);
    *bytes = span_of(bytes->at + length, bytes->length - length);
    bool is_all = end && message->line.length == 0;
    if (!is_all)
        wiped_add(&message->line, part);
    *ret_line = is_all ? part : wiped_span(&message->line);
    return end != NULL;
}

/* Some clients send one behind a body (RFC 9112 section 2.2). */
static bool is_stray_line(struct http1 *http, struct span line)
{
    bool stray =
        http->message->place == HTTP1_AT_START && span_is(line, "\r\n") && !http->had_empty_line;
    http->had_empty_line = stray;
    return stray;
}

/* The head's last line has been read: what follows it? */
static bool end_head(struct http1 *http)
{
    struct http1_message *message = http->message;
    struct http1_fault fault = http1_finish_head(message, http->max_body);
    if (fault.status != 0)
        return fail(http, fault);
    message->left = message->head.length;
    if (message->head.is_chunked)
        message->place = HTTP1_AT_CHUNK;
    else
        message->place = message->left > 0 ? HTTP1_AT_BODY : HTTP1_AT_END;
    return message->ended == (message->place == HTTP1_AT_END) ||
           fail_as(http, 400, "where the request ends is not clear");
}

static bool begin_chunk(struct http1 *http)
{
    struct http1_message *message = http->message;
    message->left = message->parser.content_length;
    message->place = message->left > 0 ? HTTP1_AT_BODY : HTTP1_AT_TRAILERS;
    if (message->left > http->max_body - message->body.size)
        return fail(http, (struct http1_fault){.status = 413,
                                               .text = HTTP1_TOO_LARGE,
                                               .size = message->left + message->body.size});
    return message->chunk_began || fail_as(http, 400, "where a chunk begins is not clear");
}

static bool end_fields(struct http1 *http, bool is_empty, bool ended)
{
    return ended == is_empty || fail_as(http, 400, "where the header ends is not clear");
}

/* What comes behind a line that the parser has read. */
static bool go_on(struct http1 *http, bool is_empty)
{
    struct http1_message *message = http->message;
    switch (message->place) {
    case HTTP1_AT_START:
        message->place = HTTP1_AT_FIELDS;
        return true;
    case HTTP1_AT_FIELDS:
        return end_fields(http, is_empty, message->head_ended) && (!is_empty || end_head(http));
    case HTTP1_AT_CHUNK:
        return begin_chunk(http);
    case HTTP1_AT_CHUNK_END:
        message->place = HTTP1_AT_CHUNK;
        return true;
    default:
        message->place = is_empty ? HTTP1_AT_END : HTTP1_AT_TRAILERS;
        return end_fields(http, is_empty, message->ended);
    }
}

static bool take_whole_line(struct http1 *http, struct span line)
{
    struct http1_message *message = http->message;
    enum http1_line kind = line_kind(message);
    struct http1_fault fault = http1_line_check(kind, line);
    bool is_empty = span_is(line, "\r\n");
    if (fault.status != 0)
        return fail(http, fault);
    if (kind == HTTP1_LINE_FIELD)
        message->header_size += (uint32_t)line.length;
    message->chunk_began = false;
    if (!parse(http, line))
        return false;
    wiped_clear(&message->line);
    return go_on(http, is_empty);
}

static bool take_body(struct http1 *http, struct span *bytes)
{
    struct http1_message *message = http->message;
    size_t length = bytes->length < message->left ? bytes->length : (size_t)message->left;
    struct span part = span_of(bytes->at, length);
    *bytes = span_of(bytes->at + length, bytes->length - length);
    message->left -= length;
    if (length > 0 && !parse(http, part))
        return false;
    if (message->left > 0)
        return false;
    message->place = message->head.is_chunked ? HTTP1_AT_CHUNK_END : HTTP1_AT_END;
    return message->ended == !message->head.is_chunked ||
           fail_as(http, 400, "where the body ends is not clear");
}

/* Takes the next part. False: it is not whole, or wrong. */
static bool take_part(struct http1 *http, struct span *bytes)
{
    struct span line;
    if (http->message->place == HTTP1_AT_BODY)
        return take_body(http, bytes);
    if (!take_line(http, bytes, &line))
        return false;
    if (!is_stray_line(http, line))
        return take_whole_line(http, line);
    http1_next(http);
    return true;
}

enum http1_read http1_take(struct http1 *http, struct span *bytes)
{
    for (;;) {
        struct http1_message *message = http->message;
        if (http->fault.status != 0)
            return HTTP1_READ_BROKEN;
        if (message && message->place > HTTP1_AT_FIELDS && !message->is_told) {
            message->is_told = true;
            return HTTP1_READ_HEAD;
        }
        if (message && message->place == HTTP1_AT_END)
            return HTTP1_READ_WHOLE;
        if (bytes->length == 0)
            return HTTP1_READ_MORE;
        if (!message)
            begin(http);
        if (!take_part(http, bytes) && http->fault.status == 0)
            return HTTP1_READ_MORE;
    }
}

/* The weight of a member such as "gzip;q=0.5" is nothing. */
static bool is_unwanted(struct span weight)
{
    if (weight.length < 3 || !http1_is(span_cut(weight, 2), "q="))
        return false;
    for (size_t i = 2; i < weight.length; i++) {
        if (weight.at[i] != '0' && weight.at[i] != '.')
            return false;
    }
    return true;
}

/* Takes what stands before that character off the front. */
static struct span take_until(struct span *text, char end)
{
    const uint8_t *at = text->length > 0 ? memchr(text->at, end, text->length) : NULL;
    size_t length = at ? (size_t)(at - text->at) : text->length;
    size_t used = at ? length + 1 : length;
    struct span taken = span_of(text->at, length);
    *text = span_of(text->at + used, text->length - used);
    return http1_trim(taken);
}

/* What names gzip counts before "*". */
bool http1_accepts_gzip(struct span value)
{
    bool any = false;
    while (value.length > 0) {
        struct span member = take_until(&value, ',');
        struct span coding = take_until(&member, ';');
        bool wanted = !is_unwanted(http1_trim(member));
        if (http1_is(coding, "gzip") || http1_is(coding, "x-gzip"))
            return wanted;
        any = any || (http1_is(coding, "*") && wanted);
    }
    return any;
}
