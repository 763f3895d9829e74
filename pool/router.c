/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/router.h"

#include <stdlib.h>

#include "auth/rules.h"
#include "pool/admission.h"
#include "pool/clock.h"
#include "pool/forward.h"
#include "pool/permission.h"
#include "pool/routes.h"

/* What the router asks for itself, to have the answer in the cache. */
struct own_question {
    struct request request;
    LIST_ENTRY(own_question) link;
};

struct router {
    struct logger *logger;
    uint32_t max_message; /* bytes */
    struct cache *cache;
    struct routes *routes;
    struct forwards *forwards;
    LIST_HEAD(, own_question) own;
};

static bool choose_pool(const struct router *router, struct request *request)
{
    if (request->pool)
        return true;
    struct pools *pools = routes_find(router->routes, request->named);
    if (pools)
        return pools_choose(pools, request->rule ? request->rule->conf : NULL, request);
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

/* It counts nowhere any more. */
static void release(struct request *request, const struct outcome *outcome)
{
    if (request->pool)
        pools_release(request, outcome);
    admission_release(request);
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
    release(request, outcome);
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
    if (request->forward)
        forwards_submit(router->forwards, request);
    else if (cache_takes(request))
        cache_ask(router->cache, request);
    else
        pool_submit(request->pool, request);
}

/* The name by which an entry of the configuration is asked. */
static struct span name_of(const struct conf_database *database)
{
    return span_text(strcmp(database->name, "*") == 0 ? "default" : database->name);
}

void router_submit_to(struct router *router, const struct conf_database *database,
                      const struct conf_rule *rule, struct request *request)
{
    request->router = router;
    request->ended = ended;
    request->named = request->database = name_of(database);
    if (pools_choose(routes_of(router->routes, database), rule, request))
        router_submit(router, request);
}

static void withdraw(struct request *request)
{
    if (clears(request) && request->state == REQUEST_WIRE)
        cache_doubt(request->router->cache);
    if (request->state == REQUEST_FORWARDED)
        forwards_cancel(request);
    else if (request->state == REQUEST_WAITING)
        cache_cancel(request);
    else
        pool_cancel(request->pool, request);
}

static enum phase phase_of(const struct request *request)
{
    if (request->state == REQUEST_FORWARDED)
        return PHASE_UPSTREAM;
    return request->state == REQUEST_WAITING ? cache_phase(request)
                                             : pool_phase(request->pool, request);
}

void router_end(struct request *request, enum code code, const char *why)
{
    enum phase phase = phase_of(request);
    withdraw(request);
    request_fail(request, code, phase, "%s", why);
}

void router_drop(struct request *request)
{
    withdraw(request);
    clear_effects(request->router, request);
    release(request, NULL);
}

static void own_question_ended(struct request *request, const struct outcome *outcome)
{
    (void)outcome;
    LIST_REMOVE((struct own_question *)request, link);
    free(request);
}

static void ask(struct router *router, struct pool *pool, const char *method)
{
    struct own_question *question = calloc(1, sizeof(*question));
    if (!question)
        abort();
    question->request.method = span_text(method);
    question->request.answer = own_question_ended;
    LIST_INSERT_HEAD(&router->own, question, link);
    question->request.database = name_of(pool_database(pool));
    pools_hold(&question->request, pool);
    router_submit(router, &question->request);
}

/* An upstream that has come up, perhaps as another version, is asked what it is before anybody
 * wants to know; but nobody logs in for a client. */
static void connected(void *context, struct pool *pool)
{
    struct router *router = context;
    cache_clear_session(router->cache, pool);
    if (pool_is_clients(pool))
        return;
    ask(router, pool, "Connect");
    ask(router, pool, "GetVersion");
}

/* It may come back as another version. */
static void away(void *context, struct pool *pool)
{
    struct router *router = context;
    cache_clear_session(router->cache, pool);
}

static void forget(void *context, const struct pool *pool)
{
    struct router *router = context;
    cache_forget_pool(router->cache, pool);
}

struct router *router_new(const struct conf *conf, struct event_base *loop,
                          struct transports *transports, struct logger *logger, char **ret_error)
{
    struct router *router = calloc(1, sizeof(*router));
    if (!router)
        abort();
    router->logger = logger;
    router->max_message = conf->limits.max_message;
    router->forwards = forwards_new(loop, conf->limits.max_message);
    router->cache = cache_new(loop, conf->schema_cache.ttl, conf->schema_cache.max_entries);
    struct pools_setup setup = {
        .pool = {.loop = loop,
                 .logger = logger,
                 .max_message = conf->limits.max_message,
                 .stats_period = conf->log.stats_period,
                 .connected = connected,
                 .away = away,
                 .context = router},
        .conf = conf,
        .idle_time = POOLS_IDLE_TIME,
        .refused_time = POOLS_REFUSED_TIME,
        .forget = forget,
    };
    router->routes = routes_new(&setup, transports, ret_error);
    if (router->routes)
        return router;
    router_free(router);
    return NULL;
}

void router_reload(struct router *router, const struct conf *read)
{
    routes_reload(router->routes, read);
}

void router_renew(struct router *router)
{
    routes_renew(router->routes);
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
    forwards_free(router->forwards);
    routes_free(router->routes);
    cache_free(router->cache);
    free(router);
}
