/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/merge.h"

#include <stdlib.h>
#include <uthash.h>

#include "pool/clock.h"
#include "pool/limiter.h"
#include "pool/merge_key.h"
#include "pool/resting.h"

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

struct merge {
    const struct conf_merge *conf;
    const struct rpc *search;
    struct lane *searches;  /* lanes, by collection */
    struct lane *reads;     /* lanes, by their bytes */
    struct lane_list ready; /* in their turn */
    struct lane_list idle;  /* of searches; longest ago first */
    uint32_t idle_count;
    struct resting resting;
};

/* ---- lanes ---- */

static bool has_place(const struct lane *lane)
{
    return lane->calls < limiter_limit(&lane->limiter);
}

static bool is_idle(const struct lane *lane)
{
    return lane->calls == 0 && TAILQ_EMPTY(&lane->waiting);
}

static struct lane **table_of(struct merge *merge, enum merge_kind kind)
{
    return kind == MERGE_SEARCHES ? &merge->searches : &merge->reads;
}

static void free_lane(struct merge *merge, struct lane *lane)
{
    struct lane **table = table_of(merge, lane->kind);
    HASH_DELETE(hh, *table, lane);
    blob_unref(lane->key);
    free(lane);
}

static void forget_one_idle(struct merge *merge)
{
    struct lane *lane = TAILQ_FIRST(&merge->idle);
    TAILQ_REMOVE(&merge->idle, lane, link);
    merge->idle_count--;
    free_lane(merge, lane);
}

/* Nothing waits in it, and none of its calls is under way. */
static void idle(struct merge *merge, struct lane *lane)
{
    if (lane->kind == MERGE_READS) {
        free_lane(merge, lane);
        return;
    }
    TAILQ_INSERT_TAIL(&merge->idle, lane, link);
    if (merge->idle_count++ >= LANES_IDLE_MAX)
        forget_one_idle(merge);
}

/* After any change of it. */
static void settle(struct merge *merge, struct lane *lane)
{
    bool ready = has_place(lane) && !TAILQ_EMPTY(&lane->waiting);
    if (ready && !lane->ready)
        TAILQ_INSERT_TAIL(&merge->ready, lane, link);
    if (!ready && lane->ready)
        TAILQ_REMOVE(&merge->ready, lane, link);
    lane->ready = ready;
    if (is_idle(lane))
        idle(merge, lane);
}

/* Takes the key. */
static struct lane *make_lane(struct merge *merge, enum merge_kind kind, struct blob *key)
{
    struct lane **table = table_of(merge, kind);
    struct lane *lane = calloc(1, sizeof(*lane));
    if (!lane)
        abort();
    lane->key = key;
    lane->kind = kind;
    TAILQ_INIT(&lane->waiting);
    if (kind == MERGE_SEARCHES)
        limiter_init(&lane->limiter, merge->conf->calls, merge->conf->max_calls);
    else
        limiter_init(&lane->limiter, 1, 1);
    HASH_ADD_KEYPTR(hh, *table, lane->key->data, lane->key->size, lane);
    return lane;
}

/* Takes the key. */
static struct lane *lane_of(struct merge *merge, enum merge_kind kind, struct blob *key)
{
    struct lane *lane;
    struct lane **table = table_of(merge, kind);
    HASH_FIND(hh, *table, key->data, key->size, lane);
    if (!lane)
        return make_lane(merge, kind, key);
    blob_unref(key);
    if (is_idle(lane)) {
        TAILQ_REMOVE(&merge->idle, lane, link);
        merge->idle_count--;
    }
    return lane;
}

/* ---- shapes ---- */

/* The one of that key, which it references. */
static struct shape *shape_of(struct lane *lane, struct blob *key, const struct rpc *rpc)
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

