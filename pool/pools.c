/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/pools.h"

#include <stdlib.h>
#include <uthash.h>

#include "auth/access.h"
#include "pool/clock.h"

/* One pool. */
struct member {
    struct pools *pools;
    struct pool *pool;
    uint32_t requests;

    /* Of a client's. */
    UT_hash_handle hh; /* by authorization, whose bytes the pool has */
    TAILQ_ENTRY(member) link;
    int64_t idle_since; /* without a request */
    bool is_good;       /* something but refusals came from it */
};

TAILQ_HEAD(member_list, member);

struct pools {
    struct pools_setup setup;
    struct member *own;       /* NULL where clients' own are used */
    struct member **of_rules; /* by number, from 1 on; NULL: it has none */
    struct member *of_clients;
    struct member_list recency; /* of these, least recently used first */
    struct member_list closing;
    struct event *closer;  /* closes outside of the pools' own events */
    struct event *sweeper; /* closes clients' pools that were idle for long */
    int64_t sweep_at;      /* when it comes; 0: it does not */
};

static const struct conf_database *database_of(const struct pools *pools)
{
    return pools->setup.pool.database;
}

/* ---- their events ---- */

static void connected(void *context, struct pool *pool)
{
    const struct pool_setup *setup = &((struct member *)context)->pools->setup.pool;
    setup->connected(setup->context, pool);
}

static void away(void *context, struct pool *pool)
{
    const struct pool_setup *setup = &((struct member *)context)->pools->setup.pool;
    setup->away(setup->context, pool);
}

static void forget(struct member *member)
{
    const struct pools_setup *setup = &member->pools->setup;
    setup->forget(setup->pool.context, member->pool);
}

/* ---- opening and closing ---- */

static struct member *open_member(struct pools *pools, const struct conf_rule *rule,
                                  const struct span *authorization, char **ret_error)
{
    struct pool_setup setup = pools->setup.pool;
    struct member *member = calloc(1, sizeof(*member));
    if (!member)
        abort();
    member->pools = pools;
    setup.rule = rule;
    setup.authorization = authorization;
    setup.connected = connected;
    setup.away = away;
    setup.context = member;
    member->pool = pool_new(&setup, ret_error);
    if (member->pool)
        return member;
    free(member);
    return NULL;
}

static void free_member(struct member *member)
{
    if (!member)
        return;
    pool_free(member->pool);
    free(member);
}

static void free_list(struct member_list *list)
{
    struct member *member;
    while ((member = TAILQ_FIRST(list))) {
        TAILQ_REMOVE(list, member, link);
        free_member(member);
    }
}

static void close_members(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct pools *pools = argument;
    free_list(&pools->closing);
}

static void take_out(struct member *member)
{
    HASH_DELETE(hh, member->pools->of_clients, member);
    TAILQ_REMOVE(&member->pools->recency, member, link);
}

/* An idle one; soon, as this may be within one of its events. */
static void close_soon(struct member *member)
{
    struct pools *pools = member->pools;
    take_out(member);
    forget(member);
    TAILQ_INSERT_TAIL(&pools->closing, member, link);
    event_active(pools->closer, EV_TIMEOUT, 0);
}

/* When an idle one has been so for long enough. */
static int64_t due(const struct member *member)
{
    const struct pools_setup *setup = &member->pools->setup;
    return member->idle_since + (member->is_good ? setup->idle_time : setup->refused_time);
}

/* Has the sweeper come then, unless it comes before. */
static void call_sweeper(struct pools *pools, int64_t at)
{
    if (pools->sweep_at && pools->sweep_at <= at)
        return;
    struct timeval wait = clock_wait(at - clock_now());
    pools->sweep_at = at;
    event_add(pools->sweeper, &wait);
}

static void sweep(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct pools *pools = argument;
    struct member *member;
    struct member *following;
    pools->sweep_at = 0;
    for (member = TAILQ_FIRST(&pools->recency); member; member = following) {
        following = TAILQ_NEXT(member, link);
        if (member->requests > 0)
            continue;
        if (due(member) <= clock_now())
            close_soon(member);
        else
            call_sweeper(pools, due(member));
    }
}

static int open_all(struct pools *pools, char **ret_error)
{
    const struct conf *conf = pools->setup.conf;
    bool is_clients = database_of(pools)->credentials == CONF_CREDENTIALS_CLIENT;
    if (!is_clients && !(pools->own = open_member(pools, NULL, NULL, ret_error)))
        return -1;
    for (size_t i = 0; i < conf->rule_count; i++) {
        const struct conf_rule *rule = &conf->rules[i];
        if (!conf_credential_is_given(&rule->credential) ||
            !access_reaches(conf, rule, database_of(pools)))
            continue;
        if (!(pools->of_rules[i] = open_member(pools, rule, NULL, ret_error)))
            return -1;
    }
    return 0;
}

