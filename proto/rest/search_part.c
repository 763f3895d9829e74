/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rest/search_part.h"

#include "proto/number.h"
#include "proto/rest/vector.h"
#include "proto/wire.h"

/* ---- which field is searched ---- */

static const struct schema_field *only_vector(const struct value_reader *reader,
                                              const struct schema *schema)
{
    const struct schema_field *found = NULL;
    for (size_t i = 0; i < schema->count; i++) {
        if (!schema_is_vector(&schema->fields[i]))
            continue;
        if (found) {
            value_fault(reader, "missing, and the collection has several fields of vectors");
            return NULL;
        }
        found = &schema->fields[i];
    }
    if (!found)
        value_fault(reader, "the collection has no field of vectors");
    return found;
}

/* NULL: answered. */
static const struct schema_field *find_field(struct rest *rest, const struct schema *schema,
                                             const struct search_part *part)
{
    struct value_reader reader = {.rest = rest,
                                  .code = REST_PARAMETER_INVALID,
                                  .place = rest_place_key(part->outer, "annsField")};
    struct span name;
    if (!rest_text(rest, part->object, part->outer, "annsField", "", &name))
        return NULL;
    if (name.length == 0)
        return only_vector(&reader, schema);
    const struct schema_field *field = schema_field_named(schema, name);
    if (field && schema_is_vector(field))
        return field;
    value_fault(&reader, "the collection has no field of vectors named %.*s",
                SPAN_ARGS(span_cut(name, REST_PLACE_MAX / 4)));
    return NULL;
}

/* ---- the vectors: a PlaceholderGroup ---- */

static bool add_query(const struct value_reader *reader, const struct schema_field *field,
                      struct jvalue value, struct buffer *to)
{
    const uint8_t *end;
    struct span text;
    uint64_t dim = 0;
    if (field->is_text && jvalue_kind(value) == J_STRING) {
        if (!value_text(reader, value, &text, &end))
            return false;
        buffer_add(to, text);
        return true;
    }
    if (field->is_text)
        return value_wrong(reader, value, "a string");
    if (field->type == DATA_TYPE(SparseFloatVector))
        return vector_add_sparse(reader, value, to, &dim, &end);
    return vector_add_dense(reader, value, field->type, field->dim, to, &end);
}

static bool add_queries(const struct value_reader *reader, const struct schema_field *field,
                        struct jvalue data, struct buffer *placeholder, size_t *ret_count)
{
    struct jiter elements = jvalue_iterate(data);
    struct jvalue value;
    struct buffer query = {0};
    size_t count = 0;
    bool is_good = true;
    for (; is_good && jiter_element(&elements, &value); count++) {
        struct value_reader element = value_element(reader, count);
        query.size = 0;
        is_good = add_query(&element, field, value, &query);
        if (is_good)
            buffer_put_bytes(placeholder, PlaceholderValue_values, buffer_span(&query));
    }
    buffer_clear(&query);
    *ret_count = count;
    return is_good && (count > 0 || value_fault(reader, "no vectors"));
}

static bool put_vectors(struct rest *rest, const struct schema_field *field,
                        const struct search_part *part, struct buffer *message)
{
    struct value_reader reader = {
        .rest = rest, .code = REST_PARAMETER_INVALID, .place = rest_place_key(part->outer, "data")};
    struct buffer placeholder = {0};
    struct buffer group = {0};
    struct jvalue data;
    size_t count;
    if (!rest_finds(rest, part->object, "data", &data))
        return rest_wrong(rest, REST_MISSING, &reader.place, "a required field, and missing");
    if (!rest_is(rest, &reader.place, data, J_ARRAY))
        return false;
    buffer_put_bytes(&placeholder, PlaceholderValue_tag, span_text("$0"));
    buffer_put_varint(&placeholder, PlaceholderValue_type,
                      field->is_text ? DATA_TYPE(VarChar) : field->type);
    if (!add_queries(&reader, field, data, &placeholder, &count)) {
        buffer_clear(&placeholder);
        return false;
    }
    rest_put_message(&group, PlaceholderGroup_placeholders, &placeholder);
    rest_put_message(message, SearchRequest_placeholder_group, &group);
    buffer_put_varint(message, SearchRequest_nq, count);
    return true;
}

/* ---- parameters ---- */

static bool is_same(struct jvalue left, struct jvalue right)
{
    if (jvalue_kind(left) != J_NUMBER || jvalue_kind(right) != J_NUMBER)
        return span_equal(jvalue_text(left), jvalue_text(right));
    double a, b;
    number_double(left.at, &a);
    number_double(right.at, &b);
    return a == b;
}

static void add_param(struct jwriter *writer, struct jstring key, struct jvalue value)
{
    struct buffer scratch = {0};
    jwriter_key(writer, jstring_text(key, &scratch));
    jwriter_raw(writer, jvalue_text(value));
    buffer_clear(&scratch);
}

