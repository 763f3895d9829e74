/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rest/result_column.h"

#include "proto/rest/print.h"
#include "proto/wire.h"

#define DIM_MAX (1u << 20)
#define DEPTH_MAX                                                                                  \
    (JVALUE_DEPTH - 2) /* of a row's keys: the answer has an array around the rows                 \
                        */
#define SPARSE_ROW 8   /* bytes of an index and its value */

static const char malformed[] = "malformed";
static const char not_served[] = "of a type that is not served over REST";

enum layout {
    VARINTS, /* packed in the slot's field 1 */
    FIXED,   /* the same, of `bits` each */
    RECORDS, /* fields 1 of the slot */
    VECTORS, /* packed in the slot's field 1, `bits` a dimension */
    PLAIN,   /* the slot itself, `bits` a dimension */
};

/* Where a type's values stand; of several the first that is there. */
struct form {
    uint32_t type;
    uint32_t slot; /* of ScalarField or VectorField */
    enum layout layout;
    unsigned bits;
    const char *name; /* of an array's elements, as Milvus has it */
};

static const struct form forms[] = {
    {DATA_TYPE(Bool), ScalarField_bool_data, VARINTS, 0, "BoolData"},
    {DATA_TYPE(Int8), ScalarField_int_data, VARINTS, 0, "IntData"},
    {DATA_TYPE(Int16), ScalarField_int_data, VARINTS, 0, "IntData"},
    {DATA_TYPE(Int32), ScalarField_int_data, VARINTS, 0, "IntData"},
    {DATA_TYPE(Int64), ScalarField_long_data, VARINTS, 0, "LongData"},
    {DATA_TYPE(Float), ScalarField_float_data, FIXED, 32, "FloatData"},
    {DATA_TYPE(Double), ScalarField_double_data, FIXED, 64, "DoubleData"},
    {DATA_TYPE(VarChar), ScalarField_string_data, RECORDS, 0, "StringData"},
    {DATA_TYPE(String), ScalarField_string_data, RECORDS, 0, NULL},
    {DATA_TYPE(Text), ScalarField_string_data, RECORDS, 0, NULL},
    {DATA_TYPE(Array), ScalarField_array_data, RECORDS, 0, NULL},
    {DATA_TYPE(JSON), ScalarField_json_data, RECORDS, 0, NULL},
    {DATA_TYPE(Geometry), ScalarField_geometry_wkt_data, RECORDS, 0, NULL},
    {DATA_TYPE(Geometry), ScalarField_geometry_data, RECORDS, 0, NULL},
    {DATA_TYPE(Timestamptz), ScalarField_string_data, RECORDS, 0, NULL},
    {DATA_TYPE(Timestamptz), ScalarField_timestamptz_data, VARINTS, 0, NULL},
    {DATA_TYPE(FloatVector), VectorField_float_vector, VECTORS, 32, NULL},
    {DATA_TYPE(BinaryVector), VectorField_binary_vector, PLAIN, 1, NULL},
    {DATA_TYPE(Float16Vector), VectorField_float16_vector, PLAIN, 16, NULL},
    {DATA_TYPE(BFloat16Vector), VectorField_bfloat16_vector, PLAIN, 16, NULL},
    {DATA_TYPE(SparseFloatVector), VectorField_sparse_float_vector, RECORDS, 0, NULL},
    {DATA_TYPE(Int8Vector), VectorField_int8_vector, PLAIN, 8, NULL},
};
#define FORMS (sizeof(forms) / sizeof(forms[0]))

/* ---- values ---- */

static bool count_varints(struct span packed, size_t *ret_count)
{
    uint64_t value;
    size_t count = 0;
    for (; wire_next_varint(&packed, &value); count++) {
    }
    *ret_count = count;
    return packed.length == 0;
}

static bool is_good_record(uint32_t type, struct span record)
{
    struct result_column elements;
    const char *name;
    if (type == DATA_TYPE(SparseFloatVector))
        return record.length % SPARSE_ROW == 0;
    return type != DATA_TYPE(Array) || result_column_elements(record, 0, &elements, &name);
}

static bool count_records(uint32_t type, struct span message, size_t *ret_count)
{
    struct wire_field field;
    enum wire_read read;
    size_t count = 0;
    while ((read = wire_next(&message, &field)) == WIRE_FIELD) {
        if (field.number != 1)
            continue;
        if (field.type != WIRE_BYTES || !is_good_record(type, field.bytes))
            return false;
        count++;
    }
    *ret_count = count;
    return read == WIRE_END;
}

static bool count_fixed(struct result_column *column, uint64_t bits)
{
    if (column->values.length == 0)
        return true;
    column->width = (size_t)(bits / 8);
    if (bits == 0 || bits % 8 != 0 || column->values.length % column->width != 0)
        return false;
    column->count = column->values.length / column->width;
    return true;
}

/* The values of the slot's bytes. False: malformed. */
static bool read_slot(struct result_column *column, const struct form *form, struct span slot,
                      uint64_t dim)
{
    struct span packed = slot;
    bool is_packed = form->layout != RECORDS && form->layout != PLAIN;
    if (is_packed && !wire_find_bytes(slot, (struct wire_path){.number = 1}, &packed))
        return false;
    column->values = packed;
    switch (form->layout) {
    case VARINTS:
        return count_varints(packed, &column->count);
    case RECORDS:
        return count_records(form->type, packed, &column->count);
    case FIXED:
        return count_fixed(column, form->bits);
    default:
        return count_fixed(column, form->bits * dim);
    }
}

