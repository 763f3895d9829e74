/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the HTTP/2 engine share; proto/h2.h is for its users. */
#ifndef PROTO_H2_SESSION_H
#define PROTO_H2_SESSION_H

#include <nghttp2/nghttp2.h>
#include <sys/queue.h>

#include "proto/h2.h"
#include "proto/h2_memory.h"

#define H2_FAULT_MAX 192

/* A part of a body: its prefix, then bytes of the blob. */
struct h2_piece {
    STAILQ_ENTRY(h2_piece) link;
    struct blob *blob;
    struct span bytes;
    size_t taken; /* bytes handed over, of both */
    uint8_t prefix_length;
    uint8_t prefix[H2_PREFIX_MAX];
};

struct h2_stream {
    struct h2 *h2;
    LIST_ENTRY(h2_stream) link; /* among those that are open */
    void *user;
    int32_t id;
    bool finished;    /* the body is whole, trailers follow it */
    bool waiting;     /* nghttp2 has asked for more of the body than there was */
    bool too_large;   /* the head */
    bool started;     /* client: the head is sent */
    size_t head_size; /* as RFC 9113 section 6.5.2 counts it */
    size_t unsent;    /* bytes in pieces */
    STAILQ_HEAD(, h2_piece) pieces;
    struct metadata trailers;
};

struct h2 {
    nghttp2_session *session;
    struct h2_memory memory; /* its */
    bool client;
    const struct h2_handler *handler;
    void *context;
    const struct h2_limits *limits;
    struct h2_counters *counters;
    struct h2_allowance allowance;
    LIST_HEAD(, h2_stream) streams;
    int64_t now; /* when the bytes came that are being taken */
    size_t unsent;
    int32_t head_of; /* the stream whose head has begun and is not whole, 0: none */
    bool ending;     /* with an error: bodies stay unsent */
    enum h2_error error;
    char fault[H2_FAULT_MAX]; /* empty: none */
};

/* The first fault stays. */
void h2_fail(struct h2 *h2, enum h2_error error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Takes one off an allowance; the connection fails when there is none. */
void h2_charge(struct h2 *h2, enum h2_rate rate);

struct h2_stream *h2_stream_new(struct h2 *h2, int32_t id);
void h2_stream_free(struct h2_stream *stream);

/* Registers what each file does for nghttp2. */
void h2_receive_options(nghttp2_option *option);
void h2_receive_callbacks(nghttp2_session_callbacks *callbacks);
void h2_send_callbacks(nghttp2_session_callbacks *callbacks);

#endif
