/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/grpc_call.h"

#include <grpc/support/alloc.h>
#include <grpc/support/log.h>
#include <stdlib.h>

#include "pool/clock.h"
#include "pool/grpc_buffer.h"
#include "pool/grpc_error.h"
#include "pool/grpc_metadata.h"
#include "proto/grpc_field.h"

#define OWN_METADATA 3 /* authorization, dbname, the encoding */

static void add_metadata(struct upstream_call *call, const char *key, struct span value)
{
    if (value.length == 0)
        return;
    call->metadata[call->metadata_count++] = (grpc_metadata){
        .key = grpc_slice_from_static_string(key),
        .value = grpc_slice_from_copied_buffer((const char *)value.at, value.length),
    };
}

/* C core itself says grpc-encoding when asked to by a name of its own; a message that is compressed
 * already it then sends as it is (core/ext/filters/http/message_compress). */
static void add_all_metadata(struct upstream_call *call, const struct upstream_message *message)
{
    add_metadata(call, "authorization", message->authorization);
    add_metadata(call, "dbname", message->database);
    if (message->encoding != ENCODING_IDENTITY)
        add_metadata(call, GRPC_COMPRESSION_REQUEST_ALGORITHM_MD_KEY,
                     span_text(encoding_name(message->encoding)));
    call->metadata_count +=
        grpc_metadata_to_core(message->metadata, call->metadata + call->metadata_count);
}

static gpr_timespec deadline_of(int64_t deadline)
{
    int64_t left = deadline - clock_now();
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                        gpr_time_from_millis(left > 0 ? left : 0, GPR_TIMESPAN));
}

struct upstream_call *grpc_call_new(struct grpc_calls *calls,
                                    const struct upstream_message *message, void *context)
{
    size_t metadata_max = OWN_METADATA + grpc_field_bound(message->metadata);
    struct upstream_call *call =
        calloc(1, sizeof(*call) + metadata_max * sizeof(call->metadata[0]));
    if (!call)
        abort();
    call->calls = calls;
    call->context = context;
    add_all_metadata(call, message);
    grpc_metadata_array_init(&call->headers);
    grpc_metadata_array_init(&call->trailers);
    grpc_slice path = grpc_slice_from_copied_string(message->path);
    call->core = grpc_channel_create_call(calls->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
                                          grpc_queue_core(calls->queue), path, NULL,
                                          deadline_of(message->deadline), NULL);
    grpc_slice_unref(path);
    TAILQ_INSERT_TAIL(&calls->list, call, link);
    return call;
}

void grpc_call_free(struct upstream_call *call)
{
    struct grpc_calls *calls = call->calls;
    TAILQ_REMOVE(&calls->list, call, link);
    for (size_t i = 0; i < call->metadata_count; i++) {
        grpc_slice_unref(call->metadata[i].key);
        grpc_slice_unref(call->metadata[i].value);
    }
    grpc_metadata_array_destroy(&call->headers);
    grpc_metadata_array_destroy(&call->trailers);
    grpc_byte_buffer_destroy(call->sent);
    grpc_byte_buffer_destroy(call->received);
    grpc_slice_unref(call->details);
    grpc_call_unref(call->core);
    free(call);
    calls->freed(calls);
}

void grpc_call_batch(struct upstream_call *call, struct grpc_batch *batch, const grpc_op *ops,
                     size_t count, void (*ended)(struct grpc_tag *tag))
{
    batch->call = call;
    batch->tag.ended = ended;
    call->out++;
    grpc_call_error error =
        grpc_call_start_batch(call->core, ops, count, grpc_tag_out(&batch->tag), NULL);
    GPR_ASSERT(error == GRPC_CALL_OK);
}

struct upstream_call *grpc_call_of(struct grpc_tag *tag)
{
    struct upstream_call *call = ((struct grpc_batch *)tag)->call;
    call->out--;
    return call;
}

grpc_op grpc_call_op_open(struct upstream_call *call)
{
    grpc_op op = {.op = GRPC_OP_SEND_INITIAL_METADATA};
    op.data.send_initial_metadata.count = call->metadata_count;
    op.data.send_initial_metadata.metadata = call->metadata;
    return op;
}

grpc_op grpc_call_op_headers(struct upstream_call *call)
{
    grpc_op op = {.op = GRPC_OP_RECV_INITIAL_METADATA};
    op.data.recv_initial_metadata.recv_initial_metadata = &call->headers;
    return op;
}

