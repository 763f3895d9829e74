/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/vectors.h"

#include "proto/wire.h"

/* PlaceholderType. */
enum type {
    TYPE_BINARY = 100,
    TYPE_FLOAT = 101,
    TYPE_FLOAT16 = 102,
    TYPE_BFLOAT16 = 103,
    TYPE_SPARSE = 104, /* pairs of a 32-bit index and a 32-bit float, little endian */
    TYPE_INT8 = 105,
};

/* A number whose exponent is all ones is none. */
static bool finite32(struct span bytes, size_t step, size_t first)
{
    bool finite = bytes.length % step == 0;
    for (size_t i = first; i + sizeof(uint32_t) <= bytes.length; i += step) {
        uint32_t number;
        memcpy(&number, bytes.at + i, sizeof(number));
        finite &= (number & 0x7f800000) != 0x7f800000;
    }
    return finite;
}

static bool finite16(struct span bytes, uint16_t exponent)
{
    bool finite = bytes.length % sizeof(uint16_t) == 0;
    for (size_t i = 0; i + sizeof(uint16_t) <= bytes.length; i += sizeof(uint16_t)) {
        uint16_t number;
        memcpy(&number, bytes.at + i, sizeof(number));
        finite &= (number & exponent) != exponent;
    }
    return finite;
}

static bool is_sound(uint32_t type, struct span value)
{
    switch (type) {
    case TYPE_BINARY:
    case TYPE_INT8:
        return true;
    case TYPE_FLOAT:
        return finite32(value, sizeof(uint32_t), 0);
    case TYPE_FLOAT16:
        return finite16(value, 0x7c00);
    case TYPE_BFLOAT16:
        return finite16(value, 0x7f80);
    case TYPE_SPARSE:
        return finite32(value, 2 * sizeof(uint32_t), sizeof(uint32_t));
    default:
        return false;
    }
}

/* One of the values; they stand next to each other. */
static bool read_value(struct vectors *vectors, struct span field, struct span value)
{
    if (vectors->count == 0)
        vectors->values = span_of(field.at, 0);
    if (vectors->values.at + vectors->values.length != field.at || value.length == 0)
        return false;
    if (vectors->count == 0)
        vectors->size = value.length;
    if (vectors->size != value.length)
        vectors->size = 0;
    vectors->values.length += field.length;
    vectors->count++;
    return true;
}

static bool read_field(struct vectors *vectors, const struct wire_field *field, struct span whole)
{
    if (field->type == WIRE_BYTES && field->number == PLACEHOLDER_VALUE)
        return read_value(vectors, whole, field->bytes);
    if (field->type == WIRE_BYTES && field->number == PLACEHOLDER_TAG) {
        vectors->tag = field->bytes;
        return field->bytes.length <= VECTORS_TAG_MAX;
    }
    if (field->type == WIRE_VARINT && field->number == PLACEHOLDER_TYPE) {
        vectors->type = (uint32_t)field->value;
        return field->value <= TYPE_INT8;
    }
    return field->type == WIRE_VARINT && field->number == PLACEHOLDER_LEVEL && field->value == 0;
}

static bool read_placeholder(struct vectors *vectors, struct span placeholder)
{
    struct wire_field field;
    struct span rest = placeholder;
    enum wire_read read;
    for (; (read = wire_next(&rest, &field)) == WIRE_FIELD; placeholder = rest) {
        struct span whole = span_of(placeholder.at, placeholder.length - rest.length);
        if (!read_field(vectors, &field, whole))
            return false;
    }
    return read == WIRE_END;
}

/* The type may stand behind the values. */
static bool all_sound(const struct vectors *vectors)
{
    struct wire_field field;
    for (struct span rest = vectors->values; wire_next(&rest, &field) == WIRE_FIELD;) {
        if (!is_sound(vectors->type, field.bytes))
            return false;
    }
    return vectors->count > 0;
}

bool vectors_read(struct span group, struct vectors *ret_vectors)
{
    struct vectors vectors = {0};
    struct wire_field field;
    if (wire_next(&group, &field) != WIRE_FIELD || field.number != PLACEHOLDERS ||
        field.type != WIRE_BYTES || group.length > 0)
        return false;
    if (!read_placeholder(&vectors, field.bytes) || !all_sound(&vectors))
        return false;
    if (vectors.type == TYPE_SPARSE)
        vectors.size = 0;
    else if (vectors.size == 0)
        return false;
    *ret_vectors = vectors;
    return true;
}
