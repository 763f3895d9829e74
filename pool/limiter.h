/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many calls may be under way so that searches are answered soonest: more of them wait for each
 * other at the server, fewer leave it idle, and where the best lies depends on its cores, its index
 * and the network. TCP Vegas and gradient limiters ask the same; they compare a call's time with
 * that of an idle server, which says little here, as a call may carry any number of vectors. So the
 * time from a search's arrival to its answer is compared with another limit's:
 *
 *     before │ trial, with one call more or fewer │ after
 *
 * Each of the three lasts for some calls. The trial's limit stays if searches were answered sooner
 * than before and after, or as soon with fewer calls; the comparison on both sides cancels what
 * changes meanwhile. After trials in vain it rests, each time longer. While calls do not wait for
 * each other, nothing is tried.
 */
#ifndef POOL_LIMITER_H
#define POOL_LIMITER_H

#include <stdbool.h>
#include <stdint.h>

enum limiter_window { LIMITER_REST, LIMITER_BEFORE, LIMITER_TRIAL, LIMITER_AFTER };

struct limiter {
    uint32_t limit;   /* now */
    uint32_t settled; /* the one that trials are compared with */
    uint32_t max;
    bool fixed;     /* nothing is tried */
    bool down;      /* the direction of the next trial */
    uint32_t pause; /* windows of the next rest */
    uint32_t left;  /* windows of this one */
    enum limiter_window window;
    int64_t began;     /* us, the window */
    uint32_t calls;    /* that began and ended in it */
    uint32_t crowded;  /* of them, those whose searches had had to wait */
    uint64_t searches; /* that they carried */
    uint64_t latency;  /* us, of these searches together */
    double before;     /* us a search, in that window */
    double trial;
};

/* A call that has ended. Times are of a monotonic clock, in us. */
struct limiter_call {
    int64_t began;
    int64_t ended;
    uint32_t searches; /* that it carried */
    int64_t arrived;   /* the sum of the times at which these came */
    bool crowded;      /* it had to wait for another call to end */
};

/* fixed: calls, or 0: between 1 and max. */
void limiter_init(struct limiter *limiter, uint32_t fixed, uint32_t max);

/* How many calls may be under way, at least 1. */
uint32_t limiter_limit(const struct limiter *limiter);

void limiter_ended(struct limiter *limiter, const struct limiter_call *call);

#endif
