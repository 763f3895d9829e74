/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "pool/clock.h"
#include "pool/pool_state.h"

const char *pool_uri(const struct pool *pool)
{
    return endpoints_uri(pool->setup.endpoints);
}

enum phase pool_phase(const struct pool *pool, const struct request *request)
{
    return request->state == REQUEST_WIRE ? PHASE_UPSTREAM : pool_waits_for(pool);
}

static bool may_log_in(const struct pool *pool)
{
    return login_is_open(pool->login) || login_lets(pool->login, clock_now());
}

static bool slot_free(const struct pool *pool)
{
    return pool->in_flight < pool->setup.database->max_in_flight && may_log_in(pool);
}

/* Those that travel together, and the others, take turns. */
static bool is_merges_turn(const struct pool *pool)
{
    bool has = pool->merge && merge_has(pool->merge);
    return has && TAILQ_EMPTY(&pool->again) && (pool->merge_next || turns_is_empty(&pool->queue));
}

void pool_dispatch(struct pool *pool)
{
    struct server *server;
    while (slot_free(pool) && (server = servers_pick(pool->servers))) {
        bool merges = is_merges_turn(pool);
        struct request *request = merges ? NULL : pool_take_first(pool);
        if (!merges && !request)
            return;
        pool->merge_next = !merges;
        if (merges)
            pool_send_bundle(pool, server);
        else
            pool_send_alone(pool, server, request);
    }
}

void pool_heed_login(struct pool *pool)
{
    if (login_is_open(pool->login))
        return;
    int64_t now = clock_now();
    int64_t due = login_due(pool->login, now);
    if (pool->queued > 0 && login_refuses(pool->login, now))
        pool_rouse(pool);
    if (due == LOGIN_NEVER)
        return;
    const struct timeval time = clock_wait(due - now);
    event_add(pool->login_due, &time);
}

static void login_came(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct pool *pool = argument;
    login_look(pool->login, clock_now());
    pool_heed_login(pool);
    pool_dispatch(pool);
}

void pool_renew(struct pool *pool)
{
    login_renew(pool->login, clock_now());
    pool_heed_login(pool);
    pool_dispatch(pool);
}

static void turn_came(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    pool_dispatch(argument);
}

static bool queue_is_full(const struct pool *pool)
{
    return pool->queued >= pool->setup.database->queue_size;
}

/* It goes when all has been read that has come with it, or when its turn comes. */
static void submit_merged(struct pool *pool, struct request *request)
{
    bool goes = !merge_waits(request) && slot_free(pool) && servers_pick(pool->servers);
    if (!goes && queue_is_full(pool)) {
        merge_remove(pool->merge, request);
        pool_fail_full(pool, request);
        return;
    }
    pool_wait(pool, request);
    if (goes)
        event_active(pool->later, EV_TIMEOUT, 0);
    else
        servers_want(pool->servers);
}

static void submit_alone(struct pool *pool, struct request *request)
{
    struct server *server = servers_pick(pool->servers);
    if (server && slot_free(pool) && pool_queue_is_empty(pool)) {
        pool_send_alone(pool, server, request);
        return;
    }
    if (pool->away && pool_is_impatient(request)) {
        pool_fail_away(pool, request);
        return;
    }
    if (queue_is_full(pool)) {
        pool_fail_full(pool, request);
        return;
    }
    pool_wait(pool, request);
    servers_want(pool->servers);
}

void pool_submit(struct pool *pool, struct request *request)
{
    bool is_open = login_is_open(pool->login);
    if (!is_open && login_refuses(pool->login, clock_now()))
        pool_fail_refused(pool, request);
    else if (pool->merge && merge_add(pool->merge, request))
        submit_merged(pool, request);
    else
        submit_alone(pool, request);
    if (!is_open)
        pool_heed_login(pool);
}

void pool_cancel(struct pool *pool, struct request *request)
{
    request_timer_stop(request);
    if (request->state == REQUEST_QUEUED)
        pool_leave(pool, request);
    else
        pool_give_up(request);
}

/* Those who wait, wait for something else when the first connection comes or the last one goes: a
 * slot or a connection.
 */
static void connections_changed(void *context)
{
    struct pool *pool = context;
    bool up = servers_are_up(pool->servers);
    if (!up && pool->queued > 0)
        servers_want(pool->servers);
    if (up == pool->up)
        return;
    pool->up = up;
    pool->away = false;
    pool_wait_anew(pool);
}

