/* SPDX-License-Identifier: Apache-2.0 */
/* Protobuf into JSON, as shapes say it. False, wherever it is returned: the message is malformed;
 * what was written by then is worth nothing. */
#ifndef PROTO_REST_PRINT_H
#define PROTO_REST_PRINT_H

#include "proto/rest/route.h"

/* The members of an object, without the braces around them. */
bool rest_print_fields(struct span message, const struct rest_shape *shape, struct jwriter *writer)
    __attribute__((warn_unused_result));

/* A field's value alone. */
bool rest_print_value(struct span message, const struct rest_field *field, struct jwriter *writer)
    __attribute__((warn_unused_result));

/* A path, for one call. */
#define REST_PATH(...) ((const uint8_t[]){__VA_ARGS__, 0})

/* The last field at a path, as protobuf takes it; number 0: it does not stand. */
bool rest_last(struct span message, const uint8_t *path, struct wire_field *ret_field)
    __attribute__((warn_unused_result));

/* The value of the last KeyValuePair of that key among those at a path; empty: there is none. */
bool rest_pair(struct span message, const uint8_t *path, const char *key, struct span *ret_value)
    __attribute__((warn_unused_result));

#endif