struct pools *pools_new(const struct pools_setup *setup, char **ret_error)
{
    struct pools *pools = calloc(1, sizeof(*pools));
    if (!pools)
        abort();
    pools->setup = *setup;
    TAILQ_INIT(&pools->recency);
    TAILQ_INIT(&pools->closing);
    pools->of_rules = calloc(setup->conf->rule_count + 1, sizeof(struct member *));
    pools->closer = event_new(setup->pool.loop, -1, 0, close_members, pools);
    pools->sweeper = evtimer_new(setup->pool.loop, sweep, pools);
    if (!pools->of_rules || !pools->closer || !pools->sweeper)
        abort();
    if (open_all(pools, ret_error) == 0)
        return pools;
    pools_free(pools);
    return NULL;
}

void pools_free(struct pools *pools)
{
    struct member *member;
    if (!pools)
        return;
    free_member(pools->own);
    for (size_t i = 0; i < pools->setup.conf->rule_count; i++)
        free_member(pools->of_rules[i]);
    while ((member = TAILQ_FIRST(&pools->recency))) {
        take_out(member);
        free_member(member);
    }
    free_list(&pools->closing);
    free(pools->of_rules);
    event_free(pools->closer);
    event_free(pools->sweeper);
    free(pools);
}

void pools_renew(struct pools *pools)
{
    if (pools->own)
        pool_renew(pools->own->pool);
    for (size_t i = 0; i < pools->setup.conf->rule_count; i++) {
        if (pools->of_rules[i])
            pool_renew(pools->of_rules[i]->pool);
    }
}

/* ---- clients' own ---- */

/* The one to close where another is needed; NULL: all are busy. */
static struct member *least_wanted(struct pools *pools)
{
    struct member *least = NULL;
    struct member *member;
    TAILQ_FOREACH (member, &pools->recency, link) {
        if (member->requests > 0)
            continue;
        if (!member->is_good)
            return member;
        if (!least)
            least = member;
    }
    return least;
}

/* NULL: it has failed the request. */
static struct member *add_client(struct pools *pools, struct request *request)
{
    uint32_t max = database_of(pools)->max_credentials;
    bool is_full = HASH_COUNT(pools->of_clients) >= max;
    struct member *least = is_full ? least_wanted(pools) : NULL;
    if (is_full && !least) {
        request_fail(request, CODE_RESOURCE_EXHAUSTED, PHASE_ADMISSION,
                     "requests with %u other credentials are under way (max_credentials)", max);
        return NULL;
    }
    if (least)
        close_soon(least);
    char *error = NULL;
    struct member *member = open_member(pools, NULL, &request->authorization, &error);
    if (!member) {
        request_fail(request, CODE_UNAVAILABLE, PHASE_CONNECT, "upstream %s: %s",
                     database_of(pools)->upstream->name, error);
        free(error);
        return NULL;
    }
    struct span key = pool_authorization(member->pool);
    HASH_ADD_KEYPTR(hh, pools->of_clients, key.at, key.length, member);
    TAILQ_INSERT_TAIL(&pools->recency, member, link);
    return member;
}

static struct member *find_client(struct pools *pools, struct request *request)
{
    struct member *member;
    if (request->shows_nothing) {
        request_fail(request, CODE_UNAUTHENTICATED, PHASE_ADMISSION,
                     "each client's own credentials go to Milvus (credentials: client), and the "
                     "plain protocol carries none; speak gRPC");
        return NULL;
    }
    struct span shown = request->authorization;
    struct span key = shown.length > 0 ? shown : span_text("");
    HASH_FIND(hh, pools->of_clients, key.at, key.length, member);
    if (!member)
        return add_client(pools, request);
    TAILQ_REMOVE(&pools->recency, member, link);
    TAILQ_INSERT_TAIL(&pools->recency, member, link);
    return member;
}

/* ---- requests ---- */

static struct member *member_of(const struct request *request)
{
    return pool_context(request->pool);
}

void pools_hold(struct request *request, struct pool *pool)
{
    request->pool = pool;
    member_of(request)->requests++;
}

bool pools_choose(struct pools *pools, const struct conf_rule *rule, struct request *request)
{
    struct member *member = rule ? pools->of_rules[rule->number - 1] : NULL;
    if (!member)
        member = pools->own;
    if (!member)
        member = find_client(pools, request);
    if (member)
        pools_hold(request, member->pool);
    return member;
}

/* What Milvus has answered to who it knows, if only that it may not. */
static bool is_answered(const struct outcome *outcome)
{
    return outcome->code == CODE_OK ||
           (outcome->code == CODE_PERMISSION_DENIED && outcome->phase == PHASE_UPSTREAM);
}

void pools_release(const struct request *request, const struct outcome *outcome)
{
    struct member *member = member_of(request);
    member->requests--;
    if (!pool_is_clients(member->pool))
        return;
    if (outcome && is_answered(outcome))
        member->is_good = true;
    if (outcome && outcome->code == CODE_UNAUTHENTICATED) {
        member->is_good = false;
        forget(member);
    }
    if (member->requests == 0) {
        member->idle_since = clock_now();
        call_sweeper(member->pools, due(member));
    }
}
