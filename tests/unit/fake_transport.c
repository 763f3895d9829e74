/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_transport.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "pool/clock.h"

#define PATIENCE 10000 /* ms */

static void copy_text(char *to, size_t room, struct span text)
{
    cr_assert_lt(text.length, room);
    if (text.length > 0)
        memcpy(to, text.at, text.length);
    to[text.length] = '\0';
}

static void copy_metadata(char *to, size_t room, const struct metadata *metadata)
{
    struct metadata_item item;
    *to = '\0';
    for (size_t at = 0; metadata_next(metadata, &at, &item);) {
        int length = snprintf(to, room, "%.*s=%.*s;", SPAN_ARGS(item.name), SPAN_ARGS(item.value));
        cr_assert_lt((size_t)length, room);
        to += length;
        room -= (size_t)length;
    }
}

static struct blob *join(struct span body, struct span tail)
{
    struct blob *message = blob_new(body.length + tail.length);
    if (body.length > 0)
        memcpy(message->data, body.at, body.length);
    if (tail.length > 0)
        memcpy(message->data + body.length, tail.at, tail.length);
    return message;
}

static struct upstream_call *start(struct upstream *upstream,
                                   const struct upstream_message *message, void *context)
{
    struct fake_connection *connection = (struct fake_connection *)upstream;
    struct fake_transport *fake = connection->transport;
    cr_assert_lt(fake->call_count, FAKE_CALLS);
    cr_assert_not(connection->closed);
    struct fake_call *call = &fake->calls[fake->call_count++];
    *call = (struct fake_call){
        .connection = (size_t)(connection - fake->connections),
        .context = context,
        .message = message->stream ? NULL : join(message->body, blob_span(message->tail)),
        .encoding = message->encoding,
        .deadline = message->deadline,
        .held = message->held,
        .stream = message->stream,
    };
    cr_assert(message->encoding == ENCODING_IDENTITY || !message->tail);
    copy_metadata(call->metadata, sizeof(call->metadata), message->metadata);
    copy_text(call->path, sizeof(call->path), span_text(message->path));
    copy_text(call->authorization, sizeof(call->authorization), message->authorization);
    copy_text(call->database, sizeof(call->database), message->database);
    return (struct upstream_call *)call;
}

/* The call that a verb is for, which has not ended. */
static struct fake_call *call_on(struct upstream *upstream, struct upstream_call *of)
{
    struct fake_call *call = (struct fake_call *)of;
    struct fake_connection *connection = (struct fake_connection *)upstream;
    cr_assert_eq(&connection->transport->connections[call->connection], connection);
    cr_assert_not(connection->closed);
    cr_assert_not(call->ended);
    return call;
}

/* The same, and the rules allow the verb now. */
static struct fake_call *verb_on(struct upstream *upstream, struct upstream_call *of)
{
    struct fake_call *call = call_on(upstream, of);
    cr_assert_not(call->cancelled);
    return call;
}

static struct fake_call *stream_verb_on(struct upstream *upstream, struct upstream_call *of)
{
    struct fake_call *call = verb_on(upstream, of);
    cr_assert(call->stream);
    return call;
}

static void send_message(struct upstream *upstream, struct upstream_call *of, struct blob *message,
                         bool compressed)
{
    struct fake_call *call = stream_verb_on(upstream, of);
    cr_assert_not(call->sending, "the last message has not been taken");
    cr_assert_not(call->finished);
    blob_unref(call->message);
    call->message = blob_ref(message);
    call->compressed = compressed;
    call->sending = true;
    call->messages++;
}

static void finish(struct upstream *upstream, struct upstream_call *of)
{
    struct fake_call *call = stream_verb_on(upstream, of);
    cr_assert_not(call->sending, "the last message has not been taken");
    cr_assert_not(call->finished);
    call->finished = true;
}

static void receive(struct upstream *upstream, struct upstream_call *of)
{
    struct fake_call *call = stream_verb_on(upstream, of);
    cr_assert_not(call->asked, "one has been asked for already");
    call->asked = true;
}

/* Also of a cancelled call that had not replied by then. */
static void take(struct upstream *upstream, struct upstream_call *of)
{
    struct fake_call *call = call_on(upstream, of);
    cr_assert(call->replied, "its reply has not begun");
    cr_assert_not(call->taken, "it is taken already");
    call->taken = true;
}

