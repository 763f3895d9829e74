/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transport over nghttp2, on the daemon's loop. Within it:
 *
 *   h2_transport   what all connections share: the scratch, the flush at the end of a turn
 *   h2_upstream    keeps one connection open: pauses between tries, states, verbs
 *   h2_conn        one TCP connection from connecting to its end: greeting, pings, goaway
 *   h2_call        a call, whose stream is on one of them
 */
#ifndef POOL_H2_TRANSPORT_H
#define POOL_H2_TRANSPORT_H

#include <event2/event.h>

#include "pool/upstream.h"

struct transport *h2_transport_new(struct event_base *loop);

#endif
