/* SPDX-License-Identifier: Apache-2.0 */
/* What a client that speaks gRPC has: its HTTP/2 connection, and what its calls share. */
#ifndef DAEMON_CALLER_H
#define DAEMON_CALLER_H

#include "daemon/client.h"
#include "pool/seen.h"
#include "proto/h2.h"

struct call;

TAILQ_HEAD(calls, call);

struct caller {
    struct client *client;
    struct h2 *h2;
    struct seen seen;
    uint32_t open;          /* calls */
    uint32_t watchers;      /* of these, those that watch our health */
    bool some_ended;        /* calls, since the last turn */
    bool forced;            /* what is filled in goes out, room or not */
    size_t unpacked;        /* bytes of messages that came compressed and go on otherwise */
    size_t buffered;        /* bytes of large messages that are let in, of limits.max_buffered */
    struct calls fresh;     /* their head or their message came in this turn */
    struct calls large;     /* their message waits to be let in */
    uint32_t asked;         /* unary calls that the router has */
    uint32_t taking;        /* of these, those whose reply was told to come */
    struct calls replied;   /* and those whose reply waits to be told */
    struct event *patience; /* runs while there are such; NULL until the first */
    struct calls held;      /* whole, but the client does not take the answers it has */
    struct calls full;      /* streams whose upstream waits for the client to take what is sent */
    struct calls watching;
};

static inline const struct conf *caller_conf(const struct caller *owner)
{
    return client_owner(owner->client)->conf;
}

#endif