/* If nothing waits any more. */
static void free_shape(struct shape *shape)
{
    struct lane *lane = shape->lane;
    if (!turns_is_empty(&shape->waiting))
        return;
    HASH_DELETE(hh, lane->by_key, shape);
    TAILQ_REMOVE(&lane->waiting, shape, link);
    blob_unref(shape->key);
    free(shape);
}

/* ---- requests ---- */

static uint64_t results_of(const struct search *search)
{
    return (uint64_t)search->count * search->limit;
}

static bool has_room(const struct merge *merge, const struct bundle *bundle,
                     const struct search *search)
{
    const struct conf_merge *conf = merge->conf;
    return (uint64_t)bundle->vectors + search->count <= conf->max_vectors &&
           bundle->bytes + search->vectors.length <= conf->max_bytes &&
           bundle->results + results_of(search) <= conf->max_results;
}

/* Takes the search's shape. */
static void join(struct merge *merge, struct lane *lane, const struct search *search,
                 struct request *request)
{
    struct merge_place *place = malloc(sizeof(*place));
    if (!place)
        abort();
    *place = (struct merge_place){.search = *search, .arrived = clock_micro()};
    place->shape = shape_of(lane, search->shape, request->rpc);
    search_share_shape(&place->search, place->shape->key);
    turns_add(&place->shape->waiting, request);
    request->place = place;
    settle(merge, lane);
}

static bool add_search(struct merge *merge, struct request *request)
{
    struct search search;
    struct blob *metadata = merge_key_metadata(request->metadata);
    bool readable =
        search_read(request->body, blob_span(request->tail), blob_span(metadata), &search);
    blob_unref(metadata);
    if (!readable)
        return false;
    struct bundle empty = {0};
    if (resting_has(&merge->resting, search.shape) || !has_room(merge, &empty, &search)) {
        blob_unref(search.shape);
        return false;
    }
    struct lane *lane = lane_of(merge, MERGE_SEARCHES, merge_key_collection(request));
    join(merge, lane, &search, request);
    return true;
}

static bool add_read(struct merge *merge, struct request *request)
{
    const struct rpc *rpc = request->rpc;
    if (rpc->class != RPC_CLASS_READ || rpc->collection.number == 0)
        return false;
    struct search search = {.shape = merge_key_read(request)};
    if (resting_has(&merge->resting, search.shape)) {
        blob_unref(search.shape);
        return false;
    }
    join(merge, lane_of(merge, MERGE_READS, blob_ref(search.shape)), &search, request);
    return true;
}

bool merge_add(struct merge *merge, struct request *request)
{
    if (request->alone || request->stream || !request->rpc)
        return false;
    if (merge->conf->searches && request->rpc == merge->search &&
        request->encoding == ENCODING_IDENTITY && add_search(merge, request))
        return true;
    return merge->conf->identical && add_read(merge, request);
}

void merge_drop_place(struct request *request)
{
    free(request->place);
    request->place = NULL;
}

void merge_remove(struct merge *merge, struct request *request)
{
    struct shape *shape = request->place->shape;
    struct lane *lane = shape->lane;
    turns_remove(&shape->waiting, request);
    merge_drop_place(request);
    free_shape(shape);
    settle(merge, lane);
}

bool merge_waits(const struct request *request)
{
    return !request->place->shape->lane->ready;
}

uint32_t merge_limit(const struct request *request)
{
    return limiter_limit(&request->place->shape->lane->limiter);
}

static struct request *find_in(const struct lane *lane, bool (*is)(struct request *request))
{
    const struct shape *shape;
    struct request *found = NULL;
    for (shape = TAILQ_FIRST(&lane->waiting); shape && !found; shape = TAILQ_NEXT(shape, link))
        found = turns_find(&shape->waiting, is);
    return found;
}

struct request *merge_find(const struct merge *merge, bool (*is)(struct request *request))
{
    struct request *found = NULL;
    const struct lane *lane;
    for (lane = merge->searches; lane && !found; lane = lane->hh.next)
        found = find_in(lane, is);
    for (lane = merge->reads; lane && !found; lane = lane->hh.next)
        found = find_in(lane, is);
    return found;
}

