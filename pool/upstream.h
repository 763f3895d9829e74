/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to an upstream, whatever carries it: five verbs, and two events back. All of it
 * happens on the event loop's thread. A transport (pool/grpc_transport.h) makes them.
 */
#ifndef POOL_UPSTREAM_H
#define POOL_UPSTREAM_H

#include "conf/conf.h"
#include "proto/blob.h"
#include "proto/code.h"

enum upstream_state {
    UPSTREAM_CONNECTING,
    UPSTREAM_READY, /* a call started now goes on the wire */
    UPSTREAM_DOWN,  /* could not connect; tried again after a pause */
};

/* One call as it is sent. Everything is borrowed for the length of upstream_start() but the
 * message, whose owner is referenced until it has been sent. */
struct upstream_message {
    const char *path;          /* "/milvus.proto.milvus.MilvusService/Search" */
    struct span authorization; /* metadata; empty: none is sent */
    struct span database;      /* metadata dbname; empty: none is sent */
    struct blob *owner;        /* of body; NULL where the body is empty */
    struct span body;
    struct blob *tail; /* bytes of the message behind body, or NULL */
    int64_t deadline;  /* on clock_now()'s clock; what is left travels as grpc-timeout */
};

/* How a call ended. Borrowed by the one who is told. */
struct upstream_end {
    enum code code;
    struct span message;
    struct blob *reply; /* NULL unless code is OK */
    bool from_peer;     /* the server said so; else the transport did */
    bool unstarted;     /* it is certain that the server did not begin it */
};

struct upstream_events {
    /* Once for every started call, unless the connection is closed before; never from within
     * upstream_start(). */
    void (*call_ended)(void *call_context, const struct upstream_end *end);
    /* The state is another one. reason: why it is down, for the operator; NULL in other states. */
    void (*state_changed)(void *context, enum upstream_state state, const char *reason);
};

struct upstream;
struct upstream_call;

struct upstream_verbs {
    struct upstream_call *(*start)(struct upstream *upstream,
                                   const struct upstream_message *message, void *call_context);
    void (*cancel)(struct upstream *upstream, struct upstream_call *call);
    void (*close)(struct upstream *upstream);
};

struct upstream {
    const struct upstream_verbs *verbs;
    enum upstream_state state; /* set by the transport */
};

/* Starts a call. Never NULL; what is wrong comes as the call's end. The call is valid until
 * call_ended. */
static inline struct upstream_call *upstream_start(struct upstream *upstream,
                                                   const struct upstream_message *message,
                                                   void *call_context)
{
    return upstream->verbs->start(upstream, message, call_context);
}

/* Asks the call to end at once; its end comes as any other. */
static inline void upstream_cancel(struct upstream *upstream, struct upstream_call *call)
{
    upstream->verbs->cancel(upstream, call);
}

/* Ends all calls and the connection; no event comes any more. NULL is accepted. */
static inline void upstream_close(struct upstream *upstream)
{
    if (upstream)
        upstream->verbs->close(upstream);
}

/* What makes connections of one kind. */
struct transport {
    /* Opens a connection and keeps it open, with pauses between tries that grow and are jittered.
     * max_message: bytes of a message, both ways. NULL: *ret_error says what is wrong with the
     * configuration, to be freed. */
    struct upstream *(*open)(struct transport *transport, const struct conf_upstream *to,
                             uint32_t max_message, const struct upstream_events *events,
                             void *context, char **ret_error);
    /* After all its connections are closed: waits until nothing of them is left. */
    void (*close)(struct transport *transport);
};

#endif
