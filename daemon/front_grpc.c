/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/front_grpc.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/call.h"
#include "pool/clock.h"

#define DRAINS "milvus-bouncer: the daemon drains; open a new connection"

static void on_opened(void *context, struct h2_stream *stream)
{
    call_open(context, stream);
}

static void on_header(void *context, struct h2_stream *stream, struct span name, struct span value)
{
    (void)context;
    struct call *call = h2_stream_user(stream);
    if (span_is(name, "authorization"))
        client_has_shown_secret(call->owner->client);
    grpc_head_take(&call->head, name, value);
}

static void on_headers_ended(void *context, struct h2_stream *stream)
{
    struct caller *caller = context;
    client_message_ended(caller->client);
    call_begin(h2_stream_user(stream));
}

static void on_data(void *context, struct h2_stream *stream, struct span bytes)
{
    (void)context;
    call_data(h2_stream_user(stream), bytes);
}

static void on_ended(void *context, struct h2_stream *stream)
{
    (void)context;
    call_ended(h2_stream_user(stream));
}

static void on_closed(void *context, struct h2_stream *stream, uint32_t error)
{
    (void)context, (void)error;
    call_closed(h2_stream_user(stream));
}

static bool has_room(void *context)
{
    const struct caller *caller = context;
    return caller->forced || client_has_room(caller->client);
}

static void write_bytes(void *context, struct span bytes)
{
    const struct caller *caller = context;
    client_write(caller->client, bytes);
}

static void write_blob(void *context, struct blob *blob, struct span bytes)
{
    const struct caller *caller = context;
    client_write_part(caller->client, blob, bytes);
}

static const struct h2_handler handler = {
    .opened = on_opened,
    .header = on_header,
    .headers_ended = on_headers_ended,
    .data = on_data,
    .ended = on_ended,
    .closed = on_closed,
    .room = has_room,
    .write = write_bytes,
    .write_blob = write_blob,
};

static void grpc_open(struct client *client)
{
    struct clients *owner = client_owner(client);
    struct caller *caller = calloc(1, sizeof(*caller));
    if (!caller)
        abort();
    caller->client = client;
    TAILQ_INIT(&caller->fresh);
    TAILQ_INIT(&caller->large);
    TAILQ_INIT(&caller->held);
    TAILQ_INIT(&caller->replied);
    TAILQ_INIT(&caller->full);
    TAILQ_INIT(&caller->watching);
    caller->h2 = h2_server_new(&owner->conf->limits.http2, &owner->h2_counters, &handler, caller,
                               clock_now());
    if (!caller->h2)
        abort();
    client_set_front(client, caller);
    client_flush_later(client);
}

static void cut(struct caller *caller)
{
    bool calm = h2_fault_error(caller->h2) == H2_ENHANCE_YOUR_CALM;
    client_cut(caller->client, calm ? CODE_RESOURCE_EXHAUSTED : CODE_INVALID_ARGUMENT,
               h2_fault(caller->h2));
}

static void grpc_input(struct client *client, struct span bytes)
{
    struct caller *caller = client_front(client);
    if (!h2_input(caller->h2, bytes, clock_now())) {
        cut(caller);
        return;
    }
    call_unary_turn(caller);
    client_flush_later(client);
}

/* Whoever leaves once its calls are answered may do so now. */
static void grpc_fill(struct client *client)
{
    struct caller *caller = client_front(client);
    do {
        if (!h2_fill(caller->h2)) {
            cut(caller);
            return;
        }
    } while (call_unary_go_on(caller) || call_stream_go_on(caller));
    enum code code;
    const char *refusal = client_refusal(client, &code);
    bool some_ended = caller->some_ended;
    caller->some_ended = false;
    if (h2_is_over(caller->h2))
        client_close(client);
    else if (some_ended && refusal)
        client_cut(client, code, refusal);
    else if (some_ended)
        client_answered(client);
}

static size_t grpc_held(const struct client *client)
{
    const struct caller *caller = client_front(client);
    return h2_unsent(caller->h2);
}

static bool grpc_in_message(const struct client *client)
{
    const struct caller *caller = client_front(client);
    return h2_in_head(caller->h2);
}

static bool grpc_busy(const struct client *client)
{
    const struct caller *caller = client_front(client);
    return caller->open > caller->watchers;
}

static void grpc_rest(struct client *client)
{
    const struct caller *caller = client_front(client);
    h2_rest(caller->h2);
}

static void grpc_probe(struct client *client)
{
    const struct caller *caller = client_front(client);
    h2_ping(caller->h2);
    client_flush_later(client);
}

/* The connection may end with this, so it does not wait for room. */
static void fill_at_once(struct caller *caller)
{
    caller->forced = true;
    h2_fill(caller->h2);
    caller->forced = false;
}

static void grpc_drain(struct client *client, bool first)
{
    struct caller *caller = client_front(client);
    call_health_drain(caller, !first);
    if (first)
        h2_announce_end(caller->h2);
    else
        h2_goaway(caller->h2, H2_NO_ERROR, DRAINS);
    fill_at_once(caller);
    client_flush_later(client);
}

static enum h2_error error_of(enum code code)
{
    if (code == CODE_UNAVAILABLE || code == CODE_PERMISSION_DENIED)
        return H2_NO_ERROR;
    return code == CODE_INVALID_ARGUMENT ? H2_PROTOCOL_ERROR : H2_ENHANCE_YOUR_CALM;
}

static void grpc_goaway(struct client *client, enum code code, const char *message)
{
    struct caller *caller = client_front(client);
    h2_goaway(caller->h2, error_of(code), message);
    fill_at_once(caller);
}

static void grpc_close(struct client *client)
{
    struct caller *caller = client_front(client);
    h2_free(caller->h2);
    call_unary_close(caller);
    seen_clear(&caller->seen);
    free(caller);
}

const struct front front_grpc = {
    .takes_start = true,
    .answers_refused = true,
    .open = grpc_open,
    .input = grpc_input,
    .fill = grpc_fill,
    .held = grpc_held,
    .in_message = grpc_in_message,
    .busy = grpc_busy,
    .rest = grpc_rest,
    .probe = grpc_probe,
    .drain = grpc_drain,
    .goaway = grpc_goaway,
    .close = grpc_close,
};

static void report(const struct clients *clients, const char *key, uint64_t count)
{
    if (count > 0)
        log_info(clients->logger, "limits.http2.%s was crossed by clients: %llu times", key,
                 (unsigned long long)count);
}

void front_grpc_report(const struct clients *clients)
{
    const struct h2_counters *counters = &clients->h2_counters;
    for (int rate = 0; rate < H2_RATE_COUNT; rate++)
        report(clients, h2_rate_key(rate), counters->rates[rate]);
    report(clients, "max_header_list", counters->header_lists);
    report(clients, "max_continuations", counters->continuations);
}
