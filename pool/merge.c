/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/merge.h"

#include <stdlib.h>

#include "pool/clock.h"
#include "pool/limiter.h"
#include "pool/merge_key.h"
#include "pool/resting.h"

#define LANES_IDLE_MAX 256 /* whose limits are remembered while nothing is asked */

TAILQ_HEAD(bundle_list, bundle);

struct lane {
    UT_hash_handle hh; /* by key */
    struct blob *key;
    enum bundle_kind kind;
    struct limiter limiter;
    uint32_t calls; /* under way */
    struct bundle_list waiting;
    struct bundle *open;    /* of these, by shape */
    bool ready;             /* something waits, and has a place */
    TAILQ_ENTRY(lane) link; /* of those that are ready, or idle */
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

static struct lane **table_of(struct merge *merge, enum bundle_kind kind)
{
    return kind == BUNDLE_SEARCHES ? &merge->searches : &merge->reads;
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
    if (lane->kind == BUNDLE_READS) {
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
static struct lane *make_lane(struct merge *merge, enum bundle_kind kind, struct blob *key)
{
    struct lane **table = table_of(merge, kind);
    struct lane *lane = calloc(1, sizeof(*lane));
    if (!lane)
        abort();
    lane->key = key;
    lane->kind = kind;
    TAILQ_INIT(&lane->waiting);
    if (kind == BUNDLE_SEARCHES)
        limiter_init(&lane->limiter, merge->conf->calls, merge->conf->max_calls);
    else
        limiter_init(&lane->limiter, 1, 1);
    HASH_ADD_KEYPTR(hh, *table, lane->key->data, lane->key->size, lane);
    return lane;
}

/* Takes the key. */
static struct lane *lane_of(struct merge *merge, enum bundle_kind kind, struct blob *key)
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

/* ---- bundles ---- */

static void close_bundle(struct bundle *bundle)
{
    if (bundle->open)
        HASH_DELETE(hh, bundle->lane->open, bundle);
    bundle->open = false;
}

static void free_bundle(struct bundle *bundle)
{
    blob_unref(bundle->shape);
    free(bundle);
}

static struct bundle *open_bundle(struct lane *lane, struct blob *shape)
{
    struct bundle *bundle = calloc(1, sizeof(*bundle));
    if (!bundle)
        abort();
    *bundle =
        (struct bundle){.kind = lane->kind, .lane = lane, .shape = blob_ref(shape), .open = true};
    TAILQ_INIT(&bundle->requests);
    TAILQ_INSERT_TAIL(&lane->waiting, bundle, link);
    HASH_ADD_KEYPTR(hh, lane->open, bundle->shape->data, bundle->shape->size, bundle);
    return bundle;
}

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

/* The one that takes it, which references its shape. One that has no room for it takes no other
 * either, so that nobody is overtaken. */
static struct bundle *bundle_for(const struct merge *merge, struct lane *lane,
                                 const struct search *search)
{
    struct bundle *bundle;
    HASH_FIND(hh, lane->open, search->shape->data, search->shape->size, bundle);
    if (bundle && !has_room(merge, bundle, search)) {
        close_bundle(bundle);
        bundle = NULL;
    }
    return bundle ? bundle : open_bundle(lane, search->shape);
}

static void count(struct bundle *bundle, const struct merge_place *place, bool in)
{
    const struct search *search = &place->search;
    bundle->count += in ? 1 : -1U;
    bundle->vectors += in ? search->count : -search->count;
    bundle->bytes += in ? search->vectors.length : -search->vectors.length;
    bundle->results += in ? results_of(search) : -results_of(search);
    bundle->arrived += in ? place->arrived : -place->arrived;
}

/* Takes the search's shape. */
static void join(struct merge *merge, struct lane *lane, const struct search *search,
                 struct request *request)
{
    struct merge_place *place = malloc(sizeof(*place));
    if (!place)
        abort();
    *place = (struct merge_place){.search = *search, .arrived = clock_micro()};
    place->bundle = bundle_for(merge, lane, search);
    place->bundle->rpc = request->rpc;
    search_share_shape(&place->search, place->bundle->shape);
    count(place->bundle, place, true);
    TAILQ_INSERT_TAIL(&place->bundle->requests, request, link);
    request->place = place;
    settle(merge, lane);
}

/* ---- requests ---- */

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
    struct lane *lane = lane_of(merge, BUNDLE_SEARCHES, merge_key_collection(request));
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
    join(merge, lane_of(merge, BUNDLE_READS, blob_ref(search.shape)), &search, request);
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

static void drop_place(struct request *request)
{
    free(request->place);
    request->place = NULL;
}

void merge_remove(struct merge *merge, struct request *request)
{
    struct bundle *bundle = request->place->bundle;
    struct lane *lane = bundle->lane;
    count(bundle, request->place, false);
    TAILQ_REMOVE(&bundle->requests, request, link);
    drop_place(request);
    if (bundle->count == 0) {
        close_bundle(bundle);
        TAILQ_REMOVE(&lane->waiting, bundle, link);
        free_bundle(bundle);
    }
    settle(merge, lane);
}

bool merge_waits(const struct request *request)
{
    return !request->place->bundle->lane->ready;
}

uint32_t merge_limit(const struct request *request)
{
    return limiter_limit(&request->place->bundle->lane->limiter);
}

void merge_each(const struct merge *merge, void (*visit)(struct request *request))
{
    struct lane *const tables[] = {merge->searches, merge->reads};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        for (const struct lane *lane = tables[i]; lane; lane = lane->hh.next) {
            const struct bundle *bundle;
            struct request *request;
            TAILQ_FOREACH (bundle, &lane->waiting, link) {
                TAILQ_FOREACH (request, &bundle->requests, link)
                    visit(request);
            }
        }
    }
}

/* ---- calls ---- */

struct bundle *merge_next(const struct merge *merge)
{
    const struct lane *lane = TAILQ_FIRST(&merge->ready);
    return lane ? TAILQ_FIRST(&lane->waiting) : NULL;
}

struct blob *merge_message(const struct bundle *bundle)
{
    const struct request *request = TAILQ_FIRST(&bundle->requests);
    struct blob *message = search_join(&request->place->search, bundle->vectors, bundle->bytes);
    TAILQ_FOREACH (request, &bundle->requests, link)
        search_join_add(message, &request->place->search);
    return message;
}

void merge_go(struct merge *merge, struct bundle *bundle)
{
    struct lane *lane = bundle->lane;
    struct request *request;
    close_bundle(bundle);
    TAILQ_REMOVE(&lane->waiting, bundle, link);
    TAILQ_FOREACH (request, &bundle->requests, link)
        drop_place(request);
    bundle->began = clock_micro();
    lane->calls++;
    /* To the end of the turns. */
    TAILQ_REMOVE(&merge->ready, lane, link);
    lane->ready = false;
    settle(merge, lane);
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
    free_bundle(bundle);
    if (!TAILQ_EMPTY(&lane->waiting))
        TAILQ_FIRST(&lane->waiting)->crowded = true;
    settle(merge, lane);
}

void merge_rest(struct merge *merge, const struct bundle *bundle, int64_t time)
{
    resting_add(&merge->resting, bundle->shape, time);
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
