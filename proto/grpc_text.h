/* SPDX-License-Identifier: Apache-2.0 */
/* The texts in gRPC's headers: grpc/doc/PROTOCOL-HTTP2.md. */
#ifndef PROTO_GRPC_TEXT_H
#define PROTO_GRPC_TEXT_H

#include "proto/span.h"

/* Reads grpc-timeout: 1 to 8 digits and a unit of H, M, S, m, u, n. *ret_timeout is in ms, rounded
 * up, so never 0 unless the text says 0. False: malformed. */
bool grpc_timeout_read(struct span text, int64_t *ret_timeout);

/* Room for what grpc_timeout_write() writes, the NUL included. */
#define GRPC_TIMEOUT_MAX 16

/* Writes a timeout of ms in the finest unit of which 8 digits are enough, rounded up; those of
 * 0 and below as "0m", those that no unit can say as the longest. */
void grpc_timeout_write(int64_t timeout, char to[GRPC_TIMEOUT_MAX]);

/* Writes grpc-message (Percent-Encoded): bytes outside %x20-%x24 and %x26-%x7E as %XX. `to` has
 * room for 3 * text.length; returns the bytes written. */
size_t grpc_percent_encode(struct span text, char *to);

/* The other way; what is no valid escape stays as it is. `to` has room for text.length and may be
 * where the text is; returns the bytes written. */
size_t grpc_percent_decode(struct span text, char *to);

#endif
