/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of any number of messages. What comes and was not asked for is kept, and bounded by the
 * stream's window: of that, only what is read is given back.
 */
#include <stdlib.h>

#include "pool/h2_call.h"

/* A server that answers with trailers alone has none. */
void h2_call_tell_headers(struct upstream_call *call)
{
    if (call->has_headers || call->cancelled || !h2_call_events(call))
        return;
    call->has_headers = true;
    h2_call_events(call)->call_headers(call->context, &call->response.headers);
}

static void tell_message(struct upstream_call *call, struct blob *message)
{
    message = h2_call_unpack(call, message);
    if (!message)
        return;
    call->asked = false;
    h2_call_events(call)->call_received(call->context, message);
    blob_unref(message);
}

/* Takes from the front of *bytes until no message is asked for any more. */
static void read_messages(struct upstream_call *call, struct span *bytes)
{
    struct blob *message;
    while (call->asked && !call->fault && !call->cancelled) {
        switch (grpc_reader_take(&call->reader, bytes, &message)) {
        case GRPC_READ_MORE:
            return;
        case GRPC_READ_SIZED:
            h2_call_size_known(call);
            break;
        case GRPC_READ_WHOLE:
            tell_message(call, message);
            break;
        case GRPC_READ_BROKEN:
            h2_call_fail(call, CODE_INTERNAL, "the prefix of a message is not gRPC's");
        }
    }
}

static void give_back(struct upstream_call *call, size_t length)
{
    if (call->stream && length > 0) {
        h2_consume(call->stream, length);
        h2_transport_write_later(call->upstream->transport, call->conn);
    }
}

static void keep(struct upstream_call *call, struct span bytes)
{
    if (bytes.length == 0)
        return;
    struct blob *kept = call->kept;
    size_t unread = kept ? kept->size - call->kept_read : 0;
    if (unread > 0)
        memmove(kept->data, kept->data + call->kept_read, unread);
    kept = kept ? blob_resize(kept, unread + bytes.length) : blob_new(bytes.length);
    if (!kept)
        abort();
    memcpy(kept->data + unread, bytes.at, bytes.length);
    call->kept = kept;
    call->kept_read = 0;
}

static void read_kept(struct upstream_call *call)
{
    struct span unread =
        span_of(call->kept->data + call->kept_read, call->kept->size - call->kept_read);
    size_t before = unread.length;
    read_messages(call, &unread);
    call->kept_read += before - unread.length;
    give_back(call, before - unread.length);
    if (unread.length > 0)
        return;
    blob_unref(call->kept);
    call->kept = NULL;
    call->kept_read = 0;
}

void h2_call_stream_data(struct upstream_call *call, struct span bytes)
{
    size_t before = bytes.length;
    if (!call->kept)
        read_messages(call, &bytes);
    if (call->fault || call->cancelled)
        return;
    give_back(call, before - bytes.length);
    keep(call, bytes);
}

/* Once the stream is over, it ends when what came before that has been read. */
void h2_call_stream_closed(struct upstream_call *call)
{
    h2_call_tell_headers(call);
    if (!call->kept || call->cancelled)
        h2_call_tell_end(call);
}

void h2_call_stream_go_on(struct upstream_call *call)
{
    if (call->kept)
        read_kept(call);
    if (!call->stream && (!call->kept || call->fault))
        h2_call_tell_end(call);
}

void h2_call_sent(struct upstream_call *call)
{
    TAILQ_REMOVE(&call->conn->senders, call, sender_link);
    call->sending = false;
    if (!call->cancelled && h2_call_events(call))
        h2_call_events(call)->call_sent(call->context);
}

/* ---- verbs; what they say of a stream that is over goes nowhere ---- */

void h2_call_send(struct upstream_call *call, struct blob *message, bool compressed)
{
    uint8_t prefix[GRPC_PREFIX_SIZE];
    if (!call->stream)
        return;
    grpc_prefix_write(prefix, compressed, message->size);
    h2_send(call->stream, span_of(prefix, sizeof(prefix)), message);
    call->sending = true;
    TAILQ_INSERT_TAIL(&call->conn->senders, call, sender_link);
    h2_transport_write_later(call->upstream->transport, call->conn);
}

void h2_call_finish(struct upstream_call *call)
{
    if (!call->stream)
        return;
    call->finished = true;
    h2_finish(call->stream, &(struct metadata){0});
    h2_transport_write_later(call->upstream->transport, call->conn);
}

void h2_call_receive(struct upstream_call *call)
{
    call->asked = true;
    if (call->kept)
        h2_transport_tell_later(call->upstream->transport, call);
}
