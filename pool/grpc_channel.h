/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POOL_GRPC_CHANNEL_H
#define POOL_GRPC_CHANNEL_H

#include <grpc/grpc.h>

#include "conf/conf.h"
#include "pool/endpoint.h"

/*
 * A channel of its own connection to the upstream: keepalive, reconnecting with pauses from 0.2 s
 * to 10 s (C core jitters them), limits of messages, TLS. NULL: *ret_error names the file that
 * cannot be used, to be freed.
 */
grpc_channel *grpc_channel_open(const struct conf_upstream *to, const struct endpoint *endpoint,
                                uint32_t max_message, char **ret_error);

#endif
