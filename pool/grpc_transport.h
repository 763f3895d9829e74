/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Upstream connections over gRPC's C core. Its completion queue has one thread, which hands what
 * has ended to the event loop over a lock-free list and an eventfd; nothing else leaves that
 * thread. Nothing may fork once this is open.
 */
#ifndef POOL_GRPC_TRANSPORT_H
#define POOL_GRPC_TRANSPORT_H

#include <event2/event.h>

#include "pool/upstream.h"

/* NULL: no thread or no eventfd, errno says why. This is what the module shows. */
__attribute__((visibility("default"))) struct transport *
grpc_transport_new(struct event_base *loop);

#endif