/* A reply that waits is taken with it. */
static void cancel(struct upstream *upstream, struct upstream_call *of)
{
    struct fake_call *call = verb_on(upstream, of);
    call->cancelled = true;
    call->taken = call->taken || call->replied;
}

static void hurry(struct upstream *upstream)
{
    ((struct fake_connection *)upstream)->hurried++;
}

static void close_connection(struct upstream *upstream)
{
    struct fake_connection *connection = (struct fake_connection *)upstream;
    cr_assert_not(connection->closed);
    connection->closed = true;
    connection->transport->closed_count++;
}

static const struct upstream_verbs verbs = {
    .start = start,
    .send = send_message,
    .finish = finish,
    .receive = receive,
    .take = take,
    .cancel = cancel,
    .hurry = hurry,
    .close = close_connection,
};

static struct upstream *open_connection(struct transport *transport, const struct conf_upstream *to,
                                        const struct endpoint *endpoint, uint32_t max_message,
                                        const struct upstream_events *events, void *context,
                                        char **ret_error)
{
    (void)to, (void)max_message;
    struct fake_transport *fake = (struct fake_transport *)transport;
    if (fake->open_error) {
        *ret_error = strdup(fake->open_error);
        return NULL;
    }
    cr_assert_lt(fake->connection_count, FAKE_CONNECTIONS);
    struct fake_connection *connection = &fake->connections[fake->connection_count++];
    *connection = (struct fake_connection){
        .upstream = {.verbs = &verbs, .state = UPSTREAM_CONNECTING, .capacity = UINT32_MAX},
        .transport = fake,
        .endpoint = *endpoint,
        .events = events,
        .context = context,
    };
    return &connection->upstream;
}

void fake_open(struct fake_transport *fake)
{
    *fake = (struct fake_transport){.transport = {.open = open_connection}};
}

void fake_close(struct fake_transport *fake)
{
    for (size_t i = 0; i < fake->connection_count; i++)
        cr_expect(fake->connections[i].closed, "connection %zu is still open", i);
    for (size_t i = 0; i < fake->call_count; i++)
        blob_unref(fake->calls[i].message);
    endpoints_free(fake->endpoints);
    resolver_free(fake->resolver);
}

struct endpoints *fake_endpoints(struct fake_transport *fake, struct event_base *loop,
                                 struct logger *logger, const struct conf_upstream *upstream)
{
    fake->resolver = resolver_new(loop, "/dev/null", "/dev/null");
    fake->endpoints = endpoints_new(&(struct endpoints_setup){.loop = loop,
                                                              .resolver = fake->resolver,
                                                              .logger = logger,
                                                              .upstream = upstream,
                                                              .period = PATIENCE});
    return fake->endpoints;
}

void fake_state(struct fake_transport *fake, size_t at, enum upstream_state state)
{
    struct fake_connection *connection = &fake->connections[at];
    cr_assert_not(connection->closed);
    connection->upstream.state = state;
    connection->events->state_changed(connection->context, state,
                                      state == UPSTREAM_DOWN ? "connection refused" : NULL);
}

void fake_all_ready(struct fake_transport *fake)
{
    for (size_t i = 0; i < fake->connection_count; i++)
        fake_state(fake, i, UPSTREAM_READY);
}

void fake_others_ready(struct fake_transport *fake)
{
    for (size_t i = 0; i < fake->connection_count; i++) {
        if (!fake->connections[i].closed && fake->connections[i].upstream.state != UPSTREAM_READY)
            fake_state(fake, i, UPSTREAM_READY);
    }
}

void fake_capacity(struct fake_transport *fake, size_t at, uint32_t capacity)
{
    struct fake_connection *connection = &fake->connections[at];
    bool grew = capacity > connection->upstream.capacity;
    connection->upstream.capacity = capacity;
    if (grew)
        connection->events->capacity_grew(connection->context);
}

/* A call of which something may be told. */
static struct fake_call *event_of(struct fake_transport *fake, size_t at,
                                  const struct upstream_events **ret_events)
{
    cr_assert_lt(at, fake->call_count, "there is no call %zu", at);
    struct fake_call *call = &fake->calls[at];
    struct fake_connection *connection = &fake->connections[call->connection];
    cr_assert_not(call->ended, "call %zu has ended", at);
    cr_assert_not(connection->closed);
    *ret_events = connection->events;
    return call;
}

