/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that Milvus answers over HTTP alone: its RESTful v2 has routes for which its gRPC
 * service has no call. Each goes, as HTTP/1.1, over a connection of its own to the upstream's HTTP
 * port: http_port of the configuration, else the one of gRPC, where Milvus serves both. They are
 * rare, so no connection is kept, and they take no slot of the pool.
 */
#ifndef POOL_FORWARD_H
#define POOL_FORWARD_H

#include "pool/request.h"

#define FORWARDS_MAX                                                                               \
    64u /* under way at once; above it they are refused with RESOURCE_EXHAUSTED                    \
         */

struct forwards;

/* max_message: bytes of an answer. */
struct forwards *forwards_new(struct event_base *loop, uint32_t max_message);

/* With all requests ended; NULL is accepted. */
void forwards_free(struct forwards *forwards);

/*
 * Takes a request with forward, pool, path and deadline set; its ended() comes later or at once.
 * With CODE_OK the outcome has what the upstream answered, whatever it said, and its status;
 * UNIMPLEMENTED: it does not speak HTTP there, or knows no such route (404).
 */
void forwards_submit(struct forwards *forwards, struct request *request);

/* Drops it; ended() is not called. */
void forwards_cancel(struct request *request);

#endif
