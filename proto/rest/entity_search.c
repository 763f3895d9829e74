/* SPDX-License-Identifier: Apache-2.0 */
/* entities/search, hybrid_search and advanced_search. */
#include "proto/rest/plans.h"
#include "proto/rest/result.h"
#include "proto/rest/search_part.h"
#include "proto/rest/value.h"
#include "proto/wire.h"

#define LIMIT 100 /* hits, where a body names none */

static bool build_search(struct rest *rest, const struct schema *schema, struct buffer *message)
{
    struct search_part part = {.object = rest->body, .params = "searchParams", .limit = LIMIT};
    return search_part_put(rest, schema, &part, message) &&
           search_part_put_group(rest, SearchRequest_search_params, message) &&
           entity_put_consistency(rest, SearchRequest_consistency_level,
                                  SearchRequest_use_default_consistency, message);
}

/* ---- hybrid ---- */

/* What each search has of the whole. */
static const struct rest_field scope_fields[] = {
    {.key = "dbName", .kind = REST_TEXT, .path = {SearchRequest_db_name}},
    {.key = "collectionName", .kind = REST_TEXT, .path = {SearchRequest_collection_name}},
    {.key = "partitionNames", .kind = REST_TEXTS, .path = {SearchRequest_partition_names}},
    {.key = "outputFields", .kind = REST_TEXTS, .path = {SearchRequest_output_fields}},
};
static const struct rest_shape scope = {scope_fields,
                                        sizeof(scope_fields) / sizeof(scope_fields[0])};

/* What is its own. */
static const struct rest_field part_fields[] = {
    {.key = "filter", .kind = REST_TEXT, .path = {SearchRequest_dsl}},
    {.kind = REST_FIXED, .fixed = 1, .path = {SearchRequest_dsl_type}},
};
static const struct rest_shape part_shape = {part_fields,
                                             sizeof(part_fields) / sizeof(part_fields[0])};

static bool put_one(struct rest *rest, const struct schema *schema, const struct rest_place *place,
                    struct jvalue object, int64_t limit, struct buffer *message)
{
    struct search_part part = {
        .object = object, .outer = place, .params = "params", .limit = limit};
    struct buffer search = {0};
    if (!rest_is(rest, place, object, J_OBJECT) ||
        !rest_put_fields(rest, rest->body, &scope, NULL, &search) ||
        !rest_put_fields(rest, object, &part_shape, place, &search) ||
        !search_part_put(rest, schema, &part, &search)) {
        buffer_clear(&search);
        return false;
    }
    rest_put_message(message, HybridSearchRequest_requests, &search);
    return true;
}

static bool put_searches(struct rest *rest, const struct schema *schema, int64_t limit,
                         struct buffer *message)
{
    struct rest_place place = rest_place_key(NULL, "search");
    struct jvalue searches, object;
    rest_has(rest, "search", &searches); /* entity_run() has looked */
    if (!rest_is(rest, &place, searches, J_ARRAY))
        return false;
    struct jiter elements = jvalue_iterate(searches);
    for (size_t i = 0; jiter_element(&elements, &object); i++) {
        struct rest_place element = rest_place_element(&place, i);
        if (!put_one(rest, schema, &element, object, limit, message))
            return false;
    }
    return true;
}

static bool put_rerank(struct rest *rest, int64_t limit, struct buffer *message)
{
    struct rest_place place = rest_place_key(NULL, "rerank");
    struct jvalue rerank, params;
    struct span strategy;
    uint32_t number = HybridSearchRequest_rank_params;
    entity_put_number(message, number, "limit", limit);
    entity_put_number(message, number, "round_decimal", -1);
    if (!rest_has(rest, "rerank", &rerank))
        return true;
    if (!rest_is(rest, &place, rerank, J_OBJECT) ||
        !rest_text(rest, rerank, &place, "strategy", "", &strategy))
        return false;
    if (strategy.length > 0)
        rest_put_pair(message, number, span_text("strategy"), strategy);
    if (rest_member(rerank, "params", &params))
        rest_put_pair(message, number, span_text("params"), jvalue_text(params));
    return true;
}

