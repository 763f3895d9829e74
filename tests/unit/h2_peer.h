/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of the HTTP/2 engine: a client in memory. nghttp2's own client side speaks for it;
 * every frame of the server is noted as well, and frames of any content can be put between those of
 * nghttp2, which does not know of them. What fails in here ends the test.
 */
#ifndef TESTS_H2_PEER_H
#define TESTS_H2_PEER_H

#include <nghttp2/nghttp2.h>

#include "proto/metadata.h"

#define H2_PEER_STREAMS 2048
#define H2_PREFACE      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

/* Bytes that grow. A struct of zeros is empty. */
struct bytes {
    uint8_t *at;
    size_t length;
    size_t capacity;
};

void bytes_add(struct bytes *bytes, struct span more);
void bytes_drop(struct bytes *bytes, size_t length); /* from the front */
void bytes_clear(struct bytes *bytes);

static inline struct span bytes_span(const struct bytes *bytes)
{
    return span_of(bytes->at, bytes->length);
}

/* The byte at a place of every body that tests send: printable. */
static inline uint8_t h2_pattern(size_t at)
{
    return (uint8_t)('!' + at % 89);
}

/* A frame as it stands on the wire, RFC 9113 section 4.1. */
struct h2_frame {
    uint8_t type; /* enum nghttp2_frame_type, or any other */
    uint8_t flags;
    uint32_t stream;
    struct span payload;
};

void h2_frame_write(struct bytes *to, const struct h2_frame *frame);

/* Cuts a frame off the front. False: there is no whole one. */
bool h2_frame_next(struct span *bytes, struct h2_frame *ret_frame);

/* Adds a field of a head in the one form that depends on no table: literal, not indexed (RFC 7541
 * section 6.2.2). */
void h2_field_write(struct bytes *block, const char *name, const char *value);

/* The four pseudo-header fields of a request, written the same way. */
void h2_request_write(struct bytes *block);

struct h2_peer_stream {
    struct metadata head; /* what the server has answered */
    struct metadata trailers;
    struct bytes body;
    bool ended;
    bool closed;
    uint32_t error;
    size_t size; /* of the request's body as far as it is known */
    size_t sent; /* bytes of it */
    bool open;   /* more of it will follow */
};

struct h2_peer {
    nghttp2_session *session;
    struct bytes output;                            /* for the server */
    struct bytes received;                          /* from it, all of it */
    bool deaf;                                      /* nghttp2 does not see what is received */
    struct h2_peer_stream streams[H2_PEER_STREAMS]; /* in the order of their numbers */
};

struct h2_peer_options {
    uint32_t window;    /* of each stream, 0: 65535 */
    uint32_t frame_max; /* 0: 16384 */
    bool keeps_windows; /* gives windows back only as nghttp2_session_consume() is called */
    bool silent;        /* sends nothing by itself, not even the preface */
};

struct h2_peer *h2_peer_new(const struct h2_peer_options *options);
void h2_peer_free(struct h2_peer *peer);

/* Takes the server's bytes. */
void h2_peer_receive(struct h2_peer *peer, struct span bytes);

/* Puts what nghttp2 wants to send into the output. */
void h2_peer_flush(struct h2_peer *peer);

/* Opens a stream: POST /a, more fields if not NULL, a body of that size. */
int32_t h2_peer_open(struct h2_peer *peer, const struct metadata *more, size_t body, bool ends);

/* Adds to the body of such a stream that has not ended. */
void h2_peer_more(struct h2_peer *peer, int32_t id, size_t body, bool ends);

/* Puts a frame into the output, behind what nghttp2 wants to send now. */
void h2_peer_raw(struct h2_peer *peer, uint8_t type, uint8_t flags, uint32_t id,
                 struct span payload);

static inline struct h2_peer_stream *h2_peer_stream(struct h2_peer *peer, int32_t id)
{
    return &peer->streams[id / 2];
}

/* Frames of that type and stream (-1: any) that have come, and the last of them. */
size_t h2_peer_count(const struct h2_peer *peer, uint8_t type, int32_t id,
                     struct h2_frame *ret_last);

/* The 32-bit number at that place of a frame's payload. */
uint32_t h2_frame_number(const struct h2_frame *frame, size_t at);

/* Bytes that WINDOW_UPDATE frames of that stream have given, together. */
size_t h2_peer_windows(const struct h2_peer *peer, int32_t id);

#endif
