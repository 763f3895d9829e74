/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pools of one database of the configuration, one for each credential:
 *
 *     pools ──┬── the database's own, or the upstream's
 *             ├── those of the rules that have one and reach this database
 *             └── clients' own, where `credentials: client` stands: at most max_credentials
 *
 * The former are opened at the start and stay. A client's pool is opened with its first request. It
 * is idle while it has none, and is closed after a while, or when another one needs its place: of
 * the idle ones that which nothing but refusals came from, else the one that was used least
 * recently.
 */
#ifndef POOL_POOLS_H
#define POOL_POOLS_H

#include "pool/pool.h"

/* ms that a client's pool stays idle, and one that nothing but refusals came from. */
#define POOLS_IDLE_TIME    600000
#define POOLS_REFUSED_TIME 10000

struct pools;

struct pools_setup {
    struct pool_setup pool; /* of each; without rule and authorization */
    const struct conf *conf;
    int64_t idle_time;    /* ms; POOLS_IDLE_TIME */
    int64_t refused_time; /* ms; POOLS_REFUSED_TIME */
    /* What was answered through that pool is not to be given out again: it is closed, or its
     * credential is refused. With the context of pool's setup. */
    void (*forget)(void *context, const struct pool *pool);
};

/* Opens those that are opened at the start. NULL: *ret_error says what is wrong, to be freed. */
struct pools *pools_new(const struct pools_setup *setup, char **ret_error);

/* With all requests ended; NULL is accepted. */
void pools_free(struct pools *pools);

/* The files of their credentials may be others, see pool_renew(). */
void pools_renew(struct pools *pools);

/* Sets the request's pool, by the rule (NULL: none) and by what the request shows; it counts there
 * until pools_release(). False: it has failed the request. */
bool pools_choose(struct pools *pools, const struct conf_rule *rule, struct request *request)
    __attribute__((warn_unused_result));

/* The same for a request to a pool that is known, one that stays or has a request. */
void pools_hold(struct request *request, struct pool *pool);

/* The request is over; outcome: how, NULL: nobody knows. */
void pools_release(const struct request *request, const struct outcome *outcome);

#endif
