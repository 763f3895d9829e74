/* SPDX-License-Identifier: Apache-2.0 */
/* What merging has done in one pool: counted, and told to the log once a period if there is
 * something to tell, and at the end. */
#ifndef POOL_MERGE_STATS_H
#define POOL_MERGE_STATS_H

#include <event2/event.h>

#include "conf/logger.h"
#include "pool/merge.h"

/* Why the requests of a merged call were sent again, alone. */
enum merge_fallback {
    MERGE_FAILED,         /* Milvus answered with an error */
    MERGE_LOST,           /* it did not answer */
    MERGE_NOT_UNDERSTOOD, /* the reply could not be cut */
    MERGE_FALLBACKS,
};

struct merge_stats;

/* title: of the pool, "database books"; it and the logger outlive this. period: ms; 0: nothing is
 * told. */
struct merge_stats *merge_stats_new(struct event_base *loop, struct logger *logger,
                                    const char *title, int64_t period);

/* Tells what has not been told. NULL is accepted. */
void merge_stats_free(struct merge_stats *stats);

/* A bundle of more than one has gone. */
void merge_stats_went(struct merge_stats *stats, const struct bundle *bundle);

void merge_stats_fell_back(struct merge_stats *stats, enum merge_fallback why);

#endif
