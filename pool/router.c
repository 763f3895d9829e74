/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/router.h"

#include <stdlib.h>
#include <uthash.h>

#include "pool/admission.h"
#include "pool/clock.h"
#include "pool/endpoints.h"
#include "pool/permission.h"

struct route {
    UT_hash_handle hh;
    const char *name; /* the clients' */
    struct pool *pool;
};

/* What the router asks for itself, to have the answer in the cache. */
struct own_question {
    struct request request;
    LIST_ENTRY(own_question) link;
};

struct router {
    const struct conf *conf;
    struct logger *logger;
    struct resolver *resolver;
    struct endpoints **endpoints; /* of each of the configuration's upstreams */
    uint32_t max_message;         /* bytes */
    struct cache *cache;
    struct route *routes;
    struct pool *any; /* of "*", or NULL */
    LIST_HEAD(, own_question) own;
};

static struct pool *find_pool(const struct router *router, struct span name)
{
    struct route *route;
    HASH_FIND(hh, router->routes, name.at, name.length, route);
    return route ? route->pool : router->any;
}

static bool choose_pool(const struct router *router, struct request *request)
{
    if (!request->pool)
        request->pool = find_pool(router, request->named);
    if (request->pool)
        return true;
    request_fail(request, CODE_INVALID_ARGUMENT, PHASE_ADMISSION,
                 "this database is not served: the daemon's configuration has no entry for it "
                 "under databases, and no \"*\"");
    return false;
}

/* Fills in what admission finds out. False: it has failed the request. */
static bool admit(const struct router *router, struct request *request)
{
    struct admission admission = {.max_message = router->max_message};
    bool admitted = admission_read(&admission, request) && permission_take(request) &&
                    choose_pool(router, request);
    if (admitted)
        admission_settle(&admission, request);
    admission_end(&admission);
    return admitted;
}

/* Descriptions that the request may make wrong; with its end they may have been made wrong. */
static void clear_effects(struct router *router, const struct request *request)
{
    const struct rpc *rpc = request->rpc;
    if (!rpc || !request->pool)
        return;
    if (rpc->cache == RPC_CACHE_CLEAR_ALL)
        cache_clear_all(router->cache);
    if (rpc->cache == RPC_CACHE_CLEAR_DATABASE)
        cache_clear_collection(router->cache, request->pool, request->upstream_name,
                               span_of(NULL, 0));
    if (rpc->cache == RPC_CACHE_CLEAR_COLLECTION)
        cache_clear_collection(router->cache, request->pool, request->upstream_name,
                               request->collection);
}

/* Codes by which Milvus says that somebody's idea of a collection is wrong: no such collection 100,
 * schema mismatch 109 (legacy 62), no such partition 200, no such database 800. */
static bool says_stale(const struct wire_status *status)
{
    return status->code == 100 || status->code == 109 || status->code == 200 ||
           status->code == 800 || status->legacy == 62;
}

static void clear_on_error(struct router *router, const struct request *request,
                           const struct outcome *outcome)
{
    struct wire_status status;
    if (!request->rpc || request->collection.length == 0 || outcome->code != CODE_OK)
        return;
    if (rpc_read_status(request->rpc, blob_span(outcome->reply), &status) && says_stale(&status))
        cache_clear_name(router->cache, request->pool, request->upstream_name, request->collection);
}

static bool clears(const struct request *request)
{
    return request->rpc && (request->rpc->cache == RPC_CACHE_CLEAR_COLLECTION ||
                            request->rpc->cache == RPC_CACHE_CLEAR_DATABASE ||
                            request->rpc->cache == RPC_CACHE_CLEAR_ALL);
}

/* Without an answer of Milvus, a change that was sent may come about later. */
static bool is_open_ended(const struct outcome *outcome)
{
    return outcome->phase == PHASE_UPSTREAM &&
           (outcome->code == CODE_DEADLINE_EXCEEDED || outcome->code == CODE_CANCELLED ||
            outcome->code == CODE_UNAVAILABLE);
}

static void ended(struct request *request, const struct outcome *outcome)
{
    struct router *router = request->router;
    clear_effects(router, request);
    clear_on_error(router, request, outcome);
    if (clears(request) && is_open_ended(outcome))
        cache_doubt(router->cache);
    if (outcome->code != CODE_OK)
        log_debug(router->logger, "%s: %s in phase %s: %.*s",
                  request->path ? request->path : "no method", code_name(outcome->code),
                  phase_name(outcome->phase), SPAN_ARGS(outcome->message));
    admission_release(request);
    request->answer(request, outcome);
}

void router_submit(struct router *router, struct request *request)
{
    request->router = router;
    request->ended = ended;
    if (!admit(router, request))
        return;
    if (request->deadline <= clock_now()) {
        request_fail(request, CODE_DEADLINE_EXCEEDED, PHASE_ADMISSION,
                     "the deadline had passed when the request was whole");
        return;
    }
    clear_effects(router, request);
    if (cache_takes(request))
        cache_ask(router->cache, request);
    else
        pool_submit(request->pool, request);
}

void router_submit_to(struct router *router, const struct conf_database *database,
                      struct request *request)
{
    bool any = strcmp(database->name, "*") == 0;
    request->pool = any ? router->any : find_pool(router, span_text(database->name));
    request->database = span_text(any ? "default" : database->name);
    router_submit(router, request);
}

static void withdraw(struct request *request)
{
    if (clears(request) && request->state == REQUEST_WIRE)
        cache_doubt(request->router->cache);
    if (request->state == REQUEST_WAITING)
        cache_cancel(request);
    else
        pool_cancel(request->pool, request);
}

