/* SPDX-License-Identifier: Apache-2.0 */
/* What pool/merge.c keeps of those that wait and of calls under way: lanes, and in them shapes. */
#ifndef POOL_LANE_H
#define POOL_LANE_H

#include <uthash.h>

#include "pool/limiter.h"
#include "pool/merge.h"

#define LANES_IDLE_MAX 256 /* whose limits are remembered while nothing is asked */

/* What agrees: requests that may go as one call. */
struct shape {
    UT_hash_handle hh; /* of its lane's, by key */
    TAILQ_ENTRY(shape) link;
    struct lane *lane;
    const struct rpc *rpc;
    struct blob *key;
    struct turns waiting; /* one at least */
};

struct lane {
    UT_hash_handle hh; /* by key */
    struct blob *key;
    enum merge_kind kind;
    struct limiter limiter;
    uint32_t calls;              /* under way */
    struct shape *by_key;        /* what waits */
    TAILQ_HEAD(, shape) waiting; /* the same, in its turn */
    bool crowded;                /* it has waited for a call to end */
    bool ready;                  /* something waits, and has a place */
    TAILQ_ENTRY(lane) link;      /* of those that are ready, or idle */
};

TAILQ_HEAD(lane_list, lane);

struct lanes {
    const struct conf_merge *conf;
    struct lane *searches;  /* by collection */
    struct lane *reads;     /* by their bytes */
    struct lane_list ready; /* in their turn */
    struct lane_list idle;  /* of searches; longest ago first */
    uint32_t idle_count;
};

void lanes_init(struct lanes *lanes, const struct conf_merge *conf);

/* With nothing in them. */
void lanes_clear(struct lanes *lanes);

/* The lane of that key, which is taken. Something is to be put into it. */
struct lane *lane_of(struct lanes *lanes, enum merge_kind kind, struct blob *key);

/* After any change of it; it may be gone then. */
void lane_settle(struct lanes *lanes, struct lane *lane);

/* The shape of that key, which it references. A request is to be put into it. */
struct shape *shape_of(struct lane *lane, struct blob *key, const struct rpc *rpc);

/* Frees it if nothing waits in it any more. */
void shape_free_empty(struct shape *shape);

/* One that waits of which that is true, or NULL. */
struct request *lanes_find(const struct lanes *lanes, bool (*is)(struct request *request));

#endif
