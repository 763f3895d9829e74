/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rest/put.h"

#include <stdlib.h>

#include "proto/base64.h"
#include "proto/number.h"
#include "proto/rest/default.h"

/* ---- texts, numbers, pairs ---- */

struct span rest_json_text(struct rest *rest, struct jvalue value)
{
    if (jvalue_kind(value) == J_STRING)
        return jstring_text(jvalue_string(value), &rest->scratch);
    return jvalue_text(value);
}

void rest_put_message(struct buffer *message, uint32_t number, struct buffer *inner)
{
    buffer_put_bytes(message, number, buffer_span(inner));
    buffer_clear(inner);
}

void rest_put_pair(struct buffer *message, uint32_t number, struct span key, struct span value)
{
    struct buffer pair = {0};
    buffer_put_bytes(&pair, 1, key);
    buffer_put_bytes(&pair, 2, value);
    rest_put_message(message, number, &pair);
}

bool rest_put_pairs(struct rest *rest, struct jvalue object, const struct rest_place *place,
                    uint32_t number, struct buffer *message)
{
    if (!rest_is(rest, place, object, J_OBJECT))
        return false;
    struct jiter members = jvalue_iterate(object);
    struct jstring key;
    struct jvalue value;
    while (jiter_member(&members, &key, &value)) {
        struct buffer pair = {0};
        buffer_put_bytes(&pair, 1, jstring_text(key, &rest->scratch));
        buffer_put_bytes(&pair, 2, rest_json_text(rest, value));
        rest_put_message(message, number, &pair);
    }
    return true;
}

/* The quote behind them ends the number. */
static bool digits_int64(struct span text, int64_t *ret_number)
{
    size_t first = text.length > 0 && text.at[0] == '-';
    for (size_t i = first; i < text.length; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
    }
    return text.length > first && number_int64(text.at, ret_number);
}

bool rest_int(struct rest *rest, struct jvalue value, const struct rest_place *place, int64_t min,
              int64_t max, int64_t *ret_number)
{
    enum jkind kind = jvalue_kind(value);
    if (kind != J_NUMBER && kind != J_STRING)
        return rest_wrong_kind(rest, place, value, "a whole number");
    int64_t number;
    bool is_whole = kind == J_NUMBER ? number_int64(value.at, &number)
                                     : digits_int64(jvalue_string(value).raw, &number);
    if (!is_whole || number < min || number > max)
        return rest_wrong(rest, REST_PARAMETER_INVALID, place,
                          "no whole number, or one that does not fit");
    *ret_number = number;
    return true;
}

bool rest_text(struct rest *rest, struct jvalue object, const struct rest_place *outer,
               const char *key, const char *otherwise, struct span *ret_text)
{
    struct rest_place place = rest_place_key(outer, key);
    struct jvalue value;
    *ret_text = span_text(otherwise);
    if (!rest_finds(rest, object, key, &value))
        return true;
    if (!rest_is(rest, &place, value, J_STRING))
        return false;
    struct span text = rest_json_text(rest, value);
    if (text.length > 0)
        *ret_text = text;
    return true;
}

/* ---- a value into a field ---- */

static void put_secret(struct rest *rest, struct jvalue value, uint32_t number,
                       struct buffer *message)
{
    struct span text = rest_json_text(rest, value);
    size_t length = BASE64_SIZE(text.length);
    buffer_put_head(message, number, length);
    base64_encode(text, (char *)buffer_room(message, length));
    buffer_grow(message, length);
}

bool rest_word(struct rest *rest, struct jvalue value, const struct rest_place *place,
               const ProtobufCEnumDescriptor *words, int *ret_number)
{
    char text[64]; /* no name is as long */
    if (!rest_is(rest, place, value, J_STRING))
        return false;
    struct span word = rest_json_text(rest, value);
    struct span cut = span_cut(word, sizeof(text) - 1);
    memcpy(text, cut.at, cut.length);
    text[cut.length] = '\0';
    const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value_by_name(words, text);
    char where[REST_PLACE_MAX];
    if (!found || strlen(found->name) != word.length) {
        rest_fail(rest, REST_PARAMETER_INVALID, "%s: \"%s\" is no %s",
                  rest_place_print(place, where), text, words->short_name);
        return false;
    }
    *ret_number = found->value;
    return true;
}

static bool put_number(struct rest *rest, struct jvalue value, const struct rest_field *field,
                       uint32_t number, const struct rest_place *place, struct buffer *message)
{
    int64_t integer;
    int64_t max = field->kind == REST_INT32 ? INT32_MAX : INT64_MAX;
    int64_t min = field->kind == REST_INT32 ? INT32_MIN : INT64_MIN;
    if (!rest_int(rest, value, place, min, max, &integer))
        return false;
    buffer_put_varint(message, number, (uint64_t)integer);
    return true;
}

static bool put_object(struct rest *rest, struct jvalue value, const struct rest_field *field,
                       uint32_t number, const struct rest_place *place, struct buffer *message)
{
    struct buffer inner = {0};
    if (!rest_is(rest, place, value, J_OBJECT) ||
        !rest_put_fields(rest, value, field->shape, place, &inner)) {
        buffer_clear(&inner);
        return false;
    }
    rest_put_message(message, number, &inner);
    return true;
}

