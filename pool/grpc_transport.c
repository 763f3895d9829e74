/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/grpc_transport.h"

#include <grpc/byte_buffer_reader.h>
#include <grpc/support/alloc.h>
#include <grpc/support/log.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "pool/clock.h"
#include "pool/grpc_channel.h"
#include "pool/grpc_error.h"
#include "pool/grpc_queue.h"

struct grpc_transport {
    struct transport base;
    struct grpc_queue *queue;
};

struct grpc_upstream {
    struct upstream base;
    struct grpc_transport *transport;
    const struct upstream_events *events; /* NULL once closed */
    void *context;
    grpc_channel *channel;
    grpc_connectivity_state seen; /* what the watch compares with */
    struct grpc_tag watch;
    bool watching;
    TAILQ_HEAD(, upstream_call) calls;
};

/* A call, from its start until gRPC is done with it. */
struct upstream_call {
    struct grpc_tag tag;
    TAILQ_ENTRY(upstream_call) link;
    struct grpc_upstream *upstream;
    void *context; /* NULL: a probe, which asks why there is no connection */
    grpc_call *call;
    grpc_metadata metadata[2];
    size_t metadata_count;
    grpc_byte_buffer *request;
    grpc_byte_buffer *reply;
    grpc_metadata_array headers;
    grpc_metadata_array trailers;
    grpc_status_code status;
    grpc_slice details;
};

static void release_blob(void *blob)
{
    blob_unref(blob);
}

/* gRPC refers to the bytes instead of copying them. */
static grpc_slice slice_of(struct span bytes, struct blob *owner)
{
    return grpc_slice_new_with_user_data((void *)bytes.at, bytes.length, release_blob,
                                         blob_ref(owner));
}

static grpc_byte_buffer *buffer_of(const struct upstream_message *message)
{
    grpc_slice slices[2];
    size_t count = 0;
    if (message->body.length > 0)
        slices[count++] = slice_of(message->body, message->owner);
    if (message->tail)
        slices[count++] = slice_of(blob_span(message->tail), message->tail);
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(slices, count);
    for (size_t i = 0; i < count; i++)
        grpc_slice_unref(slices[i]);
    return buffer;
}

static struct blob *blob_of(grpc_byte_buffer *buffer)
{
    grpc_byte_buffer_reader reader;
    struct blob *blob = blob_new(grpc_byte_buffer_length(buffer));
    if (!blob || !grpc_byte_buffer_reader_init(&reader, buffer)) {
        blob_unref(blob);
        return NULL;
    }
    size_t at = 0;
    grpc_slice slice;
    while (grpc_byte_buffer_reader_next(&reader, &slice)) {
        memcpy(blob->data + at, GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
        at += GRPC_SLICE_LENGTH(slice);
        grpc_slice_unref(slice);
    }
    grpc_byte_buffer_reader_destroy(&reader);
    return blob;
}

static void add_metadata(struct upstream_call *call, const char *key, struct span value)
{
    if (value.length == 0)
        return;
    call->metadata[call->metadata_count++] = (grpc_metadata){
        .key = grpc_slice_from_static_string(key),
        .value = grpc_slice_from_copied_buffer((const char *)value.at, value.length),
    };
}

/* Everything that one unary call does, as one batch with one end. */
static void start_batch(struct upstream_call *call)
{
    grpc_op ops[6] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA},  {.op = GRPC_OP_SEND_MESSAGE},
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT}, {.op = GRPC_OP_RECV_INITIAL_METADATA},
        {.op = GRPC_OP_RECV_MESSAGE},           {.op = GRPC_OP_RECV_STATUS_ON_CLIENT},
    };
    ops[0].data.send_initial_metadata.count = call->metadata_count;
    ops[0].data.send_initial_metadata.metadata = call->metadata;
    ops[1].data.send_message.send_message = call->request;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &call->headers;
    ops[4].data.recv_message.recv_message = &call->reply;
    ops[5].data.recv_status_on_client.trailing_metadata = &call->trailers;
    ops[5].data.recv_status_on_client.status = &call->status;
    ops[5].data.recv_status_on_client.status_details = &call->details;
    grpc_call_error error =
        grpc_call_start_batch(call->call, ops, 6, grpc_tag_out(&call->tag), NULL);
    GPR_ASSERT(error == GRPC_CALL_OK);
}

static gpr_timespec deadline_of(int64_t deadline)
{
    int64_t left = deadline - clock_now();
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                        gpr_time_from_millis(left > 0 ? left : 0, GPR_TIMESPAN));
}

static void call_ended(struct grpc_tag *tag);

static struct upstream_call *start_call(struct grpc_upstream *upstream,
                                        const struct upstream_message *message, void *context)
{
    struct upstream_call *call = calloc(1, sizeof(*call));
    if (!call)
        abort();
    call->tag.ended = call_ended;
    call->upstream = upstream;
    call->context = context;
    call->request = buffer_of(message);
    add_metadata(call, "authorization", message->authorization);
    add_metadata(call, "dbname", message->database);
    grpc_metadata_array_init(&call->headers);
    grpc_metadata_array_init(&call->trailers);
    grpc_slice path = grpc_slice_from_copied_string(message->path);
    call->call = grpc_channel_create_call(upstream->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
                                          grpc_queue_core(upstream->transport->queue), path, NULL,
                                          deadline_of(message->deadline), NULL);
    grpc_slice_unref(path);
    TAILQ_INSERT_TAIL(&upstream->calls, call, link);
    start_batch(call);
    return call;
}

