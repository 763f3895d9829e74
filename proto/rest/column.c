/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rest/column.h"

#include "proto/rest/vector.h"
#include "proto/wire.h"

#define HEADS_MAX 256 /* bytes of all that column_put() puts around values, valid and the name */

typedef bool add_function(struct column *column, const struct value_reader *reader,
                          struct jvalue value, const uint8_t **ret_end);

enum layout {
    PACKED,  /* a message with the values packed in its field 1 */
    RECORDS, /* a message with a field 1 for each */
    PLAIN,   /* bytes */
};

struct column_kind {
    uint32_t type;
    uint32_t slot; /* of ScalarField or VectorField */
    enum layout layout;
    add_function *add;
};

static bool add_bool(struct column *column, const struct value_reader *reader, struct jvalue value,
                     const uint8_t **ret_end)
{
    bool truth;
    if (!value_bool(reader, value, &truth, ret_end))
        return false;
    buffer_add_byte(&column->values, truth);
    return true;
}

static bool add_int(struct column *column, const struct value_reader *reader, struct jvalue value,
                    const uint8_t **ret_end)
{
    int64_t number;
    if (!value_int(reader, value, column->field->type, &number, ret_end))
        return false;
    buffer_varint(&column->values, (uint64_t)number);
    return true;
}

static bool add_float(struct column *column, const struct value_reader *reader, struct jvalue value,
                      const uint8_t **ret_end)
{
    float number;
    if (!value_float(reader, value, &number, ret_end))
        return false;
    value_add_float(&column->values, number);
    return true;
}

static bool add_double(struct column *column, const struct value_reader *reader,
                       struct jvalue value, const uint8_t **ret_end)
{
    double number;
    if (!value_double(reader, value, &number, ret_end))
        return false;
    value_add_double(&column->values, number);
    return true;
}

static bool add_text(struct column *column, const struct value_reader *reader, struct jvalue value,
                     const uint8_t **ret_end)
{
    struct span text;
    if (!value_text(reader, value, &text, ret_end))
        return false;
    buffer_put_bytes(&column->values, 1, text);
    return true;
}

static bool add_json(struct column *column, const struct value_reader *reader, struct jvalue value,
                     const uint8_t **ret_end)
{
    struct span json;
    if (!value_json(reader, value, &json, ret_end))
        return false;
    buffer_put_bytes(&column->values, 1, json);
    return true;
}

static bool add_dense(struct column *column, const struct value_reader *reader, struct jvalue value,
                      const uint8_t **ret_end)
{
    return vector_add_dense(reader, value, column->field->type, column->field->dim, &column->values,
                            ret_end);
}

static bool add_sparse(struct column *column, const struct value_reader *reader,
                       struct jvalue value, const uint8_t **ret_end)
{
    struct buffer vector = {0};
    bool is_added = vector_add_sparse(reader, value, &vector, &column->dim, ret_end);
    if (is_added)
        buffer_put_bytes(&column->values, 1, buffer_span(&vector));
    buffer_clear(&vector);
    return is_added;
}

static add_function add_array;

static const struct column_kind kinds[] = {
    {DATA_TYPE(Bool), ScalarField_bool_data, PACKED, add_bool},
    {DATA_TYPE(Int8), ScalarField_int_data, PACKED, add_int},
    {DATA_TYPE(Int16), ScalarField_int_data, PACKED, add_int},
    {DATA_TYPE(Int32), ScalarField_int_data, PACKED, add_int},
    {DATA_TYPE(Int64), ScalarField_long_data, PACKED, add_int},
    {DATA_TYPE(Float), ScalarField_float_data, PACKED, add_float},
    {DATA_TYPE(Double), ScalarField_double_data, PACKED, add_double},
    {DATA_TYPE(String), ScalarField_string_data, RECORDS, add_text},
    {DATA_TYPE(VarChar), ScalarField_string_data, RECORDS, add_text},
    {DATA_TYPE(Text), ScalarField_string_data, RECORDS, add_text},
    {DATA_TYPE(Timestamptz), ScalarField_string_data, RECORDS, add_text},
    {DATA_TYPE(Array), ScalarField_array_data, RECORDS, add_array},
    {DATA_TYPE(JSON), ScalarField_json_data, RECORDS, add_json},
    {DATA_TYPE(Geometry), ScalarField_geometry_wkt_data, RECORDS, add_text},
    {DATA_TYPE(BinaryVector), VectorField_binary_vector, PLAIN, add_dense},
    {DATA_TYPE(FloatVector), VectorField_float_vector, PACKED, add_dense},
    {DATA_TYPE(Float16Vector), VectorField_float16_vector, PLAIN, add_dense},
    {DATA_TYPE(BFloat16Vector), VectorField_bfloat16_vector, PLAIN, add_dense},
    {DATA_TYPE(SparseFloatVector), VectorField_sparse_float_vector, RECORDS, add_sparse},
    {DATA_TYPE(Int8Vector), VectorField_int8_vector, PLAIN, add_dense},
};

static const struct column_kind *find_kind(uint32_t type)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i].type == type)
            return &kinds[i];
    }
    return NULL;
}

static struct span packed_or_records(const struct column_kind *kind, struct buffer *values,
                                     struct buffer *boxed)
{
    if (kind->layout != PACKED || values->size == 0)
        return buffer_span(values);
    buffer_put_bytes(boxed, 1, buffer_span(values));
    return buffer_span(boxed);
}

