/* SPDX-License-Identifier: Apache-2.0 */
/*
 * collections/create: a collection, its indexes, and that it is loaded. Its schema is the body's,
 * or, where there is none, of a primary key and a vector of the body's dimension.
 */
#include <stdio.h>

#include "milvus/common.pb-c.h"
#include "milvus/schema.pb-c.h"
#include "proto/rest/index.h"
#include "proto/rest/later.h"
#include "proto/rest/plans.h"

/* Numbers in CreateCollectionRequest, CreateIndexRequest, CollectionSchema and FieldSchema. */
enum { REQUEST_SCHEMA = 4, REQUEST_SHARDS = 5, REQUEST_LEVEL = 6, REQUEST_PROPERTIES = 7 };
enum { INDEX_FIELD = 4, INDEX_PARAMS = 5, INDEX_NAME = 6 };
enum { SCHEMA_NAME = 1, SCHEMA_DESCRIPTION = 2, SCHEMA_AUTO_ID = 3, SCHEMA_FIELDS = 4 };
enum { SCHEMA_DYNAMIC = 5 };
enum { FIELD_NAME = 2, FIELD_PRIMARY = 3, FIELD_TYPE = 5, FIELD_PARAMS = 6, FIELD_AUTO_ID = 8 };

#define VECTOR_NAME "vector"

/* What the body says beside the schema. */
struct create {
    struct jvalue schema; /* has_schema: an object whose fields are not empty */
    bool has_schema;
    struct jvalue params; /* an object */
    bool has_params;
    bool auto_id;
};

/* Milvus reads keys whatever their case; of this one both spellings are in its documents. */
static bool read_auto_id(struct rest *rest, struct jvalue object, const struct rest_place *outer,
                         bool *ret_auto_id)
{
    struct rest_place place = rest_place_key(outer, "autoID");
    struct jvalue value;
    *ret_auto_id = false;
    if (!rest_member(object, "autoID", &value) && !rest_member(object, "autoId", &value))
        return true;
    if (!rest_is(rest, &place, value, J_TRUE))
        return false;
    *ret_auto_id = jvalue_kind(value) == J_TRUE;
    return true;
}

static bool read_schema(struct rest *rest, struct create *create)
{
    struct rest_place place = rest_place_key(NULL, "schema");
    struct rest_place fields_place = rest_place_key(&place, "fields");
    struct jvalue fields;
    if (!rest_has(rest, "schema", &create->schema))
        return read_auto_id(rest, rest->body, NULL, &create->auto_id);
    if (!rest_is(rest, &place, create->schema, J_OBJECT))
        return false;
    if (rest_member(create->schema, "fields", &fields)) {
        if (!rest_is(rest, &fields_place, fields, J_ARRAY))
            return false;
        create->has_schema = jvalue_count(fields) > 0;
    }
    return create->has_schema ? read_auto_id(rest, create->schema, &place, &create->auto_id)
                              : read_auto_id(rest, rest->body, NULL, &create->auto_id);
}

static bool read_create(struct rest *rest, struct create *create)
{
    struct rest_place place = rest_place_key(NULL, "params");
    create->has_params = rest_has(rest, "params", &create->params);
    if (create->has_params && !rest_is(rest, &place, create->params, J_OBJECT))
        return false;
    return read_schema(rest, create);
}

/* ---- params ---- */

static void put_property(struct rest *rest, struct jvalue params, const char *key,
                         const char *property, struct buffer *message)
{
    struct jvalue value;
    if (rest_member(params, key, &value))
        rest_put_pair(message, REQUEST_PROPERTIES, span_text(property),
                      rest_json_text(rest, value));
}

/* Defaults first: of a field that stands twice, protobuf takes the last. */
static bool put_params(struct rest *rest, const struct create *create, struct buffer *message)
{
    struct rest_place place = rest_place_key(NULL, "params");
    buffer_put_varint(message, REQUEST_SHARDS, 1);
    buffer_put_varint(message, REQUEST_LEVEL, MILVUS__PROTO__COMMON__CONSISTENCY_LEVEL__Bounded);
    if (!create->has_params)
        return true;
    put_property(rest, create->params, "ttlSeconds", "collection.ttl.seconds", message);
    put_property(rest, create->params, "partitionKeyIsolation", "partitionkey.isolation", message);
    return rest_put_fields(rest, create->params, &rest_shape_create_params, &place, message);
}

