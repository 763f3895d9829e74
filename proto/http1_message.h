/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the HTTP/1.1 engine share: one request as it comes. */
#ifndef PROTO_HTTP1_MESSAGE_H
#define PROTO_HTTP1_MESSAGE_H

#include <http_parser.h>

#include "proto/buffer.h"
#include "proto/http1.h"
#include "proto/wiped.h"

#define HTTP1_TOO_LARGE "the body is larger than limits.max_message"

/* Where the next byte belongs. */
enum http1_place {
    HTTP1_AT_START, /* of the request line */
    HTTP1_AT_FIELDS,
    HTTP1_AT_BODY, /* of a known length, or of a chunk */
    HTTP1_AT_CHUNK,
    HTTP1_AT_CHUNK_END,
    HTTP1_AT_TRAILERS,
    HTTP1_AT_END,
};

struct http1_message {
    http_parser parser;
    enum http1_place place;
    bool is_told;         /* the head is */
    bool head_ended;      /* says the parser */
    bool chunk_began;     /* the same, since the last line */
    bool ended;           /* the same */
    uint64_t left;        /* bytes to come of the body or of the chunk */
    uint32_t header_size; /* bytes of fields and trailers so far */
    struct wiped line;    /* what has come of a line that is not whole */
    struct wiped target;
    struct wiped values[HTTP1_FIELD_COUNT];
    bool seen[HTTP1_FIELD_COUNT];
    enum http1_field field; /* the one whose value comes; HTTP1_FIELD_COUNT: it is not kept */
    struct http1_head head;
    bool skips_body;
    struct buffer body;
    struct http1_fault fault; /* found in the midst of a line */
};

/* The parser's callbacks; a struct http1_message is its data. */
extern const http_parser_settings http1_settings;

/* Fills in the head, once its fields are there, and checks what no single line shows. */
struct http1_fault http1_finish_head(struct http1_message *message, uint32_t max_body);

#endif
