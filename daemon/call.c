/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/call.h"

#include <stdio.h>
#include <stdlib.h>

#include "pool/clock.h"
#include "proto/grpc_reply.h"
#include "proto/health.h"

#define SKIPPED_MAX (64u << 10) /* bytes */

void call_list(struct call *call, struct calls *list)
{
    if (call->list)
        TAILQ_REMOVE(call->list, call, link);
    call->list = list;
    if (list)
        TAILQ_INSERT_TAIL(list, call, link);
}

void call_open(struct caller *owner, struct h2_stream *stream)
{
    struct call *call = calloc(1, sizeof(*call));
    if (!call)
        abort();
    call->owner = owner;
    call->stream = stream;
    call->head.keeps_authorization =
        client_asks_token(owner->client) || client_passes_authorization(owner->client);
    STAILQ_INIT(&call->flow.parts);
    h2_stream_set_user(stream, call);
}

/* The database that the call names beside its messages. */
static struct span database_of(const struct call *call)
{
    struct span named = grpc_head_database(&call->head);
    const char *unnamed = client_database(call->owner->client, call->request.rule);
    return named.length > 0 ? named : span_text(unnamed);
}

static void on_answer(struct request *request, const struct outcome *outcome)
{
    struct call *call = (struct call *)request;
    call_answer(call, outcome);
    client_flush_later(call->owner->client);
}

/* The router takes 0 for none. */
static uint32_t timeout_of(const struct grpc_head *head)
{
    return head->timeout < UINT32_MAX ? (uint32_t)head->timeout : UINT32_MAX;
}

void call_question(struct call *call)
{
    struct request *request = &call->request;
    call->state = CALL_ASKED;
    request->method = grpc_head_path(&call->head);
    request->authorization = grpc_head_authorization(&call->head);
    request->database = database_of(call);
    request->metadata = &call->head.metadata;
    request->encoding = call->head.encoding;
    request->timeout = timeout_of(&call->head);
    request->seen = &call->owner->seen;
    client_sign(call->owner->client, request);
    request->answer = on_answer;
}

/* What the client shows is needed for that, and no longer. */
void call_submit(struct call *call)
{
    router_submit(client_owner(call->owner->client)->router, &call->request);
    call->request.authorization = span_of(NULL, 0);
    grpc_head_forget_authorization(&call->head);
}

static const struct call_kind *kind_of(struct span path)
{
    if (span_is(path, HEALTH_CHECK_PATH))
        return &call_health_check;
    if (span_is(path, HEALTH_WATCH_PATH))
        return &call_health_watch;
    const struct rpc *rpc = rpc_find(path);
    return rpc && rpc->status != RPC_STATUS_STREAM ? &call_unary : &call_stream;
}

static void refuse_encoding(struct call *call)
{
    struct metadata accepted = {0};
    metadata_add(&accepted, span_text("grpc-accept-encoding"), span_text(ENCODING_ACCEPTED));
    call_respond(call, &accepted);
    metadata_clear(&accepted);
    call_refuse(call, CODE_UNIMPLEMENTED,
                "messages are compressed by an algorithm that is none of " ENCODING_ACCEPTED);
}

static void refuse_head(struct call *call, enum grpc_head_fault fault)
{
    if (fault == GRPC_HEAD_ENCODING)
        refuse_encoding(call);
    else
        call_blame(call, "grpc-timeout is 1 to 8 digits and one of H, M, S, m, u, n");
}

/* What the daemon answers by itself is for all who are let in. */
static bool is_own_kind(const struct call *call)
{
    return call->kind != &call_unary && call->kind != &call_stream;
}

/* False: the call has been refused. */
static bool is_permitted(struct call *call)
{
    enum code code;
    if (is_own_kind(call)) {
        grpc_head_forget_authorization(&call->head);
        return true;
    }
    const char *refusal = client_permit(call->owner->client, grpc_head_authorization(&call->head),
                                        &call->request.rule, &code);
    if (!client_passes_authorization(call->owner->client))
        grpc_head_forget_authorization(&call->head);
    if (refusal)
        call_refuse(call, code, "%s", refusal);
    return !refusal;
}

void call_begin(struct call *call)
{
    enum code code;
    const char *refusal = client_refusal(call->owner->client, &code);
    enum grpc_head_fault fault = grpc_head_check(&call->head);
    call->request.arrived = clock_now();
    call->begun = true;
    call->owner->open++;
    if (h2_stream_head_too_large(call->stream))
        call_refuse(call, CODE_RESOURCE_EXHAUSTED,
                    "the metadata is larger than limits.http2.max_header_list, %u bytes",
                    caller_conf(call->owner)->limits.http2.max_header_list);
    else if (fault == GRPC_HEAD_TIMEOUT || fault == GRPC_HEAD_ENCODING)
        refuse_head(call, fault);
    else if (refusal)
        call_refuse(call, code, "%s", refusal);
    else if (call->head.has_timeout && call->head.timeout == 0)
        call_refuse(call, CODE_DEADLINE_EXCEEDED, "the request came with no time left");
    if (call->state == CALL_ANSWERED)
        return;
    call->kind = fault == GRPC_HEAD_GOOD ? kind_of(grpc_head_path(&call->head)) : &call_http;
    if (is_permitted(call))
        call->kind->begin(call);
}

/* A message's size is known: it may begin. */
static void size_known(struct call *call)
{
    size_t size = grpc_reader_size(&call->reader);
    uint32_t max = caller_conf(call->owner)->limits.max_message;
    if (size > max)
        call_refuse(call, CODE_RESOURCE_EXHAUSTED,
                    "a message of %zu bytes is larger than max_message, %u", size, max);
    else if (grpc_reader_compressed(&call->reader) && call->head.encoding == ENCODING_IDENTITY)
        call_blame(call, "a message is compressed, but grpc-encoding does not say how");
    else
        call_reserve(call, size);
}

