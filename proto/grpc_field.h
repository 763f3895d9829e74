/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which metadata goes from end to end. Left out is what HTTP/2 and gRPC use for themselves on one
 * connection, and names and values that gRPC does not allow (grpc/doc/PROTOCOL-HTTP2.md,
 * Custom-Metadata): some libraries fail the whole call for them.
 */
#ifndef PROTO_GRPC_FIELD_H
#define PROTO_GRPC_FIELD_H

#include "proto/metadata.h"

/* Whether a field of that name is an application's. */
bool grpc_field_travels(struct span name);

/* Whether its value is base64, or several joined by commas: the name ends in "-bin". */
bool grpc_field_is_binary(struct span name);

/* Takes what stands before the next comma, or the rest, without spaces around it. */
struct span grpc_field_take_part(struct span *value);

/* Whether gRPC allows the name: lower case, digits, "_", "-", "."; and the value of that name:
 * printable ASCII, or base64. */
bool grpc_field_valid(struct span name, struct span value);

/* Fields that the metadata are at most, when joined values are taken apart. NULL is empty. */
size_t grpc_field_bound(const struct metadata *metadata);

#endif
