/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/grpc_transport.h"

#include <grpc/support/log.h>
#include <stdlib.h>

#include "pool/clock.h"
#include "pool/grpc_call.h"
#include "pool/grpc_channel.h"
#include "pool/tls_files.h"

#define RENEW_PAUSE                                                                                \
    1000 /* ms between two looks at the files of TLS, while there is no connection */

struct grpc_transport {
    struct transport base;
    struct grpc_queue *queue;
};

struct grpc_upstream {
    struct upstream base;
    struct grpc_calls calls;
    void *context;
    const struct conf_upstream *to;
    struct endpoint endpoint;
    uint32_t max_message;
    struct tls_files files;       /* as they were when the channel was made */
    int64_t renewed;              /* when it was, or was tried */
    bool are_stale;               /* they have changed and cannot be used, and that was told */
    grpc_connectivity_state seen; /* what the watch compares with */
    struct grpc_tag watch;
    bool watching;
};

static struct grpc_upstream *upstream_of(struct grpc_calls *calls)
{
    return (struct grpc_upstream *)((char *)calls - offsetof(struct grpc_upstream, calls));
}

static void set_state(struct grpc_upstream *upstream, enum upstream_state state, const char *reason)
{
    upstream->base.state = state;
    upstream->calls.events->state_changed(upstream->context, state, reason);
}

/* A probe has ended: unless there is a connection by now, its message says why there is none. */
static void probed(struct grpc_calls *calls, const char *reason)
{
    struct grpc_upstream *upstream = upstream_of(calls);
    if (upstream->base.state != UPSTREAM_READY)
        set_state(upstream, UPSTREAM_DOWN, reason);
}

static void free_if_done(struct grpc_calls *calls)
{
    struct grpc_upstream *upstream = upstream_of(calls);
    if (!calls->events && !upstream->watching && TAILQ_EMPTY(&calls->list))
        free(upstream);
}

/* A channel says that it is down, but only a call is told why. Should there be a connection by now,
 * this one asks for a method that no server has. */
static void start_probe(struct grpc_upstream *upstream)
{
    struct upstream_message message = {
        .path = "/milvus_bouncer.Probe/WhyDown",
        .deadline = clock_now() + 1000,
    };
    grpc_call_start(&upstream->calls, &message, NULL);
}

/* A channel that cannot connect stays so, as far as can be seen, however often it tries: in between
 * its files may change. */
static gpr_timespec watch_until(const struct grpc_upstream *upstream)
{
    if (!upstream->to->secure || upstream->seen != GRPC_CHANNEL_TRANSIENT_FAILURE)
        return gpr_inf_future(GPR_CLOCK_REALTIME);
    return gpr_time_add(gpr_now(GPR_CLOCK_REALTIME),
                        gpr_time_from_millis(RENEW_PAUSE, GPR_TIMESPAN));
}

static void watch(struct grpc_upstream *upstream)
{
    upstream->watching = true;
    grpc_channel_watch_connectivity_state(
        upstream->calls.channel, upstream->seen, watch_until(upstream),
        grpc_queue_core(upstream->calls.queue), grpc_tag_out(&upstream->watch));
}

static grpc_channel *open_channel(struct grpc_upstream *upstream, char **ret_error)
{
    struct tls_files files = tls_files_take(&upstream->to->tls);
    grpc_channel *channel =
        grpc_channel_open(upstream->to, &upstream->endpoint, upstream->max_message, ret_error);
    upstream->renewed = clock_now();
    if (channel)
        upstream->files = files;
    return channel;
}

/* A channel keeps the certificates that it was made with: while it has no connection, another takes
 * its place if the files have changed. Calls on the old one have ended, or do with it. */
static void renew_channel(struct grpc_upstream *upstream)
{
    char *error = NULL;
    if (!upstream->to->secure || clock_now() < upstream->renewed + RENEW_PAUSE ||
        tls_files_hold(&upstream->files, &upstream->to->tls))
        return;
    bool was_stale = upstream->are_stale;
    grpc_channel *channel = open_channel(upstream, &error);
    upstream->are_stale = !channel;
    if (!channel && !was_stale)
        upstream->calls.events->warned(upstream->context, error);
    free(error);
    if (!channel)
        return;
    grpc_channel_destroy(upstream->calls.channel);
    upstream->calls.channel = channel;
}

static bool is_unconnected(grpc_connectivity_state state)
{
    return state == GRPC_CHANNEL_IDLE || state == GRPC_CHANNEL_TRANSIENT_FAILURE;
}

