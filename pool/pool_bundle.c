/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "pool/pool_state.h"
#include "proto/search_reply.h"

/* How long a shape is not merged again, in ms: an error may be its only request's, or be over soon;
 * a reply that is too large or not understood will come again. */
#define REST_SHORT 1000
#define REST_LONG  60000

/* ---- how they begin ---- */

/* It lasts as long as its last caller has time, and brings metadata if one wants them. */
static void widen(struct upstream_message *message, const struct request *request)
{
    if (request->deadline > message->deadline)
        message->deadline = request->deadline;
    message->bare &= request->bare;
}

/* What the call says for all. The caller has a reference to its owner. */
static struct upstream_message message_of(const struct bundle *bundle)
{
    const struct request *request = TAILQ_FIRST(&bundle->requests);
    struct upstream_message message = pool_message(request);
    if (bundle->count == 1) {
        blob_ref(message.owner);
        return message;
    }
    message.held = false;
    if (bundle->kind == MERGE_SEARCHES) {
        message.owner = merge_message(bundle);
        message.body = blob_span(message.owner);
        message.tail = NULL;
    } else {
        blob_ref(message.owner);
    }
    TAILQ_FOREACH (request, &bundle->requests, link)
        widen(&message, request);
    return message;
}

static void put_all(struct pool_slot *slot, struct bundle *bundle)
{
    struct request *request;
    while ((request = TAILQ_FIRST(&bundle->requests))) {
        TAILQ_REMOVE(&bundle->requests, request, link);
        slot->pool->queued--;
        uint32_t vectors = request->place->search.count;
        merge_drop_place(request);
        pool_put(slot, request, vectors);
    }
}

void pool_send_bundle(struct pool *pool, struct server *server)
{
    struct bundle *bundle = merge_take(pool->merge);
    struct upstream_message message = message_of(bundle);
    struct pool_slot *slot = pool_start(pool, server, &message, bundle->count);
    blob_unref(message.owner);
    put_all(slot, bundle);
    slot->bundle = bundle;
    if (bundle->count > 1)
        merge_stats_went(pool->stats, bundle);
}

/* ---- how they end ---- */

/* Each on its own; the deadline of one that has none left is noticed there. */
static void send_one_by_one(struct pool_slot *slot, enum merge_fallback why)
{
    struct pool *pool = slot->pool;
    merge_stats_fell_back(pool->stats, why);
    for (uint32_t i = 0; i < slot->count; i++) {
        struct request *request = pool_take_part(slot, i);
        if (!request)
            continue;
        request->alone = true;
        pool_wait(pool, request);
    }
    servers_want(pool->servers);
}

static void rest(struct pool_slot *slot, int64_t time)
{
    merge_rest(slot->pool->merge, slot->bundle, time);
}

static void tell(struct pool_slot *slot, uint32_t part, const struct upstream_end *end,
                 struct blob *reply)
{
    struct request *request = pool_take_part(slot, part);
    struct upstream_end own = *end;
    own.reply = reply;
    if (request)
        pool_finish_request(slot->pool, request, &own);
}

static void share(struct pool_slot *slot, const struct upstream_end *end)
{
    for (uint32_t i = 0; i < slot->count; i++)
        tell(slot, i, end, end->reply);
}

/* What was asked by those who are gone is cut off, too. */
static void hand_out(struct pool_slot *slot, const struct upstream_end *end,
                     struct search_reply *reply)
{
    for (uint32_t i = 0; i < slot->count; i++) {
        struct blob *part = search_reply_take(reply, slot->parts[i].vectors);
        if (!part)
            abort();
        tell(slot, i, end, part);
        blob_unref(part);
    }
    search_reply_free(reply);
}

static void cut(struct pool_slot *slot, const struct upstream_end *end)
{
    const char *why = NULL;
    struct search_reply *reply =
        search_reply_read(blob_span(end->reply), slot->bundle->vectors, &why);
    if (reply) {
        hand_out(slot, end, reply);
        return;
    }
    log_info(slot->pool->setup.logger,
             "%s: the reply to %u searches in one call is not understood: %s; such "
             "searches are not merged for %d s",
             slot->pool->title, slot->count, why, REST_LONG / 1000);
    rest(slot, REST_LONG);
    send_one_by_one(slot, MERGE_NOT_UNDERSTOOD);
}

/* Whether Milvus answered with success; of reads, which were the same, any answer will do. */
static bool succeeded(const struct bundle *bundle, const struct upstream_end *end)
{
    struct wire_status status;
    if (end->code != CODE_OK || bundle->kind == MERGE_READS)
        return end->code == CODE_OK;
    return !rpc_read_status(bundle->rpc, blob_span(end->reply), &status) ||
           (status.code == 0 && status.legacy == 0);
}

static void fall_back(struct pool_slot *slot, const struct upstream_end *end)
{
    bool is_large = end->code == CODE_RESOURCE_EXHAUSTED;
    bool is_refused = end->code == CODE_UNAUTHENTICATED; /* which is the pool's matter */
    if ((end->from_peer && !is_refused) || is_large)
        rest(slot, is_large ? REST_LONG : REST_SHORT);
    send_one_by_one(slot, end->from_peer ? MERGE_FAILED : MERGE_LOST);
}

void pool_end_bundle(struct pool_slot *slot, const struct upstream_end *end)
{
    if (!succeeded(slot->bundle, end))
        fall_back(slot, end);
    else if (slot->bundle->kind == MERGE_SEARCHES)
        cut(slot, end);
    else
        share(slot, end);
}
