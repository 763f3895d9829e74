/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request, from the front that made it to the upstream and back:
 *
 *   front ──router_submit()──▶ router ──▶ cache ──▶ pool ──▶ upstream
 *   front ◀──────answer()───── router ◀─────ended()──────────────┘
 *
 * Its state names the one who has it, and with it the list that its link is in.
 */
#ifndef POOL_REQUEST_H
#define POOL_REQUEST_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdarg.h>
#include <sys/queue.h>

#include "proto/blob.h"
#include "proto/code.h"
#include "proto/encoding.h"
#include "proto/metadata.h"
#include "proto/rpc.h"

#define REQUEST_DATABASE_MAX 255 /* bytes of a database's name, as Milvus limits it */

enum request_state {
    REQUEST_IDLE,    /* nobody: not submitted, or ended */
    REQUEST_WAITING, /* the cache, in a list of an entry: for an answer that another request fetches
                      */
    REQUEST_QUEUED,  /* the pool, in its queue or a bundle: for a slot, a connection or its turn */
    REQUEST_WIRE,    /* the pool, in no list: sent, its call is with the upstream */
    REQUEST_FORWARDED, /* pool/forward.c: with the upstream's HTTP port */
};

/* How it ended. Borrowed by the one who is told. */
struct outcome {
    enum code code;
    enum phase phase; /* of a failure; NONE when the upstream answered, whatever it said */
    struct span message;
    struct blob *reply;              /* with code OK; NULL for streams */
    unsigned status;                 /* of HTTP, of what was forwarded and has a reply */
    const struct metadata *headers;  /* for the client; NULL: none, and for streams */
    const struct metadata *trailers; /* for the client; NULL: none */
};

struct request;
struct forwarded;
struct router;
struct rule;
struct pool;
struct seen;
struct cache_entry;
struct pool_slot;
struct merge_place;
struct turns_connection;

/* What goes to the upstream's HTTP port: its body is JSON, which names no database. */
struct request_forward {
    const char *path;     /* "/v2/vectordb/jobs/import/list" */
    enum rpc_class class; /* the right that it needs */
};

/* What a stream's maker is told between router_submit() and answer(). */
struct request_stream {
    /* It is with the upstream: from here until the answer, pool_send(), pool_finish() and
     * pool_receive() take what follows. */
    void (*opened)(struct request *request);
    void (*headers)(struct request *request, const struct metadata *headers); /* at most once */
    void (*received)(struct request *request, struct blob *message);          /* borrowed */
    void (*sent)(struct request *request); /* there is room for the next message */
};

struct request {
    /* The question: set by its maker, who keeps what it points to until the end. */
    struct span method;
    const struct request_forward *forward; /* instead of a method; NULL: there is one */
    struct span database;                  /* named beside the message; empty: none */
    struct blob *payload; /* owner of body, NULL with an empty one; admission may put an unpacked
                             message in their place, whose reference is then the maker's */
    struct span body;
    enum encoding encoding;              /* of body, or of a stream's compressed messages */
    const struct metadata *metadata;     /* passed on to the upstream; NULL: none */
    const struct request_stream *stream; /* any number of messages, which are not part of the
                                            question; NULL: one each way */
    size_t unpack_max; /* bytes that a compressed message may become, if fewer than max_message; 0:
                          as many */
    uint64_t asker;    /* who asks: those that wait are taken in turn by it */
    const void *connection; /* and by this, of one asker */
    struct rule *rule;      /* by which its asker may ask; NULL: everything */
    struct span
        authorization;  /* the asker's own, for router_submit() alone; empty: none was shown */
    bool shows_nothing; /* its protocol carries no authorization */
    bool bare;          /* the server's metadata are not wanted */
    uint32_t timeout;   /* ms; 0: the daemon's own */
    int64_t arrived;    /* on clock_now()'s clock, when its first byte came; 0: now */
    struct seen *seen;  /* what the asker's connection has described before; NULL: nothing */
    bool doubts; /* what is remembered of the answer is doubted: it comes from the upstream */
    void (*answer)(struct request *request, const struct outcome *outcome); /* once */
    /* The upstream has begun to reply, and pool_take() is to be called when there is room for that;
     * it may begin more than once, if the request is sent again. NULL, and for what the cache
     * answers: the reply comes unasked. Not for streams. */
    void (*replied)(struct request *request);
    void *context; /* the maker's own */

    /* What admission found out. */
    struct router *router;
    bool permitted;        /* it counts against its rule's limits */
    const struct rpc *rpc; /* NULL: unknown to the table, forwarded all the same */
    const char *path;
    char *own_path;            /* of a method that the table does not know; owned, else NULL */
    struct span named;         /* the database, as the client calls it */
    struct span upstream_name; /* and as the upstream does */
    struct span collection;    /* empty: none named */
    struct blob *tail;         /* of the message, behind body; owned */
    struct blob *names; /* bytes of the names above, where a compressed body has them; owned */
    struct pool *pool;
    int64_t deadline; /* on clock_now()'s clock */

    /* Where it is. */
    enum request_state state;
    TAILQ_ENTRY(request) link;   /* in the pool, of those that wait or go together */
    LIST_ENTRY(request) waiting; /* in a list of its entry */
    struct event timer;
    void (*ended)(struct request *request, const struct outcome *outcome); /* towards answer */
    int64_t waits_since;           /* in the queue, for what it waits for now */
    uint8_t repeats;               /* how often it has been sent again */
    bool alone;                    /* it travelled with others in vain */
    struct turns_connection *turn; /* whose turn it shares while it waits, or NULL */
    struct merge_place *place;     /* with those that it waits to travel with, or NULL */
    struct pool_slot *slot;
    uint32_t part; /* which of the slot's it is */
    struct cache_entry *entry;
    struct forwarded *forwarded;
};

TAILQ_HEAD(request_list, request);

/* Calls `fired` at that time unless set again or stopped before; owner of the request's timer is
 * who has the request. */
void request_timer(struct request *request, struct event_base *loop, int64_t at,
                   event_callback_fn fired);
void request_timer_stop(struct request *request);

/* Hands the outcome back. The request is out of every list and its timer is stopped. */
void request_end(struct request *request, const struct outcome *outcome);

/* Bytes of the text of such an error, the NUL included; the rest is cut. */
#define REQUEST_MESSAGE_MAX 1024

/* Writes the text of an error of the daemon's own: "milvus-bouncer: database NAME: PHASE: …", in
 * printable ASCII. */
void request_message(char to[REQUEST_MESSAGE_MAX], struct span database, enum phase phase,
                     const char *format, va_list arguments) __attribute__((format(printf, 4, 0)));

/* Ends it with such an error. */
void request_fail(struct request *request, enum code code, enum phase phase, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));

#endif