/* ---- the schema by dimension ---- */

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
    rest_put_pair(field, FIELD_PARAMS, span_text("dim"), span_text(text));
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
        buffer_put_varint(field, FIELD_TYPE, MILVUS__PROTO__SCHEMA__DATA_TYPE__Int64);
        return true;
    }
    if (!span_is(type, "VarChar") && !span_is(type, "Varchar"))
        return rest_wrong(rest, REST_PARAMETER_INVALID, &place, "neither Int64 nor VarChar");
    if (!create->has_params || !rest_member(create->params, "max_length", &length))
        return rest_missing(rest, &length_place);
    buffer_put_varint(field, FIELD_TYPE, MILVUS__PROTO__SCHEMA__DATA_TYPE__VarChar);
    rest_put_pair(field, FIELD_PARAMS, span_text("max_length"), rest_json_text(rest, length));
    return true;
}

/* A field's name, of the body's member or the usual one. */
static bool put_name(struct rest *rest, const char *key, const char *otherwise, uint32_t number,
                     struct buffer *message)
{
    struct span name;
    if (!rest_text(rest, rest->body, NULL, key, otherwise, &name))
        return false;
    buffer_put_bytes(message, number, name);
    return true;
}

static bool put_key(struct rest *rest, const struct create *create, struct buffer *field)
{
    if (!put_name(rest, "primaryFieldName", "id", FIELD_NAME, field))
        return false;
    buffer_put_varint(field, FIELD_PRIMARY, true);
    if (create->auto_id)
        buffer_put_varint(field, FIELD_AUTO_ID, true);
    return put_key_type(rest, create, field);
}

static bool put_vector(struct rest *rest, const struct create *create, struct buffer *field)
{
    (void)create;
    if (!put_name(rest, "vectorFieldName", VECTOR_NAME, FIELD_NAME, field))
        return false;
    buffer_put_varint(field, FIELD_TYPE, MILVUS__PROTO__SCHEMA__DATA_TYPE__FloatVector);
    return put_dimension(rest, field);
}

static bool put_inner(struct rest *rest, const struct create *create,
                      bool (*put)(struct rest *rest, const struct create *create,
                                  struct buffer *message),
                      uint32_t number, struct buffer *message)
{
    struct buffer inner = {0};
    if (!put(rest, create, &inner)) {
        buffer_clear(&inner);
        return false;
    }
    rest_put_message(message, number, &inner);
    return true;
}

static bool put_quick_schema(struct rest *rest, const struct create *create, struct buffer *schema)
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
        buffer_put_varint(schema, SCHEMA_DYNAMIC, true);
    return put_inner(rest, create, put_key, SCHEMA_FIELDS, schema) &&
           put_inner(rest, create, put_vector, SCHEMA_FIELDS, schema);
}

/* The index gets the vector's name, as Milvus's own REST names it. */
static bool later_quick_index(struct rest *rest)
{
    struct buffer message = {0};
    struct span metric;
    rest_put_collection(rest, &message);
    if (!put_name(rest, "vectorFieldName", VECTOR_NAME, INDEX_FIELD, &message) ||
        !put_name(rest, "vectorFieldName", VECTOR_NAME, INDEX_NAME, &message) ||
        !rest_text(rest, rest->body, NULL, "metricType", "COSINE", &metric)) {
        buffer_clear(&message);
        return false;
    }
    rest_put_pair(&message, INDEX_PARAMS, span_text(REST_METRIC_TYPE), metric);
    rest_put_pair(&message, INDEX_PARAMS, span_text(REST_INDEX_TYPE),
                  span_text(REST_INDEX_DEFAULT));
    rest_later(rest, "CreateIndex", &message);
    return true;
}

/* ---- the body's schema ---- */

static bool put_field(struct rest *rest, const struct create *create, struct jvalue value,
                      const struct rest_place *place, struct buffer *field)
{
    struct jvalue member;
    if (!rest_is(rest, place, value, J_OBJECT) ||
        !rest_put_fields(rest, value, &rest_shape_field, place, field))
        return false;
    if (create->auto_id && rest_member(value, "isPrimary", &member) &&
        jvalue_kind(member) == J_TRUE)
        buffer_put_varint(field, FIELD_AUTO_ID, true);
    if (rest_member(value, "multiAnalyzerParam", &member))
        rest_put_pair(field, FIELD_PARAMS, span_text("multi_analyzer_params"),
                      rest_json_text(rest, member));
    return true;
}

