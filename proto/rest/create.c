/* SPDX-License-Identifier: Apache-2.0 */
/*
 * collections/create: a collection, its indexes, and that it is loaded. Its schema is the body's,
 * or, where there is none, of a primary key and a vector of the body's dimension.
 */
#include "proto/rest/create.h"

#include "milvus/common.pb-c.h"
#include "proto/rest/index.h"
#include "proto/rest/later.h"
#include "proto/rest/numbers.h"
#include "proto/rest/plans.h"

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
        if (!rest_is_list(rest, &fields_place, fields, REST_FIELDS_MAX))
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

/* ---- what both schemas are put with ---- */

bool create_put_name(struct rest *rest, const char *key, const char *otherwise, uint32_t number,
                     struct buffer *message)
{
    struct span name;
    if (!rest_text(rest, rest->body, NULL, key, otherwise, &name))
        return false;
    buffer_put_bytes(message, number, name);
    return true;
}

bool create_put_inner(struct rest *rest, const struct create *create, create_put *put,
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

/* ---- params ---- */

static void put_property(struct rest *rest, struct jvalue params, const char *key,
                         const char *property, struct buffer *message)
{
    struct jvalue value;
    if (rest_member(params, key, &value))
        rest_put_pair(message, CreateCollectionRequest_properties, span_text(property),
                      rest_json_text(rest, value));
}

/* Defaults first: of a field that stands twice, protobuf takes the last. */
static bool put_params(struct rest *rest, const struct create *create, struct buffer *message)
{
    struct rest_place place = rest_place_key(NULL, "params");
    buffer_put_varint(message, CreateCollectionRequest_shards_num, 1);
    buffer_put_varint(message, CreateCollectionRequest_consistency_level,
                      MILVUS__PROTO__COMMON__CONSISTENCY_LEVEL__Bounded);
    if (!create->has_params)
        return true;
    put_property(rest, create->params, "ttlSeconds", "collection.ttl.seconds", message);
    put_property(rest, create->params, "partitionKeyIsolation", "partitionkey.isolation", message);
    return rest_put_fields(rest, create->params, &rest_shape_create_params, &place, message);
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
        buffer_put_varint(field, FieldSchema_autoID, true);
    if (rest_member(value, "multiAnalyzerParam", &member))
        rest_put_pair(field, FieldSchema_type_params, span_text("multi_analyzer_params"),
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
        rest_put_message(schema, CollectionSchema_fields, &field);
    }
    return rest_put_fields(rest, create->schema, &rest_shape_schema, &place, schema);
}

/* The names of the schema's fields, each a field of a message. The schema was put, so that each has
 * one. */
static void collect_names(struct rest *rest, const struct create *create, struct buffer *names)
{
    struct jvalue value;
    rest_member(create->schema, "fields", &value);
    struct jiter elements = jvalue_iterate(value);
    while (jiter_element(&elements, &value)) {
        struct jvalue name;
        rest_member(value, "fieldName", &name);
        buffer_put_bytes(names, 1, rest_json_text(rest, name));
    }
}

static bool has_name(struct span names, struct span name)
{
    struct wire_field known;
    while (wire_next(&names, &known) == WIRE_FIELD) {
        if (span_equal(known.bytes, name))
            return true;
    }
    return false;
}

/* The indexes were put, so that each has a name. */
static bool check_names(struct rest *rest, struct jvalue indexes, struct span names)
{
    struct rest_place array = rest_place_key(NULL, "indexParams");
    struct jvalue index;
    struct jiter elements = jvalue_iterate(indexes);
    for (size_t i = 0; jiter_element(&elements, &index); i++) {
        struct rest_place element = rest_place_element(&array, i);
        struct rest_place place = rest_place_key(&element, "fieldName");
        struct jvalue name;
        rest_member(index, "fieldName", &name);
        if (!has_name(names, rest_json_text(rest, name)))
            return rest_wrong(rest, REST_MISSING, &place, "the schema has no such field");
    }
    return true;
}

static bool check_indexes(struct rest *rest, const struct create *create, struct jvalue indexes)
{
    struct jvalue structs;
    if (rest_member(create->schema, "structFields", &structs))
        return true; /* whose fields' names have a form of their own */
    struct buffer names = {0};
    collect_names(rest, create, &names);
    bool good = check_names(rest, indexes, buffer_span(&names));
    buffer_clear(&names);
    return good;
}

static bool later_indexes(struct rest *rest, const struct create *create, bool *ret_any)
{
    struct jvalue indexes;
    *ret_any = true;
    if (!create->has_schema)
        return create_later_quick_index(rest);
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
    if (!create_put_name(rest, "collectionName", "", CollectionSchema_name, schema) ||
        !rest_text(rest, rest->body, NULL, "description", "", &text))
        return false;
    if (text.length > 0)
        buffer_put_bytes(schema, CollectionSchema_description, text);
    if (create->auto_id)
        buffer_put_varint(schema, CollectionSchema_autoID, true);
    return create->has_schema ? put_full_schema(rest, create, schema)
                              : create_put_quick_schema(rest, create, schema);
}

static bool later_collection(struct rest *rest, const struct create *create)
{
    struct buffer message = {0};
    if (!rest_put_request(rest, &message))
        return false;
    if (!create_put_inner(rest, create, put_schema, CreateCollectionRequest_schema, &message) ||
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
