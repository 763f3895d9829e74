/* SPDX-License-Identifier: Apache-2.0 */
/* entities/query and get. */
#include "proto/rest/entity.h"
#include "proto/rest/plans.h"
#include "proto/rest/result.h"
#include "proto/rest/value.h"
#include "proto/wire.h"

#define LIMIT 100 /* rows, where a body names none */

static void put_all_fields(const struct rest *rest, struct buffer *message)
{
    struct jvalue fields;
    if (!rest_has(rest, "outputFields", &fields))
        buffer_put_bytes(message, QueryRequest_output_fields, span_text("*"));
}

/* It has no limit. */
static bool is_count(const struct rest *rest)
{
    struct jvalue fields, field;
    if (!rest_has(rest, "outputFields", &fields))
        return false;
    struct jiter elements = jvalue_iterate(fields);
    return jiter_element(&elements, &field) && jstring_is(jvalue_string(field), "count(*)");
}

static bool build_query(struct rest *rest, const struct schema *schema, struct buffer *message)
{
    int64_t limit, offset;
    (void)schema;
    if (!entity_number(rest, rest->body, NULL, "limit", LIMIT, &limit) ||
        !entity_number(rest, rest->body, NULL, "offset", 0, &offset) ||
        !entity_put_template(rest, rest->body, NULL, QueryRequest_expr_template_values, message) ||
        !entity_put_consistency(rest, QueryRequest_consistency_level,
                                QueryRequest_use_default_consistency, message))
        return false;
    put_all_fields(rest, message);
    if (offset > 0)
        entity_put_number(message, QueryRequest_query_params, "offset", offset);
    if (limit > 0 && !is_count(rest))
        entity_put_number(message, QueryRequest_query_params, "limit", limit);
    return true;
}

static void print_rows(struct rest *rest, struct result *result, struct span reply)
{
    static const char *const reserved[] = {NULL};
    struct result_names names = {
        .message = reply, .number = QueryResults_output_fields, .reserved = reserved};
    size_t rows = result->count > 0 ? result_column_rows(&result->columns[0]) : 0;
    const char *why = result_expect(result, rows);
    if (why) {
        entity_malformed(rest, span_of(NULL, 0), why);
        return;
    }
    struct jwriter writer = rest_answer(rest, entity_cost(reply));
    jwriter_array(&writer);
    for (size_t row = 0; row < rows; row++) {
        jwriter_object(&writer);
        result_print_row(rest, result, row, &names, &writer);
        jwriter_object_end(&writer);
    }
    jwriter_array_end(&writer);
    rest_answered(rest, &writer);
}

static void answer_query(struct rest *rest, struct span reply)
{
    struct result result;
    const char *why = result_read(reply, QueryResults_fields_data, &result);
    if (why) {
        entity_malformed(rest, span_of(NULL, 0), why);
        return;
    }
    print_rows(rest, &result, reply);
    result_clear(&result);
}

void rest_query(struct rest *rest, const struct rest_reply *reply)
{
    if (reply)
        answer_query(rest, reply->reply);
    else
        entity_ask(rest, build_query);
}

/* ---- get: by primary key ---- */

/* A text as filters write it. */
static void put_literal(struct span text, struct buffer *expression)
{
    buffer_add_byte(expression, '"');
    for (size_t i = 0; i < text.length; i++) {
        if (text.at[i] == '"' || text.at[i] == '\\')
            buffer_add_byte(expression, '\\');
        buffer_add_byte(expression, text.at[i]);
    }
    buffer_add_byte(expression, '"');
}

static bool put_id(const struct value_reader *reader, uint32_t type, struct jvalue value,
                   struct buffer *expression)
{
    int64_t number;
    struct span text;
    const uint8_t *end;
    struct jwriter writer = {.to = expression};
    if (type != DATA_TYPE(Int64)) {
        if (!value_text(reader, value, &text, &end))
            return false;
        put_literal(text, expression);
        return true;
    }
    if (!value_int(reader, value, type, &number, &end))
        return false;
    jwriter_int(&writer, number);
    return true;
}

/* "id in [1,2]" */
static bool put_ids(struct rest *rest, const struct schema_field *key, struct jvalue ids,
                    struct buffer *expression)
{
    struct value_reader reader = {
        .rest = rest, .code = REST_INVALID_KEY, .place = rest_place_key(NULL, "id")};
    buffer_add(expression, key->name);
    buffer_add(expression, span_text(" in ["));
    if (jvalue_kind(ids) != J_ARRAY) {
        if (!put_id(&reader, key->type, ids, expression))
            return false;
    } else {
        struct jiter elements = jvalue_iterate(ids);
        struct jvalue id;
        for (size_t i = 0; jiter_element(&elements, &id); i++) {
            struct value_reader element = value_element(&reader, i);
            if (i > 0)
                buffer_add_byte(expression, ',');
            if (!put_id(&element, key->type, id, expression))
                return false;
        }
    }
    buffer_add_byte(expression, ']');
    return true;
}

static bool build_get(struct rest *rest, const struct schema *schema, struct buffer *message)
{
    const struct schema_field *key = schema_primary(schema);
    struct buffer expression = {0};
    struct jvalue ids;
    if (!key || !rest_has(rest, "id", &ids)) {
        rest_fail(rest, REST_INVALID_KEY, "id: the collection has no primary key");
        return false;
    }
    bool is_put = put_ids(rest, key, ids, &expression) &&
                  entity_put_consistency(rest, QueryRequest_consistency_level,
                                         QueryRequest_use_default_consistency, message);
    if (is_put) {
        buffer_put_bytes(message, QueryRequest_expr, buffer_span(&expression));
        put_all_fields(rest, message);
    }
    buffer_clear(&expression);
    return is_put;
}

void rest_get(struct rest *rest, const struct rest_reply *reply)
{
    static const struct entity_call call = {
        .needed = "id", .is_read = true, .build = build_get, .answer = answer_query};
    entity_run(rest, reply, &call);
}
