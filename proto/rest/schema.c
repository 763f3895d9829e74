/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rest/schema.h"

#include <stdlib.h>

#include "proto/wire.h"

#define FIELDS_MAX 4096 /* of a collection; Milvus takes 64, or as many as it is told */
#define DIM_MAX    (1u << 20)

const char *data_type_name(uint32_t type)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
        &milvus__proto__schema__data_type__descriptor, (int)type);
    return value ? value->name : "a type that is not known";
}

/* One field of a message; false: malformed, or another form. */
typedef bool read_function(const struct wire_field *field, void *to);

static bool read_each(struct span message, read_function *read, void *to)
{
    struct wire_field field;
    enum wire_read is;
    while ((is = wire_next(&message, &field)) == WIRE_FIELD) {
        if (!read(&field, to))
            return false;
    }
    return is == WIRE_END;
}

struct pair {
    struct span key;
    struct span value;
};

static bool read_pair_part(const struct wire_field *field, void *to)
{
    struct pair *pair = to;
    if (field->number == KeyValuePair_key)
        pair->key = field->bytes;
    if (field->number == KeyValuePair_value)
        pair->value = field->bytes;
    return true;
}

static bool read_dim(struct span digits, uint32_t *ret_dim)
{
    uint32_t dim = 0;
    for (size_t i = 0; i < digits.length; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9' || dim > DIM_MAX)
            return false;
        dim = dim * 10 + digits.at[i] - '0';
    }
    *ret_dim = dim;
    return dim <= DIM_MAX;
}

static bool read_type_param(struct span message, struct schema_field *field)
{
    struct pair pair = {0};
    if (!read_each(message, read_pair_part, &pair))
        return false;
    return !span_is(pair.key, "dim") || read_dim(pair.value, &field->dim);
}

static bool read_field_part(const struct wire_field *part, void *to)
{
    struct schema_field *field = to;
    switch (part->number) {
    case FieldSchema_fieldID:
        field->id = (int64_t)part->value;
        break;
    case FieldSchema_name:
        field->name = part->bytes;
        break;
    case FieldSchema_is_primary_key:
        field->is_primary = part->value;
        break;
    case FieldSchema_data_type:
        field->type = (uint32_t)part->value;
        break;
    case FieldSchema_type_params:
        return part->type == WIRE_BYTES && read_type_param(part->bytes, field);
    case FieldSchema_autoID:
        field->is_auto = part->value;
        break;
    case FieldSchema_element_type:
        field->element_type = (uint32_t)part->value;
        break;
    case FieldSchema_default_value:
        field->has_default = true;
        break;
    case FieldSchema_is_dynamic:
        field->is_dynamic = part->value;
        break;
    case FieldSchema_nullable:
        field->is_nullable = part->value;
        break;
    case FieldSchema_is_function_output:
        field->is_output = part->value;
        break;
    default:
        break;
    }
    return true;
}

static bool read_struct_part(const struct wire_field *part, void *to)
{
    struct schema_field *field = to;
    if (part->number == StructArrayFieldSchema_fieldID)
        field->id = (int64_t)part->value;
    if (part->number == StructArrayFieldSchema_name)
        field->name = part->bytes;
    if (part->number == StructArrayFieldSchema_nullable)
        field->is_nullable = part->value;
    return true;
}

static struct schema_field *add_field(struct schema *schema)
{
    if (schema->count == FIELDS_MAX)
        return NULL;
    if (schema->count == schema->room) {
        size_t room = schema->room > 0 ? 2 * schema->room : 16;
        void *fields = realloc(schema->fields, room * sizeof(*schema->fields));
        if (!fields)
            return NULL;
        schema->fields = fields;
        schema->room = room;
    }
    schema->fields[schema->count] = (struct schema_field){0};
    return &schema->fields[schema->count++];
}

static bool read_field(struct span message, struct schema *schema)
{
    struct schema_field *field = add_field(schema);
    return field && read_each(message, read_field_part, field) && field->name.length > 0;
}

static bool read_struct(struct span message, struct schema *schema)
{
    struct schema_field *field = add_field(schema);
    if (!field)
        return false;
    field->type = DATA_TYPE(ArrayOfStruct);
    return read_each(message, read_struct_part, field) && field->name.length > 0;
}

static bool read_property(struct span message, struct schema *schema)
{
    struct pair pair = {0};
    if (!read_each(message, read_pair_part, &pair))
        return false;
    if (span_is(pair.key, "allow_insert_auto_id"))
        schema->takes_auto_id = span_is(pair.value, "true");
    return true;
}

static bool read_schema_part(const struct wire_field *part, void *to)
{
    struct schema *schema = to;
    if (part->number == CollectionSchema_fields)
        return part->type == WIRE_BYTES && read_field(part->bytes, schema);
    if (part->number == CollectionSchema_struct_array_fields)
        return part->type == WIRE_BYTES && read_struct(part->bytes, schema);
    if (part->number == CollectionSchema_properties)
        return read_property(part->bytes, schema);
    if (part->number == CollectionSchema_enable_dynamic_field)
        schema->takes_unknown = part->value;
    return true;
}

struct function {
    uint64_t type;
    struct span output; /* the first one's name: BM25 has one */
};

static bool read_function_part(const struct wire_field *part, void *to)
{
    struct function *function = to;
    if (part->number == FunctionSchema_type)
        function->type = part->value;
    if (part->number == FunctionSchema_output_field_names && function->output.length == 0)
        function->output = part->bytes;
    return true;
}

/* Once all fields are known. */
static bool read_function_of(const struct wire_field *part, void *to)
{
    struct schema *schema = to;
    if (part->number != CollectionSchema_functions)
        return true;
    struct function function = {0};
    if (!read_each(part->bytes, read_function_part, &function))
        return false;
    for (size_t i = 0; i < schema->count; i++) {
        struct schema_field *field = &schema->fields[i];
        if (span_equal(field->name, function.output)) {
            field->is_output = true;
            field->is_text = function.type == MILVUS__PROTO__SCHEMA__FUNCTION_TYPE__BM25;
        }
    }
    return true;
}

static bool read_part(const struct wire_field *part, void *to)
{
    struct schema *schema = to;
    if (part->number == DescribeCollectionResponse_properties)
        return read_property(part->bytes, schema);
    if (part->number != DescribeCollectionResponse_schema)
        return true;
    schema->hash = span_hash(part->bytes);
    return read_each(part->bytes, read_schema_part, schema) &&
           read_each(part->bytes, read_function_of, schema);
}

bool schema_read(struct span description, struct schema *ret_schema)
{
    struct schema schema = {0};
    if (!read_each(description, read_part, &schema) || schema.count == 0) {
        schema_clear(&schema);
        return false;
    }
    schema.hash ^= schema.takes_auto_id;
    *ret_schema = schema;
    return true;
}

void schema_clear(struct schema *schema)
{
    free(schema->fields);
    *schema = (struct schema){0};
}

const struct schema_field *schema_primary(const struct schema *schema)
{
    for (size_t i = 0; i < schema->count; i++) {
        if (schema->fields[i].is_primary)
            return &schema->fields[i];
    }
    return NULL;
}

const struct schema_field *schema_field_named(const struct schema *schema, struct span name)
{
    for (size_t i = 0; i < schema->count; i++) {
        if (span_equal(schema->fields[i].name, name))
            return &schema->fields[i];
    }
    return NULL;
}
