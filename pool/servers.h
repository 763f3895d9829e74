/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connections of one pool: pool_size to each endpoint of its upstream, as endpoints come and
 * go. A call goes to the endpoint with the fewest under way that takes another, equal ones take
 * turns; and there to a connection that has some, up to SERVERS_TOGETHER, beyond that to the one
 * with the fewest.
 *
 *     servers ── groups, one an endpoint ◀── connections in use, in their turn
 *        │
 *        ├── the successor: connects, and then takes a connection's place
 *        └── retired: no calls any more, closed when their last one has ended
 *
 * A connection that has stood for server_lifetime, or up to a tenth less, is replaced: another one
 * to the same endpoint is opened, and takes its place once it is up. One at a time; if it cannot
 * connect, the old one stays, and it is tried again a tenth of the lifetime later. One that had no
 * call for server_idle_timeout is closed, and opened again when all others are busy or none is
 * left.
 */
#ifndef POOL_SERVERS_H
#define POOL_SERVERS_H

#include "pool/endpoints.h"
#include "pool/upstream.h"

#define SERVERS_TOGETHER 64 /* calls of a connection, before another to the endpoint is used */

struct servers;
struct server; /* one connection */

struct servers_events {
    /* Which connections are up has changed. */
    void (*changed)(void *context);
    /* The upstream may be another than it was: the first connection has come up, the first one to
     * an endpoint, or one again. */
    void (*connected)(void *context);
    /* There is room for calls. */
    void (*has_room)(void *context);
    /* A connection could not be made, or no endpoint is known. */
    void (*failed)(void *context, const char *reason);
};

struct servers_setup {
    struct event_base *loop;
    struct transport *transport;
    struct endpoints *endpoints;
    struct logger *logger;
    const struct conf_database *database; /* outlives them */
    const char *title;                    /* "database books", for the log; outlives them */
    bool is_quiet;                        /* connections that come up are no news */
    uint32_t max_message;                 /* bytes */
    const struct upstream_events *calls;  /* its call_ events are for the calls */
    const struct servers_events *events;
    void *context;
};

/* Starts connecting to the endpoints that are known. NULL: *ret_error says what is wrong with the
 * configuration, to be freed. No event comes from within. */
struct servers *servers_new(const struct servers_setup *setup, char **ret_error);

/* Ends all calls, without another event; NULL is accepted. */
void servers_free(struct servers *servers);

bool servers_are_up(const struct servers *servers);

/* The connection for the next call, or NULL: none is up with room. */
struct server *servers_pick(const struct servers *servers);

/* A call begins on it, or has ended; upstream: to start it on. A connection is there as long as it
 * has calls. unstarted: the server certainly did not begin it; others to the endpoint are used
 * first then, until this one has served a call or has come up anew. */
struct upstream *server_begin(struct server *server);
void server_ended(struct server *server, bool unstarted);
struct upstream *server_upstream(const struct server *server);

/* A request waits: opens a connection where one is missing; if none is up, all are tried now. */
void servers_want(struct servers *servers);

#endif