void router_end(struct request *request, enum code code, const char *why)
{
    enum phase phase = request->state == REQUEST_WAITING ? cache_phase(request)
                                                         : pool_phase(request->pool, request);
    withdraw(request);
    request_fail(request, code, phase, "%s", why);
}

void router_drop(struct request *request)
{
    withdraw(request);
    clear_effects(request->router, request);
    admission_release(request);
}

static void own_question_ended(struct request *request, const struct outcome *outcome)
{
    (void)outcome;
    LIST_REMOVE((struct own_question *)request, link);
    free(request);
}

static void ask(struct router *router, const struct conf_database *database, const char *method)
{
    struct own_question *question = calloc(1, sizeof(*question));
    if (!question)
        abort();
    question->request.method = span_text(method);
    question->request.answer = own_question_ended;
    LIST_INSERT_HEAD(&router->own, question, link);
    router_submit_to(router, database, &question->request);
}

/* An upstream that has come up, perhaps as another version, is asked what it is before anybody
 * wants to know. */
static void connected(void *context, struct pool *pool)
{
    struct router *router = context;
    cache_clear_session(router->cache, pool);
    ask(router, pool_database(pool), "Connect");
    ask(router, pool_database(pool), "GetVersion");
}

/* It may come back as another version. */
static void away(void *context, struct pool *pool)
{
    struct router *router = context;
    cache_clear_session(router->cache, pool);
}

static void add_route(struct router *router, const char *name, struct pool *pool)
{
    if (strcmp(name, "*") == 0) {
        router->any = pool;
        return;
    }
    struct route *route = calloc(1, sizeof(*route));
    if (!route)
        abort();
    route->name = name;
    route->pool = pool;
    HASH_ADD_KEYPTR(hh, router->routes, route->name, strlen(route->name), route);
}

static void open_endpoints(struct router *router, struct event_base *loop)
{
    const struct conf *conf = router->conf;
    router->resolver = resolver_new(loop, "/etc/resolv.conf", "/etc/hosts");
    router->endpoints = calloc(conf->upstream_count, sizeof(struct endpoints *));
    if (!router->endpoints)
        abort();
    for (size_t i = 0; i < conf->upstream_count; i++)
        router->endpoints[i] =
            endpoints_new(&(struct endpoints_setup){.loop = loop,
                                                    .resolver = router->resolver,
                                                    .logger = router->logger,
                                                    .upstream = &conf->upstreams[i],
                                                    .period = ENDPOINTS_PERIOD});
}

static void close_endpoints(struct router *router)
{
    for (size_t i = 0; i < router->conf->upstream_count; i++)
        endpoints_free(router->endpoints[i]);
    free(router->endpoints);
    resolver_free(router->resolver);
}

static int open_pools(struct router *router, const struct conf *conf, struct transports *transports,
                      struct pool_setup *setup, char **ret_error)
{
    for (size_t i = 0; i < conf->database_count; i++) {
        setup->database = &conf->databases[i];
        setup->endpoints = router->endpoints[setup->database->upstream - conf->upstreams];
        setup->transport =
            transports_get(transports, setup->database->upstream->transport, ret_error);
        struct pool *pool = setup->transport ? pool_new(setup, ret_error) : NULL;
        if (!pool)
            return -1;
        add_route(router, conf->databases[i].name, pool);
    }
    return 0;
}

struct router *router_new(const struct conf *conf, struct event_base *loop,
                          struct transports *transports, struct logger *logger, char **ret_error)
{
    struct router *router = calloc(1, sizeof(*router));
    if (!router)
        abort();
    router->conf = conf;
    router->logger = logger;
    router->max_message = conf->limits.max_message;
    router->cache = cache_new(loop, conf->schema_cache.ttl, conf->schema_cache.max_entries);
    open_endpoints(router, loop);
    struct pool_setup setup = {
        .loop = loop,
        .logger = logger,
        .max_message = conf->limits.max_message,
        .stats_period = conf->log.stats_period,
        .connected = connected,
        .away = away,
        .context = router,
    };
    if (open_pools(router, conf, transports, &setup, ret_error) != 0) {
        router_free(router);
        return NULL;
    }
    return router;
}

static const struct conf_upstream *find_upstream(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->upstream_count; i++) {
        if (strcmp(conf->upstreams[i].name, name) == 0)
            return &conf->upstreams[i];
    }
    return NULL;
}

static void reload_upstream(struct router *router, size_t at, const struct conf *read)
{
    const struct conf_upstream *running = &router->conf->upstreams[at];
    const struct conf_upstream *other = find_upstream(read, running->name);
    struct endpoints *endpoints = router->endpoints[at];
    if (other && other->secure == running->secure) {
        if (strcmp(endpoints_uri(endpoints), other->uri) != 0)
            log_info(router->logger, "upstream %s: it is at %s now", running->name, other->uri);
        endpoints_set(endpoints, other->hosts, other->host_count, other->uri);
    }
    endpoints_hurry(endpoints);
}

void router_reload(struct router *router, const struct conf *read)
{
    for (size_t i = 0; i < router->conf->upstream_count; i++)
        reload_upstream(router, i, read);
}

void router_free(struct router *router)
{
    if (!router)
        return;
    struct own_question *question;
    while ((question = LIST_FIRST(&router->own))) {
        LIST_REMOVE(question, link);
        router_drop(&question->request);
        free(question);
    }
    struct route *route;
    struct route *following;
    HASH_ITER (hh, router->routes, route, following) {
        HASH_DELETE(hh, router->routes, route);
        pool_free(route->pool);
        free(route);
    }
    pool_free(router->any);
    close_endpoints(router);
    cache_free(router->cache);
    free(router);
}
