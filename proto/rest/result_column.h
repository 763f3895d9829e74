/* SPDX-License-Identifier: Apache-2.0 */
/* One column of a reply: read and checked, then printed value by value. */
#ifndef PROTO_REST_RESULT_COLUMN_H
#define PROTO_REST_RESULT_COLUMN_H

#include "proto/rest/numbers.h"
#include "proto/rest/state.h"

struct result_column {
    struct span name;
    uint32_t type;         /* DATA_TYPE() */
    uint32_t element_type; /* of arrays, where it is told */
    bool is_dynamic;
    bool is_text;       /* of a type that has two forms: values are texts */
    struct span values; /* those that no row has had yet */
    struct span valid;  /* for each row whether it has a value, 0 or 1; empty: each has */
    bool is_compact;    /* only rows that have a value have one in `values` */
    size_t width;       /* bytes of a value; 0 where they differ */
    size_t count;       /* of values */
};

/* Reads a FieldData. NULL, or what is wrong: static text. */
const char *result_column_read(struct span message, struct result_column *ret_column)
    __attribute__((warn_unused_result));

/* Rows that it has. */
static inline size_t result_column_rows(const struct result_column *column)
{
    return column->valid.length > 0 ? column->valid.length : column->count;
}

/* Whether the row has a value; else the place that it takes is skipped. */
bool result_column_has(struct result_column *column, size_t row);

/* Prints the next value. */
void result_column_print(const struct rest *rest, struct result_column *column,
                         struct jwriter *writer);

void result_column_skip(struct result_column *column);

/* Takes the next value, of texts and other records. */
struct span result_column_take(struct result_column *column);

/* Of milvus.proto.schema.IDs. False: malformed. */
bool result_column_ids(struct span ids, struct result_column *ret_column)
    __attribute__((warn_unused_result));

/* The elements of an array's record, milvus.proto.schema.ScalarField, as a column, and how Milvus
 * names their kind, "LongData"; NULL: there are none, and no type was told. False: malformed. */
bool result_column_elements(struct span record, uint32_t element_type,
                            struct result_column *ret_elements, const char **ret_name)
    __attribute__((warn_unused_result));

#endif
