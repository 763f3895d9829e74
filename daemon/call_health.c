/* SPDX-License-Identifier: Apache-2.0 */
/* grpc.health.v1.Health, for the daemon itself: it serves until it drains, whatever its upstreams
 * do. */
#include "proto/health.h"

#include "daemon/call.h"

#define SERVICE     "milvus.proto.milvus.MilvusService"
#define REQUEST_MAX 4096 /* bytes of a request, unpacked */

/* The message, which may be compressed, unpacked; NULL: it cannot be. Takes it over. */
static struct blob *unpack(const struct call *call, struct blob *message)
{
    struct blob *unpacked = NULL;
    if (!grpc_reader_compressed(&call->reader))
        return message;
    if (encoding_inflate(blob_span(message), call->head.encoding, REQUEST_MAX, &unpacked) !=
        INFLATE_WHOLE)
        unpacked = NULL;
    blob_unref(message);
    return unpacked;
}

/* Takes the message over. False: the call has been refused. */
static bool read_service(struct call *call, struct blob *packed, bool *ret_known)
{
    struct span service;
    struct blob *message = unpack(call, packed);
    bool read = message && health_read_request(blob_span(message), &service);
    *ret_known = read && (service.length == 0 || span_is(service, SERVICE));
    blob_unref(message);
    if (!read)
        call_blame(call, "no HealthCheckRequest");
    return read;
}

static enum health current(const struct call *call)
{
    return client_owner(call->owner->client)->draining ? HEALTH_NOT_SERVING : HEALTH_SERVING;
}

static void begin(struct call *call)
{
    call_list(call, &call->owner->fresh);
}

static void check(struct call *call, struct blob *message)
{
    bool known;
    if (!read_service(call, message, &known))
        return;
    if (!known) {
        call_refuse(call, CODE_NOT_FOUND, "no such service; \"\" and \"" SERVICE "\" are");
        return;
    }
    struct outcome outcome = {.code = CODE_OK, .reply = health_response(current(call))};
    call_answer(call, &outcome);
    blob_unref(outcome.reply);
}

static void tell(struct call *call, enum health health)
{
    struct blob *response = health_response(health);
    call_send(call, response);
    blob_unref(response);
}

static bool is_watching(const struct call *call)
{
    return call->list == &call->owner->watching;
}

static void watch(struct call *call, struct blob *message)
{
    bool known;
    if (!read_service(call, message, &known))
        return;
    if (is_watching(call)) {
        call_blame(call, "more than one message in a request of this method");
        return;
    }
    call->serves = known;
    request_timer_stop(&call->request);
    call_list(call, &call->owner->watching);
    call->owner->watchers++;
    tell(call, known ? current(call) : HEALTH_SERVICE_UNKNOWN);
}

static void clear_watch(struct call *call)
{
    call->owner->watchers -= is_watching(call);
}

void call_health_drain(struct caller *owner, bool last)
{
    struct call *call;
    struct call *following;
    for (call = TAILQ_FIRST(&owner->watching); call; call = following) {
        following = TAILQ_NEXT(call, link);
        if (last)
            call_refuse(call, CODE_UNAVAILABLE, "the daemon drains; open a new connection");
        else if (call->serves)
            tell(call, HEALTH_NOT_SERVING);
    }
}

static void ended(struct call *call)
{
    if (!is_watching(call))
        call_blame(call, "a request without a message");
}

const struct call_kind call_health_check = {.begin = begin, .message = check, .ended = ended};
const struct call_kind call_health_watch = {
    .begin = begin, .message = watch, .ended = ended, .clear = clear_watch};
