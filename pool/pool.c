/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/pool.h"

#include <stdlib.h>

#include "pool/clock.h"
#include "pool/servers.h"

/* How often a request is sent again that the server certainly did not begin. A peer that closes its
 * connections every few requests refuses the same one more than once. */
#define REPEATS_MAX 8

#define DEADLINE_SLACK 20 /* ms by which clocks on both sides differ */

/* A place on the wire, held from a call's start until the transport has ended it. */
struct pool_slot {
    LIST_ENTRY(pool_slot) link;
    struct pool *pool;
    struct server *server;
    struct request *request; /* NULL: cancelled, nobody waits for the end */
    struct upstream_call *call;
    uint32_t secret; /* which one it was sent with, see pool.secret */
};

struct pool {
    struct pool_setup setup;
    struct credential *credential;
    uint32_t secret; /* counts up when the credential changes */
    bool refused;    /* the upstream refuses the credential, and the log says so */
    bool unreadable; /* the credential cannot be read again, and the log says so */
    bool up;         /* a connection is */
    bool away;       /* none is, and one could not be made since the last one was up */
    struct request_list queue;
    uint32_t queued;
    LIST_HEAD(, pool_slot) slots;
    uint32_t in_flight; /* slots in that list */
    char *reason;       /* why the last connection that failed did */
    struct servers *servers;
};

static void dispatch(struct pool *pool);

static const char *uri_of(const struct pool *pool)
{
    return endpoints_uri(pool->setup.endpoints);
}

/* What a request in the queue waits for. */
static enum phase waiting_for(const struct pool *pool)
{
    return pool->up ? PHASE_QUEUE : PHASE_CONNECT;
}

enum phase pool_phase(const struct pool *pool, const struct request *request)
{
    return request->state == REQUEST_WIRE ? PHASE_UPSTREAM : waiting_for(pool);
}

static int64_t wait_limit(const struct pool *pool, enum phase phase)
{
    const struct conf_database *database = pool->setup.database;
    return phase == PHASE_QUEUE ? database->queue_timeout : database->upstream->connect_timeout;
}

static void leave_queue(struct pool *pool, struct request *request)
{
    TAILQ_REMOVE(&pool->queue, request, link);
    pool->queued--;
    request->state = REQUEST_IDLE;
}

static void fail_deadline(struct request *request, enum phase phase)
{
    request_fail(request, CODE_DEADLINE_EXCEEDED, phase, "the request's deadline has passed");
}

static void fail_wait(struct pool *pool, struct request *request, enum phase phase)
{
    const struct conf_upstream *upstream = pool->setup.database->upstream;
    long long waited = (long long)wait_limit(pool, phase);
    if (phase == PHASE_QUEUE)
        request_fail(request, CODE_RESOURCE_EXHAUSTED, phase,
                     "no slot within queue_timeout (%lld ms): all %u (max_in_flight) are taken",
                     waited, pool->setup.database->max_in_flight);
    else
        request_fail(request, CODE_UNAVAILABLE, phase,
                     "no connection to upstream %s (%s) within connect_timeout (%lld ms): %s",
                     upstream->name, uri_of(pool), waited,
                     pool->reason ? pool->reason : "it does not answer");
}

/* Whether it would rather fail than wait for an upstream that is away. */
static bool is_impatient(const struct request *request)
{
    return request->rpc && request->rpc->cache == RPC_CACHE_KEEP_SESSION;
}

static void fail_away(struct pool *pool, struct request *request)
{
    const struct conf_upstream *upstream = pool->setup.database->upstream;
    request_fail(request, CODE_UNAVAILABLE, PHASE_CONNECT, "no connection to upstream %s (%s): %s",
                 upstream->name, uri_of(pool), pool->reason);
}

static void arm_wait(struct pool *pool, struct request *request);