grpc_op grpc_call_op_send(struct upstream_call *call)
{
    grpc_op op = {.op = GRPC_OP_SEND_MESSAGE};
    op.data.send_message.send_message = call->sent;
    return op;
}

grpc_op grpc_call_op_finish(void)
{
    return (grpc_op){.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};
}

grpc_op grpc_call_op_receive(struct upstream_call *call)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
    op.data.recv_message.recv_message = &call->received;
    return op;
}

grpc_op grpc_call_op_status(struct upstream_call *call)
{
    grpc_op op = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT};
    op.data.recv_status_on_client.trailing_metadata = &call->trailers;
    op.data.recv_status_on_client.status = &call->status;
    op.data.recv_status_on_client.status_details = &call->details;
    return op;
}

static struct span details_of(const struct upstream_call *call)
{
    return span_of(GRPC_SLICE_START_PTR(call->details), GRPC_SLICE_LENGTH(call->details));
}

/* A peer may send any number; gRPC's statuscodes.md has UNKNOWN for those it does not define. */
struct upstream_end grpc_call_outcome(const struct upstream_call *call)
{
    unsigned status = (unsigned)call->status;
    enum code code = status <= CODE_UNAUTHENTICATED ? (enum code)status : CODE_UNKNOWN;
    return (struct upstream_end){
        .code = code,
        .message = details_of(call),
        .from_peer = !grpc_error_local(code, details_of(call)),
        .unstarted = grpc_error_unstarted(code, details_of(call)),
    };
}

void grpc_call_tell(struct upstream_call *call, struct upstream_end *end)
{
    struct metadata trailers = {0};
    grpc_metadata_from_core(&call->trailers, &trailers);
    end->trailers = trailers.count > 0 ? &trailers : NULL;
    call->calls->events->call_ended(call->context, end);
    metadata_clear(&trailers);
}

static void report(struct upstream_call *call)
{
    struct upstream_end end = grpc_call_outcome(call);
    struct metadata headers = {0};
    grpc_metadata_from_core(&call->headers, &headers);
    end.headers = headers.count > 0 ? &headers : NULL;
    if (end.code == CODE_OK)
        end.reply = call->received ? grpc_buffer_read(call->received) : NULL;
    if (end.code == CODE_OK && !end.reply) {
        end.code = CODE_INTERNAL;
        end.from_peer = false;
        end.message =
            span_text(call->received ? "no memory for the reply" : "a reply without message");
    }
    grpc_call_tell(call, &end);
    blob_unref(end.reply);
    metadata_clear(&headers);
}

static void report_probe(struct upstream_call *call)
{
    char *reason = grpc_slice_to_c_string(call->details);
    call->calls->probed(call->calls, reason);
    gpr_free(reason);
}

static void call_ended(struct grpc_tag *tag)
{
    struct upstream_call *call = grpc_call_of(tag);
    if (call->calls->events && call->context)
        report(call);
    else if (call->calls->events)
        report_probe(call);
    grpc_call_free(call);
}

void grpc_call_take(struct upstream_call *call)
{
    const grpc_op ops[] = {grpc_call_op_receive(call), grpc_call_op_status(call)};
    call->waits = false;
    grpc_call_batch(call, &call->ending, ops, 2, call_ended);
}

void grpc_call_abandon(struct upstream_call *call)
{
    grpc_call_cancel(call->core, NULL);
    if (call->waits)
        grpc_call_take(call);
}

/* Until it is taken, what comes stays within C core's window. Once closed, the queue may be shut
 * down, and takes no batch any more. */
static void replied(struct grpc_tag *tag)
{
    struct upstream_call *call = grpc_call_of(tag);
    call->waits = true;
    if (call->calls->events)
        call->calls->events->call_replied(call->context);
    else
        grpc_call_free(call);
}

struct upstream_call *grpc_call_start(struct grpc_calls *calls,
                                      const struct upstream_message *message, void *context)
{
    struct upstream_call *call = grpc_call_new(calls, message, context);
    call->sent = grpc_buffer_of_message(message);
    const grpc_op ops[] = {
        grpc_call_op_open(call),    grpc_call_op_send(call),    grpc_call_op_finish(),
        grpc_call_op_headers(call), grpc_call_op_receive(call), grpc_call_op_status(call),
    };
    if (message->held)
        grpc_call_batch(call, &call->opened, ops, 4, replied);
    else
        grpc_call_batch(call, &call->opened, ops, 6, call_ended);
    return call;
}
