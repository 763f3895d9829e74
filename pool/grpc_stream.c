/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/grpc_buffer.h"
#include "pool/grpc_call.h"
#include "pool/grpc_error.h"
#include "pool/grpc_metadata.h"

/* The status is waited for from the start, so when nothing is with gRPC any more all is told. */
static void settle(struct upstream_call *call)
{
    if (call->out > 0)
        return;
    if (call->calls->events) {
        struct upstream_end end = grpc_call_outcome(call);
        grpc_call_tell(call, &end);
    }
    grpc_call_free(call);
}

static void ended(struct grpc_tag *tag)
{
    settle(grpc_call_of(tag));
}

static void tell_message(struct upstream_call *call)
{
    struct blob *message = grpc_buffer_read(call->received);
    grpc_byte_buffer_destroy(call->received);
    call->received = NULL;
    if (message)
        call->calls->events->call_received(call->context, message);
    else
        grpc_call_cancel_with_status(call->core, GRPC_STATUS_RESOURCE_EXHAUSTED,
                                     GRPC_STREAM_NO_MEMORY, NULL);
    blob_unref(message);
}

static void received(struct grpc_tag *tag)
{
    struct upstream_call *call = grpc_call_of(tag);
    if (call->calls->events && call->received)
        tell_message(call);
    settle(call);
}

static void start_receiving(struct upstream_call *call)
{
    const grpc_op op = grpc_call_op_receive(call);
    grpc_call_batch(call, &call->receiving, &op, 1, received);
}

static void tell_headers(struct upstream_call *call)
{
    struct metadata headers = {0};
    grpc_metadata_from_core(&call->headers, &headers);
    call->calls->events->call_headers(call->context, &headers);
    metadata_clear(&headers);
}

/* C core may hand over a message before it says that the metadata have come, so none is asked for
 * until then. Without success there is neither. */
static void opened(struct grpc_tag *tag)
{
    struct upstream_call *call = grpc_call_of(tag);
    bool asked = call->asked;
    call->has_headers = true;
    if (call->calls->events && tag->succeeded) {
        tell_headers(call);
        if (asked)
            start_receiving(call);
    }
    settle(call);
}

struct upstream_call *grpc_stream_start(struct grpc_calls *calls,
                                        const struct upstream_message *message, void *context)
{
    struct upstream_call *call = grpc_call_new(calls, message, context);
    call->encoding = message->encoding;
    const grpc_op open[] = {grpc_call_op_open(call), grpc_call_op_headers(call)};
    const grpc_op status = grpc_call_op_status(call);
    grpc_call_batch(call, &call->opened, open, 2, opened);
    grpc_call_batch(call, &call->ending, &status, 1, ended);
    return call;
}

static void sent(struct grpc_tag *tag)
{
    struct upstream_call *call = grpc_call_of(tag);
    grpc_byte_buffer_destroy(call->sent);
    call->sent = NULL;
    if (call->calls->events && tag->succeeded)
        call->calls->events->call_sent(call->context);
    settle(call);
}

/* Of a stream that announced an encoding, C core compresses what does not say that it is, or shall
 * not be. */
void grpc_stream_send(struct upstream_call *call, struct blob *message, bool compressed)
{
    call->sent = grpc_buffer_of_blob(message, compressed ? call->encoding : ENCODING_IDENTITY);
    grpc_op op = grpc_call_op_send(call);
    op.flags = compressed ? 0 : GRPC_WRITE_NO_COMPRESS;
    grpc_call_batch(call, &call->sending, &op, 1, sent);
}

void grpc_stream_finish(struct upstream_call *call)
{
    const grpc_op op = grpc_call_op_finish();
    grpc_call_batch(call, &call->finishing, &op, 1, ended);
}

void grpc_stream_receive(struct upstream_call *call)
{
    if (call->has_headers)
        start_receiving(call);
    else
        call->asked = true;
}