/* A queued request's time is up: its deadline's, or that of what it waits for now. */
static void wait_fired(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct request *request = argument;
    struct pool *pool = request->pool;
    enum phase phase = waiting_for(pool);
    int64_t now = clock_now();
    bool dead = now >= request->deadline;
    if (!dead && now < request->waits_since + wait_limit(pool, phase)) {
        arm_wait(pool, request);
        return;
    }
    leave_queue(pool, request);
    if (dead)
        fail_deadline(request, phase);
    else
        fail_wait(pool, request, phase);
}

static void arm_wait(struct pool *pool, struct request *request)
{
    int64_t until = request->waits_since + wait_limit(pool, waiting_for(pool));
    if (until > request->deadline)
        until = request->deadline;
    request_timer(request, pool->setup.loop, until, wait_fired);
}

static void deadline_fired(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct request *request = argument;
    pool_cancel(request->pool, request);
    fail_deadline(request, PHASE_UPSTREAM);
}

/* Those that were refused are before all others of the queue, the most often refused ones first:
 * each comes through, however few a connection takes before it ends. */
static void enqueue_again(struct pool *pool, struct request *request)
{
    struct request *before = TAILQ_FIRST(&pool->queue);
    while (before && before->repeats >= request->repeats)
        before = TAILQ_NEXT(before, link);
    if (before)
        TAILQ_INSERT_BEFORE(before, request, link);
    else
        TAILQ_INSERT_TAIL(&pool->queue, request, link);
    pool->queued++;
}

static void repeat(struct pool *pool, struct request *request)
{
    request->repeats++;
    request->state = REQUEST_QUEUED;
    request->waits_since = clock_now();
    enqueue_again(pool, request);
    arm_wait(pool, request);
    servers_want(pool->servers);
}

static void say_refused(struct pool *pool, struct span message)
{
    if (pool->refused)
        return;
    pool->refused = true;
    log_error(pool->setup.logger,
              "upstream %s, database %s: Milvus refuses the credential, %s: %.*s",
              pool->setup.database->upstream->name, pool->setup.database->name,
              credential_label(pool->credential), SPAN_ARGS(message));
}

/* The file may hold a new secret by now. A refused call was not executed, so it may be sent again.
 */
static bool credential_renewed(struct pool *pool)
{
    char *error = NULL;
    int changed = credential_refresh(pool->credential, &error);
    if (changed < 0 && !pool->unreadable)
        log_error(pool->setup.logger, "database %s: %s", pool->setup.database->name, error);
    if (changed > 0)
        log_info(pool->setup.logger, "database %s: the credential has been read again, %s",
                 pool->setup.database->name, credential_label(pool->credential));
    free(error);
    pool->unreadable = changed < 0;
    pool->secret += changed > 0;
    return changed > 0;
}

/* A refused call that was sent with another secret than the pool has by now may do better. Of a
 * stream messages may be gone already, so it is its maker's to begin it anew. */
static bool may_repeat(struct pool *pool, const struct request *request, uint32_t sent_with,
                       const struct upstream_end *end)
{
    bool refused = end->code == CODE_UNAUTHENTICATED && end->from_peer;
    bool renewed = refused && (sent_with != pool->secret || credential_renewed(pool));
    if (request->stream || request->repeats >= REPEATS_MAX || clock_now() >= request->deadline)
        return false;
    if (pool->away && is_impatient(request))
        return false;
    return renewed || end->unstarted;
}

static void finish_local(struct pool *pool, struct request *request, const struct upstream_end *end)
{
    const struct conf_upstream *upstream = pool->setup.database->upstream;
    if (end->code == CODE_DEADLINE_EXCEEDED)
        fail_deadline(request, PHASE_UPSTREAM);
    else if (end->unstarted)
        request_fail(request, CODE_UNAVAILABLE, PHASE_CONNECT,
                     "upstream %s (%s) did not take the request: %.*s", upstream->name,
                     uri_of(pool), SPAN_ARGS(end->message));
    else
        request_fail(request, end->code, PHASE_UPSTREAM, "upstream %s (%s): %.*s", upstream->name,
                     uri_of(pool), SPAN_ARGS(end->message));
}

/* The upstream is told what is left of the time, and may notice its end before we do. */
static bool is_deadline(const struct request *request, const struct upstream_end *end)
{
    return end->code == CODE_DEADLINE_EXCEEDED && request->deadline - clock_now() <= DEADLINE_SLACK;
}

