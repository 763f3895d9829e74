/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One field's values of many rows, on their way from JSON into milvus.proto.schema.FieldData: they
 * are written as the wire has them, so that the whole is only put around them at the end.
 */
#ifndef PROTO_REST_COLUMN_H
#define PROTO_REST_COLUMN_H

#include "proto/rest/schema.h"
#include "proto/rest/value.h"

struct column_kind;

struct column {
    const struct schema_field *field;
    const struct column_kind *kind; /* NULL: of a type that is not served */
    struct buffer values;
    struct buffer valid; /* of a field that may lack values: 0 or 1 a row; values has the rest */
    size_t rows;         /* seen, with a value or without */
    uint64_t dim;        /* of sparse vectors: the largest index and one */
};

struct column column_of(const struct schema_field *field);
void column_clear(struct column *column);

/* Whether a row may lack the value: it is null, or its default, then. */
static inline bool column_may_lack(const struct column *column)
{
    return column->field->is_nullable || column->field->has_default;
}

/* Adds the next row's value. False: said why. */
bool column_add(struct column *column, const struct value_reader *reader, struct jvalue value,
                const uint8_t **ret_end);

/* Adds a row without a value. */
void column_lack(struct column *column);

/* Puts the whole FieldData into a message's field of that number. */
void column_put(const struct column *column, struct buffer *message, uint32_t number);

/* The most that column_put() writes. */
size_t column_bound(const struct column *column);

#endif