/* A map's entries: key 1, value 2. */
static bool put_map(struct rest *rest, struct jvalue value, const struct rest_field *field,
                    uint32_t number, const struct rest_place *place, struct buffer *message)
{
    if (!rest_is(rest, place, value, J_OBJECT))
        return false;
    struct jiter members = jvalue_iterate(value);
    struct jstring key;
    struct jvalue member;
    while (jiter_member(&members, &key, &member)) {
        struct rest_place inner = {.outer = place, .key = key.raw};
        struct buffer entry = {0};
        buffer_put_bytes(&entry, 1, jstring_text(key, &rest->scratch));
        if (!put_object(rest, member, field, 2, &inner, &entry)) {
            buffer_clear(&entry);
            return false;
        }
        rest_put_message(message, number, &entry);
    }
    return true;
}

static bool put_leaf(struct rest *rest, struct jvalue value, const struct rest_field *field,
                     uint32_t number, const struct rest_place *place, struct buffer *message)
{
    int word;
    switch (field->kind) {
    case REST_TEXT:
    case REST_TEXTS:
    case REST_SECRET:
        if (!rest_is(rest, place, value, J_STRING))
            return false;
        if (field->kind == REST_SECRET)
            put_secret(rest, value, number, message);
        else
            buffer_put_bytes(message, number, rest_json_text(rest, value));
        return true;
    case REST_INT:
    case REST_INT32:
    case REST_JOB:
        return put_number(rest, value, field, number, place, message);
    case REST_BOOL:
        if (!rest_is(rest, place, value, J_TRUE))
            return false;
        buffer_put_varint(message, number, jvalue_kind(value) == J_TRUE);
        return true;
    case REST_WORD:
        if (!rest_word(rest, value, place, field->words, &word))
            return false;
        buffer_put_varint(message, number, (uint64_t)word);
        return true;
    case REST_JSON:
        buffer_put_bytes(message, number, rest_json_text(rest, value));
        return true;
    case REST_OBJECT:
    case REST_OBJECTS:
        return put_object(rest, value, field, number, place, message);
    case REST_PAIRS:
        return rest_put_pairs(rest, value, place, number, message);
    case REST_MAP:
        return put_map(rest, value, field, number, place, message);
    default:
        abort(); /* what answers alone have; routes.def is checked */
    }
}

static bool put_at(struct rest *rest, struct jvalue value, const struct rest_field *field,
                   const uint8_t *path, const struct rest_place *place, struct buffer *message)
{
    if (path[1] == 0)
        return put_leaf(rest, value, field, path[0], place, message);
    struct buffer inner = {0};
    if (!put_at(rest, value, field, path + 1, place, &inner)) {
        buffer_clear(&inner);
        return false;
    }
    rest_put_message(message, path[0], &inner);
    return true;
}

static bool put_elements(struct rest *rest, struct jvalue value, const struct rest_field *field,
                         const struct rest_place *place, struct buffer *message)
{
    if (!rest_is(rest, place, value, J_ARRAY))
        return false;
    struct jiter elements = jvalue_iterate(value);
    struct jvalue element;
    for (size_t i = 0; jiter_element(&elements, &element); i++) {
        struct rest_place inner = rest_place_element(place, i);
        if (!put_at(rest, element, field, field->path, &inner, message))
            return false;
    }
    return true;
}

static bool put_value(struct rest *rest, struct jvalue value, const struct rest_field *field,
                      const struct rest_place *place, struct buffer *message)
{
    if (field->kind == REST_TEXTS || field->kind == REST_OBJECTS)
        return put_elements(rest, value, field, place, message);
    return put_at(rest, value, field, field->path, place, message);
}

/* ---- an object's fields ---- */

bool rest_member(struct jvalue object, const char *key, struct jvalue *ret_value)
{
    struct jvalue value;
    if (!jvalue_find(object, key, &value) || jvalue_kind(value) == J_NULL)
        return false;
    *ret_value = value;
    return true;
}

static bool is_empty_text(struct jvalue value)
{
    return jvalue_kind(value) == J_STRING && jvalue_string(value).raw.length == 0;
}

static void put_fixed(const struct rest_field *field, const uint8_t *path, struct buffer *message)
{
    if (path[1] == 0) {
        buffer_put_varint(message, path[0], field->fixed);
        return;
    }
    struct buffer inner = {0};
    put_fixed(field, path + 1, &inner);
    rest_put_message(message, path[0], &inner);
}

static bool put_field(struct rest *rest, struct jvalue object, const struct rest_field *field,
                      const struct rest_place *outer, struct buffer *message)
{
    struct rest_place place = rest_place_key(outer, field->key);
    struct jvalue value;
    if (field->kind == REST_FIXED) {
        put_fixed(field, field->path, message);
        return true;
    }
    if (!rest_finds(rest, object, field->key, &value) || is_empty_text(value)) {
        return !field->needed || rest_missing(rest, &place);
    }
    if (field->kind == REST_VALUE)
        return rest_put_default(rest, object, value, &place, field->path[0], message);
    return put_value(rest, value, field, &place, message);
}

bool rest_put_fields(struct rest *rest, struct jvalue object, const struct rest_shape *shape,
                     const struct rest_place *outer, struct buffer *message)
{
    for (size_t i = 0; i < shape->count; i++) {
        if (!put_field(rest, object, &shape->fields[i], outer, message))
            return false;
    }
    return true;
}
