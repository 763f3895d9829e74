/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of one message each way. */
#include <stdlib.h>

#include "daemon/call.h"
#include "pool/clock.h"

/* Calls of one client that are asked without a thought for their replies, and replies that may come
 * at once of those beyond: how large one is nobody knows before. */
#define ASKED_FREELY  16u
#define TAKEN_AT_ONCE 16u
#define PATIENCE      5000 /* ms that replies wait for a client that takes nothing */

static void begin(struct call *call)
{
    call_list(call, &call->owner->fresh);
}

/* A client that does not take its answers gets no more of them. */
static bool is_behind(const struct caller *owner)
{
    return h2_unsent(owner->h2) >= CLIENT_OUTPUT_HIGH;
}

static void take(struct call *call)
{
    call_list(call, NULL);
    call->owner->taking += !call->taking;
    call->taking = true;
    pool_take(&call->request);
}

/* Those first that wait longest. False: there is none that may come. */
static bool take_replies(struct caller *owner)
{
    bool any = false;
    struct call *call;
    while (owner->taking < TAKEN_AT_ONCE && !is_behind(owner) &&
           (call = TAILQ_FIRST(&owner->replied))) {
        take(call);
        any = true;
    }
    return any;
}

static void patience_ends(evutil_socket_t fd, short what, void *argument);

static void start_patience(struct caller *owner)
{
    const struct timeval time = {.tv_sec = PATIENCE / 1000};
    if (TAILQ_EMPTY(&owner->replied))
        return;
    if (!owner->patience)
        owner->patience = evtimer_new(client_owner(owner->client)->loop, patience_ends, owner);
    if (!owner->patience)
        abort();
    if (!event_pending(owner->patience, EV_TIMEOUT, NULL))
        event_add(owner->patience, &time);
}

/* Calls whose reply waits hold slots of the pool. A client that takes nothing does not keep them
 * from others for long. */
static void patience_ends(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct caller *owner = argument;
    struct call *call;
    while (client_stuck_for(owner->client) >= PATIENCE && (call = TAILQ_FIRST(&owner->replied)))
        call_refuse(
            call, CODE_RESOURCE_EXHAUSTED,
            "the upstream has answered, but the client has taken nothing of its answers for "
            "%d ms",
            PATIENCE);
    start_patience(owner);
}

void call_unary_close(struct caller *owner)
{
    if (owner->patience)
        event_free(owner->patience);
}

static void replied(struct request *request)
{
    struct call *call = (struct call *)request;
    struct caller *owner = call->owner;
    call_list(call, &owner->replied);
    if (call->taking)
        take(call);
    else
        take_replies(owner);
    start_patience(owner);
}

static void set_message(struct call *call)
{
    const struct caller *owner = call->owner;
    const struct h2_limits *limits = &caller_conf(owner)->limits.http2;
    struct request *request = &call->request;
    request->payload = call->message;
    request->body = blob_span(call->message);
    call->message = NULL;
    if (!grpc_reader_compressed(&call->reader))
        request->encoding = ENCODING_IDENTITY;
    bool has_room = owner->unpacked + limits->stream_window < limits->max_buffered;
    request->unpack_max = has_room ? limits->max_buffered - owner->unpacked : limits->stream_window;
}

/* A message that was unpacked, and goes on so. */
static void count_unpacked(struct call *call, const struct blob *packed)
{
    if (call->state != CALL_ASKED || call->request.payload == packed)
        return;
    call->unpacked = call->request.payload->size;
    call->owner->unpacked += call->unpacked;
}

/* The time of a call that was held and named none begins now. */
static void ask(struct call *call)
{
    struct request *request = &call->request;
    const struct blob *packed = call->message;
    request_timer_stop(request);
    call_list(call, NULL);
    if (call->state == CALL_HELD && !call->head.has_timeout)
        request->arrived = clock_now();
    call_question(call);
    set_message(call);
    if (call->owner->asked >= ASKED_FREELY)
        request->replied = replied;
    call->owner->asked++;
    call->counted = true;
    call_submit(call);
    count_unpacked(call, packed);
}

