/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rest/default.h"

#include "proto/number.h"
#include "proto/rest/value.h"

/* Data types: which member a default has, and its range where it is a whole number. */
static const struct type {
    int type;
    uint32_t member;
    int64_t min, max;
} types[] = {
    {DATA_TYPE(Bool), ValueField_bool_data, 0, 0},
    {DATA_TYPE(Int8), ValueField_int_data, INT8_MIN, INT8_MAX},
    {DATA_TYPE(Int16), ValueField_int_data, INT16_MIN, INT16_MAX},
    {DATA_TYPE(Int32), ValueField_int_data, INT32_MIN, INT32_MAX},
    {DATA_TYPE(Int64), ValueField_long_data, INT64_MIN, INT64_MAX},
    {DATA_TYPE(Float), ValueField_float_data, 0, 0},
    {DATA_TYPE(Double), ValueField_double_data, 0, 0},
    {DATA_TYPE(String), ValueField_string_data, 0, 0},
    {DATA_TYPE(VarChar), ValueField_string_data, 0, 0},
    {DATA_TYPE(Text), ValueField_string_data, 0, 0},
    {DATA_TYPE(Geometry), ValueField_string_data, 0, 0},
    {DATA_TYPE(Timestamptz), ValueField_string_data, 0, 0},
    {DATA_TYPE(JSON), ValueField_bytes_data, 0, 0},
};

static const struct type *find_type(int number)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (types[i].type == number)
            return &types[i];
    }
    return NULL;
}

static void put_real(struct buffer *message, uint32_t member, struct jvalue value)
{
    float narrow;
    double wide;
    if (member == ValueField_float_data) {
        number_float(value.at, &narrow);
        buffer_varint(message, member << 3 | WIRE_FIXED32);
        value_add_float(message, narrow);
        return;
    }
    number_double(value.at, &wide);
    buffer_varint(message, member << 3 | WIRE_FIXED64);
    value_add_double(message, wide);
}

static bool put_member(struct rest *rest, const struct type *type, struct jvalue value,
                       const struct rest_place *place, struct buffer *message)
{
    int64_t integer;
    switch (type->member) {
    case ValueField_bool_data:
        if (!rest_is(rest, place, value, J_TRUE))
            return false;
        buffer_put_varint(message, type->member, jvalue_kind(value) == J_TRUE);
        return true;
    case ValueField_int_data:
    case ValueField_long_data:
        if (!rest_int(rest, value, place, type->min, type->max, &integer))
            return false;
        buffer_put_varint(message, type->member, (uint64_t)integer);
        return true;
    case ValueField_float_data:
    case ValueField_double_data:
        if (!rest_is(rest, place, value, J_NUMBER))
            return false;
        put_real(message, type->member, value);
        return true;
    case ValueField_string_data:
        if (!rest_is(rest, place, value, J_STRING))
            return false;
        break;
    default:
        break;
    }
    buffer_put_bytes(message, type->member, rest_json_text(rest, value));
    return true;
}

bool rest_put_default(struct rest *rest, struct jvalue field, struct jvalue value,
                      const struct rest_place *place, uint32_t number, struct buffer *message)
{
    struct rest_place type_place = rest_place_key(place->outer, "dataType");
    struct jvalue type_value;
    int type_number;
    if (!rest_member(field, "dataType", &type_value))
        return rest_missing(rest, &type_place);
    if (!rest_word(rest, type_value, &type_place, &milvus__proto__schema__data_type__descriptor,
                   &type_number))
        return false;
    const struct type *type = find_type(type_number);
    if (!type)
        return rest_wrong(rest, REST_PARAMETER_INVALID, place, "this data type has no default");
    struct buffer inner = {0};
    if (!put_member(rest, type, value, place, &inner)) {
        buffer_clear(&inner);
        return false;
    }
    rest_put_message(message, number, &inner);
    return true;
}

/* ---- printing ---- */

static void print_member(const struct wire_field *field, struct jwriter *writer)
{
    float narrow;
    double wide;
    uint32_t bits = (uint32_t)field->value;
    switch (field->number) {
    case ValueField_bool_data:
        jwriter_bool(writer, field->value != 0);
        return;
    case ValueField_float_data:
        memcpy(&narrow, &bits, sizeof(narrow));
        jwriter_float(writer, narrow);
        return;
    case ValueField_double_data:
        memcpy(&wide, &field->value, sizeof(wide));
        jwriter_double(writer, wide);
        return;
    case ValueField_string_data:
        jwriter_text(writer, field->bytes);
        return;
    case ValueField_bytes_data:
        jwriter_base64(writer, field->bytes);
        return;
    default:
        jwriter_int(writer, (int64_t)field->value);
        return;
    }
}

static bool is_member(const struct wire_field *field)
{
    static const enum wire_type wire_types[] = {
        [ValueField_bool_data] = WIRE_VARINT,    [ValueField_int_data] = WIRE_VARINT,
        [ValueField_long_data] = WIRE_VARINT,    [ValueField_float_data] = WIRE_FIXED32,
        [ValueField_double_data] = WIRE_FIXED64, [ValueField_string_data] = WIRE_BYTES,
        [ValueField_bytes_data] = WIRE_BYTES,    [ValueField_timestamptz_data] = WIRE_VARINT,
        [ValueField_date_data] = WIRE_VARINT,    [ValueField_time_data] = WIRE_VARINT,
    };
    return field->number <= ValueField_time_data && wire_types[field->number] == field->type;
}

bool rest_print_default(struct span message, struct jwriter *writer)
{
    static const char *const names[] = {
        [ValueField_bool_data] = "BoolData",     [ValueField_int_data] = "IntData",
        [ValueField_long_data] = "LongData",     [ValueField_float_data] = "FloatData",
        [ValueField_double_data] = "DoubleData", [ValueField_string_data] = "StringData",
        [ValueField_bytes_data] = "BytesData",   [ValueField_timestamptz_data] = "TimestamptzData",
        [ValueField_date_data] = "DateData",     [ValueField_time_data] = "TimeData",
    };
    struct wire_field field;
    struct wire_field last = {0};
    enum wire_read read;
    while ((read = wire_next(&message, &field)) == WIRE_FIELD) {
        if (is_member(&field))
            last = field;
    }
    jwriter_object(writer);
    jwriter_key(writer, span_text("Data"));
    jwriter_object(writer);
    if (last.number != 0) {
        jwriter_key(writer, span_text(names[last.number]));
        print_member(&last, writer);
    }
    jwriter_object_end(writer);
    jwriter_object_end(writer);
    return read == WIRE_END;
}
