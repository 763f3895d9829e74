/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/lane.h"

#include <stdlib.h>

static bool has_place(const struct lane *lane)
{
    return lane->calls < limiter_limit(&lane->limiter);
}

static bool is_idle(const struct lane *lane)
{
    return lane->calls == 0 && TAILQ_EMPTY(&lane->waiting);
}

static struct lane **table_of(struct lanes *lanes, enum merge_kind kind)
{
    return kind == MERGE_SEARCHES ? &lanes->searches : &lanes->reads;
}

static void free_lane(struct lanes *lanes, struct lane *lane)
{
    struct lane **table = table_of(lanes, lane->kind);
    HASH_DELETE(hh, *table, lane);
    blob_unref(lane->key);
    free(lane);
}

static void forget_one_idle(struct lanes *lanes)
{
    struct lane *lane = TAILQ_FIRST(&lanes->idle);
    TAILQ_REMOVE(&lanes->idle, lane, link);
    lanes->idle_count--;
    free_lane(lanes, lane);
}

/* Nothing waits in it, and none of its calls is under way. */
static void idle(struct lanes *lanes, struct lane *lane)
{
    if (lane->kind == MERGE_READS) {
        free_lane(lanes, lane);
        return;
    }
    TAILQ_INSERT_TAIL(&lanes->idle, lane, link);
    if (lanes->idle_count++ >= LANES_IDLE_MAX)
        forget_one_idle(lanes);
}

void lane_settle(struct lanes *lanes, struct lane *lane)
{
    bool ready = has_place(lane) && !TAILQ_EMPTY(&lane->waiting);
    if (ready && !lane->ready)
        TAILQ_INSERT_TAIL(&lanes->ready, lane, link);
    if (!ready && lane->ready)
        TAILQ_REMOVE(&lanes->ready, lane, link);
    lane->ready = ready;
    if (is_idle(lane))
        idle(lanes, lane);
}

/* Takes the key. */
static struct lane *make_lane(struct lanes *lanes, enum merge_kind kind, struct blob *key)
{
    struct lane **table = table_of(lanes, kind);
    struct lane *lane = calloc(1, sizeof(*lane));
    if (!lane)
        abort();
    lane->key = key;
    lane->kind = kind;
    TAILQ_INIT(&lane->waiting);
    if (kind == MERGE_SEARCHES)
        limiter_init(&lane->limiter, lanes->conf->calls, lanes->conf->max_calls);
    else
        limiter_init(&lane->limiter, 1, 1);
    HASH_ADD_KEYPTR(hh, *table, lane->key->data, lane->key->size, lane);
    return lane;
}

struct lane *lane_of(struct lanes *lanes, enum merge_kind kind, struct blob *key)
{
    struct lane *lane;
    struct lane **table = table_of(lanes, kind);
    HASH_FIND(hh, *table, key->data, key->size, lane);
    if (!lane)
        return make_lane(lanes, kind, key);
    blob_unref(key);
    if (is_idle(lane)) {
        TAILQ_REMOVE(&lanes->idle, lane, link);
        lanes->idle_count--;
    }
    return lane;
}

struct shape *shape_of(struct lane *lane, struct blob *key, const struct rpc *rpc)
{
    struct shape *shape;
    HASH_FIND(hh, lane->by_key, key->data, key->size, shape);
    if (shape)
        return shape;
    shape = calloc(1, sizeof(*shape));
    if (!shape)
        abort();
    *shape = (struct shape){.lane = lane, .rpc = rpc, .key = blob_ref(key)};
    turns_init(&shape->waiting);
    TAILQ_INSERT_TAIL(&lane->waiting, shape, link);
    HASH_ADD_KEYPTR(hh, lane->by_key, shape->key->data, shape->key->size, shape);
    return shape;
}

void shape_free_empty(struct shape *shape)
{
    struct lane *lane = shape->lane;
    if (!turns_is_empty(&shape->waiting))
        return;
    HASH_DELETE(hh, lane->by_key, shape);
    TAILQ_REMOVE(&lane->waiting, shape, link);
    blob_unref(shape->key);
    free(shape);
}

static struct request *find_in(const struct lane *lane, bool (*is)(struct request *request))
{
    const struct shape *shape;
    struct request *found = NULL;
    for (shape = TAILQ_FIRST(&lane->waiting); shape && !found; shape = TAILQ_NEXT(shape, link))
        found = turns_find(&shape->waiting, is);
    return found;
}

struct request *lanes_find(const struct lanes *lanes, bool (*is)(struct request *request))
{
    struct request *found = NULL;
    const struct lane *lane;
    for (lane = lanes->searches; lane && !found; lane = lane->hh.next)
        found = find_in(lane, is);
    for (lane = lanes->reads; lane && !found; lane = lane->hh.next)
        found = find_in(lane, is);
    return found;
}

void lanes_init(struct lanes *lanes, const struct conf_merge *conf)
{
    *lanes = (struct lanes){.conf = conf};
    TAILQ_INIT(&lanes->ready);
    TAILQ_INIT(&lanes->idle);
}

void lanes_clear(struct lanes *lanes)
{
    while (!TAILQ_EMPTY(&lanes->idle))
        forget_one_idle(lanes);
}