static bool put_full_schema(struct rest *rest, const struct create *create, struct buffer *schema)
{
    struct rest_place place = rest_place_key(NULL, "schema");
    struct rest_place fields_place = rest_place_key(&place, "fields");
    struct jvalue fields;
    struct jvalue value;
    rest_member(create->schema, "fields", &fields);
    struct jiter elements = jvalue_iterate(fields);
    for (size_t i = 0; jiter_element(&elements, &value); i++) {
        struct rest_place field_place = rest_place_element(&fields_place, i);
        struct buffer field = {0};
        if (!put_field(rest, create, value, &field_place, &field)) {
            buffer_clear(&field);
            return false;
        }
        rest_put_message(schema, SCHEMA_FIELDS, &field);
    }
    return rest_put_fields(rest, create->schema, &rest_shape_schema, &place, schema);
}

/* Put when the schema was, so that each field is an object with a name. */
static bool has_field(struct rest *rest, const struct create *create, struct span name)
{
    struct jvalue value;
    if (rest_member(create->schema, "structFields", &value))
        return true; /* whose fields' names have a form of their own */
    rest_member(create->schema, "fields", &value);
    struct jiter elements = jvalue_iterate(value);
    while (jiter_element(&elements, &value)) {
        struct jvalue known;
        rest_member(value, "fieldName", &known);
        if (span_equal(rest_json_text(rest, known), name))
            return true;
    }
    return false;
}

/* Put when the indexes were, so that each is an object with a name. */
static bool check_indexes(struct rest *rest, const struct create *create, struct jvalue indexes)
{
    struct rest_place array = rest_place_key(NULL, "indexParams");
    struct jvalue index;
    struct jiter elements = jvalue_iterate(indexes);
    for (size_t i = 0; jiter_element(&elements, &index); i++) {
        struct rest_place element = rest_place_element(&array, i);
        struct rest_place place = rest_place_key(&element, "fieldName");
        struct jvalue name;
        rest_member(index, "fieldName", &name);
        struct blob *text = blob_copy(rest_json_text(rest, name));
        bool known = text && has_field(rest, create, blob_span(text));
        blob_unref(text);
        if (!known)
            return rest_wrong(rest, REST_MISSING, &place, "the schema has no such field");
    }
    return true;
}

static bool later_indexes(struct rest *rest, const struct create *create, bool *ret_any)
{
    struct jvalue indexes;
    *ret_any = true;
    if (!create->has_schema)
        return later_quick_index(rest);
    *ret_any = rest_has(rest, "indexParams", &indexes);
    if (!*ret_any)
        return true;
    if (!rest_later_indexes(rest, indexes) || !check_indexes(rest, create, indexes))
        return false;
    *ret_any = jvalue_count(indexes) > 0;
    return true;
}

/* ---- the calls ---- */

static bool put_schema(struct rest *rest, const struct create *create, struct buffer *schema)
{
    struct span text;
    if (!put_name(rest, "collectionName", "", SCHEMA_NAME, schema) ||
        !rest_text(rest, rest->body, NULL, "description", "", &text))
        return false;
    if (text.length > 0)
        buffer_put_bytes(schema, SCHEMA_DESCRIPTION, text);
    if (create->auto_id)
        buffer_put_varint(schema, SCHEMA_AUTO_ID, true);
    return create->has_schema ? put_full_schema(rest, create, schema)
                              : put_quick_schema(rest, create, schema);
}

static bool later_collection(struct rest *rest, const struct create *create)
{
    struct buffer message = {0};
    if (!rest_put_request(rest, &message))
        return false;
    if (!put_inner(rest, create, put_schema, REQUEST_SCHEMA, &message) ||
        !put_params(rest, create, &message)) {
        buffer_clear(&message);
        return false;
    }
    rest_later(rest, rest->route->method, &message);
    return true;
}

static bool prepare(struct rest *rest)
{
    struct create create = {0};
    bool has_index;
    if (!read_create(rest, &create) || !later_collection(rest, &create) ||
        !later_indexes(rest, &create, &has_index))
        return false;
    if (!has_index)
        return true;
    struct buffer message = {0};
    rest_put_collection(rest, &message);
    rest_later(rest, "LoadCollection", &message);
    return true;
}

void rest_create_collection(struct rest *rest, const struct rest_reply *reply)
{
    if (!reply && !prepare(rest))
        return;
    if (!rest_ask_later(rest))
        rest_answer_empty(rest);
}