void fake_replied(struct fake_transport *fake, size_t at)
{
    const struct upstream_events *events;
    struct fake_call *call = event_of(fake, at, &events);
    cr_assert(call->held, "call %zu is not held", at);
    cr_assert_not(call->replied);
    call->replied = true;
    events->call_replied(call->context);
}

void fake_end(struct fake_transport *fake, size_t at, struct upstream_end end)
{
    const struct upstream_events *events;
    struct fake_call *call = event_of(fake, at, &events);
    cr_assert(call->taken || !call->held, "the reply of call %zu has not been taken", at);
    call->ended = true;
    events->call_ended(call->context, &end);
}

void fake_headers(struct fake_transport *fake, size_t at, const char *name, const char *value)
{
    const struct upstream_events *events;
    struct fake_call *call = event_of(fake, at, &events);
    struct metadata headers = {0};
    metadata_add(&headers, span_text(name), span_text(value));
    events->call_headers(call->context, &headers);
    metadata_clear(&headers);
}

void fake_message(struct fake_transport *fake, size_t at, struct span bytes)
{
    const struct upstream_events *events;
    struct fake_call *call = event_of(fake, at, &events);
    cr_assert(call->asked, "call %zu has not been asked for a message", at);
    struct blob *message = blob_copy(bytes);
    call->asked = false;
    events->call_received(call->context, message);
    blob_unref(message);
}

void fake_taken(struct fake_transport *fake, size_t at)
{
    const struct upstream_events *events;
    struct fake_call *call = event_of(fake, at, &events);
    cr_assert(call->sending, "call %zu has nothing to take", at);
    call->sending = false;
    events->call_sent(call->context);
}

void fake_reply(struct fake_transport *fake, size_t call, struct span bytes)
{
    struct blob *reply = blob_copy(bytes);
    fake_end(fake, call, (struct upstream_end){.reply = reply, .from_peer = true});
    blob_unref(reply);
}

void fake_refuse(struct fake_transport *fake, size_t call, enum code code)
{
    fake_end(fake, call,
             (struct upstream_end){
                 .code = code, .message = span_text("said the server"), .from_peer = true});
}

void fake_break(struct fake_transport *fake, size_t call, enum code code, bool unstarted)
{
    fake_end(fake, call,
             (struct upstream_end){
                 .code = code, .message = span_text("broken pipe"), .unstarted = unstarted});
}

void ask_text(struct ask *ask, struct wire_path field, const char *text)
{
    struct span value = span_text(text);
    cr_assert_leq(wire_override_bound(value.length), sizeof(ask->bytes) - ask->length);
    ask->length += wire_override(ask->bytes + ask->length, field, value);
}

void ask_number(struct ask *ask, uint16_t field, uint64_t value)
{
    ask->length += wire_put_varint(ask->bytes + ask->length, field, value);
}

static void answered(struct request *request, const struct outcome *outcome)
{
    struct ask *ask = (struct ask *)request;
    ask->answers++;
    ask->code = outcome->code;
    ask->phase = outcome->phase;
    copy_text(ask->message, sizeof(ask->message), outcome->message);
    if (!request->stream)
        copy_metadata(ask->headers, sizeof(ask->headers), outcome->headers);
    copy_metadata(ask->trailers, sizeof(ask->trailers), outcome->trailers);
    blob_unref(ask->reply);
    ask->reply = blob_ref(outcome->reply);
    if (ask->on_answer)
        ask->on_answer(ask);
}

void ask_make(struct ask *ask, const char *method)
{
    struct request *request = &ask->request;
    request->method = span_text(method);
    request->payload = ask->length > 0 ? blob_copy(span_of(ask->bytes, ask->length)) : NULL;
    request->body = blob_span(request->payload);
    request->answer = answered;
}

static void replied(struct request *request)
{
    struct ask *ask = (struct ask *)request;
    ask->replied++;
    if (ask->on_replied)
        ask->on_replied(ask);
}

void ask_held(struct ask *ask, const char *method)
{
    ask_make(ask, method);
    ask->request.replied = replied;
}