static bool add_elements(struct column *elements, const struct value_reader *reader,
                         struct jvalue value, const uint8_t **ret_end)
{
    struct jiter iter = jvalue_iterate(value);
    struct jvalue element;
    const uint8_t *end;
    for (size_t i = 0; jiter_element(&iter, &element); i++) {
        struct value_reader at = value_element(reader, i);
        if (!elements->kind->add(elements, &at, element, &end))
            return false;
        jiter_passed(&iter, end);
    }
    *ret_end = jiter_end(&iter);
    return true;
}

/* A ScalarField with the elements, as the record that a row is. */
static void put_array(struct column *column, struct column *elements)
{
    struct buffer boxed = {0};
    struct buffer scalars = {0};
    buffer_put_bytes(&scalars, elements->kind->slot,
                     packed_or_records(elements->kind, &elements->values, &boxed));
    buffer_put_bytes(&column->values, ArrayArray_data, buffer_span(&scalars));
    buffer_clear(&scalars);
    buffer_clear(&boxed);
}

static bool add_array(struct column *column, const struct value_reader *reader, struct jvalue value,
                      const uint8_t **ret_end)
{
    struct schema_field field = {.type = column->field->element_type};
    struct column elements = column_of(&field);
    if (!elements.kind || field.type > DATA_TYPE(VarChar))
        return value_fault(reader, "arrays of %s are not served over REST",
                           data_type_name(field.type));
    if (jvalue_kind(value) != J_ARRAY)
        return value_wrong(reader, value, "an array");
    bool is_added = add_elements(&elements, reader, value, ret_end);
    if (is_added)
        put_array(column, &elements);
    column_clear(&elements);
    return is_added;
}

struct column column_of(const struct schema_field *field)
{
    return (struct column){.field = field, .kind = find_kind(field->type)};
}

void column_clear(struct column *column)
{
    buffer_clear(&column->values);
    buffer_clear(&column->valid);
}

bool column_add(struct column *column, const struct value_reader *reader, struct jvalue value,
                const uint8_t **ret_end)
{
    if (!column->kind)
        return value_fault(reader, "%s is not served over REST",
                           data_type_name(column->field->type));
    if (!column->kind->add(column, reader, value, ret_end))
        return false;
    if (column_may_lack(column))
        buffer_add_byte(&column->valid, 1);
    column->rows++;
    return true;
}

void column_lack(struct column *column)
{
    buffer_add_byte(&column->valid, 0);
    column->rows++;
}

size_t column_bound(const struct column *column)
{
    return column->values.size + column->valid.size + column->field->name.length + HEADS_MAX;
}

/* What stands in the slot's message behind the values. */
static size_t put_tail(const struct column *column, uint8_t to[WIRE_HEAD_MAX])
{
    if (column->kind->type == DATA_TYPE(Array))
        return wire_put_varint(to, ArrayArray_element_type, column->field->element_type);
    if (column->kind->type == DATA_TYPE(SparseFloatVector))
        return wire_put_varint(to, SparseFloatArray_dim, column->dim);
    return 0;
}

static size_t put_dim(const struct column *column, uint8_t to[WIRE_HEAD_MAX])
{
    if (!schema_is_vector(column->field))
        return 0;
    bool is_sparse = column->kind->type == DATA_TYPE(SparseFloatVector);
    return wire_put_varint(to, VectorField_dim, is_sparse ? column->dim : column->field->dim);
}

/* All of FieldData but the values. */
static void put_front(const struct column *column, struct buffer *front)
{
    const struct schema_field *field = column->field;
    buffer_put_varint(front, FieldData_type, field->type);
    buffer_put_bytes(front, FieldData_field_name, field->name);
    if (field->id != 0)
        buffer_put_varint(front, FieldData_field_id, (uint64_t)field->id);
    if (field->is_dynamic)
        buffer_put_varint(front, FieldData_is_dynamic, 1);
    if (column->valid.size > 0)
        buffer_put_bytes(front, FieldData_valid_data, buffer_span(&column->valid));
}

static size_t head_size(uint32_t number, size_t length)
{
    uint8_t to[WIRE_HEAD_MAX];
    return wire_put_head(to, number, length);
}

/* The values are copied once, so the sizes of all that is around them come first. */
void column_put(const struct column *column, struct buffer *message, uint32_t number)
{
    uint32_t slot = column->kind->slot;
    uint32_t holder = schema_is_vector(column->field) ? FieldData_vectors : FieldData_scalars;
    size_t count = column->values.size;
    bool is_packed = column->kind->layout == PACKED && count > 0;
    uint8_t tail[WIRE_HEAD_MAX], dim[WIRE_HEAD_MAX];
    size_t tail_size = put_tail(column, tail);
    size_t dim_size = put_dim(column, dim);
    size_t slot_size = (is_packed ? head_size(1, count) : 0) + count + tail_size;
    size_t holder_size = dim_size + head_size(slot, slot_size) + slot_size;
    struct buffer front = {0};
    put_front(column, &front);

    buffer_put_head(message, number, front.size + head_size(holder, holder_size) + holder_size);
    buffer_add(message, buffer_span(&front));
    buffer_put_head(message, holder, holder_size);
    buffer_add(message, span_of(dim, dim_size));
    buffer_put_head(message, slot, slot_size);
    if (is_packed)
        buffer_put_head(message, 1, count);
    buffer_add(message, buffer_span(&column->values));
    buffer_add(message, span_of(tail, tail_size));
    buffer_clear(&front);
}
