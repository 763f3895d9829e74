/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of a pool share:
 *
 *     pool.c         connections, and whose turn it is
 *     pool_queue.c   requests that wait: until when, and how waiting ends badly
 *     pool_call.c    calls: how they begin, and how they end
 *     pool_bundle.c  calls of several requests
 */
#ifndef POOL_POOL_STATE_H
#define POOL_POOL_STATE_H

#include "pool/login.h"
#include "pool/merge.h"
#include "pool/merge_stats.h"
#include "pool/pool.h"
#include "pool/servers.h"

/* A request of a call. */
struct pool_part {
    struct request *request; /* NULL: cancelled, or ended */
    uint32_t vectors;        /* of a bundle of searches */
};

/* A place on the wire, held from a call's start until the transport has ended it. */
struct pool_slot {
    LIST_ENTRY(pool_slot) link;
    struct pool *pool;
    struct server *server;
    struct upstream_call *call; /* NULL: it has ended */
    struct login_pass pass;
    struct bundle *bundle; /* NULL: it did not wait in one */
    uint32_t count;        /* parts; more than one: a bundle's */
    uint32_t wanted;       /* of them, those with a request */
    struct pool_part parts[];
};

struct pool {
    struct pool_setup setup;
    char *title; /* "database books, rule 2": for the log */
    struct login *login;
    struct event *login_due; /* while requests wait for another secret */
    bool up;                 /* a connection is */
    bool away;               /* none is, and one could not be made since the last one was up */
    struct request_list
        again;           /* that were refused; before all others, the most often refused first */
    struct turns queue;  /* of others that travel alone */
    struct merge *merge; /* of those that travel together; NULL: none do */
    bool merge_next;     /* it is the turn of these */
    struct merge_stats *stats;
    struct event *later; /* when what has come together is there, its turn comes */
    uint32_t queued;     /* in all of these */
    LIST_HEAD(, pool_slot) slots;
    uint32_t in_flight; /* slots in that list */
    char *reason;       /* why the last connection that failed did */
    struct servers *servers;
};

const char *pool_uri(const struct pool *pool);

/* Refuses those that wait, or sees to it that their turn comes, as the login has it. */
void pool_heed_login(struct pool *pool);

/* Lets those who waited longest go, as far as there are slots and connections. */
void pool_dispatch(struct pool *pool);

/* ---- pool_queue.c ---- */

/* What a request that waits waits for. */
enum phase pool_waits_for(const struct pool *pool);

/* It waits from now on: with those that it travels with, or else in the queue. */
void pool_wait(struct pool *pool, struct request *request);

/* It waits no more. */
void pool_leave(struct pool *pool, struct request *request);

/* Takes the request of those that travel alone whose turn it is; NULL: none waits. */
struct request *pool_take_first(struct pool *pool);

bool pool_queue_is_empty(const struct pool *pool);

/* One that waits of which that is true, or NULL; asking changes nothing here. */
struct request *pool_find(const struct pool *pool, bool (*is)(struct request *request));

/* Those that wait do so for something else from now on. */
void pool_wait_anew(struct pool *pool);

/* Whether it would rather fail than wait for an upstream that is away. */
bool pool_is_impatient(struct request *request);

void pool_fail_deadline(struct request *request, enum phase phase);
void pool_fail_away(struct pool *pool, struct request *request);
void pool_fail_full(struct pool *pool, struct request *request);
void pool_fail_refused(struct pool *pool, struct request *request);

/* Each that waits finds out whether it still may. */
void pool_rouse(struct pool *pool);

/* ---- pool_call.c ---- */

extern const struct upstream_events pool_call_events;

void pool_send_alone(struct pool *pool, struct server *server, struct request *request);

/* Logs in, and sends what the message says for `count` requests, which are put into the slot's
 * parts by pool_put(), in their order. */
struct pool_slot *pool_start(struct pool *pool, struct server *server,
                             struct upstream_message *message, uint32_t count);
void pool_put(struct pool_slot *slot, struct request *request, uint32_t vectors);

/* The call's message for one request, without authorization. */
struct upstream_message pool_message(const struct request *request);

/* Takes a request out of its slot; NULL: it has been before. */
struct request *pool_take_part(struct pool_slot *slot, uint32_t part);

/* Nobody wants its answer any more; a call that nobody waits for is cancelled. */
void pool_give_up(struct request *request);

/* Tells a request that is out of its slot how the call has ended. */
void pool_finish_request(struct pool *pool, struct request *request,
                         const struct upstream_end *end);

/* ---- pool_bundle.c ---- */

/* That whose turn it is; there is one. */
void pool_send_bundle(struct pool *pool, struct server *server);

/* A call of several requests has ended. */
void pool_end_bundle(struct pool_slot *slot, const struct upstream_end *end);

#endif
