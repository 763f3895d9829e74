/* SPDX-License-Identifier: Apache-2.0 */
/* exprParams: what stands for the {names} of a filter, as milvus.proto.schema.TemplateValue. */
#include "proto/number.h"
#include "proto/rest/entity.h"
#include "proto/rest/value.h"
#include "proto/wire.h"

enum kind { KIND_BOOL, KIND_LONG, KIND_DOUBLE, KIND_TEXT, KIND_ARRAY, KIND_JSON };

static enum kind kind_of(struct jvalue value)
{
    int64_t number;
    switch (jvalue_kind(value)) {
    case J_TRUE:
    case J_FALSE:
        return KIND_BOOL;
    case J_NUMBER:
        return number_int64(value.at, &number) ? KIND_LONG : KIND_DOUBLE;
    case J_STRING:
        return KIND_TEXT;
    case J_ARRAY:
        return KIND_ARRAY;
    default:
        return KIND_JSON;
    }
}

/* What all elements are; of several kinds JSON, but whole numbers go with others. */
static enum kind kind_of_all(struct jvalue array)
{
    struct jiter elements = jvalue_iterate(array);
    struct jvalue element;
    enum kind kind = KIND_JSON;
    for (bool is_first = true; jiter_element(&elements, &element); is_first = false) {
        enum kind is = kind_of(element);
        bool both = kind == KIND_LONG || kind == KIND_DOUBLE;
        if (is_first)
            kind = is;
        else if (both && (is == KIND_LONG || is == KIND_DOUBLE))
            kind = is == kind ? kind : KIND_DOUBLE;
        else if (is != kind)
            return KIND_JSON;
    }
    return kind;
}

static void put_double(struct jvalue value, struct buffer *to)
{
    double number;
    number_double(value.at, &number);
    value_add_double(to, number);
}

static void put_array(struct rest *rest, struct jvalue array, struct buffer *message);

/* An element, as it stands packed or as a field 1. */
static void put_element(struct rest *rest, enum kind kind, struct jvalue value, struct buffer *to)
{
    int64_t number;
    struct buffer inner = {0};
    rest->scratch.size = 0;
    switch (kind) {
    case KIND_BOOL:
        buffer_add_byte(to, jvalue_kind(value) == J_TRUE);
        break;
    case KIND_LONG:
        if (number_int64(value.at, &number))
            buffer_varint(to, (uint64_t)number);
        break;
    case KIND_DOUBLE:
        put_double(value, to);
        break;
    case KIND_TEXT:
        buffer_put_bytes(to, 1, jstring_text(jvalue_string(value), &rest->scratch));
        break;
    case KIND_ARRAY:
        put_array(rest, value, &inner);
        rest_put_message(to, TemplateArrayValueArray_data, &inner);
        break;
    case KIND_JSON:
        buffer_put_bytes(to, 1, jvalue_text(value));
        break;
    }
}

/* A TemplateArrayValue. */
static void put_array(struct rest *rest, struct jvalue array, struct buffer *message)
{
    static const uint32_t numbers[] = {[KIND_BOOL] = TemplateArrayValue_bool_data,
                                       [KIND_LONG] = TemplateArrayValue_long_data,
                                       [KIND_DOUBLE] = TemplateArrayValue_double_data,
                                       [KIND_TEXT] = TemplateArrayValue_string_data,
                                       [KIND_ARRAY] = TemplateArrayValue_array_data,
                                       [KIND_JSON] = TemplateArrayValue_json_data};
    enum kind kind = kind_of_all(array);
    struct buffer data = {0};
    struct buffer packed = {0};
    struct jiter elements = jvalue_iterate(array);
    struct jvalue element;
    while (jiter_element(&elements, &element))
        put_element(rest, kind, element, &data);
    if (kind <= KIND_DOUBLE) {
        rest_put_message(&packed, 1, &data);
        rest_put_message(message, numbers[kind], &packed);
    } else if (data.size > 0) {
        rest_put_message(message, numbers[kind], &data);
    }
}

/* A TemplateValue. */
static bool put_value(struct rest *rest, struct jvalue value, const struct rest_place *place,
                      struct buffer *message)
{
    struct buffer inner = {0};
    int64_t number;
    switch (kind_of(value)) {
    case KIND_BOOL:
        buffer_put_varint(message, TemplateValue_bool_val, jvalue_kind(value) == J_TRUE);
        return true;
    case KIND_LONG:
        if (number_int64(value.at, &number))
            buffer_put_varint(message, TemplateValue_int64_val, (uint64_t)number);
        return true;
    case KIND_DOUBLE:
        buffer_varint(message, TemplateValue_float_val << 3 | WIRE_FIXED64);
        put_double(value, message);
        return true;
    case KIND_TEXT:
        buffer_put_bytes(message, TemplateValue_string_val, rest_json_text(rest, value));
        return true;
    case KIND_ARRAY:
        put_array(rest, value, &inner);
        rest_put_message(message, TemplateValue_array_val, &inner);
        return true;
    default:
        return rest_wrong_kind(rest, place, value, "a boolean, a number, a string or an array");
    }
}

bool entity_put_template(struct rest *rest, struct jvalue object, const struct rest_place *outer,
                         uint32_t number, struct buffer *message)
{
    struct rest_place place = rest_place_key(outer, "exprParams");
    struct jvalue params, value;
    struct jstring key;
    if (!rest_finds(rest, object, "exprParams", &params))
        return true;
    if (!rest_is(rest, &place, params, J_OBJECT))
        return false;
    struct jiter members = jvalue_iterate(params);
    while (jiter_member(&members, &key, &value)) {
        struct rest_place inner = {.outer = &place, .key = key.raw};
        struct buffer template = {0};
        struct buffer entry = {0};
        if (!put_value(rest, value, &inner, &template)) {
            buffer_clear(&template);
            return false;
        }
        buffer_put_bytes(&entry, 1, jstring_text(key, &rest->scratch));
        rest_put_message(&entry, 2, &template);
        rest_put_message(message, number, &entry);
    }
    return true;
}
