/* SPDX-License-Identifier: Apache-2.0 */
/* The head of a request: what the parser finds in it, and what its fields say together. */
#include "proto/http1_message.h"

#define BODY_GROWTH       3  /* times what has come: room that is made for more */
#define LENGTH_DIGITS_MAX 18 /* fits into 63 bits */

static const struct {
    const char *word;
    bool once;
} fields[] = {
#define X(name, word, once) [HTTP1_##name] = {word, once},
    HTTP1_FIELDS(X)
#undef X
};

static const struct http1_fault none;

static struct http1_fault bad(const char *text)
{
    return (struct http1_fault){.status = 400, .text = text};
}

static int on_url(http_parser *parser, const char *at, size_t length)
{
    struct http1_message *message = parser->data;
    wiped_add(&message->target, span_of(at, length));
    return 0;
}

static int on_field(http_parser *parser, const char *at, size_t length)
{
    struct http1_message *message = parser->data;
    size_t i = 0;
    while (i < HTTP1_FIELD_COUNT && !http1_is(span_of(at, length), fields[i].word))
        i++;
    message->field = message->place == HTTP1_AT_FIELDS ? (enum http1_field)i : HTTP1_FIELD_COUNT;
    if (message->field < HTTP1_FIELD_COUNT && message->seen[i] && fields[i].once)
        message->fault = bad("a header field stands twice that may stand once");
    return 0;
}

static int on_value(http_parser *parser, const char *at, size_t length)
{
    struct http1_message *message = parser->data;
    enum http1_field field = message->field;
    if (field < HTTP1_FIELD_COUNT && !message->seen[field]) {
        wiped_add(&message->values[field], span_of(at, length));
        message->seen[field] = true;
    }
    return 0;
}

/* Nothing else is spoken here, whatever the client would like. */
static int on_head(http_parser *parser)
{
    struct http1_message *message = parser->data;
    message->head_ended = true;
    parser->upgrade = 0;
    return 0;
}

static int on_chunk(http_parser *parser)
{
    struct http1_message *message = parser->data;
    message->chunk_began = true;
    return 0;
}

/* Room for what is announced, but for no more than a few times what has come. */
static void make_room(struct http1_message *message, size_t length)
{
    struct buffer *body = &message->body;
    size_t room = body->blob ? body->blob->size - body->size : 0;
    size_t most = length + BODY_GROWTH * body->size;
    if (room < length && message->head.length > body->size + length)
        buffer_room(body, most < message->head.length - body->size
                              ? most
                              : (size_t)message->head.length - body->size);
}

static int on_body(http_parser *parser, const char *at, size_t length)
{
    struct http1_message *message = parser->data;
    if (message->skips_body)
        return 0;
    make_room(message, length);
    buffer_add(&message->body, span_of(at, length));
    return 0;
}

static int on_end(http_parser *parser)
{
    struct http1_message *message = parser->data;
    message->ended = true;
    return 0;
}

const http_parser_settings http1_settings = {
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_head,
    .on_chunk_header = on_chunk,
    .on_body = on_body,
    .on_message_complete = on_end,
};

static enum http1_method method_of(const http_parser *parser)
{
    switch (parser->method) {
    case HTTP_POST:
        return HTTP1_POST;
    case HTTP_GET:
        return HTTP1_GET;
    case HTTP_HEAD:
        return HTTP1_HEAD;
    case HTTP_OPTIONS:
        return HTTP1_OPTIONS;
    default:
        return HTTP1_OTHER;
    }
}

/* Of a path, or of http://HOST/PATH, which a server takes as well (RFC 9112 section 3.2.2). */
static struct span path_of(const struct http1_message *message)
{
    struct span target = wiped_span(&message->target);
    struct http_parser_url url;
    http_parser_url_init(&url);
    int failed = http_parser_parse_url((const char *)target.at, target.length,
                                       message->parser.method == HTTP_CONNECT, &url);
    if (failed || !(url.field_set & (1 << UF_PATH)))
        return span_of(NULL, 0);
    return span_of(target.at + url.field_data[UF_PATH].off, url.field_data[UF_PATH].len);
}

/* RFC 9112 section 3.2; an empty one is allowed. */
static struct http1_fault check_host(const struct http1_message *message)
{
    struct span host = message->head.fields[HTTP1_HOST];
    if (!message->seen[HTTP1_HOST])
        return message->head.is_old ? none : bad("a request of HTTP/1.1 needs one Host");
    for (size_t i = 0; i < host.length; i++) {
        if (host.at[i] <= ' ' || host.at[i] > '~' || strchr(",/@\\\"<>", host.at[i]))
            return bad("Host is NAME or NAME:PORT");
    }
    return none;
}

/* RFC 9112 section 6.1. */
static struct http1_fault check_coding(struct http1_message *message)
{
    struct span coding = message->head.fields[HTTP1_TRANSFER_ENCODING];
    if (!message->seen[HTTP1_TRANSFER_ENCODING])
        return none;
    if (message->seen[HTTP1_CONTENT_LENGTH])
        return bad("Content-Length and Transfer-Encoding exclude each other");
    if (message->head.is_old)
        return bad("HTTP/1.0 has no Transfer-Encoding");
    if (!http1_is(coding, "chunked"))
        return (struct http1_fault){.status = 501,
                                    .text = "of Transfer-Encoding there is chunked alone"};
    message->head.is_chunked = true;
    return none;
}

static struct http1_fault check_length(struct http1_message *message, uint32_t max_body)
{
    struct span text = message->head.fields[HTTP1_CONTENT_LENGTH];
    uint64_t length = 0;
    if (!message->seen[HTTP1_CONTENT_LENGTH])
        return none;
    if (text.length == 0)
        return bad("Content-Length is a number");
    for (size_t i = 0; i < text.length; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return bad("Content-Length is a number");
        length = i < LENGTH_DIGITS_MAX ? length * 10 + (text.at[i] - '0') : UINT64_MAX;
    }
    if (length > max_body)
        return (struct http1_fault){.status = 413, .text = HTTP1_TOO_LARGE, .size = length};
    if (length != message->parser.content_length && length > 0)
        return bad("Content-Length is a number");
    message->head.length = length;
    return none;
}

/* RFC 9110 section 10.1.1. */
static struct http1_fault check_expectation(struct http1_message *message)
{
    struct span expect = message->head.fields[HTTP1_EXPECT];
    if (!message->seen[HTTP1_EXPECT] || message->head.is_old)
        return none;
    if (!http1_is(expect, "100-continue"))
        return (struct http1_fault){.status = 417, .text = "of Expect there is 100-continue alone"};
    message->head.expects_continue = message->head.length > 0 || message->head.is_chunked;
    return none;
}

struct http1_fault http1_finish_head(struct http1_message *message, uint32_t max_body)
{
    struct http1_head *head = &message->head;
    head->method = method_of(&message->parser);
    head->path = path_of(message);
    head->is_old = message->parser.http_minor == 0;
    head->keeps_alive = http_should_keep_alive(&message->parser) != 0;
    for (size_t i = 0; i < HTTP1_FIELD_COUNT; i++)
        head->fields[i] = http1_trim(wiped_span(&message->values[i]));
    struct http1_fault fault = check_host(message);
    if (fault.status == 0)
        fault = check_coding(message);
    if (fault.status == 0)
        fault = check_length(message, max_body);
    if (fault.status == 0)
        fault = check_expectation(message);
    return fault;
}
