/* SPDX-License-Identifier: Apache-2.0 */
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/load.h"

#define TIMEOUT 30 /* s */

struct call {
    struct load *load;
    uint64_t began;
    grpc_call *call;
    grpc_byte_buffer *request;
    grpc_byte_buffer *reply;
    grpc_metadata_array headers;
    grpc_metadata_array trailers;
    grpc_status_code status;
    grpc_slice details;
};

struct direct {
    struct load *load;
    grpc_completion_queue *queue;
    grpc_channel *channel;
    grpc_slice path;
    uint32_t started;
    uint32_t ended;
};

static void start(struct direct *direct, struct call *call)
{
    grpc_slice message =
        grpc_slice_from_static_buffer(direct->load->message.at, direct->load->message.length);
    *call = (struct call){.load = direct->load, .began = load_now()};
    call->request = grpc_raw_byte_buffer_create(&message, 1);
    grpc_metadata_array_init(&call->headers);
    grpc_metadata_array_init(&call->trailers);
    gpr_timespec until =
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(TIMEOUT, GPR_TIMESPAN));
    call->call = grpc_channel_create_call(direct->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
                                          direct->queue, direct->path, NULL, until, NULL);
    grpc_op ops[6] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA, .flags = GRPC_INITIAL_METADATA_WAIT_FOR_READY},
        {.op = GRPC_OP_SEND_MESSAGE},
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
        {.op = GRPC_OP_RECV_INITIAL_METADATA},
        {.op = GRPC_OP_RECV_MESSAGE},
        {.op = GRPC_OP_RECV_STATUS_ON_CLIENT},
    };
    ops[1].data.send_message.send_message = call->request;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &call->headers;
    ops[4].data.recv_message.recv_message = &call->reply;
    ops[5].data.recv_status_on_client.trailing_metadata = &call->trailers;
    ops[5].data.recv_status_on_client.status = &call->status;
    ops[5].data.recv_status_on_client.status_details = &call->details;
    if (grpc_call_start_batch(call->call, ops, 6, call, NULL) != GRPC_CALL_OK)
        abort();
    direct->started++;
}

static void end(struct direct *direct, struct call *call)
{
    direct->load->latencies[direct->ended++] = (uint32_t)(load_now() - call->began);
    if (call->status != GRPC_STATUS_OK)
        direct->load->failed++;
    grpc_metadata_array_destroy(&call->headers);
    grpc_metadata_array_destroy(&call->trailers);
    grpc_byte_buffer_destroy(call->request);
    grpc_byte_buffer_destroy(call->reply);
    grpc_slice_unref(call->details);
    grpc_call_unref(call->call);
}

static void run(struct direct *direct, struct call *calls)
{
    struct load *load = direct->load;
    for (uint32_t i = 0; i < load->in_flight && direct->started < load->count; i++)
        start(direct, &calls[i]);
    while (direct->ended < load->count) {
        grpc_event event =
            grpc_completion_queue_next(direct->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
        end(direct, event.tag);
        if (direct->started < load->count)
            start(direct, event.tag);
    }
}

int load_direct(struct load *load)
{
    char path[512];
    snprintf(path, sizeof(path), "/milvus.proto.milvus.MilvusService/%s", load->method);
    grpc_init();
    grpc_channel_credentials *insecure = grpc_insecure_credentials_create();
    struct direct direct = {
        .load = load,
        .queue = grpc_completion_queue_create_for_next(NULL),
        .channel = grpc_channel_create(load->target, insecure, NULL),
        .path = grpc_slice_from_copied_string(path),
    };
    struct call *calls = calloc(load->in_flight, sizeof(*calls));
    if (!calls)
        abort();
    run(&direct, calls);
    free(calls);
    grpc_slice_unref(direct.path);
    grpc_channel_credentials_release(insecure);
    grpc_channel_destroy(direct.channel);
    grpc_completion_queue_shutdown(direct.queue);
    while (
        grpc_completion_queue_next(direct.queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL).type !=
        GRPC_QUEUE_SHUTDOWN)
        ;
    grpc_completion_queue_destroy(direct.queue);
    grpc_shutdown_blocking();
    return 0;
}
