/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of HTTP/1.1 as RFC 9112 wants them, checked before the parser reads them: Debian's
 * http-parser is built to be lenient, and what two readers of a request understand differently is
 * how requests are smuggled.
 */
#ifndef PROTO_HTTP1_LINE_H
#define PROTO_HTTP1_LINE_H

#include "proto/span.h"

/* Why a request is not taken. */
struct http1_fault {
    unsigned status;  /* of HTTP; 0: no fault */
    const char *text; /* what is wrong and what would be right; static */
    uint64_t size;    /* of a body that is too large (413): bytes, as far as they are known */
};

enum http1_line {
    HTTP1_LINE_REQUEST,   /* RFC 9112 section 3 */
    HTTP1_LINE_FIELD,     /* sections 5 and 7.1.2: of a head or a trailer; or the empty one */
    HTTP1_LINE_CHUNK,     /* section 7.1: a chunk's size, with extensions perhaps */
    HTTP1_LINE_CHUNK_END, /* the same: the empty one behind a chunk */
};

#define HTTP1_REQUEST_LINE_MAX 8192u /* bytes; RFC 9112 section 3 wants 8000 at least */
#define HTTP1_CHUNK_LINE_MAX   256u

/* What is wrong with a line, whose end is part of it. */
struct http1_fault http1_line_check(enum http1_line kind, struct span line);

/* What a line is that is too long. */
struct http1_fault http1_line_too_long(enum http1_line kind);

/* Takes spaces and tabs off both ends. */
struct span http1_trim(struct span text);

/* Whether the texts are the same but for the case of their letters. */
bool http1_is(struct span text, const char *word);

#endif