static void free_call(struct upstream_call *call)
{
    for (size_t i = 0; i < call->metadata_count; i++)
        grpc_slice_unref(call->metadata[i].value);
    grpc_metadata_array_destroy(&call->headers);
    grpc_metadata_array_destroy(&call->trailers);
    grpc_byte_buffer_destroy(call->request);
    grpc_byte_buffer_destroy(call->reply);
    grpc_slice_unref(call->details);
    grpc_call_unref(call->call);
    free(call);
}

static void report(struct upstream_call *call)
{
    struct span message =
        span_of(GRPC_SLICE_START_PTR(call->details), GRPC_SLICE_LENGTH(call->details));
    /* A peer may send any number; gRPC's statuscodes.md has UNKNOWN for those it does not define.
     */
    unsigned status = (unsigned)call->status;
    enum code code = status <= CODE_UNAUTHENTICATED ? (enum code)status : CODE_UNKNOWN;
    struct upstream_end end = {
        .code = code,
        .message = message,
        .from_peer = !grpc_error_local(code, message),
        .unstarted = grpc_error_unstarted(code, message),
    };
    if (end.code == CODE_OK)
        end.reply = call->reply ? blob_of(call->reply) : NULL;
    if (end.code == CODE_OK && !end.reply) {
        end.code = CODE_INTERNAL;
        end.from_peer = false;
        end.message =
            span_text(call->reply ? "no memory for the reply" : "a reply without message");
    }
    call->upstream->events->call_ended(call->context, &end);
    blob_unref(end.reply);
}

static void set_state(struct grpc_upstream *upstream, enum upstream_state state, const char *reason)
{
    upstream->base.state = state;
    upstream->events->state_changed(upstream->context, state, reason);
}

/* A probe has ended: unless there is a connection by now, its message says why there is none. */
static void report_probe(struct upstream_call *call)
{
    char *reason = grpc_slice_to_c_string(call->details);
    if (call->upstream->base.state != UPSTREAM_READY)
        set_state(call->upstream, UPSTREAM_DOWN, reason);
    gpr_free(reason);
}

static void free_if_done(struct grpc_upstream *upstream)
{
    if (!upstream->events && !upstream->watching && TAILQ_EMPTY(&upstream->calls))
        free(upstream);
}

static void call_ended(struct grpc_tag *tag)
{
    struct upstream_call *call = (struct upstream_call *)tag;
    struct grpc_upstream *upstream = call->upstream;
    TAILQ_REMOVE(&upstream->calls, call, link);
    if (upstream->events && call->context)
        report(call);
    if (upstream->events && !call->context)
        report_probe(call);
    free_call(call);
    free_if_done(upstream);
}

/* A channel says that it is down, but only a call is told why. Should there be a connection by now,
 * this one asks for a method that no server has. */
static void start_probe(struct grpc_upstream *upstream)
{
    struct upstream_message message = {
        .path = "/milvus_bouncer.Probe/WhyDown",
        .deadline = clock_now() + 1000,
    };
    start_call(upstream, &message, NULL);
}

static void watch(struct grpc_upstream *upstream)
{
    upstream->watching = true;
    grpc_channel_watch_connectivity_state(
        upstream->channel, upstream->seen, gpr_inf_future(GPR_CLOCK_REALTIME),
        grpc_queue_core(upstream->transport->queue), grpc_tag_out(&upstream->watch));
}

static void state_ended(struct grpc_tag *tag)
{
    struct grpc_upstream *upstream =
        (struct grpc_upstream *)((char *)tag - offsetof(struct grpc_upstream, watch));
    upstream->watching = false;
    if (!upstream->events) {
        free_if_done(upstream);
        return;
    }
    upstream->seen = grpc_channel_check_connectivity_state(upstream->channel, 1);
    if (upstream->seen == GRPC_CHANNEL_READY)
        set_state(upstream, UPSTREAM_READY, NULL);
    else if (upstream->base.state == UPSTREAM_READY)
        set_state(upstream, UPSTREAM_CONNECTING, NULL);
    if (upstream->seen == GRPC_CHANNEL_TRANSIENT_FAILURE)
        start_probe(upstream);
    watch(upstream);
}

static struct upstream_call *grpc_start(struct upstream *base,
                                        const struct upstream_message *message, void *context)
{
    return start_call((struct grpc_upstream *)base, message, context);
}

static void grpc_cancel(struct upstream *base, struct upstream_call *call)
{
    (void)base;
    grpc_call_cancel(call->call, NULL);
}

/* Destroying a channel leaves its calls on the wire until their deadline, so they are cancelled
 * first. */
static void grpc_close(struct upstream *base)
{
    struct grpc_upstream *upstream = (struct grpc_upstream *)base;
    upstream->events = NULL;
    struct upstream_call *call;
    TAILQ_FOREACH (call, &upstream->calls, link)
        grpc_call_cancel(call->call, NULL);
    grpc_channel_destroy(upstream->channel);
    free_if_done(upstream);
}

static struct upstream *grpc_open(struct transport *base, const struct conf_upstream *to,
                                  uint32_t max_message, const struct upstream_events *events,
                                  void *context, char **ret_error)
{
    static const struct upstream_verbs verbs = {grpc_start, grpc_cancel, grpc_close};
    grpc_channel *channel = grpc_channel_open(to, max_message, ret_error);
    if (!channel)
        return NULL;
    struct grpc_upstream *upstream = calloc(1, sizeof(*upstream));
    if (!upstream)
        abort();
    upstream->base = (struct upstream){.verbs = &verbs, .state = UPSTREAM_CONNECTING};
    upstream->transport = (struct grpc_transport *)base;
    upstream->events = events;
    upstream->context = context;
    upstream->channel = channel;
    upstream->watch.ended = state_ended;
    TAILQ_INIT(&upstream->calls);
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
