/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/routes.h"

#include <stdlib.h>
#include <uthash.h>

struct route {
    UT_hash_handle hh;
    const char *name; /* the clients' */
    struct pools *pools;
};

struct routes {
    const struct conf *conf;
    struct logger *logger;
    struct resolver *resolver;
    struct endpoints **endpoints; /* of each of the configuration's upstreams */
    struct route *by_name;
    struct pools *any; /* of "*", or NULL */
};

struct pools *routes_find(const struct routes *routes, struct span name)
{
    struct route *route;
    HASH_FIND(hh, routes->by_name, name.at, name.length, route);
    return route ? route->pools : routes->any;
}

struct pools *routes_of(const struct routes *routes, const struct conf_database *database)
{
    bool any = strcmp(database->name, "*") == 0;
    return any ? routes->any : routes_find(routes, span_text(database->name));
}

/* ---- opening ---- */

static void add(struct routes *routes, const char *name, struct pools *pools)
{
    if (strcmp(name, "*") == 0) {
        routes->any = pools;
        return;
    }
    struct route *route = calloc(1, sizeof(*route));
    if (!route)
        abort();
    route->name = name;
    route->pools = pools;
    HASH_ADD_KEYPTR(hh, routes->by_name, route->name, strlen(route->name), route);
}

static void open_endpoints(struct routes *routes, struct event_base *loop)
{
    const struct conf *conf = routes->conf;
    routes->resolver = resolver_new(loop, "/etc/resolv.conf", "/etc/hosts");
    routes->endpoints = calloc(conf->upstream_count, sizeof(struct endpoints *));
    if (!routes->endpoints)
        abort();
    for (size_t i = 0; i < conf->upstream_count; i++)
        routes->endpoints[i] =
            endpoints_new(&(struct endpoints_setup){.loop = loop,
                                                    .resolver = routes->resolver,
                                                    .logger = routes->logger,
                                                    .upstream = &conf->upstreams[i],
                                                    .period = ENDPOINTS_PERIOD});
}

static int open_pools(struct routes *routes, struct pools_setup setup,
                      struct transports *transports, char **ret_error)
{
    const struct conf *conf = routes->conf;
    for (size_t i = 0; i < conf->database_count; i++) {
        const struct conf_database *database = &conf->databases[i];
        setup.pool.database = database;
        setup.pool.endpoints = routes->endpoints[database->upstream - conf->upstreams];
        setup.pool.transport = transports_get(transports, database->upstream->transport, ret_error);
        struct pools *pools = setup.pool.transport ? pools_new(&setup, ret_error) : NULL;
        if (!pools)
            return -1;
        add(routes, database->name, pools);
    }
    return 0;
}

struct routes *routes_new(const struct pools_setup *setup, struct transports *transports,
                          char **ret_error)
{
    struct routes *routes = calloc(1, sizeof(*routes));
    if (!routes)
        abort();
    routes->conf = setup->conf;
    routes->logger = setup->pool.logger;
    open_endpoints(routes, setup->pool.loop);
    if (open_pools(routes, *setup, transports, ret_error) == 0)
        return routes;
    routes_free(routes);
    return NULL;
}

/* ---- reloading ---- */

static const struct conf_upstream *find_upstream(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->upstream_count; i++) {
        if (strcmp(conf->upstreams[i].name, name) == 0)
            return &conf->upstreams[i];
    }
    return NULL;
}

static void reload_upstream(struct routes *routes, size_t at, const struct conf *read)
{
    const struct conf_upstream *running = &routes->conf->upstreams[at];
    const struct conf_upstream *other = find_upstream(read, running->name);
    struct endpoints *endpoints = routes->endpoints[at];
    if (other && other->secure == running->secure) {
        if (strcmp(endpoints_uri(endpoints), other->uri) != 0)
            log_info(routes->logger, "upstream %s: it is at %s now", running->name, other->uri);
        endpoints_set(endpoints, other->hosts, other->host_count, other->uri);
    }
    endpoints_hurry(endpoints);
}

void routes_reload(struct routes *routes, const struct conf *read)
{
    for (size_t i = 0; i < routes->conf->upstream_count; i++)
        reload_upstream(routes, i, read);
}

void routes_renew(struct routes *routes)
{
    struct route *route;
    struct route *following;
    HASH_ITER (hh, routes->by_name, route, following)
        pools_renew(route->pools);
    if (routes->any)
        pools_renew(routes->any);
}

/* ---- closing ---- */

static void close_endpoints(struct routes *routes)
{
    for (size_t i = 0; i < routes->conf->upstream_count; i++)
        endpoints_free(routes->endpoints[i]);
    free(routes->endpoints);
    resolver_free(routes->resolver);
}

void routes_free(struct routes *routes)
{
    if (!routes)
        return;
    struct route *route;
    struct route *following;
    HASH_ITER (hh, routes->by_name, route, following) {
        HASH_DELETE(hh, routes->by_name, route);
        pools_free(route->pools);
        free(route);
    }
    pools_free(routes->any);
    close_endpoints(routes);
    free(routes);
}
