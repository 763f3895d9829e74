/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls of one connection over gRPC's C core; within the transport. A call of one message each
 * way is one batch of operations with one end (grpc_call.c). A stream (grpc_stream.c) has a batch
 * for each thing it waits for, and ends when the status has come and all of them are back.
 */
#ifndef POOL_GRPC_CALL_H
#define POOL_GRPC_CALL_H

#include <sys/queue.h>

#include "pool/grpc_queue.h"
#include "pool/upstream.h"

/* What the calls of one connection share. */
struct grpc_calls {
    grpc_channel *channel;
    struct grpc_queue *queue;
    const struct upstream_events *events; /* NULL once closed: nobody is told any more */
    /* A probe has ended; why, as C core says it. Not called once closed. */
    void (*probed)(struct grpc_calls *calls, const char *reason);
    void (*freed)(struct grpc_calls *calls); /* a call is no longer in the list */
    TAILQ_HEAD(, upstream_call) list;
};

/* Operations that were given to C core together. */
struct grpc_batch {
    struct grpc_tag tag;
    struct upstream_call *call;
};

/* A call, from its start until gRPC is done with it. */
struct upstream_call {
    TAILQ_ENTRY(upstream_call) link;
    struct grpc_calls *calls;
    void *context; /* NULL: a probe, which asks why there is no connection */
    grpc_call *core;
    unsigned out;             /* batches that are with gRPC */
    struct grpc_batch opened; /* a whole call; of a stream, both sides' initial metadata */
    grpc_byte_buffer *sent;
    grpc_byte_buffer *received;
    grpc_metadata_array headers;
    grpc_metadata_array trailers;
    grpc_status_code status;
    grpc_slice details;

    bool waits; /* the reply of a held call, to be taken */

    /* Of streams. */
    struct grpc_batch sending;
    struct grpc_batch finishing;
    struct grpc_batch receiving;
    struct grpc_batch ending; /* of held calls too */
    enum encoding encoding;
    bool has_headers; /* they came, or never will */
    bool asked;       /* for a message, before that */

    size_t metadata_count;
    grpc_metadata metadata[]; /* as sent */
};

/* Starts a call of one message. Context NULL: a probe. */
struct upstream_call *grpc_call_start(struct grpc_calls *calls,
                                      const struct upstream_message *message, void *context);

/* Lets the reply of a held call come. */
void grpc_call_take(struct upstream_call *call);

/* Ends it; a reply that waits goes unread. */
void grpc_call_abandon(struct upstream_call *call);

/* The same of a stream, and what follows: as pool/upstream.h says. */
struct upstream_call *grpc_stream_start(struct grpc_calls *calls,
                                        const struct upstream_message *message, void *context);
void grpc_stream_send(struct upstream_call *call, struct blob *message, bool compressed);
void grpc_stream_finish(struct upstream_call *call);
void grpc_stream_receive(struct upstream_call *call);

/* For both kinds: makes a call that is in the list and has sent nothing. */
struct upstream_call *grpc_call_new(struct grpc_calls *calls,
                                    const struct upstream_message *message, void *context);

/* Gives operations to C core; `ended` is called with the batch's tag. */
void grpc_call_batch(struct upstream_call *call, struct grpc_batch *batch, const grpc_op *ops,
                     size_t count, void (*ended)(struct grpc_tag *tag));

/* The call of a batch that has come back. */
struct upstream_call *grpc_call_of(struct grpc_tag *tag);

/* What a call does: sends its metadata, sends what stands in `sent`, says that no more follows; and
 * waits for the server's metadata, a message, the status. */
grpc_op grpc_call_op_open(struct upstream_call *call);
grpc_op grpc_call_op_send(struct upstream_call *call);
grpc_op grpc_call_op_finish(void);
grpc_op grpc_call_op_headers(struct upstream_call *call);
grpc_op grpc_call_op_receive(struct upstream_call *call);
grpc_op grpc_call_op_status(struct upstream_call *call);

/* How it ended, as the status says. */
struct upstream_end grpc_call_outcome(const struct upstream_call *call);

/* Tells that end, with the trailers. */
void grpc_call_tell(struct upstream_call *call, struct upstream_end *end);

/* With no batch out. */
void grpc_call_free(struct upstream_call *call);

#endif
