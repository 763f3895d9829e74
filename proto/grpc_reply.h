/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of a gRPC response: grpc/doc/PROTOCOL-HTTP2.md, Responses. */
#ifndef PROTO_GRPC_REPLY_H
#define PROTO_GRPC_REPLY_H

#include "proto/code.h"
#include "proto/metadata.h"

/* Bytes of a grpc-message, encoded; the rest is cut. Of all trailing fields together C core refuses
 * some from 8 KiB on, unless told otherwise. */
#define GRPC_MESSAGE_MAX 4096u

/* Adds the head of a response, with metadata of its own (NULL: none). */
void grpc_reply_head(struct metadata *to, const struct metadata *metadata);

/* Adds how the call ended, the same way: to a head (Trailers-Only), or as trailers. */
void grpc_reply_status(struct metadata *to, enum code code, struct span message,
                       const struct metadata *metadata);

/* The head of a response to what is no gRPC, with that status: "405", and what would be (RFC 9110
 * section 15.5.6). */
void grpc_reply_http(struct metadata *to, const char *status);

#endif