static bool find_raw(struct jvalue object, struct jstring key, struct jvalue *ret_value)
{
    struct jiter members = jvalue_iterate(object);
    struct jstring name;
    struct jvalue value;
    bool found = false;
    while (jiter_member(&members, &name, &value)) {
        if (span_equal(name.raw, key.raw)) {
            *ret_value = value;
            found = true;
        }
    }
    return found;
}

static void put_param(struct rest *rest, struct jstring key, struct jvalue value,
                      struct buffer *message)
{
    bool is_growing = jstring_is(key, "ignoreGrowing");
    struct buffer pair = {0};
    rest->scratch.size = 0;
    buffer_put_bytes(&pair, KeyValuePair_key,
                     is_growing ? span_text("ignore_growing") : jstring_text(key, &rest->scratch));
    buffer_put_bytes(&pair, KeyValuePair_value, rest_json_text(rest, value));
    rest_put_message(message, SearchRequest_search_params, &pair);
}

/* Those in "params" and those beside it are one, as since Milvus 2.5.2; what stands beside it goes
 * by itself too. */
static bool merge_params(struct rest *rest, struct jvalue outer, struct jvalue inner,
                         const struct rest_place *place, struct jwriter *writer,
                         struct buffer *message)
{
    struct jiter members = jvalue_iterate(inner);
    struct jstring key;
    struct jvalue value, other;
    while (jiter_member(&members, &key, &value))
        add_param(writer, key, value);
    members = jvalue_iterate(outer);
    while (jiter_member(&members, &key, &value)) {
        struct rest_place at = {.outer = place, .key = key.raw};
        if (jstring_is(key, "params"))
            continue;
        put_param(rest, key, value, message);
        if (!find_raw(inner, key, &other))
            add_param(writer, key, value);
        else if (!is_same(value, other))
            return rest_wrong(rest, REST_PARAMETER_INVALID, &at,
                              "another value than in params beside it");
    }
    return true;
}

static bool put_params(struct rest *rest, const struct search_part *part, struct buffer *message)
{
    static const uint8_t none[] = "{}";
    struct rest_place place = rest_place_key(part->outer, part->params);
    struct rest_place inner_place = rest_place_key(&place, "params");
    struct jvalue outer = {none}, inner = {none};
    struct buffer merged = {0};
    struct jwriter writer = {.to = &merged};
    if (rest_finds(rest, part->object, part->params, &outer) &&
        (!rest_is(rest, &place, outer, J_OBJECT) ||
         (rest_member(outer, "params", &inner) && !rest_is(rest, &inner_place, inner, J_OBJECT))))
        return false;
    jwriter_object(&writer);
    bool is_merged = merge_params(rest, outer, inner, &place, &writer, message);
    jwriter_object_end(&writer);
    if (is_merged)
        rest_put_pair(message, SearchRequest_search_params, span_text("params"),
                      buffer_span(&merged));
    buffer_clear(&merged);
    return is_merged;
}

bool search_part_put(struct rest *rest, const struct schema *schema, const struct search_part *part,
                     struct buffer *message)
{
    uint32_t number = SearchRequest_search_params;
    int64_t limit, offset;
    const struct schema_field *field = find_field(rest, schema, part);
    if (!field || !put_vectors(rest, field, part, message) || !put_params(rest, part, message) ||
        !entity_number(rest, part->object, part->outer, "limit", part->limit, &limit) ||
        !entity_number(rest, part->object, part->outer, "offset", 0, &offset) ||
        !entity_put_template(rest, part->object, part->outer, SearchRequest_expr_template_values,
                             message))
        return false;
    entity_put_number(message, number, "round_decimal", -1);
    entity_put_number(message, number, "topk", limit);
    entity_put_number(message, number, "offset", offset);
    rest_put_pair(message, number, span_text("anns_field"), field->name);
    return true;
}

bool search_part_put_group(struct rest *rest, uint32_t number, struct buffer *message)
{
    struct rest_place place = rest_place_key(NULL, "strictGroupSize");
    struct span field;
    struct jvalue strict;
    int64_t size;
    bool has_strict = rest_has(rest, "strictGroupSize", &strict);
    if (!rest_text(rest, rest->body, NULL, "groupingField", "", &field) ||
        !entity_number(rest, rest->body, NULL, "groupSize", 0, &size) ||
        (has_strict && !rest_is(rest, &place, strict, J_TRUE)))
        return false;
    if (field.length == 0)
        return true;
    rest_put_pair(message, number, span_text("group_by_field"), field);
    if (size == 0)
        return true;
    entity_put_number(message, number, "group_size", size);
    bool is_strict = has_strict && jvalue_kind(strict) == J_TRUE;
    rest_put_pair(message, number, span_text("strict_group_size"),
                  span_text(is_strict ? "true" : "false"));
    return true;
}
