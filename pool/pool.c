/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/pool.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#include "pool/clock.h"

/* How often a request is sent again that the server certainly did not begin. A peer that closes its
 * connections every few requests refuses the same one more than once. */
#define REPEATS_MAX 8

/* One connection of the pool. */
struct connection {
    struct pool *pool;
    struct upstream *upstream;
    uint32_t in_flight;
    bool down;     /* said so in the log */
    bool has_been; /* it was up before */
};

/* A place on the wire, held from a call's start until the transport has ended it. */
struct pool_slot {
    LIST_ENTRY(pool_slot) link;
    struct connection *connection;
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
    uint32_t connection_count;
    struct connection connections[];
};

static struct connection *least_loaded(struct pool *pool)
{
    struct connection *best = NULL;
    for (uint32_t i = 0; i < pool->connection_count; i++) {
        struct connection *connection = &pool->connections[i];
        const struct upstream *upstream = connection->upstream;
        if (upstream->state != UPSTREAM_READY || connection->in_flight >= upstream->capacity)
            continue;
        if (!best || connection->in_flight < best->in_flight)
            best = connection;
    }
    return best;
}

static void dispatch(struct pool *pool);

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
                     upstream->name, upstream->uri, waited,
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
                 upstream->name, upstream->uri, pool->reason);
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

/* The request before all others of the queue: it has waited already. */
static void repeat(struct pool *pool, struct request *request)
{
    request->repeats++;
    request->state = REQUEST_QUEUED;
    request->waits_since = clock_now();
    TAILQ_INSERT_HEAD(&pool->queue, request, link);
    pool->queued++;
    arm_wait(pool, request);
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
                     upstream->uri, SPAN_ARGS(end->message));
    else
        request_fail(request, end->code, PHASE_UPSTREAM, "upstream %s (%s): %.*s", upstream->name,
                     upstream->uri, SPAN_ARGS(end->message));
}

static void finish(struct pool *pool, struct request *request, const struct upstream_end *end)
{
    if (!end->from_peer) {
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
    struct pool *pool = slot->connection->pool;
    struct request *request = slot->request;
    uint32_t secret = slot->secret;
    slot->connection->in_flight--;
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
        upstream_take(slot->connection->upstream, slot->call);
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

static void send_on(struct connection *connection, struct request *request)
{
    struct pool *pool = connection->pool;
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
        .stream = request->stream != NULL,
        .encoding = request->encoding,
        .owner = request->payload,
        .body = request->body,
        .tail = request->tail,
    };
    connection->in_flight++;
    pool->in_flight++;
    *slot =
        (struct pool_slot){.connection = connection, .request = request, .secret = pool->secret};
    LIST_INSERT_HEAD(&pool->slots, slot, link);
    slot->call = upstream_start(connection->upstream, &message, slot);
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
    struct connection *connection;
    while (slot_free(pool) && (request = TAILQ_FIRST(&pool->queue)) &&
           (connection = least_loaded(pool))) {
        leave_queue(pool, request);
        send_on(connection, request);
    }
}

void pool_submit(struct pool *pool, struct request *request)
{
    struct connection *connection = least_loaded(pool);
    if (connection && slot_free(pool) && TAILQ_EMPTY(&pool->queue)) {
        send_on(connection, request);
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
    upstream_cancel(slot->connection->upstream, slot->call);
}

void pool_take(struct request *request)
{
    struct pool_slot *slot = request->slot;
    upstream_take(slot->connection->upstream, slot->call);
}

void pool_send(struct request *request, struct blob *message, bool compressed)
{
    struct pool_slot *slot = request->slot;
    upstream_send(slot->connection->upstream, slot->call, message, compressed);
}

void pool_finish(struct request *request)
{
    struct pool_slot *slot = request->slot;
    upstream_finish(slot->connection->upstream, slot->call);
}

void pool_receive(struct request *request)
{
    struct pool_slot *slot = request->slot;
    upstream_receive(slot->connection->upstream, slot->call);
}

static uint32_t count_ready(const struct pool *pool)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < pool->connection_count; i++)
        count += pool->connections[i].upstream->state == UPSTREAM_READY;
    return count;
}