/* ---- calls ---- */

bool merge_has(const struct merge *merge)
{
    return !TAILQ_EMPTY(&merge->ready);
}

static void load(struct bundle *bundle, struct request *request)
{
    const struct merge_place *place = request->place;
    TAILQ_INSERT_TAIL(&bundle->requests, request, link);
    bundle->count++;
    bundle->vectors += place->search.count;
    bundle->bytes += place->search.vectors.length;
    bundle->results += results_of(&place->search);
    bundle->arrived += place->arrived;
}

/* As many as it may carry. */
static struct bundle *bundle_of(const struct merge *merge, struct shape *shape)
{
    struct bundle *bundle = malloc(sizeof(*bundle));
    struct request *request;
    if (!bundle)
        abort();
    *bundle = (struct bundle){.kind = shape->lane->kind,
                              .lane = shape->lane,
                              .rpc = shape->rpc,
                              .key = blob_ref(shape->key),
                              .began = clock_micro(),
                              .crowded = shape->lane->crowded};
    TAILQ_INIT(&bundle->requests);
    while ((request = turns_first(&shape->waiting)) &&
           has_room(merge, bundle, &request->place->search)) {
        turns_take(&shape->waiting, request);
        load(bundle, request);
    }
    return bundle;
}

/* To the end of the turns. */
static void turn(struct merge *merge, struct lane *lane, struct shape *shape)
{
    TAILQ_REMOVE(&lane->waiting, shape, link);
    TAILQ_INSERT_TAIL(&lane->waiting, shape, link);
    TAILQ_REMOVE(&merge->ready, lane, link);
    lane->ready = false;
}

struct bundle *merge_take(struct merge *merge)
{
    struct lane *lane = TAILQ_FIRST(&merge->ready);
    if (!lane)
        return NULL;
    struct shape *shape = TAILQ_FIRST(&lane->waiting);
    struct bundle *bundle = bundle_of(merge, shape);
    turn(merge, lane, shape);
    free_shape(shape);
    lane->calls++;
    lane->crowded = false;
    settle(merge, lane);
    return bundle;
}

struct blob *merge_message(const struct bundle *bundle)
{
    const struct request *request = TAILQ_FIRST(&bundle->requests);
    struct blob *message = search_join(&request->place->search, bundle->vectors, bundle->bytes);
    TAILQ_FOREACH (request, &bundle->requests, link)
        search_join_add(message, &request->place->search);
    return message;
}

void merge_ended(struct merge *merge, struct bundle *bundle)
{
    struct lane *lane = bundle->lane;
    lane->calls--;
    limiter_ended(&lane->limiter, &(struct limiter_call){.began = bundle->began,
                                                         .ended = clock_micro(),
                                                         .searches = bundle->count,
                                                         .arrived = bundle->arrived,
                                                         .crowded = bundle->crowded});
    lane->crowded = !TAILQ_EMPTY(&lane->waiting);
    blob_unref(bundle->key);
    free(bundle);
    settle(merge, lane);
}

void merge_rest(struct merge *merge, const struct bundle *bundle, int64_t time)
{
    resting_add(&merge->resting, bundle->key, time);
}

struct merge *merge_new(const struct conf_merge *conf)
{
    struct merge *merge = calloc(1, sizeof(*merge));
    if (!merge)
        abort();
    merge->conf = conf;
    merge->search = rpc_find(span_text("Search"));
    TAILQ_INIT(&merge->ready);
    TAILQ_INIT(&merge->idle);
    return merge;
}

void merge_free(struct merge *merge)
{
    if (!merge)
        return;
    while (!TAILQ_EMPTY(&merge->idle))
        forget_one_idle(merge);
    resting_clear(&merge->resting);
    free(merge);
}