static void state_ended(struct grpc_tag *tag)
{
    struct grpc_upstream *upstream =
        (struct grpc_upstream *)((char *)tag - offsetof(struct grpc_upstream, watch));
    upstream->watching = false;
    if (!upstream->calls.events) {
        free_if_done(&upstream->calls);
        return;
    }
    grpc_connectivity_state before = upstream->seen;
    if (is_unconnected(grpc_channel_check_connectivity_state(upstream->calls.channel, 0)))
        renew_channel(upstream);
    upstream->seen = grpc_channel_check_connectivity_state(upstream->calls.channel, 1);
    if (upstream->seen == GRPC_CHANNEL_READY)
        set_state(upstream, UPSTREAM_READY, NULL);
    else if (upstream->base.state == UPSTREAM_READY)
        set_state(upstream, UPSTREAM_CONNECTING, NULL);
    if (upstream->seen == GRPC_CHANNEL_TRANSIENT_FAILURE && upstream->seen != before)
        start_probe(upstream);
    watch(upstream);
}

static struct upstream_call *grpc_start(struct upstream *base,
                                        const struct upstream_message *message, void *context)
{
    struct grpc_calls *calls = &((struct grpc_upstream *)base)->calls;
    return message->stream ? grpc_stream_start(calls, message, context)
                           : grpc_call_start(calls, message, context);
}

static void grpc_send(struct upstream *base, struct upstream_call *call, struct blob *message,
                      bool compressed)
{
    (void)base;
    grpc_stream_send(call, message, compressed);
}

static void grpc_finish(struct upstream *base, struct upstream_call *call)
{
    (void)base;
    grpc_stream_finish(call);
}

static void grpc_receive(struct upstream *base, struct upstream_call *call)
{
    (void)base;
    grpc_stream_receive(call);
}

static void grpc_take(struct upstream *base, struct upstream_call *call)
{
    (void)base;
    grpc_call_take(call);
}

static void grpc_cancel(struct upstream *base, struct upstream_call *call)
{
    (void)base;
    grpc_call_abandon(call);
}

static void grpc_hurry(struct upstream *base)
{
    grpc_channel_reset_connect_backoff(((struct grpc_upstream *)base)->calls.channel);
}

/* Destroying a channel leaves its calls on the wire until their deadline, so they are cancelled
 * first. */
static void grpc_close(struct upstream *base)
{
    struct grpc_calls *calls = &((struct grpc_upstream *)base)->calls;
    calls->events = NULL;
    struct upstream_call *call;
    TAILQ_FOREACH (call, &calls->list, link)
        grpc_call_abandon(call);
    grpc_channel_destroy(calls->channel);
    free_if_done(calls);
}

static const struct upstream_verbs verbs = {
    .start = grpc_start,
    .send = grpc_send,
    .finish = grpc_finish,
    .receive = grpc_receive,
    .take = grpc_take,
    .cancel = grpc_cancel,
    .hurry = grpc_hurry,
    .close = grpc_close,
};

static struct upstream *grpc_open(struct transport *base, const struct conf_upstream *to,
                                  const struct endpoint *endpoint, uint32_t max_message,
                                  const struct upstream_events *events, void *context,
                                  char **ret_error)
{
    struct grpc_upstream *upstream = calloc(1, sizeof(*upstream));
    if (!upstream)
        abort();
    upstream->to = to;
    upstream->endpoint = *endpoint;
    upstream->max_message = max_message;
    grpc_channel *channel = open_channel(upstream, ret_error);
    if (!channel) {
        free(upstream);
        return NULL;
    }
    upstream->base =
        (struct upstream){.verbs = &verbs, .state = UPSTREAM_CONNECTING, .capacity = UINT32_MAX};
    upstream->calls = (struct grpc_calls){
        .channel = channel,
        .queue = ((struct grpc_transport *)base)->queue,
        .events = events,
        .probed = probed,
        .freed = free_if_done,
    };
    TAILQ_INIT(&upstream->calls.list);
    upstream->context = context;
    upstream->watch.ended = state_ended;
    upstream->seen = grpc_channel_check_connectivity_state(channel, 1);
    watch(upstream);
    return &upstream->base;
}

static void transport_close(struct transport *base)
{
    struct grpc_transport *transport = (struct grpc_transport *)base;
    grpc_queue_free(transport->queue);
    free(transport);
    grpc_shutdown();
}

/* What the library prints for itself; what matters reaches us as status and state. */
static void discard_log(gpr_log_func_args *arguments)
{
    (void)arguments;
}

struct transport *grpc_transport_new(struct event_base *loop)
{
    struct grpc_transport *transport = calloc(1, sizeof(*transport));
    if (!transport)
        return NULL;
    gpr_set_log_function(discard_log);
    grpc_init();
    transport->queue = grpc_queue_new(loop);
    if (!transport->queue) {
        grpc_shutdown();
        free(transport);
        return NULL;
    }
    transport->base = (struct transport){.open = grpc_open, .close = transport_close};
    return &transport->base;
}
