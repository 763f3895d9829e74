/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of any number of messages, and of methods that nobody knows. Either side gets the next
 * message when the other has taken the last one: what the client may send is bounded by the
 * stream's window, what the upstream may send by what the client takes.
 */
#include <stdlib.h>

#include "daemon/call.h"

/* What a message costs besides its bytes, about. As many may wait as would fill the window then. */
#define PART_COST  128u
#define UNSENT_MAX (64u << 10) /* bytes that wait for the client, before more are asked for */

/* Sends the next message on, or tells that there is none any more. */
static void push(struct call *call)
{
    struct call_part *part = STAILQ_FIRST(&call->flow.parts);
    if (!call->flow.opened || call->flow.sending)
        return;
    if (part) {
        call->flow.sending = true;
        pool_send(&call->request, part->message, part->compressed);
    } else if (call->flow.client_ended && !call->flow.finished) {
        call->flow.finished = true;
        pool_finish(&call->request);
    }
}

static void opened(struct request *request)
{
    struct call *call = (struct call *)request;
    call->flow.opened = true;
    pool_receive(request);
    push(call);
}

static void headers(struct request *request, const struct metadata *metadata)
{
    struct call *call = (struct call *)request;
    call_respond(call, metadata);
    client_flush_later(call->owner->client);
}

static void received(struct request *request, struct blob *blob)
{
    struct call *call = (struct call *)request;
    call_send(call, blob);
    if (h2_stream_unsent(call->stream) < UNSENT_MAX)
        pool_receive(request);
    else
        call_list(call, &call->owner->full);
    client_flush_later(call->owner->client);
}

bool call_stream_go_on(struct caller *owner)
{
    bool any = false;
    struct call *call;
    struct call *following;
    for (call = TAILQ_FIRST(&owner->full); call; call = following) {
        following = TAILQ_NEXT(call, link);
        if (h2_stream_unsent(call->stream) >= UNSENT_MAX)
            continue;
        call_list(call, NULL);
        pool_receive(&call->request);
        any = true;
    }
    return any;
}

static void drop_first(struct call *call)
{
    struct call_part *part = STAILQ_FIRST(&call->flow.parts);
    STAILQ_REMOVE_HEAD(&call->flow.parts, link);
    call->flow.part_count--;
    size_t reserved = part->reserved;
    blob_unref(part->message);
    free(part);
    caller_release(call->owner, reserved);
}

bool call_stream_is_full(const struct call *call)
{
    return call->flow.part_count >=
           caller_conf(call->owner)->limits.http2.stream_window / PART_COST;
}

/* What is unread is at most a window, as nothing of it is given back; what is read leaves. */
void call_stream_keep(struct call *call, struct span bytes)
{
    struct blob *rest = call->flow.rest;
    if (bytes.length == 0)
        return;
    size_t unread = rest ? rest->size - call->flow.rest_read : 0;
    if (unread > 0)
        memmove(rest->data, rest->data + call->flow.rest_read, unread);
    rest = rest ? blob_resize(rest, unread + bytes.length) : blob_new(bytes.length);
    if (!rest)
        abort();
    memcpy(rest->data + unread, bytes.at, bytes.length);
    call->flow.rest = rest;
    call->flow.rest_read = 0;
}

static void drop_rest(struct call *call)
{
    blob_unref(call->flow.rest);
    call->flow.rest = NULL;
    call->flow.rest_read = 0;
}

/* Some have been sent: reads on in what was kept. */
static void read_rest(struct call *call)
{
    struct blob *rest = call->flow.rest;
    if (!rest)
        return;
    struct span bytes =
        span_of(rest->data + call->flow.rest_read, rest->size - call->flow.rest_read);
    call_read(call, &bytes);
    if (call->state == CALL_ANSWERED)
        return;
    call->flow.rest_read = rest->size - bytes.length;
    if (bytes.length > 0)
        return;
    drop_rest(call);
    if (call->flow.end_waits)
        call_ended(call);
}

static void sent(struct request *request)
{
    struct call *call = (struct call *)request;
    call->flow.sending = false;
    h2_consume(call->stream, STAILQ_FIRST(&call->flow.parts)->window);
    drop_first(call);
    read_rest(call);
    if (call->state == CALL_ANSWERED)
        return;
    call_give_back(call);
    push(call);
    client_flush_later(call->owner->client);
}

static const struct request_stream events = {
    .opened = opened,
    .headers = headers,
    .received = received,
    .sent = sent,
};

static void begin(struct call *call)
{
    call_question(call);
    call->request.stream = &events;
    call_submit(call);
}

static void message(struct call *call, struct blob *blob)
{
    struct call_part *part = calloc(1, sizeof(*part));
    if (!part)
        abort();
    part->message = blob;
    part->compressed = grpc_reader_compressed(&call->reader);
    part->window = call->reserved > 0 ? 0 : call->window;
    part->reserved = call->reserved;
    if (call->reserved > 0)
        h2_consume(call->stream, call->window);
    call->window = 0;
    call->reserved = 0;
    STAILQ_INSERT_TAIL(&call->flow.parts, part, link);
    call->flow.part_count++;
    push(call);
}

static void ended(struct call *call)
{
    call->flow.client_ended = true;
    push(call);
}

static void clear(struct call *call)
{
    while (!STAILQ_EMPTY(&call->flow.parts))
        drop_first(call);
    drop_rest(call);
}

const struct call_kind call_stream = {
    .begin = begin, .message = message, .ended = ended, .clear = clear};