static void opened(struct request *request)
{
    struct ask *ask = (struct ask *)request;
    ask->opened++;
    if (ask->on_opened)
        ask->on_opened(ask);
}

static void headers(struct request *request, const struct metadata *metadata)
{
    struct ask *ask = (struct ask *)request;
    ask->headers_count++;
    copy_metadata(ask->headers, sizeof(ask->headers), metadata);
}

static void received(struct request *request, struct blob *message)
{
    struct ask *ask = (struct ask *)request;
    ask->received++;
    copy_text(ask->last, sizeof(ask->last), blob_span(message));
}

static void sent(struct request *request)
{
    ((struct ask *)request)->sent++;
}

void ask_stream(struct ask *ask, const char *method)
{
    static const struct request_stream stream = {opened, headers, received, sent};
    ask_make(ask, method);
    ask->request.stream = &stream;
}

void ask_admit(struct ask *ask, struct pool *pool, const char *database, int64_t timeout)
{
    struct request *request = &ask->request;
    request->rpc = rpc_find(request->method);
    request->path = request->rpc ? request->rpc->path : "/unknown";
    request->named = span_text(database);
    request->upstream_name = request->named;
    request->pool = pool;
    request->deadline = clock_now() + timeout;
    request->ended = answered;
}

void ask_free(struct ask *ask)
{
    cr_expect_eq(ask->request.state, REQUEST_IDLE, "a request is still under way");
    if (ask->request.state != REQUEST_IDLE)
        return; /* others still point to it */
    blob_unref(ask->request.payload);
    blob_unref(ask->reply);
    *ask = (struct ask){0};
}

void expect_reply(const struct ask *ask, struct span reply)
{
    cr_assert_eq(ask->answers, 1, "%zu answers", ask->answers);
    cr_expect_eq(ask->code, CODE_OK, "%s: %s", code_name(ask->code), ask->message);
    cr_expect_eq(ask->phase, PHASE_NONE);
    cr_expect_str_eq(ask->message, "");
    cr_expect(span_equal(blob_span(ask->reply), reply), "another reply");
}

void expect_failure(const struct ask *ask, enum code code, enum phase phase, const char *text)
{
    cr_assert_eq(ask->answers, 1, "%zu answers", ask->answers);
    cr_expect_eq(ask->code, code, "%s: %s", code_name(ask->code), ask->message);
    cr_expect_eq(ask->phase, phase, "%s: %s", phase_name(ask->phase), ask->message);
    cr_expect(strstr(ask->message, text), "\"%s\" without \"%s\"", ask->message, text);
    cr_expect_null(ask->reply);
}

static void on_patience(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    *(bool *)argument = true;
}

/* Runs the loop until the counter is there or the time is over. */
static bool run(struct event_base *loop, int64_t time, const size_t *counter, size_t value)
{
    bool over = false;
    struct timeval wait = {.tv_sec = time / 1000, .tv_usec = time % 1000 * 1000};
    struct event *limit = event_new(loop, -1, 0, on_patience, &over);
    event_add(limit, &wait);
    while (!over && *counter < value)
        event_base_loop(loop, EVLOOP_ONCE);
    event_free(limit);
    return !over;
}

void run_until(struct event_base *loop, const size_t *counter, size_t value)
{
    cr_assert(run(loop, PATIENCE, counter, value), "waited for %zu, there are %zu", value,
              *counter);
}

void run_for(struct event_base *loop, int64_t time)
{
    const size_t never = 0;
    run(loop, time, &never, 1);
}

static void keep_line(struct logger *logger, enum log_level level, const char *format,
                      va_list arguments) __attribute__((format(printf, 3, 0)));

static void keep_line(struct logger *logger, enum log_level level, const char *format,
                      va_list arguments)
{
    (void)level;
    struct fake_log *log = (struct fake_log *)logger;
    size_t length = strlen(log->text);
    int added = vsnprintf(log->text + length, sizeof(log->text) - length, format, arguments);
    length += (size_t)added;
    cr_assert_lt(length + 1, sizeof(log->text), "too many lines");
    log->text[length] = '\n';
    log->text[length + 1] = '\0';
}

void fake_log_open(struct fake_log *log)
{
    *log = (struct fake_log){.logger = {.level = LOG_DEBUG, .write = keep_line}};
}
