/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns of a reply, milvus.proto.schema.FieldData, as rows of JSON. A reply is bytes that nobody
 * vouches for: all that is needed of it is checked when it is read, and then it is only printed.
 */
#ifndef PROTO_REST_RESULT_H
#define PROTO_REST_RESULT_H

#include "proto/rest/result_column.h"
#include "proto/rest/state.h"

struct result {
    struct result_column *columns;
    size_t count;
    size_t room;
};

/*
 * Reads the FieldData that are fields of that number in a message. NULL: they are good, and
 * result_clear() frees; else what is wrong, static text.
 */
const char *result_read(struct span message, uint32_t number, struct result *ret_result)
    __attribute__((warn_unused_result));

/* NULL is none. */
void result_clear(struct result *result);

/* NULL, or what is wrong: a column has not that many rows. */
const char *result_expect(const struct result *result, size_t rows)
    __attribute__((warn_unused_result));

/* Which members of a dynamic field's rows are printed: those that are named, or all. */
struct result_names {
    struct span message; /* with the names as fields of that number; "$meta" and "*" are all */
    uint32_t number;
    const char *const *reserved; /* members that who prints the rows has himself; NULL ends them */
};

/* Prints the next row's members. result_expect() has been well with the columns. */
void result_print_row(const struct rest *rest, struct result *result, size_t row,
                      const struct result_names *names, struct jwriter *writer);

#endif