static void time_is_up(evutil_socket_t fd, short what, void *argument);

static void start_timer(struct call *call, int64_t at)
{
    request_timer(&call->request, client_owner(call->owner->client)->loop, at, time_is_up);
}

void call_unary_wait(struct call *call)
{
    int64_t at = clock_now() + caller_conf(call->owner)->limits.frame_timeout;
    int64_t deadline = call->request.arrived + call->head.timeout;
    if (call->state != CALL_RECEIVING)
        return;
    start_timer(call, call->head.has_timeout && deadline < at ? deadline : at);
}

static void hold(struct call *call)
{
    call->state = CALL_HELD;
    call_list(call, &call->owner->held);
    bool timed = call->head.has_timeout;
    int64_t limit = caller_conf(call->owner)->limits.stall_timeout;
    start_timer(call, timed ? call->request.arrived + call->head.timeout : clock_now() + limit);
}

static void submit(struct call *call)
{
    if (is_behind(call->owner) || !TAILQ_EMPTY(&call->owner->held))
        hold(call);
    else
        ask(call);
}

static void message(struct call *call, struct blob *blob)
{
    if (call->state == CALL_RECEIVING && !call->message) {
        call->message = blob;
        call_list(call, &call->owner->fresh);
        return;
    }
    blob_unref(blob);
    call_blame(call, "more than one message in a request of this method");
}

static void ended(struct call *call)
{
    if (call->state != CALL_RECEIVING)
        return;
    if (call->message)
        submit(call);
    else
        call_blame(call, "a request without a message");
}

static void clear(struct call *call)
{
    call->owner->asked -= call->counted;
    call->owner->taking -= call->taking;
    call->owner->unpacked -= call->unpacked;
    call->unpacked = 0;
    call->counted = false;
    call->taking = false;
}

const struct call_kind call_unary = {
    .begin = begin, .message = message, .ended = ended, .clear = clear};

/* The client's own deadline, or else the time that a message may take to come. */
static bool is_dead(const struct call *call)
{
    return call->head.has_timeout && clock_now() >= call->request.arrived + call->head.timeout;
}

static void time_is_up(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct call *call = argument;
    if (!call->kind->message)
        call->kind->ended(call);
    else if (call->state == CALL_HELD)
        call_refuse(call, call->head.has_timeout ? CODE_DEADLINE_EXCEEDED : CODE_RESOURCE_EXHAUSTED,
                    "held back for too long: the client does not take the answers it has");
    else if (is_dead(call))
        call_refuse(call, CODE_DEADLINE_EXCEEDED,
                    "the deadline passed before the request was whole");
    else if (call->is_large)
        call_refuse(call, CODE_RESOURCE_EXHAUSTED,
                    "no room for the message within limits.frame_timeout: others of this "
                    "connection take limits.http2.max_buffered, %u bytes",
                    caller_conf(call->owner)->limits.http2.max_buffered);
    else
        call_refuse(call, CODE_DEADLINE_EXCEEDED,
                    "the request was not whole within limits.frame_timeout");
}

/* Whether the client has ended its side does not matter, gRPC's servers do not wait for that
 * either: Node's SDK never does when it tries a call again. */
void call_unary_turn(struct caller *owner)
{
    struct call *call;
    while ((call = TAILQ_FIRST(&owner->fresh))) {
        call_list(call, NULL);
        if (call->message && !grpc_reader_busy(&call->reader))
            submit(call);
        else
            call_unary_wait(call);
    }
}

bool call_unary_go_on(struct caller *owner)
{
    bool any = take_replies(owner);
    struct call *call;
    while (h2_unsent(owner->h2) <= CLIENT_OUTPUT_LOW && (call = TAILQ_FIRST(&owner->held))) {
        ask(call);
        any = true;
    }
    return any;
}
