/* SPDX-License-Identifier: Apache-2.0 */
/* Which pools a database's name leads to, of all that the configuration has; with the endpoints of
 * its upstreams. */
#ifndef POOL_ROUTES_H
#define POOL_ROUTES_H

#include "pool/pools.h"
#include "pool/transports.h"

struct routes;

/* Opens the pools of each database of setup->conf, which outlives them. setup: what all of them
 * share. NULL: *ret_error says what is wrong, to be freed. */
struct routes *routes_new(const struct pools_setup *setup, struct transports *transports,
                          char **ret_error);

/* With all requests ended; NULL is accepted. Runs the loop if a name is being looked up. */
void routes_free(struct routes *routes);

/* Those of that name as clients say it, else of "*"; NULL: there are none. */
struct pools *routes_find(const struct routes *routes, struct span name);

/* Those of that entry of the configuration. */
struct pools *routes_of(const struct routes *routes, const struct conf_database *database);

/* As router_reload() and router_renew(). */
void routes_reload(struct routes *routes, const struct conf *read);
void routes_renew(struct routes *routes);

#endif
