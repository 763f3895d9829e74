/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the transport over nghttp2 share; pool/h2_transport.h is for its users. */
#ifndef POOL_H2_UPSTREAM_H
#define POOL_H2_UPSTREAM_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/queue.h>

#include "pool/link.h"
#include "pool/upstream.h"
#include "proto/h2.h"

struct h2_conn;

TAILQ_HEAD(h2_conn_queue, h2_conn);
LIST_HEAD(h2_conn_list, h2_conn);
TAILQ_HEAD(h2_call_queue, upstream_call);

struct h2_transport {
    struct transport base;
    struct event_base *loop;
    struct event *flush;        /* active at the end of a turn in which something is to be done */
    struct h2_conn_queue dirty; /* with something to write */
    struct h2_call_queue later; /* with something to tell that must not be told at once */
    LIST_HEAD(, h2_secrets) secrets;
    struct span scratch;
};

/* At the end of the turn: something is to be written, something is to be told. */
void h2_transport_write_later(struct h2_transport *transport, struct h2_conn *conn);
void h2_transport_tell_later(struct h2_transport *transport, struct upstream_call *call);

/* The TLS of one upstream of the configuration, shared by its connections. */
struct h2_secrets {
    LIST_ENTRY(h2_secrets) link;
    const struct conf_upstream *of;
    struct tls *tls;
    bool are_stale; /* their files have changed and cannot be used, and that was told */
    uint32_t users;
};

#define H2_AUTHORITY_MAX (URI_HOST_MAX + 16)

struct h2_upstream {
    struct upstream base;
    struct h2_transport *transport;
    const struct conf_upstream *to;
    struct endpoint endpoint;
    struct h2_secrets *secrets; /* NULL: plaintext */
    char authority[H2_AUTHORITY_MAX];
    uint32_t max_message;
    const struct upstream_events *events; /* NULL once closed */
    void *context;
    struct h2_conn *current;   /* takes new calls, or will; NULL in a pause */
    struct h2_conn_list conns; /* with those that have been told to go and still have calls */
    struct h2_call_queue calls;
    struct event pause;
    unsigned failures; /* in a row */
    int64_t tried;     /* when the last try began */
    int64_t keepalive; /* ms */
    unsigned inside;   /* callbacks that are under way: it is freed behind the last one */
};

/* As struct transport has it. */
struct upstream *h2_upstream_open(struct transport *base, const struct conf_upstream *to,
                                  const struct endpoint *endpoint, uint32_t max_message,
                                  const struct upstream_events *events, void *context,
                                  char **ret_error);

/* Around what the loop calls; `leave` may free it. */
void h2_upstream_enter(struct h2_upstream *upstream);
void h2_upstream_leave(struct h2_upstream *upstream);

/* Told by the connections: the current one is ready; allows more or less; takes no new calls any
 * more; has ended, and why. */
void h2_upstream_ready(struct h2_upstream *upstream);
void h2_upstream_resize(struct h2_upstream *upstream);
void h2_upstream_leaving(struct h2_upstream *upstream, struct h2_conn *conn);
void h2_upstream_lost(struct h2_upstream *upstream, struct h2_conn *conn, const char *reason);

enum h2_conn_state {
    H2_CONN_CONNECTING, /* TCP, TLS */
    H2_CONN_GREETING,   /* the server has not said its settings */
    H2_CONN_READY,
    H2_CONN_LEAVING, /* takes no new calls */
};

struct h2_conn {
    LIST_ENTRY(h2_conn) link_of;
    TAILQ_ENTRY(h2_conn) dirty_link;
    bool dirty;
    struct h2_upstream *upstream;
    enum h2_conn_state state;
    struct link *link;
    struct h2 *h2;      /* from GREETING on */
    struct event timer; /* connect_timeout, then pings */
    int64_t heard;      /* when the last bytes came */
    int64_t pinged;     /* when a ping was sent that waits for an answer; 0: none does */
    bool used;          /* the server has answered a call */
    uint32_t call_count;
    struct h2_call_queue senders; /* streams whose message is on its way out */
    const char *reason;           /* why it ends; NULL: it does not */
};

struct h2_conn *h2_conn_open(struct h2_upstream *upstream);

/* Ends it with its calls; why, for them. */
void h2_conn_end(struct h2_conn *conn, const char *reason);

/* Writes what there is, and finds out whether it is over. May end it. */
void h2_conn_flush(struct h2_conn *conn);

#endif