/* Those who wait, wait for something else when the first connection comes or the last one goes: a
 * slot or a connection.
 */
static void note_connections(struct pool *pool)
{
    bool up = count_ready(pool) > 0;
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

static void say_down(struct connection *connection, const char *reason)
{
    struct pool *pool = connection->pool;
    const struct conf_database *database = pool->setup.database;
    free(pool->reason);
    pool->reason = strdup(reason);
    if (connection->down)
        return;
    connection->down = true;
    log_warning(pool->setup.logger, "database %s: no connection to upstream %s (%s): %s",
                database->name, database->upstream->name, database->upstream->uri, reason);
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

static void state_changed(void *context, enum upstream_state state, const char *reason)
{
    struct connection *connection = context;
    struct pool *pool = connection->pool;
    bool was_up = pool->up;
    note_connections(pool);
    if (state == UPSTREAM_DOWN)
        say_down(connection, reason);
    if (state == UPSTREAM_DOWN && !pool->up)
        go_away(pool);
    if (state != UPSTREAM_READY)
        return;
    connection->down = false;
    log_info(pool->setup.logger, "database %s: connected to upstream %s (%s)",
             pool->setup.database->name, pool->setup.database->upstream->name,
             pool->setup.database->upstream->uri);
    if (!was_up || connection->has_been)
        pool->setup.connected(pool->setup.context, pool);
    connection->has_been = true;
    dispatch(pool);
}

static void capacity_grew(void *context)
{
    dispatch(((struct connection *)context)->pool);
}

static const struct upstream_events events = {
    .call_ended = call_ended,
    .call_replied = call_replied,
    .call_headers = call_headers,
    .call_received = call_received,
    .call_sent = call_sent,
    .state_changed = state_changed,
    .capacity_grew = capacity_grew,
};

static int find_endpoint(const struct conf_upstream *to, struct endpoint *ret_endpoint,
                         char **ret_error)
{
    char service[sizeof("65535")];
    struct addrinfo *found;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    const struct conf_host *host = to->hosts;
    snprintf(service, sizeof(service), "%u", host->port);
    int result = getaddrinfo(host->host, service, &hints, &found);
    if (result != 0) {
        *ret_error = strdup(gai_strerror(result));
        return -1;
    }
    *ret_endpoint = (struct endpoint){.port = host->port, .length = found->ai_addrlen};
    snprintf(ret_endpoint->host, sizeof(ret_endpoint->host), "%s", host->host);
    memcpy(&ret_endpoint->address, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return 0;
}

static int open_connections(struct pool *pool, char **ret_error)
{
    const struct pool_setup *setup = &pool->setup;
    struct endpoint endpoint;
    if (find_endpoint(setup->database->upstream, &endpoint, ret_error) != 0)
        return -1;
    for (; pool->connection_count < setup->database->pool_size; pool->connection_count++) {
        struct connection *connection = &pool->connections[pool->connection_count];
        connection->pool = pool;
        connection->upstream =
            setup->transport->open(setup->transport, setup->database->upstream, &endpoint,
                                   setup->max_message, &events, connection, ret_error);
        if (!connection->upstream)
            return -1;
    }
    return 0;
}

struct pool *pool_new(const struct pool_setup *setup, char **ret_error)
{
    uint32_t size = setup->database->pool_size;
    struct pool *pool = calloc(1, sizeof(*pool) + size * sizeof(pool->connections[0]));
    if (!pool)
        abort();
    pool->setup = *setup;
    TAILQ_INIT(&pool->queue);
    LIST_INIT(&pool->slots);
    if (credential_open(&setup->database->credential, &pool->credential, ret_error) != 0 ||
        open_connections(pool, ret_error) != 0) {
        pool_free(pool);
        return NULL;
    }
    return pool;
}

/* Slots whose request was cancelled are with the upstream until its end, which does not come any
 * more. */
void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    for (uint32_t i = 0; i < pool->connection_count; i++)
        upstream_close(pool->connections[i].upstream);
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
