/* SPDX-License-Identifier: Apache-2.0 */
/* Rows, as they stand in a body, to columns in one pass. */
#ifndef PROTO_REST_ROWS_H
#define PROTO_REST_ROWS_H

#include "proto/rest/schema.h"
#include "proto/rest/value.h"

struct rows {
    const struct schema *schema;
    struct jvalue data; /* an array of them */
    bool is_insert;     /* Milvus makes the ids of a field that is so */
    bool is_partial;    /* fields that are not there stay as they are */
};

/* Puts a FieldData for each field that has values, and the dynamic one, into a message's field of
 * that number. False: answered already, with what is wrong and where. */
bool rows_put(struct rest *rest, const struct rows *rows, struct buffer *message, uint32_t number,
              size_t *ret_count) __attribute__((warn_unused_result));

#endif
