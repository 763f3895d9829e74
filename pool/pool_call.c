/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "pool/clock.h"
#include "pool/pool_state.h"

/* How often a request is sent again that the server certainly did not begin. A peer that closes its
 * connections every few requests refuses the same one more than once. */
#define REPEATS_MAX 8

#define DEADLINE_SLACK 20 /* ms by which clocks on both sides differ */

/* ---- how they begin ---- */

static void deadline_fired(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct request *request = argument;
    pool_cancel(request->pool, request);
    pool_fail_deadline(request, PHASE_UPSTREAM);
}

struct upstream_message pool_message(const struct request *request)
{
    return (struct upstream_message){
        .path = request->path,
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
}

struct pool_slot *pool_start(struct pool *pool, struct server *server,
                             struct upstream_message *message, uint32_t count)
{
    struct pool_slot *slot = malloc(sizeof(*slot) + count * sizeof(struct pool_part));
    if (!slot)
        abort();
    *slot = (struct pool_slot){.pool = pool, .server = server};
    message->authorization = login_begin(pool->login, message->stream, clock_now(), &slot->pass);
    pool->in_flight++;
    LIST_INSERT_HEAD(&pool->slots, slot, link);
    slot->call = upstream_start(server_begin(server), message, slot);
    return slot;
}

void pool_put(struct pool_slot *slot, struct request *request, uint32_t vectors)
{
    slot->parts[slot->count] = (struct pool_part){request, vectors};
    request->slot = slot;
    request->part = slot->count++;
    slot->wanted++;
    request->state = REQUEST_WIRE;
    request_timer(request, slot->pool->setup.loop, request->deadline, deadline_fired);
}

void pool_send_alone(struct pool *pool, struct server *server, struct request *request)
{
    struct upstream_message message = pool_message(request);
    pool_put(pool_start(pool, server, &message, 1), request, 0);
    if (request->stream)
        request->stream->opened(request);
}

/* ---- how they end ---- */

/* Of a stream messages may be gone already, so it is its maker's to begin it anew. */
static bool may_repeat(const struct pool *pool, struct request *request, enum login_verdict verdict,
                       const struct upstream_end *end)
{
    if (request->stream || request->repeats >= REPEATS_MAX || clock_now() >= request->deadline)
        return false;
    if (pool->away && pool_is_impatient(request))
        return false;
    return verdict == LOGIN_REPEAT || end->unstarted;
}

static void finish_local(struct pool *pool, struct request *request, const struct upstream_end *end)
{
    const struct conf_upstream *upstream = pool->setup.database->upstream;
    if (end->code == CODE_DEADLINE_EXCEEDED)
        pool_fail_deadline(request, PHASE_UPSTREAM);
    else if (end->unstarted)
        request_fail(request, CODE_UNAVAILABLE, PHASE_CONNECT,
                     "upstream %s (%s) did not take the request: %.*s", upstream->name,
                     pool_uri(pool), SPAN_ARGS(end->message));
    else
        request_fail(request, end->code, PHASE_UPSTREAM, "upstream %s (%s): %.*s", upstream->name,
                     pool_uri(pool), SPAN_ARGS(end->message));
}

/* The upstream is told what is left of the time, and may notice its end before we do. */
static bool is_deadline(const struct request *request, const struct upstream_end *end)
{
    return end->code == CODE_DEADLINE_EXCEEDED && request->deadline - clock_now() <= DEADLINE_SLACK;
}

void pool_finish_request(struct pool *pool, struct request *request, const struct upstream_end *end)
{
    if (!end->from_peer || is_deadline(request, end)) {
        finish_local(pool, request, end);
        return;
    }
    if (end->code == CODE_UNAUTHENTICATED && !pool_is_clients(pool)) {
        pool_fail_refused(pool, request);
        return;
    }
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

struct request *pool_take_part(struct pool_slot *slot, uint32_t part)
{
    struct request *request = slot->parts[part].request;
    if (!request)
        return NULL;
    slot->parts[part].request = NULL;
    slot->wanted--;
    request->slot = NULL;
    request->state = REQUEST_IDLE;
    request_timer_stop(request);
    return request;
}

static void end_alone(struct pool_slot *slot, enum login_verdict verdict,
                      const struct upstream_end *end)
{
    struct pool *pool = slot->pool;
    struct request *request = pool_take_part(slot, 0);
    if (request && may_repeat(pool, request, verdict, end)) {
        request->repeats++;
        pool_wait(pool, request);
        servers_want(pool->servers);
    } else if (request) {
        pool_finish_request(pool, request, end);
    }
}

static void call_ended(void *context, const struct upstream_end *end)
{
    struct pool_slot *slot = context;
    struct pool *pool = slot->pool;
    enum login_verdict verdict = login_ended(pool->login, &slot->pass, end, clock_now());
    slot->call = NULL;
    server_ended(slot->server, end->unstarted);
    pool->in_flight--;
    LIST_REMOVE(slot, link);
    if (slot->count > 1)
        pool_end_bundle(slot, end);
    else
        end_alone(slot, verdict, end);
    if (slot->bundle)
        merge_ended(pool->merge, slot->bundle);
    free(slot);
    pool_heed_login(pool);
    pool_dispatch(pool);
}

/* Of a cancelled request the end is all that is wanted. */
static void call_replied(void *context)
{
    struct pool_slot *slot = context;
    struct request *request = slot->parts[0].request;
    if (request)
        request->replied(request);
    else
        upstream_take(server_upstream(slot->server), slot->call);
}

/* What happens to a stream whose request was cancelled is nobody's business any more. */
static struct request *stream_of(struct pool_slot *slot)
{
    return slot->parts[0].request;
}

static void call_headers(void *context, const struct metadata *headers)
{
    struct request *request = stream_of(context);
    if (request)
        request->stream->headers(request, headers);
}

static void call_received(void *context, struct blob *message)
{
    struct request *request = stream_of(context);
    if (request)
        request->stream->received(request, message);
}

static void call_sent(void *context)
{
    struct request *request = stream_of(context);
    if (request)
        request->stream->sent(request);
}

const struct upstream_events pool_call_events = {
    .call_ended = call_ended,
    .call_replied = call_replied,
    .call_headers = call_headers,
    .call_received = call_received,
    .call_sent = call_sent,
};

/* ---- what is done to them meanwhile ---- */

void pool_give_up(struct request *request)
{
    struct pool_slot *slot = request->slot;
    pool_take_part(slot, request->part);
    if (slot->wanted == 0 && slot->call)
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
