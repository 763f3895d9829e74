/* SPDX-License-Identifier: Apache-2.0 */
/* Messages between blobs and C core's byte buffers. */
#ifndef POOL_GRPC_BUFFER_H
#define POOL_GRPC_BUFFER_H

#include <grpc/grpc.h>

#include "pool/upstream.h"

/* Refers to the blobs' bytes instead of copying them, and holds references until C core drops the
 * last slice, on any thread. The buffer is the caller's. */
grpc_byte_buffer *grpc_buffer_of_message(const struct upstream_message *message);
grpc_byte_buffer *grpc_buffer_of_blob(struct blob *message, enum encoding encoding);

/* A copy in one piece, the caller's. NULL: there is no memory for it. */
struct blob *grpc_buffer_read(grpc_byte_buffer *buffer);

#endif