/* Takes bytes up to the next event of the reader. False: that was all. */
static bool take_some(struct call *call, struct span *bytes)
{
    struct blob *message;
    size_t before = bytes->length;
    enum grpc_read read = grpc_reader_take(&call->reader, bytes, &message);
    call->window += before - bytes->length;
    switch (read) {
    case GRPC_READ_MORE:
        return false;
    case GRPC_READ_SIZED:
        size_known(call);
        return true;
    case GRPC_READ_WHOLE:
        call->kind->message(call, message);
        return true;
    case GRPC_READ_BROKEN:
        call_blame(call, "the prefix of a message is not gRPC's: its first byte is 0 or 1");
    }
    return false;
}

void call_give_back(struct call *call)
{
    if (call->is_large || !STAILQ_EMPTY(&call->flow.parts))
        return;
    h2_consume(call->stream, call->window);
    call->window = 0;
}

void call_read(struct call *call, struct span *bytes)
{
    bool more = true;
    while (more && call->state != CALL_ANSWERED && !call_stream_is_full(call))
        more = take_some(call, bytes); /* an empty message ends with its prefix */
}

/* What is not read; of much of it the end is not waited for. */
static void skip(struct call *call, size_t length)
{
    h2_consume(call->stream, length);
    call->window += length;
    if (call->window > SKIPPED_MAX)
        call->kind->ended(call);
}

void call_data(struct call *call, struct span bytes)
{
    if (call->state == CALL_ANSWERED)
        return;
    if (!call->kind->message) {
        skip(call, bytes.length);
        return;
    }
    if (!call->flow.rest)
        call_read(call, &bytes);
    if (call->state == CALL_ANSWERED)
        return;
    call_stream_keep(call, bytes);
    call_give_back(call);
}

void call_ended(struct call *call)
{
    if (call->state == CALL_ANSWERED)
        return;
    if (call->flow.rest)
        call->flow.end_waits = true;
    else if (grpc_reader_busy(&call->reader))
        call_blame(call, "the request ended within a message");
    else
        call->kind->ended(call);
}

static void free_question(struct call *call)
{
    request_timer_stop(&call->request);
    if (call->kind && call->kind->clear)
        call->kind->clear(call);
    call_list(call, NULL);
    blob_unref(call->message);
    blob_unref(call->request.payload);
    call->message = NULL;
    call->request.payload = NULL;
    grpc_reader_clear(&call->reader);
    grpc_head_forget_authorization(&call->head);
    if (call->is_large)
        TAILQ_REMOVE(&call->owner->large, call, large_link);
    call->is_large = false;
    size_t reserved = call->reserved;
    call->reserved = 0;
    caller_release(call->owner, reserved);
}

void call_closed(struct call *call)
{
    if (call->state == CALL_ASKED)
        router_drop(&call->request);
    call->state = CALL_ANSWERED;
    free_question(call);
    call->owner->open -= call->begun;
    call->owner->some_ended = true;
    grpc_head_clear(&call->head);
    free(call);
}

void call_respond(struct call *call, const struct metadata *headers)
{
    struct metadata head = {0};
    if (call->responded)
        return;
    call->responded = true;
    grpc_reply_head(&head, headers);
    h2_respond(call->stream, &head, false);
    metadata_clear(&head);
}

void call_send(struct call *call, struct blob *message)
{
    uint8_t prefix[GRPC_PREFIX_SIZE];
    grpc_prefix_write(prefix, false, message->size);
    call_respond(call, NULL);
    h2_send(call->stream, span_of(prefix, sizeof(prefix)), message);
}

/* One head that is all of the answer. */
static void answer_with_head(struct call *call, const struct outcome *outcome)
{
    struct metadata head = {0};
    grpc_reply_head(&head, NULL);
    grpc_reply_status(&head, outcome->code, outcome->message, outcome->trailers);
    h2_respond(call->stream, &head, true);
    metadata_clear(&head);
}

static void answer_with_trailers(struct call *call, const struct outcome *outcome)
{
    struct metadata trailers = {0};
    call_respond(call, outcome->headers);
    if (outcome->reply)
        call_send(call, outcome->reply);
    grpc_reply_status(&trailers, outcome->code, outcome->message, outcome->trailers);
    h2_finish(call->stream, &trailers);
}

void call_answer(struct call *call, const struct outcome *outcome)
{
    bool has_headers = outcome->headers && outcome->headers->count > 0;
    call->state = CALL_ANSWERED;
    if (call->responded || outcome->reply || has_headers)
        answer_with_trailers(call, outcome);
    else
        answer_with_head(call, outcome);
    free_question(call);
}

static void refuse(struct call *call, enum code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void refuse(struct call *call, enum code code, const char *format, ...)
{
    char message[REQUEST_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    request_message(message, database_of(call), PHASE_ADMISSION, format, arguments);
    va_end(arguments);
    struct outcome outcome = {
        .code = code, .phase = PHASE_ADMISSION, .message = span_text(message)};
    call_answer(call, &outcome);
}

/* Of what the router has, that knows the phase. */
void call_refuse(struct call *call, enum code code, const char *format, ...)
{
    char why[REQUEST_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof(why), format, arguments);
    va_end(arguments);
    if (call->state == CALL_ASKED)
        router_end(&call->request, code, why);
    else
        refuse(call, code, "%s", why);
    client_flush_later(call->owner->client);
}

void call_blame(struct call *call, const char *what)
{
    h2_blame(call->stream);
    call_refuse(call, CODE_INVALID_ARGUMENT, "%s", what);
}
