/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/merge.h"

#include <stdlib.h>

#include "pool/clock.h"
#include "pool/lane.h"
#include "pool/merge_key.h"
#include "pool/resting.h"

struct merge {
    const struct conf_merge *conf;
    const struct rpc *search;
    struct lanes lanes;
    struct resting resting;
};

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
    lane_settle(&merge->lanes, lane);
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
    struct lane *lane = lane_of(&merge->lanes, MERGE_SEARCHES, merge_key_collection(request));
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
    join(merge, lane_of(&merge->lanes, MERGE_READS, blob_ref(search.shape)), &search, request);
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
    shape_free_empty(shape);
    lane_settle(&merge->lanes, lane);
}

bool merge_waits(const struct request *request)
{
    return !request->place->shape->lane->ready;
}

uint32_t merge_limit(const struct request *request)
{
    return limiter_limit(&request->place->shape->lane->limiter);
}

struct request *merge_find(const struct merge *merge, bool (*is)(struct request *request))
{
    return lanes_find(&merge->lanes, is);
}

/* ---- calls ---- */

bool merge_has(const struct merge *merge)
{
    return !TAILQ_EMPTY(&merge->lanes.ready);
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
    TAILQ_REMOVE(&merge->lanes.ready, lane, link);
    lane->ready = false;
}

struct bundle *merge_take(struct merge *merge)
{
    struct lane *lane = TAILQ_FIRST(&merge->lanes.ready);
    if (!lane)
        return NULL;
    struct shape *shape = TAILQ_FIRST(&lane->waiting);
    struct bundle *bundle = bundle_of(merge, shape);
    turn(merge, lane, shape);
    shape_free_empty(shape);
    lane->calls++;
    lane->crowded = false;
    lane_settle(&merge->lanes, lane);
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
    lane_settle(&merge->lanes, lane);
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
    lanes_init(&merge->lanes, conf);
    return merge;
}

void merge_free(struct merge *merge)
{
    if (!merge)
        return;
    lanes_clear(&merge->lanes);
    resting_clear(&merge->resting);
    free(merge);
}