static void finish(struct pool *pool, struct request *request, const struct upstream_end *end)
{
    if (!end->from_peer || is_deadline(request, end)) {
        finish_local(pool, request, end);
        return;
    }
    if (end->code == CODE_UNAUTHENTICATED) {
        say_refused(pool, end->message);
        request_fail(request, end->code, PHASE_UPSTREAM,
                     "upstream %s refuses the daemon's credentials: %.*s",
                     pool->setup.database->upstream->name, SPAN_ARGS(end->message));
        return;
    }
    pool->refused = false;
    struct outcome outcome = {
        .code = end->code,
        .phase = end->code == CODE_OK ? PHASE_NONE : PHASE_UPSTREAM,
        .message = end->message,
        .reply = end->reply,
        .headers = end->headers,
        .trailers = end->trailers,
    };
    request_end(request, &outcome);
}

static void call_ended(void *context, const struct upstream_end *end)
{
    struct pool_slot *slot = context;
    struct pool *pool = slot->pool;
    struct request *request = slot->request;
    uint32_t secret = slot->secret;
    server_ended(slot->server, end->unstarted);
    pool->in_flight--;
    LIST_REMOVE(slot, link);
    free(slot);
    if (request) {
        request->slot = NULL;
        request_timer_stop(request);
        if (may_repeat(pool, request, secret, end))
            repeat(pool, request);
        else
            finish(pool, request, end);
    }
    dispatch(pool);
}

/* Of a cancelled request the end is all that is wanted. */
static void call_replied(void *context)
{
    struct pool_slot *slot = context;
    if (slot->request)
        slot->request->replied(slot->request);
    else
        upstream_take(server_upstream(slot->server), slot->call);
}

/* What happens to a stream whose request was cancelled is nobody's business any more. */
static void call_headers(void *context, const struct metadata *headers)
{
    struct request *request = ((struct pool_slot *)context)->request;
    if (request)
        request->stream->headers(request, headers);
}

static void call_received(void *context, struct blob *message)
{
    struct request *request = ((struct pool_slot *)context)->request;
    if (request)
        request->stream->received(request, message);
}

static void call_sent(void *context)
{
    struct request *request = ((struct pool_slot *)context)->request;
    if (request)
        request->stream->sent(request);
}

static void send_on(struct pool *pool, struct server *server, struct request *request)
{
    struct pool_slot *slot = malloc(sizeof(*slot));
    if (!slot)
        abort();
    struct upstream_message message = {
        .path = request->path,
        .authorization = credential_authorization(pool->credential),
        .database = request->upstream_name,
        .metadata = request->metadata,
        .deadline = request->deadline,
        .held = request->replied != NULL,
        .bare = request->bare,
        .stream = request->stream != NULL,
        .encoding = request->encoding,
        .owner = request->payload,
        .body = request->body,
        .tail = request->tail,
    };
    pool->in_flight++;
    *slot = (struct pool_slot){
        .pool = pool, .server = server, .request = request, .secret = pool->secret};
    LIST_INSERT_HEAD(&pool->slots, slot, link);
    slot->call = upstream_start(server_begin(server), &message, slot);
    request->slot = slot;
    request->state = REQUEST_WIRE;
    request_timer(request, pool->setup.loop, request->deadline, deadline_fired);
    if (request->stream)
        request->stream->opened(request);
}

static bool slot_free(const struct pool *pool)
{
    return pool->in_flight < pool->setup.database->max_in_flight;
}

/* Lets those who waited longest go, as far as there are slots and connections. */
static void dispatch(struct pool *pool)
{
    struct request *request;
    struct server *server;
    while (slot_free(pool) && (request = TAILQ_FIRST(&pool->queue)) &&
           (server = servers_pick(pool->servers))) {
        leave_queue(pool, request);
        send_on(pool, server, request);
    }
}

