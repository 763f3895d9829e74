/* SPDX-License-Identifier: Apache-2.0 */
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/load.h"

#define TIMEOUT 30 /* s, of a connection and of a request */

struct call {
    uint64_t began;
    grpc_call *call;
    grpc_byte_buffer *request;
    grpc_byte_buffer *reply;
    grpc_metadata_array headers;
    grpc_metadata_array trailers;
    grpc_status_code status;
    grpc_slice details;
};

struct grpc {
    struct load *load;
    grpc_completion_queue *queue;
    grpc_slice path;
    grpc_metadata authorization; /* sent if the load has one */
    grpc_channel **channels;
    uint64_t asked; /* requests of all runs */
    struct call *calls;
    uint32_t started; /* in this run */
    uint32_t ended;
};

static gpr_timespec in_time(void)
{
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(TIMEOUT, GPR_TIMESPAN));
}

static grpc_event next_event(struct grpc *grpc)
{
    return grpc_completion_queue_next(grpc->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
}

static void send_request(struct grpc *grpc, struct call *call)
{
    grpc_op ops[6] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA},  {.op = GRPC_OP_SEND_MESSAGE},
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT}, {.op = GRPC_OP_RECV_INITIAL_METADATA},
        {.op = GRPC_OP_RECV_MESSAGE},           {.op = GRPC_OP_RECV_STATUS_ON_CLIENT},
    };
    ops[0].data.send_initial_metadata.count = grpc->load->authorization ? 1 : 0;
    ops[0].data.send_initial_metadata.metadata = &grpc->authorization;
    ops[1].data.send_message.send_message = call->request;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &call->headers;
    ops[4].data.recv_message.recv_message = &call->reply;
    ops[5].data.recv_status_on_client.trailing_metadata = &call->trailers;
    ops[5].data.recv_status_on_client.status = &call->status;
    ops[5].data.recv_status_on_client.status_details = &call->details;
    if (grpc_call_start_batch(call->call, ops, 6, call, NULL) != GRPC_CALL_OK)
        abort();
    grpc->started++;
}

static void start(struct grpc *grpc, struct call *call)
{
    const struct load *load = grpc->load;
    grpc_slice message = grpc_slice_from_static_buffer(load->message.at, load->message.length);
    grpc_channel *channel = grpc->channels[grpc->asked++ % load->connections];
    *call = (struct call){.began = load_now()};
    call->request = grpc_raw_byte_buffer_create(&message, 1);
    grpc_metadata_array_init(&call->headers);
    grpc_metadata_array_init(&call->trailers);
    call->call = grpc_channel_create_call(channel, NULL, GRPC_PROPAGATE_DEFAULTS, grpc->queue,
                                          grpc->path, NULL, in_time(), NULL);
    send_request(grpc, call);
}

static void end(struct grpc *grpc, struct call *call)
{
    struct load *load = grpc->load;
    load->latencies[grpc->ended++] = (uint32_t)(load_now() - call->began);
    if (call->status != GRPC_STATUS_OK)
        load->failed++;
    grpc_metadata_array_destroy(&call->headers);
    grpc_metadata_array_destroy(&call->trailers);
    grpc_byte_buffer_destroy(call->request);
    grpc_byte_buffer_destroy(call->reply);
    grpc_slice_unref(call->details);
    grpc_call_unref(call->call);
}

static int grpc_run(struct load *load)
{
    struct grpc *grpc = load->state;
    grpc->started = 0;
    grpc->ended = 0;
    for (uint32_t i = 0; i < load->in_flight && grpc->started < load->count; i++)
        start(grpc, &grpc->calls[i]);
    while (grpc->ended < load->count) {
        struct call *call = next_event(grpc).tag;
        end(grpc, call);
        if (grpc->started < load->count)
            start(grpc, call);
    }
    return 0;
}

/* Without arguments of their own, channels to one target would share a connection. */
static grpc_channel *make_channel(const char *target)
{
    grpc_arg items[] = {
        {.type = GRPC_ARG_INTEGER,
         .key = (char *)GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL,
         .value.integer = 1},
        {.type = GRPC_ARG_INTEGER, .key = (char *)GRPC_ARG_ENABLE_HTTP_PROXY, .value.integer = 0},
    };
    grpc_channel_args args = {.num_args = sizeof(items) / sizeof(items[0]), .args = items};
    grpc_channel_credentials *insecure = grpc_insecure_credentials_create();
    grpc_channel *channel = grpc_channel_create(target, insecure, &args);
    grpc_channel_credentials_release(insecure);
    return channel;
}

static int connect_channel(struct grpc *grpc, grpc_channel *channel)
{
    gpr_timespec until = in_time();
    grpc_connectivity_state state;
    while ((state = grpc_channel_check_connectivity_state(channel, 1)) != GRPC_CHANNEL_READY) {
        grpc_channel_watch_connectivity_state(channel, state, until, grpc->queue, NULL);
        if (!next_event(grpc).success) {
            fprintf(stderr, "%s: no connection\n", grpc->load->target);
            return -1;
        }
    }
    return 0;
}

static struct grpc *grpc_new(struct load *load)
{
    char path[512];
    snprintf(path, sizeof(path), "/milvus.proto.milvus.MilvusService/%s", load->method);
    struct grpc *grpc = calloc(1, sizeof(*grpc));
    if (!grpc)
        abort();
    grpc->load = load;
    grpc->queue = grpc_completion_queue_create_for_next(NULL);
    grpc->path = grpc_slice_from_copied_string(path);
    grpc->authorization.key = grpc_slice_from_static_string("authorization");
    grpc->authorization.value =
        grpc_slice_from_copied_string(load->authorization ? load->authorization : "");
    grpc->channels = calloc(load->connections, sizeof(grpc_channel *));
    grpc->calls = calloc(load->in_flight, sizeof(*grpc->calls));
    if (!grpc->channels || !grpc->calls)
        abort();
    return grpc;
}

static int grpc_open(struct load *load)
{
    grpc_init();
    struct grpc *grpc = grpc_new(load);
    load->state = grpc;
    for (uint32_t i = 0; i < load->connections; i++) {
        grpc->channels[i] = make_channel(load->target);
        if (connect_channel(grpc, grpc->channels[i]) != 0)
            return -1;
    }
    return 0;
}

static void grpc_close(struct load *load)
{
    struct grpc *grpc = load->state;
    for (uint32_t i = 0; i < load->connections; i++)
        grpc_channel_destroy(grpc->channels[i]);
    grpc_slice_unref(grpc->path);
    grpc_slice_unref(grpc->authorization.value);
    grpc_completion_queue_shutdown(grpc->queue);
    while (next_event(grpc).type != GRPC_QUEUE_SHUTDOWN)
        ;
    grpc_completion_queue_destroy(grpc->queue);
    free(grpc->channels);
    free(grpc->calls);
    free(grpc);
    grpc_shutdown_blocking();
}

const struct load_kind load_grpc = {
    .name = "grpc", .open = grpc_open, .run = grpc_run, .close = grpc_close};
