/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metadata between our form (proto/metadata.h: values as on the wire) and C core's (values of
 * "-bin" names as bytes). Left out both ways is what HTTP/2 and gRPC use for themselves on one
 * connection, and what C core would trip over: names and values that are illegal, and names to
 * which it gives a meaning of its own.
 */
#ifndef POOL_GRPC_METADATA_H
#define POOL_GRPC_METADATA_H

#include <grpc/grpc.h>

#include "proto/metadata.h"

/* Writes a client's metadata but authorization and dbname, which are the daemon's; returns how many
 * items. Their slices are the caller's. */
size_t grpc_metadata_to_core(const struct metadata *from, grpc_metadata *to);

/* Adds copies of a server's metadata. */
void grpc_metadata_from_core(const grpc_metadata_array *from, struct metadata *to);

#endif
