/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Admission: which database a request is for, by when it must end, whether memory can answer it,
 * and which pool takes it. All pools and the cache belong to it.
 */
#ifndef POOL_ROUTER_H
#define POOL_ROUTER_H

#include "pool/cache.h"
#include "pool/transports.h"

struct router;

/* Opens a pool for each database of the configuration, which outlives the router. NULL: *ret_error
 * says what is wrong, to be freed. */
struct router *router_new(const struct conf *conf, struct event_base *loop,
                          struct transports *transports, struct logger *logger, char **ret_error);

/* Takes over the uris of the upstreams that both configurations have, with the same scheme; nothing
 * else, and `read` need not outlive the call. Looks all names up again. */
void router_reload(struct router *router, const struct conf *read);

/* Reads the credentials of all pools again. */
void router_renew(struct router *router);

/* With all requests of others ended; NULL is accepted. Runs the loop if a name is being looked up.
 */
void router_free(struct router *router);

/* Takes a request whose question is set and the rest zero; its answer() comes once, later or at
 * once. */
void router_submit(struct router *router, struct request *request);

/* The same for a question of our own: to the pool of that entry of the configuration, whatever its
 * database is called, with the credential of that rule (NULL, or it has none: the database's); "*"
 * is asked for "default". The request names no database. */
void router_submit_to(struct router *router, const struct conf_database *database,
                      const struct conf_rule *rule, struct request *request);

/* Ends a request that the router has, with an error of the daemon's own that names the phase it is
 * in; answer() is called at once. */
void router_end(struct request *request, enum code code, const char *why);

/* Ends it too, but tells nobody: the asker is gone. */
void router_drop(struct request *request);

#endif
