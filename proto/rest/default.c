/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rest/default.h"

#include "milvus/schema.pb-c.h"
#include "proto/number.h"

/* Numbers of ValueField's members. */
enum member {
    MEMBER_BOOL = 1,
    MEMBER_INT = 2,
    MEMBER_LONG = 3,
    MEMBER_FLOAT = 4,
    MEMBER_DOUBLE = 5,
    MEMBER_TEXT = 6,
    MEMBER_BYTES = 7,
    MEMBER_TIMESTAMP = 8,
    MEMBER_DATE = 9,
    MEMBER_TIME = 10,
};

/* Data types: which member a default has, and its range where it is a whole number. */
static const struct type {
    int type;
    enum member member;
    int64_t min, max;
} types[] = {
    {MILVUS__PROTO__SCHEMA__DATA_TYPE__Bool, MEMBER_BOOL, 0, 0},
    {MILVUS__PROTO__SCHEMA__DATA_TYPE__Int8, MEMBER_INT, INT8_MIN, INT8_MAX},
    {MILVUS__PROTO__SCHEMA__DATA_TYPE__Int16, MEMBER_INT, INT16_MIN, INT16_MAX},
    {MILVUS__PROTO__SCHEMA__DATA_TYPE__Int32, MEMBER_INT, INT32_MIN, INT32_MAX},
    {MILVUS__PROTO__SCHEMA__DATA_TYPE__Int64, MEMBER_LONG, INT64_MIN, INT64_MAX},
    {MILVUS__PROTO__SCHEMA__DATA_TYPE__Float, MEMBER_FLOAT, 0, 0},
    {MILVUS__PROTO__SCHEMA__DATA_TYPE__Double, MEMBER_DOUBLE, 0, 0},
    {MILVUS__PROTO__SCHEMA__DATA_TYPE__String, MEMBER_TEXT, 0, 0},
    {MILVUS__PROTO__SCHEMA__DATA_TYPE__VarChar, MEMBER_TEXT, 0, 0},
    {MILVUS__PROTO__SCHEMA__DATA_TYPE__Text, MEMBER_TEXT, 0, 0},
    {MILVUS__PROTO__SCHEMA__DATA_TYPE__Geometry, MEMBER_TEXT, 0, 0},
    {MILVUS__PROTO__SCHEMA__DATA_TYPE__Timestamptz, MEMBER_TEXT, 0, 0},
    {MILVUS__PROTO__SCHEMA__DATA_TYPE__JSON, MEMBER_BYTES, 0, 0},
};

static const struct type *find_type(int number)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (types[i].type == number)
            return &types[i];
    }
    return NULL;
}

/* Little endian, as the wire has it. */
static void put_fixed(struct buffer *message, uint32_t number, uint64_t bits, unsigned width)
{
    buffer_varint(message, number << 3 | (width == 4 ? WIRE_FIXED32 : WIRE_FIXED64));
    for (unsigned i = 0; i < width; i++)
        buffer_add_byte(message, (uint8_t)(bits >> (8 * i)));
}

static void put_real(struct buffer *message, enum member member, struct jvalue value)
{
    uint64_t bits = 0;
    if (member == MEMBER_FLOAT) {
        float real;
        uint32_t narrow;
        number_float(value.at, &real);
        memcpy(&narrow, &real, sizeof(narrow));
        put_fixed(message, member, narrow, sizeof(narrow));
        return;
    }
    double real;
    number_double(value.at, &real);
    memcpy(&bits, &real, sizeof(bits));
    put_fixed(message, member, bits, sizeof(bits));
}

static bool put_member(struct rest *rest, const struct type *type, struct jvalue value,
                       const struct rest_place *place, struct buffer *message)
{
    int64_t integer;
    switch (type->member) {
    case MEMBER_BOOL:
        if (!rest_is(rest, place, value, J_TRUE))
            return false;
        buffer_put_varint(message, type->member, jvalue_kind(value) == J_TRUE);
        return true;
    case MEMBER_INT:
    case MEMBER_LONG:
        if (!rest_int(rest, value, place, type->min, type->max, &integer))
            return false;
        buffer_put_varint(message, type->member, (uint64_t)integer);
        return true;
    case MEMBER_FLOAT:
    case MEMBER_DOUBLE:
        if (!rest_is(rest, place, value, J_NUMBER))
            return false;
        put_real(message, type->member, value);
        return true;
    case MEMBER_TEXT:
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
    case MEMBER_BOOL:
        jwriter_bool(writer, field->value != 0);
        return;
    case MEMBER_FLOAT:
        memcpy(&narrow, &bits, sizeof(narrow));
        jwriter_float(writer, narrow);
        return;
    case MEMBER_DOUBLE:
        memcpy(&wide, &field->value, sizeof(wide));
        jwriter_double(writer, wide);
        return;
    case MEMBER_TEXT:
        jwriter_text(writer, field->bytes);
        return;
    case MEMBER_BYTES:
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
        [MEMBER_BOOL] = WIRE_VARINT,    [MEMBER_INT] = WIRE_VARINT,
        [MEMBER_LONG] = WIRE_VARINT,    [MEMBER_FLOAT] = WIRE_FIXED32,
        [MEMBER_DOUBLE] = WIRE_FIXED64, [MEMBER_TEXT] = WIRE_BYTES,
        [MEMBER_BYTES] = WIRE_BYTES,    [MEMBER_TIMESTAMP] = WIRE_VARINT,
        [MEMBER_DATE] = WIRE_VARINT,    [MEMBER_TIME] = WIRE_VARINT,
    };
    return field->number <= MEMBER_TIME && wire_types[field->number] == field->type;
}

bool rest_print_default(struct span message, struct jwriter *writer)
{
    static const char *const names[] = {
        [MEMBER_BOOL] = "BoolData",     [MEMBER_INT] = "IntData",
        [MEMBER_LONG] = "LongData",     [MEMBER_FLOAT] = "FloatData",
        [MEMBER_DOUBLE] = "DoubleData", [MEMBER_TEXT] = "StringData",
        [MEMBER_BYTES] = "BytesData",   [MEMBER_TIMESTAMP] = "TimestamptzData",
        [MEMBER_DATE] = "DateData",     [MEMBER_TIME] = "TimeData",
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
