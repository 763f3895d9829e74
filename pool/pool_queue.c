/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/clock.h"
#include "pool/pool_state.h"

enum phase pool_waits_for(const struct pool *pool)
{
    return pool->up ? PHASE_QUEUE : PHASE_CONNECT;
}

static int64_t wait_limit(const struct pool *pool, enum phase phase)
{
    const struct conf_database *database = pool->setup.database;
    return phase == PHASE_QUEUE ? database->queue_timeout : database->upstream->connect_timeout;
}

void pool_fail_deadline(struct request *request, enum phase phase)
{
    request_fail(request, CODE_DEADLINE_EXCEEDED, phase, "the request's deadline has passed");
}

void pool_fail_full(struct pool *pool, struct request *request)
{
    request_fail(request, CODE_RESOURCE_EXHAUSTED, PHASE_QUEUE,
                 "the queue is full: %u requests wait (queue_size)", pool->queued);
}

void pool_fail_away(struct pool *pool, struct request *request)
{
    const struct conf_upstream *upstream = pool->setup.database->upstream;
    request_fail(request, CODE_UNAVAILABLE, PHASE_CONNECT, "no connection to upstream %s (%s): %s",
                 upstream->name, pool_uri(pool), pool->reason);
}

void pool_fail_refused(struct pool *pool, struct request *request)
{
    const char *upstream = pool->setup.database->upstream->name;
    const char *label = login_label(pool->login);
    const char *words = login_words(pool->login);
    if (pool->setup.rule)
        request_fail(request, CODE_UNAUTHENTICATED, PHASE_UPSTREAM,
                     "upstream %s refuses the credentials of rule %u of \"access\", %s: %s",
                     upstream, pool->setup.rule->number, label, words);
    else
        request_fail(request, CODE_UNAUTHENTICATED, PHASE_UPSTREAM,
                     "upstream %s refuses the daemon's credentials, %s: %s", upstream, label,
                     words);
}

static void fail_slots(struct pool *pool, struct request *request)
{
    const struct conf_database *database = pool->setup.database;
    request_fail(request, CODE_RESOURCE_EXHAUSTED, PHASE_QUEUE,
                 "no slot within queue_timeout (%lld ms): all %u (max_in_flight) are taken",
                 (long long)database->queue_timeout, database->max_in_flight);
}

/* limit: calls of its lane. */
static void fail_lane(struct pool *pool, struct request *request, uint32_t limit)
{
    request_fail(request, CODE_RESOURCE_EXHAUSTED, PHASE_QUEUE,
                 "no turn within queue_timeout (%lld ms): %u calls that it is merged with others "
                 "after are under way (merge)",
                 (long long)pool->setup.database->queue_timeout, limit);
}

static void fail_connect(struct pool *pool, struct request *request)
{
    const struct conf_upstream *upstream = pool->setup.database->upstream;
    request_fail(request, CODE_UNAVAILABLE, PHASE_CONNECT,
                 "no connection to upstream %s (%s) within connect_timeout (%lld ms): %s",
                 upstream->name, pool_uri(pool), (long long)upstream->connect_timeout,
                 pool->reason ? pool->reason : "it does not answer");
}

bool pool_is_impatient(struct request *request)
{
    return request->rpc && request->rpc->cache == RPC_CACHE_KEEP_SESSION;
}

static void left(struct pool *pool, struct request *request)
{
    pool->queued--;
    request->state = REQUEST_IDLE;
}

void pool_leave(struct pool *pool, struct request *request)
{
    if (request->place)
        merge_remove(pool->merge, request);
    else if (request->repeats > 0)
        TAILQ_REMOVE(&pool->again, request, link);
    else
        turns_remove(&pool->queue, request);
    left(pool, request);
}

struct request *pool_take_first(struct pool *pool)
{
    struct request *request = TAILQ_FIRST(&pool->again);
    if (request)
        TAILQ_REMOVE(&pool->again, request, link);
    else if ((request = turns_first(&pool->queue)))
        turns_take(&pool->queue, request);
    if (request)
        left(pool, request);
    return request;
}

bool pool_queue_is_empty(const struct pool *pool)
{
    return TAILQ_EMPTY(&pool->again) && turns_is_empty(&pool->queue);
}

struct request *pool_find(const struct pool *pool, bool (*is)(struct request *request))
{
    struct request *request;
    TAILQ_FOREACH (request, &pool->again, link) {
        if (is(request))
            return request;
    }
    request = turns_find(&pool->queue, is);
    return request || !pool->merge ? request : merge_find(pool->merge, is);
}

static void arm(struct pool *pool, struct request *request);

/* A waiting request's time is up: its deadline's, or that of what it waits for now. */
static void fired(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct request *request = argument;
    struct pool *pool = request->pool;
    enum phase phase = pool_waits_for(pool);
    int64_t now = clock_now();
    bool dead = now >= request->deadline;
    bool refused = login_refuses(pool->login, now);
    if (!dead && !refused && now < request->waits_since + wait_limit(pool, phase)) {
        arm(pool, request);
        pool_heed_login(pool);
        return;
    }
    uint32_t lane_limit = request->place && merge_waits(request) ? merge_limit(request) : 0;
    pool_leave(pool, request);
    if (dead)
        pool_fail_deadline(request, phase);
    else if (refused)
        pool_fail_refused(pool, request);
    else if (phase == PHASE_CONNECT)
        fail_connect(pool, request);
    else if (login_holds(pool->login))
        pool_fail_refused(pool, request);
    else if (lane_limit > 0)
        fail_lane(pool, request, lane_limit);
    else
        fail_slots(pool, request);
}

static void arm(struct pool *pool, struct request *request)
{
    int64_t until = request->waits_since + wait_limit(pool, pool_waits_for(pool));
    if (until > request->deadline)
        until = request->deadline;
    request_timer(request, pool->setup.loop, until, fired);
}

static void waits_from_now(struct request *request)
{
    request->waits_since = clock_now();
    arm(request->pool, request);
}

/* Of all. */
static bool rouse(struct request *request)
{
    request_timer(request, request->pool->setup.loop, clock_now(), fired);
    return false;
}

void pool_rouse(struct pool *pool)
{
    pool_find(pool, rouse);
}

static bool waits_anew(struct request *request)
{
    waits_from_now(request);
    return false;
}

void pool_wait_anew(struct pool *pool)
{
    pool_find(pool, waits_anew);
}

/* The most often refused ones come first: each comes through, however few a connection takes before
 * it ends. */
static void enqueue_again(struct pool *pool, struct request *request)
{
    struct request *before = TAILQ_FIRST(&pool->again);
    while (before && before->repeats >= request->repeats)
        before = TAILQ_NEXT(before, link);
    if (before)
        TAILQ_INSERT_BEFORE(before, request, link);
    else
        TAILQ_INSERT_TAIL(&pool->again, request, link);
}

void pool_wait(struct pool *pool, struct request *request)
{
    if (request->repeats > 0)
        enqueue_again(pool, request);
    else if (!request->place)
        turns_add(&pool->queue, request);
    request->state = REQUEST_QUEUED;
    pool->queued++;
    waits_from_now(request);
}
