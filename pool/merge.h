/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of one pool that may travel together: searches that differ only in their vectors
 * (proto/search.h), as one call with all of them; and, where the configuration says so, reads of
 * the same bytes, as one call whose reply all get.
 *
 *     lane: a collection's searches ── shapes, in their turn ── requests that agree, in theirs
 *        └── calls under way, at most as many as its limiter finds good
 *
 * Nobody waits for company: who finds a place in the lane goes at once, and with it all that agree
 * and have come by then; only what finds no place waits, and goes together when a call has ended.
 * What agrees and is more than a call may carry is taken in turn by who asks. Reads of the same
 * bytes have a lane for themselves with one place: who comes while one is under way shares the
 * next, and is never given an answer that is older than the question.
 */
#ifndef POOL_MERGE_H
#define POOL_MERGE_H

#include "conf/conf.h"
#include "pool/turns.h"
#include "proto/search.h"

struct merge;
struct lane;
struct shape;

enum merge_kind {
    MERGE_SEARCHES, /* one call with the vectors of all, whose reply is cut */
    MERGE_READS,    /* one call with the bytes of any, whose reply all get */
};

/* What merging keeps with a request that waits. */
struct merge_place {
    struct shape *shape;
    struct search search; /* its shape is borrowed from that */
    int64_t arrived;      /* us */
};

/* Requests that go as one call. */
struct bundle {
    enum merge_kind kind;
    struct lane *lane;
    const struct rpc *rpc;
    struct blob *key;             /* what they agree in */
    struct request_list requests; /* with their places, in the order of their vectors */
    uint32_t count;               /* of them */
    uint32_t vectors;
    size_t bytes;     /* of the vectors */
    uint64_t results; /* at most */
    int64_t arrived;  /* us, the sum of when they came */
    int64_t began;    /* us, the call */
    bool crowded;     /* they waited for a call to end */
};

struct merge *merge_new(const struct conf_merge *conf);

/* With no request in it; NULL is accepted. */
void merge_free(struct merge *merge);

/* Puts the request to those that it may travel with, and sets its place. False: it travels alone.
 */
bool merge_add(struct merge *merge, struct request *request) __attribute__((warn_unused_result));

/* Takes it out again. */
void merge_remove(struct merge *merge, struct request *request);

/* Whether its lane has no place now. */
bool merge_waits(const struct request *request);

/* Calls of its lane that may be under way. */
uint32_t merge_limit(const struct request *request);

/* The requests whose turn it is, as one call, which takes a place of its lane until merge_ended().
 * NULL: none waits, or there is no place. */
struct bundle *merge_take(struct merge *merge);

/* Whether there are such. */
bool merge_has(const struct merge *merge);

/* The message of a bundle of searches with more than one. */
struct blob *merge_message(const struct bundle *bundle);

/* A request of a bundle has no place any more. */
void merge_drop_place(struct request *request);

/* Its call has ended; frees the bundle, whose requests are gone. */
void merge_ended(struct merge *merge, struct bundle *bundle);

/* Requests that agree with these travel alone for that time, in ms. */
void merge_rest(struct merge *merge, const struct bundle *bundle, int64_t time);

/* One that waits of which that is true, or NULL; asking changes nothing here. */
struct request *merge_find(const struct merge *merge, bool (*is)(struct request *request));

#endif
