/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server's side of HTTP/1.1 (RFC 9112): bytes in, requests out, no sockets. Its lines are checked
 * by proto/http1_line.h and then read by http-parser; where the two do not agree on where a part
 * ends, the request is refused. A connection at rest holds nothing.
 *
 *   http1_take() ──HEAD──▶ http1_take() ──WHOLE──▶ http1_next() ─▶ …
 */
#ifndef PROTO_HTTP1_H
#define PROTO_HTTP1_H

#include "proto/blob.h"
#include "proto/http1_limits.h"
#include "proto/http1_line.h"

/* The header fields that are kept: name, word, whether a second one is refused (else the first one
 * counts). */
#define HTTP1_FIELDS(X)                                                                            \
    X(HOST, "host", true)                                                                          \
    X(CONTENT_LENGTH, "content-length", true)                                                      \
    X(TRANSFER_ENCODING, "transfer-encoding", true)                                                \
    X(CONTENT_ENCODING, "content-encoding", true)                                                  \
    X(EXPECT, "expect", true)                                                                      \
    X(AUTHORIZATION, "authorization", true)                                                        \
    X(DB_NAME, "db-name", true)                                                                    \
    X(REQUEST_TIMEOUT, "request-timeout", true)                                                    \
    X(ORIGIN, "origin", false)                                                                     \
    X(ACCEPT_ENCODING, "accept-encoding", false)                                                   \
    X(ALLOW_INT64, "accept-type-allow-int64", false)

#define X(name, word, once) HTTP1_##name,
enum http1_field { HTTP1_FIELDS(X) HTTP1_FIELD_COUNT };
#undef X

enum http1_method { HTTP1_POST, HTTP1_GET, HTTP1_HEAD, HTTP1_OPTIONS, HTTP1_OTHER };

struct http1_head {
    enum http1_method method;
    struct span path;                      /* without the query; empty: the target has none */
    struct span fields[HTTP1_FIELD_COUNT]; /* values; empty: not there, or empty */
    uint64_t length;                       /* bytes of the body as announced; 0 if is_chunked */
    bool is_chunked;
    bool is_old;      /* HTTP/1.0 */
    bool keeps_alive; /* the client wants the connection to stand when it is answered */
    bool expects_continue;
};

struct http1_message;

struct http1 {
    const struct http1_limits *limits;
    uint32_t max_body;             /* bytes */
    struct http1_message *message; /* NULL: at rest */
    bool had_empty_line;           /* before the request that is to come */
    struct http1_fault fault;
};

void http1_init(struct http1 *http, const struct http1_limits *limits, uint32_t max_body);

/* Drops what it holds. */
void http1_clear(struct http1 *http);

enum http1_read {
    HTTP1_READ_MORE,   /* all given was taken */
    HTTP1_READ_HEAD,   /* http1_head() is whole; to go on, call again */
    HTTP1_READ_WHOLE,  /* the request is; http1_next() before what follows */
    HTTP1_READ_BROKEN, /* not taken, http1_fault() says why; the connection is to end with that */
};

/* Takes bytes from the front of *bytes up to the next event. */
enum http1_read http1_take(struct http1 *http, struct span *bytes)
    __attribute__((warn_unused_result));

/* From HTTP1_READ_HEAD to http1_next(); else NULL. */
const struct http1_head *http1_head(const struct http1 *http);

/* What comes of the body is not kept. */
void http1_skip_body(struct http1 *http);

/* The body, whole: the caller's. NULL: it is empty. Once. */
struct blob *http1_take_body(struct http1 *http);

/* Wipes the value of a field that is not needed any more. */
void http1_forget(struct http1 *http, enum http1_field field);

/* Forgets the request. */
void http1_next(struct http1 *http);

/* Whether a request has begun and is not whole. */
bool http1_busy(const struct http1 *http);

/* After HTTP1_READ_BROKEN. */
struct http1_fault http1_fault(const struct http1 *http);

/* Whether a value of Accept-Encoding takes gzip (RFC 9110 section 12.5.3). */
bool http1_accepts_gzip(struct span value);

#endif
