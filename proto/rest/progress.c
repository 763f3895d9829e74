/* SPDX-License-Identifier: Apache-2.0 */
/* How far something is: whether a collection is loaded, flushed, compacted. */
#include <stdlib.h>

#include "milvus/common.pb-c.h"
#include "proto/rest/numbers.h"
#include "proto/rest/plans.h"
#include "proto/rest/print.h"
#include "proto/rest/put.h"

#define MAP_VALUE    2   /* the number of what a map's key leads to, protobuf's own */
#define FLUSH_PERIOD 500 /* ms between two questions, as Milvus's own REST has it */

/* ---- loaded ---- */

static void answer_load(struct rest *rest, const char *state, const int64_t *progress,
                        struct span message)
{
    struct jwriter writer = rest_answer(rest, -1);
    jwriter_object(&writer);
    jwriter_key(&writer, span_text("loadState"));
    jwriter_text(&writer, span_text(state));
    if (progress) {
        jwriter_key(&writer, span_text("loadProgress"));
        jwriter_int(&writer, *progress);
    }
    jwriter_object_end(&writer);
    if (progress) {
        jwriter_key(&writer, span_text("message"));
        jwriter_text(&writer, message);
    }
    rest_answered(rest, &writer);
}

static void take_load_state(struct rest *rest, struct span reply)
{
    struct wire_field state;
    struct rest_place place = rest_place_key(NULL, "collectionName");
    struct buffer message = {0};
    if (!rest_last(reply, REST_PATH(GetLoadStateResponse_state), &state))
        rest_fail_reply(rest);
    else if (state.value == MILVUS__PROTO__COMMON__LOAD_STATE__LoadStateNotExist)
        rest_wrong(rest, REST_COLLECTION_NOT_FOUND, &place, "there is no such collection");
    else if (state.value == MILVUS__PROTO__COMMON__LOAD_STATE__LoadStateNotLoad)
        answer_load(rest, "LoadStateNotLoad", NULL, span_text(""));
    else if (rest_put_request(rest, &message)) /* the two requests have the same fields */
        rest_ask_softly(rest, "GetLoadingProgress", &message);
}

static void take_progress(struct rest *rest, const struct rest_reply *reply)
{
    struct wire_field progress = {0};
    struct span why;
    int64_t percent = -1;
    if (rest_failed(rest, reply, NULL, &why)) {
        answer_load(rest, "LoadStateLoading", &percent, why);
        return;
    }
    if (!rest_last(reply->reply, REST_PATH(GetLoadingProgressResponse_progress), &progress)) {
        rest_fail_reply(rest);
        return;
    }
    percent = (int64_t)progress.value;
    answer_load(rest, percent >= 100 ? "LoadStateLoaded" : "LoadStateLoading", &percent,
                span_text(""));
}

void rest_get_load_state(struct rest *rest, const struct rest_reply *reply)
{
    if (!reply)
        rest_ask_row(rest);
    else if (rest->step == 1)
        take_load_state(rest, reply->reply);
    else
        take_progress(rest, reply);
}

/* ---- flushed ---- */

static void free_question(void *own)
{
    blob_unref(own);
}

/* The question is asked again and again, until the answer is yes or the deadline is over. */
static void ask_flushed(struct rest *rest, uint32_t delay)
{
    struct buffer message = {0};
    buffer_add(&message, blob_span(rest->own));
    rest_ask(rest, "GetFlushState", &message);
    rest->next.call.delay = delay;
}

/* Of the one collection that was flushed: its segments, and until when. False: malformed. */
static bool read_flush(struct span reply, struct span *ret_segments, uint64_t *ret_time)
{
    struct wire_field segments; /* packed */
    struct wire_field time;
    if (!rest_last(reply, REST_PATH(FlushResponse_coll_segIDs, MAP_VALUE, LongArray_data),
                   &segments) ||
        !rest_last(reply, REST_PATH(FlushResponse_coll_flush_ts, MAP_VALUE), &time))
        return false;
    *ret_segments = segments.bytes;
    *ret_time = time.value;
    return true;
}

static void take_flush(struct rest *rest, struct span reply)
{
    struct buffer question = {0};
    struct jvalue collection;
    struct span segments;
    uint64_t time;
    if (!read_flush(reply, &segments, &time)) {
        rest_fail_reply(rest);
        return;
    }
    if (segments.length == 0) {
        rest_answer_empty(rest);
        return;
    }
    buffer_put_bytes(&question, GetFlushStateRequest_segmentIDs, segments);
    buffer_put_varint(&question, GetFlushStateRequest_flush_ts, time);
    rest_put_database(rest, &question, GetFlushStateRequest_db_name);
    if (rest_has(rest, "collectionName", &collection))
        buffer_put_bytes(&question, GetFlushStateRequest_collection_name,
                         rest_json_text(rest, collection));
    rest->own = buffer_take(&question);
    rest->free_own = free_question;
    ask_flushed(rest, 0);
}

void rest_flush(struct rest *rest, const struct rest_reply *reply)
{
    struct wire_field flushed;
    if (!reply)
        rest_ask_row(rest);
    else if (rest->step == 1)
        take_flush(rest, reply->reply);
    else if (!rest_last(reply->reply, REST_PATH(GetFlushStateResponse_flushed), &flushed))
        rest_fail_reply(rest);
    else if (flushed.value == 0)
        ask_flushed(rest, FLUSH_PERIOD);
    else
        rest_answer_empty(rest);
}

/* ---- compacted ---- */

/* The reply does not say which compaction it is of. */
void rest_compaction_state(struct rest *rest, const struct rest_reply *reply)
{
    struct rest_place place = rest_place_key(NULL, "jobID");
    struct jvalue job;
    int64_t id = 0;
    if (!reply) {
        rest_ask_row(rest);
        return;
    }
    if (rest_has(rest, "jobID", &job) && !rest_int(rest, job, &place, INT64_MIN, INT64_MAX, &id))
        return;
    struct jwriter writer = rest_answer(rest, -1);
    jwriter_object(&writer);
    jwriter_key(&writer, span_text("compactionID"));
    jwriter_int(&writer, id);
    if (!rest_print_fields(reply->reply, rest->route->field.shape, &writer)) {
        rest_fail_reply(rest);
        return;
    }
    jwriter_object_end(&writer);
    rest_answered(rest, &writer);
}