static bool build_hybrid(struct rest *rest, const struct schema *schema, struct buffer *message)
{
    int64_t limit;
    return entity_number(rest, rest->body, NULL, "limit", LIMIT, &limit) &&
           put_searches(rest, schema, limit, message) && put_rerank(rest, limit, message) &&
           search_part_put_group(rest, HybridSearchRequest_rank_params, message) &&
           entity_put_consistency(rest, HybridSearchRequest_consistency_level,
                                  HybridSearchRequest_use_default_consistency, message);
}

/* ---- hits ---- */

struct hits {
    struct result result;
    struct result_column ids;
    struct result_column scores; /* one a row */
    struct span topks;           /* hits of each vector, packed */
    struct span data;            /* SearchResultData */
};

static const char *read_scores(struct span data, struct hits *hits)
{
    struct span packed;
    if (!wire_find_bytes(data, (struct wire_path){.number = SearchResultData_scores}, &packed) ||
        packed.length % sizeof(float) != 0)
        return "malformed";
    hits->scores = (struct result_column){.type = DATA_TYPE(Float),
                                          .values = packed,
                                          .width = sizeof(float),
                                          .count = packed.length / sizeof(float)};
    return hits->scores.count == hits->ids.count ? NULL : "of another number of scores than ids";
}

/* Servers give heads of fields without rows where there are no hits. */
static const char *read_hits(struct span reply, struct hits *hits)
{
    struct span ids;
    if (!wire_find_bytes(reply, (struct wire_path){.number = SearchResults_results}, &hits->data) ||
        !wire_find_bytes(hits->data, (struct wire_path){.number = SearchResultData_ids}, &ids) ||
        !wire_find_bytes(hits->data, (struct wire_path){.number = SearchResultData_topks},
                         &hits->topks) ||
        !result_column_ids(ids, &hits->ids))
        return "malformed";
    const char *why = read_scores(hits->data, hits);
    if (!why)
        why = result_read(hits->data, SearchResultData_fields_data, &hits->result);
    if (!why)
        why = result_expect(&hits->result, hits->ids.count);
    return why;
}

static void print_hits(struct rest *rest, struct hits *hits, struct jwriter *writer)
{
    static const char *const reserved[] = {"id", "distance", NULL};
    struct result_names names = {
        .message = hits->data, .number = SearchResultData_output_fields, .reserved = reserved};
    size_t rows = hits->ids.count;
    jwriter_array(writer);
    for (size_t row = 0; row < rows; row++) {
        jwriter_object(writer);
        jwriter_key(writer, span_text("distance"));
        result_column_print(rest, &hits->scores, writer);
        jwriter_key(writer, span_text("id"));
        result_column_print(rest, &hits->ids, writer);
        result_print_row(rest, &hits->result, row, &names, writer);
        jwriter_object_end(writer);
    }
    jwriter_array_end(writer);
}

static void print_topks(struct span topks, struct jwriter *writer)
{
    uint64_t count;
    jwriter_key(writer, span_text("topks"));
    jwriter_array(writer);
    while (wire_next_varint(&topks, &count))
        jwriter_int(writer, (int64_t)count);
    jwriter_array_end(writer);
}

static void answer(struct rest *rest, struct span reply)
{
    struct hits hits = {0};
    const char *why = read_hits(reply, &hits);
    if (why) {
        entity_malformed(rest, span_of(NULL, 0), why);
    } else {
        struct jwriter writer = rest_answer(rest, entity_cost(reply));
        print_hits(rest, &hits, &writer);
        print_topks(hits.topks, &writer);
        rest_answered(rest, &writer);
    }
    result_clear(&hits.result);
}

void rest_search(struct rest *rest, const struct rest_reply *reply)
{
    static const struct entity_call call = {
        .needed = "data", .is_read = true, .build = build_search, .answer = answer};
    entity_run(rest, reply, &call);
}

void rest_hybrid_search(struct rest *rest, const struct rest_reply *reply)
{
    static const struct entity_call call = {
        .needed = "search", .is_read = true, .build = build_hybrid, .answer = answer};
    entity_run(rest, reply, &call);
}
