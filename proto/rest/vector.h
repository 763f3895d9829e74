/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of JSON to the bytes that Milvus has them as, in columns and in searches. */
#ifndef PROTO_REST_VECTOR_H
#define PROTO_REST_VECTOR_H

#include "proto/rest/value.h"

/* Bytes of a dense vector of that type; 0: the dimension is none of its. */
size_t vector_size(uint32_t type, uint32_t dim);

/*
 * Adds a dense vector's bytes: an array of numbers, or base64 for all but FloatVector. BinaryVector
 * is base64 alone, and its dim are bits. Float16Vector and BFloat16Vector round to the nearest, to
 * even.
 */
bool vector_add_dense(const struct value_reader *reader, struct jvalue value, uint32_t type,
                      uint32_t dim, struct buffer *to, const uint8_t **ret_end);

/* Adds a sparse one's, in the order of its indices: {"17": 0.5} or {"indices": [17], "values":
 * [0.5]}. *dim grows to the largest index and one. */
bool vector_add_sparse(const struct value_reader *reader, struct jvalue value, struct buffer *to,
                       uint64_t *dim, const uint8_t **ret_end);

#endif
