/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call over nghttp2; within the transport. It is told as over when its stream is, and when what
 * came before that has been taken.
 */
#ifndef POOL_H2_CALL_H
#define POOL_H2_CALL_H

#include "pool/h2_upstream.h"
#include "proto/grpc_reader.h"
#include "proto/grpc_response.h"

#define H2_CALL_WINDOW   (256u << 10) /* bytes of a message that come unasked */
#define H2_CALL_HEAD_MAX (64u << 10)  /* bytes of metadata: error texts may be long */

struct upstream_call {
    TAILQ_ENTRY(upstream_call) link; /* in upstream.calls */
    TAILQ_ENTRY(upstream_call) later_link;
    TAILQ_ENTRY(upstream_call) sender_link;
    struct h2_upstream *upstream;
    struct h2_conn *conn;     /* NULL once the stream is over */
    struct h2_stream *stream; /* the same */
    void *context;
    bool is_later;
    bool streams; /* any number of messages */
    bool waits;   /* the reply of a held call, to be taken */
    bool replied; /* of a held call: it was told so */
    bool cancelled;
    struct grpc_response response;
    struct grpc_reader reader;
    size_t window;      /* bytes to give back to the stream's window once it is taken */
    struct blob *reply; /* the one message */
    char *fault;        /* what else went wrong, for the operator; NULL: nothing did */

    /* Once the stream is over. */
    enum code code;
    bool from_peer;
    bool unstarted;

    /* Of streams. */
    bool asked;        /* for a message */
    bool sending;      /* in conn.senders */
    bool finished;     /* our side */
    bool has_headers;  /* they have been told */
    struct blob *kept; /* what came and was not asked for yet, or NULL */
    size_t kept_read;  /* bytes of it that are read by now */
};

/* Starts a call on a connection. */
struct upstream_call *h2_call_start(struct h2_conn *conn, const struct upstream_message *message,
                                    void *context);

/* The stream's events. */
void h2_call_section(struct upstream_call *call);
void h2_call_data(struct upstream_call *call, struct span bytes);
void h2_call_ended(struct upstream_call *call);
void h2_call_closed(struct upstream_call *call, uint32_t error);

/* Verbs, as pool/upstream.h has them. */
void h2_call_take(struct upstream_call *call);
void h2_call_cancel(struct upstream_call *call);
void h2_call_send(struct upstream_call *call, struct blob *message, bool compressed);
void h2_call_finish(struct upstream_call *call);
void h2_call_receive(struct upstream_call *call);

/* What was put off until the end of the turn. */
void h2_call_go_on(struct upstream_call *call);

/* A message of a stream has gone out. */
void h2_call_sent(struct upstream_call *call);

/* ---- between the files of a call ---- */

/* Who is told; NULL once the upstream is closed. */
static inline const struct upstream_events *h2_call_events(const struct upstream_call *call)
{
    return call->upstream->events;
}

/* Ends it: something is wrong with what came. */
void h2_call_fail(struct upstream_call *call, enum code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A message's size is known: it may be too large. */
void h2_call_size_known(struct upstream_call *call);

/* The message, unpacked if it is compressed; NULL: it has failed the call. */
struct blob *h2_call_unpack(struct upstream_call *call, struct blob *message);

/* Tells how it ended, and frees it. */
void h2_call_tell_end(struct upstream_call *call);

void h2_call_free(struct upstream_call *call);

/* Of streams: the same events. */
void h2_call_tell_headers(struct upstream_call *call);
void h2_call_stream_data(struct upstream_call *call, struct span bytes);
void h2_call_stream_closed(struct upstream_call *call);
void h2_call_stream_go_on(struct upstream_call *call);

#endif
