/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which metadata goes from end to end. Left out is what HTTP/2 and gRPC use for themselves on one
 * connection, and names and values that gRPC does not allow (grpc/doc/PROTOCOL-HTTP2.md,
 * Custom-Metadata): some libraries fail the whole call for them.
 */
#ifndef PROTO_GRPC_FIELD_H
#define PROTO_GRPC_FIELD_H

#include "proto/span.h"

/* Whether a field of that name is an application's. */
bool grpc_field_travels(struct span name);

/* Whether its value is base64: the name ends in "-bin". */
bool grpc_field_is_binary(struct span name);

/* Whether gRPC allows the name: lower case, digits, "_", "-", "."; and the value: printable ASCII.
 */
bool grpc_field_name_valid(struct span name);
bool grpc_field_value_valid(struct span value);

#endif
