/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/merge_stats.h"

#include <inttypes.h>
#include <stdlib.h>

#include "pool/clock.h"

/* Of one kind of bundle. */
struct tally {
    uint64_t requests;
    uint64_t calls;
    uint64_t vectors;
};

struct merge_stats {
    struct event *timer; /* pending while there is something to tell */
    struct logger *logger;
    const char *title;
    int64_t period;
    struct tally searches;
    struct tally reads;
    uint64_t fallbacks[MERGE_FALLBACKS];
};

static bool has_news(const struct merge_stats *stats)
{
    return stats->searches.calls > 0 || stats->reads.calls > 0;
}

static void tell(struct merge_stats *stats)
{
    const struct tally *searches = &stats->searches;
    const uint64_t *fallbacks = stats->fallbacks;
    if (!has_news(stats) || stats->period == 0)
        return;
    log_info(stats->logger,
             "%s: merged %" PRIu64 " searches into %" PRIu64 " calls, %.1f vectors a "
             "call; %" PRIu64 " equal reads into %" PRIu64 "; sent one by one after all: %" PRIu64
             " calls that failed, %" PRIu64 " that were lost, %" PRIu64 " not understood",
             stats->title, searches->requests, searches->calls,
             searches->calls ? (double)searches->vectors / (double)searches->calls : 0.0,
             stats->reads.requests, stats->reads.calls, fallbacks[MERGE_FAILED],
             fallbacks[MERGE_LOST], fallbacks[MERGE_NOT_UNDERSTOOD]);
    stats->searches = (struct tally){0};
    stats->reads = (struct tally){0};
    memset(stats->fallbacks, 0, sizeof(stats->fallbacks));
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    tell(argument);
}

struct merge_stats *merge_stats_new(struct event_base *loop, struct logger *logger,
                                    const char *title, int64_t period)
{
    struct merge_stats *stats = calloc(1, sizeof(*stats));
    if (!stats)
        abort();
    *stats = (struct merge_stats){.logger = logger, .title = title, .period = period};
    stats->timer = evtimer_new(loop, on_timer, stats);
    if (!stats->timer)
        abort();
    return stats;
}

void merge_stats_free(struct merge_stats *stats)
{
    if (!stats)
        return;
    tell(stats);
    event_free(stats->timer);
    free(stats);
}

void merge_stats_went(struct merge_stats *stats, const struct bundle *bundle)
{
    struct tally *tally = bundle->kind == MERGE_SEARCHES ? &stats->searches : &stats->reads;
    struct timeval period = clock_wait(stats->period);
    if (!has_news(stats) && stats->period > 0)
        evtimer_add(stats->timer, &period);
    tally->requests += bundle->count;
    tally->calls++;
    tally->vectors += bundle->vectors;
}

void merge_stats_fell_back(struct merge_stats *stats, enum merge_fallback why)
{
    stats->fallbacks[why]++;
}
