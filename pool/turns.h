/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that wait and are taken in turn: first by who asks, then by which of the asker's
 * connections, then first come first served. However many one asker has waiting, the next one of
 * another waits for one of each asker at most.
 *
 *     turns ── askers, in their turn ── connections, in theirs ── requests, in order
 */
#ifndef POOL_TURNS_H
#define POOL_TURNS_H

#include "pool/request.h"

struct turns_asker;

TAILQ_HEAD(turns_askers, turns_asker);

struct turns {
    struct turns_asker *askers;           /* by their number */
    struct turns_connection *connections; /* by that and the connection */
    struct turns_askers order;
};

void turns_init(struct turns *turns);

bool turns_is_empty(const struct turns *turns);

/* Sets the request's `turn`. */
void turns_add(struct turns *turns, struct request *request);

/* It waits no more, and nobody has had a turn. */
void turns_remove(struct turns *turns, struct request *request);

/* Whose turn it is, or NULL: nobody waits. */
struct request *turns_first(const struct turns *turns);

/* That one has had it. */
void turns_take(struct turns *turns, struct request *first);

/* One of which that is true, or NULL; asking changes nothing here. */
struct request *turns_find(const struct turns *turns, bool (*is)(struct request *request));

#endif