void pool_submit(struct pool *pool, struct request *request)
{
    struct server *server = servers_pick(pool->servers);
    if (server && slot_free(pool) && TAILQ_EMPTY(&pool->queue)) {
        send_on(pool, server, request);
        return;
    }
    if (pool->away && is_impatient(request)) {
        fail_away(pool, request);
        return;
    }
    if (pool->queued >= pool->setup.database->queue_size) {
        request_fail(request, CODE_RESOURCE_EXHAUSTED, PHASE_QUEUE,
                     "the queue is full: %u requests wait (queue_size)", pool->queued);
        return;
    }
    request->state = REQUEST_QUEUED;
    request->waits_since = clock_now();
    TAILQ_INSERT_TAIL(&pool->queue, request, link);
    pool->queued++;
    arm_wait(pool, request);
    servers_want(pool->servers);
}

void pool_cancel(struct pool *pool, struct request *request)
{
    request_timer_stop(request);
    if (request->state == REQUEST_QUEUED) {
        leave_queue(pool, request);
        return;
    }
    struct pool_slot *slot = request->slot;
    request->slot = NULL;
    request->state = REQUEST_IDLE;
    slot->request = NULL;
    upstream_cancel(server_upstream(slot->server), slot->call);
}

void pool_take(struct request *request)
{
    struct pool_slot *slot = request->slot;
    upstream_take(server_upstream(slot->server), slot->call);
}

void pool_send(struct request *request, struct blob *message, bool compressed)
{
    struct pool_slot *slot = request->slot;
    upstream_send(server_upstream(slot->server), slot->call, message, compressed);
}

void pool_finish(struct request *request)
{
    struct pool_slot *slot = request->slot;
    upstream_finish(server_upstream(slot->server), slot->call);
}

void pool_receive(struct request *request)
{
    struct pool_slot *slot = request->slot;
    upstream_receive(server_upstream(slot->server), slot->call);
}

/* Those who wait, wait for something else when the first connection comes or the last one goes: a
 * slot or a connection.
 */
static void connections_changed(void *context)
{
    struct pool *pool = context;
    bool up = servers_are_up(pool->servers);
    if (!up && !TAILQ_EMPTY(&pool->queue))
        servers_want(pool->servers);
    if (up == pool->up)
        return;
    pool->up = up;
    pool->away = false;
    struct request *request;
    TAILQ_FOREACH (request, &pool->queue, link) {
        request->waits_since = clock_now();
        arm_wait(pool, request);
    }
}

static struct request *first_impatient(const struct pool *pool)
{
    struct request *request;
    TAILQ_FOREACH (request, &pool->queue, link) {
        if (is_impatient(request))
            return request;
    }
    return NULL;
}

/* Who is told may take others out of the queue, so each is looked for from its head. */
static void go_away(struct pool *pool)
{
    if (!pool->away) {
        pool->away = true;
        pool->setup.away(pool->setup.context, pool);
    }
    struct request *request;
    while ((request = first_impatient(pool))) {
        leave_queue(pool, request);
        fail_away(pool, request);
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
    dispatch(context);
}

static const struct upstream_events call_events = {
    .call_ended = call_ended,
    .call_replied = call_replied,
    .call_headers = call_headers,
    .call_received = call_received,
    .call_sent = call_sent,
};

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
                                                        .max_message = setup->max_message,
                                                        .calls = &call_events,
                                                        .events = &server_events,
                                                        .context = pool},
                                ret_error);
    return pool->servers ? 0 : -1;
}

struct pool *pool_new(const struct pool_setup *setup, char **ret_error)
{
    struct pool *pool = calloc(1, sizeof(*pool));
    if (!pool)
        abort();
    pool->setup = *setup;
    TAILQ_INIT(&pool->queue);
    LIST_INIT(&pool->slots);
    if (credential_open(&setup->database->credential, &pool->credential, ret_error) != 0 ||
        open_servers(pool, ret_error) != 0) {
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
        free(slot);
    }
    credential_close(pool->credential);
    free(pool->reason);
    free(pool);
}

const struct conf_database *pool_database(const struct pool *pool)
{
    return pool->setup.database;
}
