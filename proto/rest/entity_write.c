/* SPDX-License-Identifier: Apache-2.0 */
/* entities/insert, upsert and delete. */
#include "proto/rest/entity.h"
#include "proto/rest/plans.h"
#include "proto/rest/print.h"
#include "proto/rest/result_column.h"
#include "proto/rest/rows.h"
#include "proto/wire.h"

static bool is_true(const struct rest *rest, const char *key)
{
    struct jvalue value;
    return rest_has(rest, key, &value) && jvalue_kind(value) == J_TRUE;
}

/* The two requests have the same fields of these. */
static bool build(struct rest *rest, const struct schema *schema, bool is_insert,
                  struct buffer *message)
{
    struct rows rows = {
        .schema = schema, .is_insert = is_insert, .is_partial = is_true(rest, "partialUpdate")};
    size_t count;
    rest_has(rest, "data", &rows.data); /* entity_run() has looked */
    if (!rows_put(rest, &rows, message, InsertRequest_fields_data, &count))
        return false;
    buffer_put_varint(message, InsertRequest_num_rows, count);
    return true;
}

static bool build_insert(struct rest *rest, const struct schema *schema, struct buffer *message)
{
    return build(rest, schema, true, message);
}

static bool build_upsert(struct rest *rest, const struct schema *schema, struct buffer *message)
{
    return build(rest, schema, false, message);
}

static void print_ids(struct rest *rest, struct result_column *ids, struct jwriter *writer)
{
    jwriter_array(writer);
    for (; ids->count > 0; ids->count--)
        result_column_print(rest, ids, writer);
    jwriter_array_end(writer);
}

static void answer(struct rest *rest, struct span reply, uint8_t count_number,
                   const char *count_key, const char *ids_key)
{
    struct wire_field count;
    struct span message;
    struct result_column ids;
    if (!rest_last(reply, REST_PATH(count_number), &count) ||
        !wire_find_bytes(reply, (struct wire_path){.number = MutationResult_IDs}, &message) ||
        !result_column_ids(message, &ids)) {
        entity_malformed(rest, span_of(NULL, 0), "malformed");
        return;
    }
    struct jwriter writer = rest_answer(rest, entity_cost(reply));
    jwriter_object(&writer);
    jwriter_key(&writer, span_text(count_key));
    jwriter_int(&writer, (int64_t)count.value);
    jwriter_key(&writer, span_text(ids_key));
    print_ids(rest, &ids, &writer);
    jwriter_object_end(&writer);
    rest_answered(rest, &writer);
}

static void answer_insert(struct rest *rest, struct span reply)
{
    answer(rest, reply, MutationResult_insert_cnt, "insertCount", "insertIds");
}

static void answer_upsert(struct rest *rest, struct span reply)
{
    answer(rest, reply, MutationResult_upsert_cnt, "upsertCount", "upsertIds");
}

void rest_insert(struct rest *rest, const struct rest_reply *reply)
{
    static const struct entity_call call = {
        .needed = "data", .build = build_insert, .answer = answer_insert};
    entity_run(rest, reply, &call);
}

void rest_upsert(struct rest *rest, const struct rest_reply *reply)
{
    static const struct entity_call call = {
        .needed = "data", .build = build_upsert, .answer = answer_upsert};
    entity_run(rest, reply, &call);
}

static bool build_delete(struct rest *rest, const struct schema *schema, struct buffer *message)
{
    (void)schema;
    return entity_put_template(rest, rest->body, NULL, DeleteRequest_expr_template_values, message);
}

void rest_delete(struct rest *rest, const struct rest_reply *reply)
{
    struct wire_field count;
    if (!reply) {
        entity_ask(rest, build_delete);
        return;
    }
    if (!rest_last(reply->reply, REST_PATH(MutationResult_delete_cnt), &count)) {
        entity_malformed(rest, span_of(NULL, 0), "malformed");
        return;
    }
    struct jwriter writer = rest_answer(rest, -1);
    jwriter_object(&writer);
    jwriter_key(&writer, span_text("deleteCount"));
    jwriter_int(&writer, (int64_t)count.value);
    jwriter_object_end(&writer);
    rest_answered(rest, &writer);
}
