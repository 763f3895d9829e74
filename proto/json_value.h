/* SPDX-License-Identifier: Apache-2.0 */
/* JSON's numbers, booleans and names as protobuf's scalars, checked. */
#ifndef PROTO_JSON_VALUE_H
#define PROTO_JSON_VALUE_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

#include "proto/json_path.h"

/* "a number", "an object": for errors. Static text. */
const char *json_value_kind(const json_t *json);

/* Reads one value of any type but strings, bytes and messages, into the structure's member at
 * `to`. Errors as in proto/json.h. */
int json_value_read(const json_t *json, const ProtobufCFieldDescriptor *field,
                    const struct json_path *path, void *to, char **ret_error)
    __attribute__((warn_unused_result));

/* One float of a vector: a number, or "NaN", "Infinity", "-Infinity". */
int json_value_read_float(const json_t *json, const struct json_path *path, float *ret_value,
                          char **ret_error) __attribute__((warn_unused_result));

#endif