/* Who is told may take others out of the queue, so each is looked for anew. */
static void go_away(struct pool *pool)
{
    if (!pool->away) {
        pool->away = true;
        pool->setup.away(pool->setup.context, pool);
    }
    struct request *request;
    while ((request = pool_find(pool, pool_is_impatient))) {
        pool_leave(pool, request);
        pool_fail_away(pool, request);
    }
}

static void connection_failed(void *context, const char *reason)
{
    struct pool *pool = context;
    free(pool->reason);
    pool->reason = strdup(reason);
    if (!pool->up)
        go_away(pool);
}

static void connected(void *context)
{
    struct pool *pool = context;
    pool->setup.connected(pool->setup.context, pool);
}

static void has_room(void *context)
{
    pool_dispatch(context);
}

static const struct servers_events server_events = {
    .changed = connections_changed,
    .connected = connected,
    .has_room = has_room,
    .failed = connection_failed,
};

static int open_servers(struct pool *pool, char **ret_error)
{
    const struct pool_setup *setup = &pool->setup;
    pool->servers = servers_new(&(struct servers_setup){.loop = setup->loop,
                                                        .transport = setup->transport,
                                                        .endpoints = setup->endpoints,
                                                        .logger = setup->logger,
                                                        .database = setup->database,
                                                        .title = pool->title,
                                                        .is_quiet = pool_is_clients(pool),
                                                        .max_message = setup->max_message,
                                                        .calls = &pool_call_events,
                                                        .events = &server_events,
                                                        .context = pool},
                                ret_error);
    return pool->servers ? 0 : -1;
}

static int open_login(struct pool *pool, char **ret_error)
{
    const struct pool_setup *setup = &pool->setup;
    pool->login_due = evtimer_new(setup->loop, login_came, pool);
    if (!pool->login_due)
        abort();
    pool->login = login_new(
        &(struct login_setup){
            .logger = setup->logger,
            .upstream = setup->database->upstream->name,
            .title = pool->title,
            .credential = setup->rule ? &setup->rule->credential : &setup->database->credential,
            .authorization = setup->authorization,
        },
        ret_error);
    pool->setup.authorization = NULL;
    return pool->login ? 0 : -1;
}

static void open_merge(struct pool *pool)
{
    const struct pool_setup *setup = &pool->setup;
    const struct conf_merge *conf = &setup->database->merge;
    if (!conf->searches && !conf->identical)
        return;
    pool->merge = merge_new(conf);
    pool->stats = merge_stats_new(setup->loop, setup->logger, pool->title, setup->stats_period);
    pool->later = event_new(setup->loop, -1, 0, turn_came, pool);
    if (!pool->later)
        abort();
}

static char *make_title(const struct pool_setup *setup)
{
    const char *name = setup->database->name;
    char *title = NULL;
    int length;
    if (setup->rule)
        length = asprintf(&title, "database %s, rule %u", name, setup->rule->number);
    else
        length = asprintf(&title, "database %s%s", name,
                          setup->authorization ? ", a client's credential" : "");
    if (length < 0)
        abort();
    return title;
}

struct pool *pool_new(const struct pool_setup *setup, char **ret_error)
{
    struct pool *pool = calloc(1, sizeof(*pool));
    if (!pool)
        abort();
    pool->setup = *setup;
    TAILQ_INIT(&pool->again);
    turns_init(&pool->queue);
    LIST_INIT(&pool->slots);
    pool->title = make_title(setup);
    open_merge(pool);
    if (open_login(pool, ret_error) != 0 || open_servers(pool, ret_error) != 0) {
        pool_free(pool);
        return NULL;
    }
    return pool;
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    servers_free(pool->servers);
    /* What is left are slots of cancelled requests, whose call's end does not come any more. */
    struct pool_slot *slot;
    while ((slot = LIST_FIRST(&pool->slots))) {
        LIST_REMOVE(slot, link);
        if (slot->bundle)
            merge_ended(pool->merge, slot->bundle);
        free(slot);
    }
    merge_free(pool->merge);
    merge_stats_free(pool->stats);
    if (pool->later)
        event_free(pool->later);
    event_free(pool->login_due);
    login_free(pool->login);
    free(pool->reason);
    free(pool->title);
    free(pool);
}

const struct conf_database *pool_database(const struct pool *pool)
{
    return pool->setup.database;
}

struct endpoints *pool_endpoints(const struct pool *pool)
{
    return pool->setup.endpoints;
}

void *pool_context(const struct pool *pool)
{
    return pool->setup.context;
}

struct span pool_authorization(const struct pool *pool)
{
    return login_authorization(pool->login);
}

bool pool_is_clients(const struct pool *pool)
{
    return login_is_clients(pool->login);
}