static const char *element_name(uint32_t type)
{
    for (size_t i = 0; i < FORMS; i++) {
        if (forms[i].type == type)
            return forms[i].name;
    }
    return NULL;
}

bool result_column_elements(struct span record, uint32_t element_type,
                            struct result_column *ret_elements, const char **ret_name)
{
    struct wire_field field;
    enum wire_read read;
    *ret_elements = (struct result_column){.type = element_type};
    *ret_name = element_name(element_type);
    while ((read = wire_next(&record, &field)) == WIRE_FIELD) {
        for (size_t i = 0; i < FORMS; i++) {
            if (!forms[i].name || forms[i].slot != field.number)
                continue;
            ret_elements->type = forms[i].type;
            ret_elements->is_text = forms[i].layout == RECORDS;
            *ret_name = forms[i].name;
            if (field.type != WIRE_BYTES || !read_slot(ret_elements, &forms[i], field.bytes, 0))
                return false;
        }
    }
    return read == WIRE_END;
}

bool result_column_ids(struct span ids, struct result_column *ret_column)
{
    static const struct form ids_forms[] = {
        {DATA_TYPE(VarChar), IDs_str_id, RECORDS, 0, NULL},
        {DATA_TYPE(Int64), IDs_int_id, VARINTS, 0, NULL},
    };
    *ret_column = (struct result_column){0};
    for (size_t i = 0; i < 2 && ret_column->count == 0; i++) {
        struct span slot;
        if (!wire_find_bytes(ids, (struct wire_path){.number = ids_forms[i].slot}, &slot) ||
            !read_slot(ret_column, &ids_forms[i], slot, 0))
            return false;
        ret_column->type = ids_forms[i].type;
        ret_column->is_text = ids_forms[i].layout == RECORDS;
    }
    return true;
}

/* ---- the column ---- */

struct parts {
    struct result_column *column;
    struct span holders[2]; /* of scalars, of vectors */
};

static bool take_part(struct parts *parts, const struct wire_field *field)
{
    switch (field->number) {
    case FieldData_type:
        parts->column->type = (uint32_t)field->value;
        return field->type == WIRE_VARINT;
    case FieldData_field_name:
        parts->column->name = field->bytes;
        return field->type == WIRE_BYTES;
    case FieldData_scalars:
        parts->holders[0] = field->bytes;
        return field->type == WIRE_BYTES;
    case FieldData_vectors:
        parts->holders[1] = field->bytes;
        return field->type == WIRE_BYTES;
    case FieldData_is_dynamic:
        parts->column->is_dynamic = field->value;
        return true;
    case FieldData_valid_data:
        parts->column->valid = field->bytes;
        return field->type == WIRE_BYTES;
    default:
        return true;
    }
}

static const char *read_values(struct parts *parts)
{
    struct result_column *column = parts->column;
    bool is_vector = column->type >= DATA_TYPE(BinaryVector);
    struct span holder = parts->holders[is_vector];
    bool is_known = false;
    struct wire_field dim = {0};
    if (is_vector && !rest_last(holder, REST_PATH(VectorField_dim), &dim))
        return malformed;
    if (dim.value > DIM_MAX && column->type != DATA_TYPE(SparseFloatVector))
        return malformed;
    for (size_t i = 0; i < FORMS; i++) {
        struct span slot;
        if (forms[i].type != column->type || column->count > 0)
            continue;
        is_known = true;
        column->is_text = forms[i].layout == RECORDS && forms[i].slot != ScalarField_geometry_data;
        if (!wire_find_bytes(holder, (struct wire_path){.number = forms[i].slot}, &slot) ||
            !read_slot(column, &forms[i], slot, dim.value))
            return malformed;
    }
    if (column->type == DATA_TYPE(Array)) {
        struct wire_field type;
        if (!rest_last(column->values, REST_PATH(ArrayArray_element_type), &type))
            return malformed;
        column->element_type = (uint32_t)type.value;
    }
    return is_known ? NULL : not_served;
}

static const char *read_valid(struct result_column *column)
{
    size_t valid = 0;
    for (size_t i = 0; i < column->valid.length; i++) {
        if (column->valid.at[i] > 1)
            return malformed;
        valid += column->valid.at[i];
    }
    column->is_compact = column->count != column->valid.length;
    if (column->valid.length > 0 && column->is_compact && column->count != valid)
        return "of another number of values than rows that have one";
    return NULL;
}

/* Its rows are objects, or null. */
static const char *check_dynamic(struct result_column column)
{
    struct jvalue top;
    struct jfault fault;
    for (; column.count > 0; column.count--) {
        struct span row = result_column_take(&column);
        if (row.length == 0 || span_is(row, "null"))
            continue;
        if (!jvalue_check(row, DEPTH_MAX, &top, &fault) || jvalue_kind(top) != J_OBJECT)
            return "of keys without a field that are no JSON object";
    }
    return NULL;
}

const char *result_column_read(struct span message, struct result_column *ret_column)
{
    struct result_column column = {0};
    struct parts parts = {.column = &column};
    struct wire_field field;
    enum wire_read read;
    while ((read = wire_next(&message, &field)) == WIRE_FIELD) {
        if (!take_part(&parts, &field))
            return malformed;
    }
    if (read != WIRE_END)
        return malformed;
    if (column.type == DATA_TYPE(JSON) && span_is(column.name, "$meta"))
        column.is_dynamic = true;
    const char *why = read_values(&parts);
    if (!why)
        why = read_valid(&column);
    if (!why && column.is_dynamic)
        why = column.type == DATA_TYPE(JSON) ? check_dynamic(column) : malformed;
    *ret_column = column;
    return why;
}
