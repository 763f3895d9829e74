/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to one address of an upstream, whatever carries it: verbs, and events back. All of
 * it happens on the event loop's thread. A transport makes them (pool/transports.h); it connects,
 * and connects again with pauses that grow and are jittered, until the connection is closed.
 *
 * A call is one message each way, or a stream of any number either way. A stream's messages are
 * pushed back: the next one is sent when the last one was taken (call_sent), and one comes for each
 * that was asked for.
 */
#ifndef POOL_UPSTREAM_H
#define POOL_UPSTREAM_H

#include "conf/conf.h"
#include "pool/endpoint.h"
#include "proto/blob.h"
#include "proto/code.h"
#include "proto/encoding.h"
#include "proto/metadata.h"

enum upstream_state {
    UPSTREAM_CONNECTING,
    UPSTREAM_READY, /* a call started now goes on the wire */
    UPSTREAM_DOWN,  /* could not connect; tried again after a pause */
};

/* One call as it is sent. Everything is borrowed for the length of upstream_start() but the
 * message, whose owner is referenced until it has been sent. */
struct upstream_message {
    const char *path;                /* "/milvus.proto.milvus.MilvusService/Search" */
    struct span authorization;       /* metadata; empty: none is sent */
    struct span database;            /* metadata dbname; empty: none is sent */
    const struct metadata *metadata; /* the client's own, passed on; NULL: none */
    int64_t deadline; /* on clock_now()'s clock; what is left travels as grpc-timeout */
    bool held;        /* the reply waits for upstream_take(); not for streams */
    bool bare;        /* the server's metadata are not wanted, and may be left out */
    bool stream;      /* the messages follow by upstream_send(); encoding is theirs, what stands
                         below it is not set */
    enum encoding encoding; /* of body; a tail only follows one that is not compressed */
    struct blob *owner;     /* of body; NULL where the body is empty */
    struct span body;
    struct blob *tail; /* bytes of the message behind body, or NULL */
};

/* How a call ended. Borrowed by the one who is told. */
struct upstream_end {
    enum code code;
    struct span message;
    struct blob *reply;              /* NULL unless code is OK, and for streams */
    const struct metadata *headers;  /* the server's, for the client; NULL: none, and for streams */
    const struct metadata *trailers; /* the server's, for the client; NULL: none */
    bool from_peer;                  /* the server said so; else the transport did */
    bool unstarted;                  /* it is certain that the server did not begin it */
};

struct upstream_events {
    /* Once for every started call, unless the connection is closed before; never from within
     * upstream_start(). */
    void (*call_ended)(void *call_context, const struct upstream_end *end);
    /* Of held calls only: the reply has begun, or the call failed before; what it is comes after
     * upstream_take(). Once, of a cancelled call too. */
    void (*call_replied)(void *call_context);
    /* Of streams only, and before call_ended: the server's initial metadata, once; a message that
     * was asked for, borrowed; the message that was sent has been taken, there is room for the
     * next. Never from within a verb. */
    void (*call_headers)(void *call_context, const struct metadata *headers);
    void (*call_received)(void *call_context, struct blob *message);
    void (*call_sent)(void *call_context);
    /* The state is another one. reason: why it is down, for the operator; NULL in other states. */
    void (*state_changed)(void *context, enum upstream_state state, const char *reason);
    /* Something is wrong that does not keep it from going on, for the operator; valid during the
     * call. Perhaps from within open(). */
    void (*warned)(void *context, const char *what);
    /* While READY, capacity has become larger. */
    void (*capacity_grew)(void *context);
};

struct upstream;
struct upstream_call;

struct upstream_verbs {
    struct upstream_call *(*start)(struct upstream *upstream,
                                   const struct upstream_message *message, void *call_context);
    void (*send)(struct upstream *upstream, struct upstream_call *call, struct blob *message,
                 bool compressed);
    void (*finish)(struct upstream *upstream, struct upstream_call *call);
    void (*receive)(struct upstream *upstream, struct upstream_call *call);
    void (*take)(struct upstream *upstream, struct upstream_call *call);
    void (*cancel)(struct upstream *upstream, struct upstream_call *call);
    void (*hurry)(struct upstream *upstream);
    void (*close)(struct upstream *upstream);
};

struct upstream {
    const struct upstream_verbs *verbs;
    /* Set by the transport. */
    enum upstream_state state;
    uint32_t capacity; /* calls that the server takes at once on this connection */
};

/* Starts a call. Never NULL; what is wrong comes as the call's end. The call is valid until
 * call_ended. */
static inline struct upstream_call *upstream_start(struct upstream *upstream,
                                                   const struct upstream_message *message,
                                                   void *call_context)
{
    return upstream->verbs->start(upstream, message, call_context);
}

/* Sends a message on a stream, whose last one has been taken; it is referenced until then. */
static inline void upstream_send(struct upstream *upstream, struct upstream_call *call,
                                 struct blob *message, bool compressed)
{
    upstream->verbs->send(upstream, call, message, compressed);
}

/* No message follows the last one, which has been taken. */
static inline void upstream_finish(struct upstream *upstream, struct upstream_call *call)
{
    upstream->verbs->finish(upstream, call);
}

/* Asks for one message; it comes as call_received, or the call ends without another. One at a time.
 */
static inline void upstream_receive(struct upstream *upstream, struct upstream_call *call)
{
    upstream->verbs->receive(upstream, call);
}

/* Lets the reply of a held call come, once call_replied has told of it. */
static inline void upstream_take(struct upstream *upstream, struct upstream_call *call)
{
    upstream->verbs->take(upstream, call);
}

/* Asks the call to end at once; its end comes as any other. A reply that waits is taken with it. */
static inline void upstream_cancel(struct upstream *upstream, struct upstream_call *call)
{
    upstream->verbs->cancel(upstream, call);
}

/* Somebody waits for a connection: a pause between tries ends now, unless it has just begun. */
static inline void upstream_hurry(struct upstream *upstream)
{
    upstream->verbs->hurry(upstream);
}

/* Ends all calls and the connection; no event comes any more. NULL is accepted. */
static inline void upstream_close(struct upstream *upstream)
{
    if (upstream)
        upstream->verbs->close(upstream);
}

/* What makes connections of one kind. */
struct transport {
    /* Opens a connection to an address of that upstream and keeps it open. The configuration
     * outlives it, the endpoint is copied. max_message: bytes of a message, both ways. NULL:
     * *ret_error says what is wrong with the configuration, to be freed. */
    struct upstream *(*open)(struct transport *transport, const struct conf_upstream *to,
                             const struct endpoint *endpoint, uint32_t max_message,
                             const struct upstream_events *events, void *context, char **ret_error);
    /* After all its connections are closed: waits until nothing of them is left. */
    void (*close)(struct transport *transport);
};

#endif
