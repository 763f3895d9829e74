/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What C core says when a call fails, told apart from what a server says. Its API gives both as a
 * status and a text (1.51 marks even its own as "Error received from peer"), so its texts are known
 * here, as its sources have them.
 */
#ifndef POOL_GRPC_ERROR_H
#define POOL_GRPC_ERROR_H

#include "proto/code.h"
#include "proto/span.h"

/* Our own status for a message of a stream that there is no memory for. */
#define GRPC_STREAM_NO_MEMORY "no memory for a message of the upstream"

/* Whether the transport made this status, not the server. */
bool grpc_error_local(enum code code, struct span message);

/*
 * Whether it is certain that the server did not begin the call. "GOAWAY received", and nothing
 * else, is what a call without a stream, or with one above GOAWAY's last id, ends with (RFC 9113
 * section 6.8), and "Transport closed" one that found its connection gone; calls that were under
 * way say how the connection broke.
 */
bool grpc_error_unstarted(enum code code, struct span message);

#endif
