/* SPDX-License-Identifier: Apache-2.0 */
/* Prints columns: what stands here was found good by result_column_read(). */
#include <endian.h>
#include <stdio.h>

#include "proto/rest/result_column.h"
#include "proto/wire.h"

static struct span take(struct result_column *column, size_t length)
{
    struct span taken = span_of(column->values.at, length);
    column->values.at += length;
    column->values.length -= length;
    return taken;
}

struct span result_column_take(struct result_column *column)
{
    struct wire_field field;
    while (wire_next(&column->values, &field) == WIRE_FIELD) {
        if (field.number == 1)
            return field.bytes;
    }
    return span_of(NULL, 0);
}

static uint64_t take_varint(struct result_column *column)
{
    uint64_t value;
    return wire_next_varint(&column->values, &value) ? value : 0;
}

static float float_at(const uint8_t *at)
{
    uint32_t bits;
    float number;
    memcpy(&bits, at, sizeof(bits));
    bits = le32toh(bits);
    memcpy(&number, &bits, sizeof(number));
    return number;
}

static double double_at(const uint8_t *at)
{
    uint64_t bits;
    double number;
    memcpy(&bits, at, sizeof(bits));
    bits = le64toh(bits);
    memcpy(&number, &bits, sizeof(number));
    return number;
}

static void print_floats(struct span vector, struct jwriter *writer)
{
    jwriter_array(writer);
    for (size_t i = 0; i < vector.length; i += sizeof(float))
        jwriter_float(writer, float_at(vector.at + i));
    jwriter_array_end(writer);
}

/* {"17": 0.5} */
static void print_sparse(struct span vector, struct jwriter *writer)
{
    jwriter_object(writer);
    for (size_t i = 0; i < vector.length; i += 2 * sizeof(uint32_t)) {
        uint32_t index;
        char key[16];
        memcpy(&index, vector.at + i, sizeof(index));
        snprintf(key, sizeof(key), "%u", le32toh(index));
        jwriter_key(writer, span_text(key));
        jwriter_float(writer, float_at(vector.at + i + sizeof(index)));
    }
    jwriter_object_end(writer);
}

/* As Milvus's REST prints arrays: {"Data": {"LongData": {"data": [1]}}}, numbers always numbers. */
static void print_array(const struct rest *rest, struct result_column *column,
                        struct jwriter *writer)
{
    struct result_column elements;
    const char *name;
    jwriter_object(writer);
    jwriter_key(writer, span_text("Data"));
    struct span record = result_column_take(column);
    if (!result_column_elements(record, column->element_type, &elements, &name) || !name) {
        jwriter_null(writer);
        jwriter_object_end(writer);
        return;
    }
    jwriter_object(writer);
    jwriter_key(writer, span_text(name));
    jwriter_object(writer);
    jwriter_key(writer, span_text("data"));
    jwriter_array(writer);
    for (; elements.count > 0; elements.count--) {
        if (elements.type == DATA_TYPE(Int64))
            jwriter_int(writer, (int64_t)take_varint(&elements));
        else
            result_column_print(rest, &elements, writer);
    }
    jwriter_array_end(writer);
    jwriter_object_end(writer);
    jwriter_object_end(writer);
    jwriter_object_end(writer);
}

static void print_scalar(const struct rest *rest, struct result_column *column,
                         struct jwriter *writer)
{
    switch (column->type) {
    case DATA_TYPE(Bool):
        jwriter_bool(writer, take_varint(column) != 0);
        break;
    case DATA_TYPE(Int8):
    case DATA_TYPE(Int16):
    case DATA_TYPE(Int32):
        jwriter_int(writer, (int32_t)take_varint(column));
        break;
    case DATA_TYPE(Float):
        jwriter_float(writer, float_at(take(column, sizeof(float)).at));
        break;
    case DATA_TYPE(Double):
        jwriter_double(writer, double_at(take(column, sizeof(double)).at));
        break;
    case DATA_TYPE(Array):
        print_array(rest, column, writer);
        break;
    default: /* Int64, Timestamptz */
        rest_int64(rest, writer, (int64_t)take_varint(column));
    }
}

void result_column_print(const struct rest *rest, struct result_column *column,
                         struct jwriter *writer)
{
    switch (column->type) {
    case DATA_TYPE(FloatVector):
        print_floats(take(column, column->width), writer);
        break;
    case DATA_TYPE(SparseFloatVector):
        print_sparse(result_column_take(column), writer);
        break;
    case DATA_TYPE(BinaryVector):
    case DATA_TYPE(Float16Vector):
    case DATA_TYPE(BFloat16Vector):
    case DATA_TYPE(Int8Vector):
        jwriter_base64(writer, take(column, column->width));
        break;
    case DATA_TYPE(Geometry):
        if (!column->is_text) {
            jwriter_base64(writer, result_column_take(column));
            break;
        }
        jwriter_text(writer, result_column_take(column));
        break;
    default:
        if (column->is_text && column->type != DATA_TYPE(Array))
            jwriter_text(writer, result_column_take(column));
        else
            print_scalar(rest, column, writer);
    }
}

void result_column_skip(struct result_column *column)
{
    if (column->width > 0)
        take(column, column->width);
    else if (column->is_text || column->type == DATA_TYPE(Geometry))
        result_column_take(column);
    else
        take_varint(column);
}

bool result_column_has(struct result_column *column, size_t row)
{
    if (column->valid.length == 0 || column->valid.at[row])
        return true;
    if (!column->is_compact)
        result_column_skip(column);
    return false;
}
