/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of one pool that may travel together: searches that differ only in their vectors
 * (proto/search.h), as one call with all of them; and, where the configuration says so, reads of
 * the same bytes, as one call whose reply all get.
 *
 *     lane: a collection's searches ── bundles that wait, oldest first ── requests that agree
 *        └── calls under way, at most as many as its limiter finds good
 *
 * Nobody waits for company: a bundle goes as soon as its lane has a place, with all that have come
 * by then; only what finds no place waits, and goes together when a call has ended. Reads of the
 * same bytes have a lane for themselves with one place: who comes while one is under way shares the
 * next, and is never given an answer that is older than the question.
 */
#ifndef POOL_MERGE_H
#define POOL_MERGE_H

#include <uthash.h>

#include "conf/conf.h"
#include "pool/request.h"
#include "proto/search.h"

struct merge;
struct lane;

enum bundle_kind {
    BUNDLE_SEARCHES, /* one call with the vectors of all, whose reply is cut */
    BUNDLE_READS,    /* one call with the bytes of any, whose reply all get */
};

/* Requests that go as one call; from merge_go() on the call's owner keeps it. */
struct bundle {
    enum bundle_kind kind;
    struct lane *lane;
    const struct rpc *rpc;
    struct blob *shape; /* what they agree in */
    bool open;          /* takes more */
    UT_hash_handle hh;  /* of its lane's open ones, by shape */
    TAILQ_ENTRY(bundle) link;
    struct request_list requests; /* in the order in which they came */
    uint32_t count;               /* of them */
    uint32_t vectors;
    size_t bytes;     /* of the vectors */
    uint64_t results; /* at most */
    int64_t arrived;  /* us, the sum of when they came */
    int64_t began;    /* us, the call */
    bool crowded;     /* it waited for a call to end */
};

/* What merging keeps with a request that waits in a bundle. */
struct merge_place {
    struct bundle *bundle;
    struct search search; /* its shape is the bundle's by now */
    int64_t arrived;      /* us */
};

struct merge *merge_new(const struct conf_merge *conf);

/* With no request in it; NULL is accepted. */
void merge_free(struct merge *merge);

/* Puts the request into a bundle, and sets its place. False: it travels alone. */
bool merge_add(struct merge *merge, struct request *request) __attribute__((warn_unused_result));

/* Takes it out again. */
void merge_remove(struct merge *merge, struct request *request);

/* Whether its lane has no place for its bundle now. */
bool merge_waits(const struct request *request);

/* Calls of its lane that may be under way. */
uint32_t merge_limit(const struct request *request);

/* The bundle whose turn it is, or NULL: none, or there is no place. */
struct bundle *merge_next(const struct merge *merge);

/* It takes a place and is the caller's until merge_ended(); its requests have lost theirs. */
void merge_go(struct merge *merge, struct bundle *bundle);

/* The message of a bundle of searches with more than one; before merge_go(). */
struct blob *merge_message(const struct bundle *bundle);

/* Its call has ended; frees the bundle, whose requests are gone. */
void merge_ended(struct merge *merge, struct bundle *bundle);

/* Requests of this shape travel alone for that time, in ms. */
void merge_rest(struct merge *merge, const struct bundle *bundle, int64_t time);

/* Calls visit() for each request that waits; it changes nothing here. */
void merge_each(const struct merge *merge, void (*visit)(struct request *request));

#endif
