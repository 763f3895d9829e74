/* SPDX-License-Identifier: Apache-2.0 */
/* Collections by their dimension: a primary key, a vector and its index. */
#include <stdio.h>

#include "proto/rest/create.h"
#include "proto/rest/index.h"
#include "proto/rest/later.h"
#include "proto/rest/numbers.h"

#define VECTOR_NAME "vector"

static bool put_dimension(struct rest *rest, struct buffer *field)
{
    struct rest_place place = rest_place_key(NULL, "dimension");
    struct jvalue value;
    int64_t dimension;
    char text[16];
    if (!rest_has(rest, "dimension", &value))
        return rest_missing(rest, &place);
    if (!rest_int(rest, value, &place, 0, INT32_MAX, &dimension))
        return false;
    if (dimension == 0)
        return rest_missing(rest, &place);
    snprintf(text, sizeof(text), "%d", (int)dimension);
    rest_put_pair(field, FieldSchema_type_params, span_text("dim"), span_text(text));
    return true;
}

static bool put_key_type(struct rest *rest, const struct create *create, struct buffer *field)
{
    struct rest_place place = rest_place_key(NULL, "idType");
    struct rest_place params_place = rest_place_key(NULL, "params");
    struct rest_place length_place = rest_place_key(&params_place, "max_length");
    struct jvalue length;
    struct span type;
    if (!rest_text(rest, rest->body, NULL, "idType", "Int64", &type))
        return false;
    if (span_is(type, "Int64") || span_is(type, "int64")) {
        buffer_put_varint(field, FieldSchema_data_type, DATA_TYPE(Int64));
        return true;
    }
    if (!span_is(type, "VarChar") && !span_is(type, "Varchar"))
        return rest_wrong(rest, REST_PARAMETER_INVALID, &place, "neither Int64 nor VarChar");
    if (!create->has_params || !rest_member(create->params, "max_length", &length))
        return rest_missing(rest, &length_place);
    buffer_put_varint(field, FieldSchema_data_type, DATA_TYPE(VarChar));
    rest_put_pair(field, FieldSchema_type_params, span_text("max_length"),
                  rest_json_text(rest, length));
    return true;
}

static bool put_key(struct rest *rest, const struct create *create, struct buffer *field)
{
    if (!create_put_name(rest, "primaryFieldName", "id", FieldSchema_name, field))
        return false;
    buffer_put_varint(field, FieldSchema_is_primary_key, true);
    if (create->auto_id)
        buffer_put_varint(field, FieldSchema_autoID, true);
    return put_key_type(rest, create, field);
}

static bool put_vector(struct rest *rest, const struct create *create, struct buffer *field)
{
    (void)create;
    if (!create_put_name(rest, "vectorFieldName", VECTOR_NAME, FieldSchema_name, field))
        return false;
    buffer_put_varint(field, FieldSchema_data_type, DATA_TYPE(FloatVector));
    return put_dimension(rest, field);
}

bool create_put_quick_schema(struct rest *rest, const struct create *create, struct buffer *schema)
{
    struct rest_place place = rest_place_key(NULL, "params");
    struct rest_place dynamic_place = rest_place_key(&place, "enableDynamicField");
    struct jvalue dynamic;
    bool is_dynamic = true;
    if (create->has_params && rest_member(create->params, "enableDynamicField", &dynamic)) {
        struct span text = rest_json_text(rest, dynamic);
        is_dynamic = span_is(text, "true");
        if (!is_dynamic && !span_is(text, "false"))
            return rest_wrong_kind(rest, &dynamic_place, dynamic, "a boolean");
    }
    if (is_dynamic)
        buffer_put_varint(schema, CollectionSchema_enable_dynamic_field, true);
    return create_put_inner(rest, create, put_key, CollectionSchema_fields, schema) &&
           create_put_inner(rest, create, put_vector, CollectionSchema_fields, schema);
}

/* The index gets the vector's name, as Milvus's own REST names it. */
bool create_later_quick_index(struct rest *rest)
{
    struct buffer message = {0};
    struct span metric;
    rest_put_collection(rest, &message);
    if (!create_put_name(rest, "vectorFieldName", VECTOR_NAME, CreateIndexRequest_field_name,
                         &message) ||
        !create_put_name(rest, "vectorFieldName", VECTOR_NAME, CreateIndexRequest_index_name,
                         &message) ||
        !rest_text(rest, rest->body, NULL, "metricType", "COSINE", &metric)) {
        buffer_clear(&message);
        return false;
    }
    rest_put_pair(&message, CreateIndexRequest_extra_params, span_text(REST_METRIC_TYPE), metric);
    rest_put_pair(&message, CreateIndexRequest_extra_params, span_text(REST_INDEX_TYPE),
                  span_text(REST_INDEX_DEFAULT));
    rest_later(rest, "CreateIndex", &message);
    return true;
}
