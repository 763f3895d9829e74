/* SPDX-License-Identifier: Apache-2.0 */
/* A call's beginning and end, and the reply of one that has one message each way. */
#include <stdio.h>
#include <stdlib.h>

#include "pool/clock.h"
#include "pool/h2_call.h"
#include "proto/grpc_field.h"
#include "proto/grpc_text.h"

/* ---- its head ---- */

#define OWN_FIELDS  13
#define FIELDS_MANY 32 /* a head of more than this needs memory of its own */

struct head {
    struct h2_field *fields;
    size_t count;
    char timeout[GRPC_TIMEOUT_MAX];
    struct h2_field few[FIELDS_MANY];
};

static void add(struct head *head, const char *name, struct span value)
{
    head->fields[head->count++] = (struct h2_field){.name = span_text(name), .value = value};
}

static void add_text(struct head *head, const char *name, const char *value)
{
    add(head, name, span_text(value));
}

static void add_item(struct head *head, struct span name, struct span value)
{
    head->fields[head->count++] = (struct h2_field){.name = name, .value = value, .varies = true};
}

/* C core takes no values that are joined by commas. */
static void add_binary(struct head *head, struct span name, struct span values)
{
    do {
        add_item(head, name, grpc_field_take_part(&values));
    } while (values.length > 0);
}

/* What is the daemon's own to say is left out (pool/upstream.h). */
static void add_metadata(struct head *head, const struct metadata *metadata)
{
    struct metadata_item item;
    for (size_t at = 0; metadata_next(metadata, &at, &item);) {
        if (!grpc_field_travels(item.name) || !grpc_field_valid(item.name, item.value) ||
            span_is(item.name, "authorization") || span_is(item.name, "dbname"))
            continue;
        if (grpc_field_is_binary(item.name))
            add_binary(head, item.name, item.value);
        else
            add_item(head, item.name, item.value);
    }
}

/* A server answers compressed where it is asked so; others are not told that it might. */
static void add_encodings(struct head *head, enum encoding encoding)
{
    add_text(head, "grpc-encoding", encoding_name(encoding));
    add_text(head, "grpc-accept-encoding", ENCODING_ACCEPTED);
}

/* Up, to three digits: header compression remembers what comes again, and that is little then. */
static int64_t rounded(int64_t timeout)
{
    int64_t unit = 1;
    while (timeout / unit >= 1000)
        unit *= 10;
    return (timeout + unit - 1) / unit * unit;
}

static void write_head(struct head *head, const struct h2_upstream *upstream,
                       const struct upstream_message *message)
{
    size_t most = OWN_FIELDS + grpc_field_bound(message->metadata);
    head->count = 0;
    head->fields = most <= FIELDS_MANY ? head->few : calloc(most, sizeof(*head->fields));
    if (!head->fields)
        abort();
    grpc_timeout_write(rounded(message->deadline - clock_now()), head->timeout);
    add_text(head, ":method", "POST");
    add_text(head, ":scheme", upstream->secrets ? "https" : "http");
    add_text(head, ":path", message->path);
    add_text(head, ":authority", upstream->authority);
    add_text(head, "te", "trailers");
    add_text(head, "content-type", "application/grpc");
    add_text(head, "user-agent", "milvus-bouncer/" MVB_VERSION);
    if (message->authorization.length > 0)
        add(head, "authorization", message->authorization);
    if (message->database.length > 0)
        add(head, "dbname", message->database);
    if (message->encoding != ENCODING_IDENTITY)
        add_encodings(head, message->encoding);
    add_text(head, "grpc-timeout", head->timeout);
    add_metadata(head, message->metadata);
}

/* ---- from its beginning ---- */

static void write_later(const struct upstream_call *call)
{
    h2_transport_write_later(call->upstream->transport, call->conn);
}

static void send_whole(struct upstream_call *call, const struct upstream_message *message)
{
    uint8_t prefix[GRPC_PREFIX_SIZE];
    size_t tail = message->tail ? message->tail->size : 0;
    bool compressed = message->encoding != ENCODING_IDENTITY;
    grpc_prefix_write(prefix, compressed, message->body.length + tail);
    h2_send_part(call->stream, span_of(prefix, sizeof(prefix)), message->owner, message->body);
    if (message->tail)
        h2_send(call->stream, span_of(NULL, 0), message->tail);
    h2_finish(call->stream, &(struct metadata){0});
}

struct upstream_call *h2_call_start(struct h2_conn *conn, const struct upstream_message *message,
                                    void *context)
{
    struct upstream_call *call = calloc(1, sizeof(*call));
    if (!call)
        abort();
    struct head head;
    call->upstream = conn->upstream;
    call->conn = conn;
    call->context = context;
    call->streams = message->stream;
    call->waits = message->held;
    call->response.bare = message->bare;
    write_head(&head, conn->upstream, message);
    call->stream = h2_request(conn->h2, head.fields, head.count, call);
    if (head.fields != head.few)
        free(head.fields);
    if (!message->stream)
        send_whole(call, message);
    call->finished = !message->stream;
    conn->call_count++;
    TAILQ_INSERT_TAIL(&conn->upstream->calls, call, link);
    write_later(call);
    return call;
}

void h2_call_free(struct upstream_call *call)
{
    TAILQ_REMOVE(&call->upstream->calls, call, link);
    if (call->is_later)
        TAILQ_REMOVE(&call->upstream->transport->later, call, later_link);
    grpc_response_clear(&call->response);
    grpc_reader_clear(&call->reader);
    blob_unref(call->reply);
    blob_unref(call->kept);
    free(call->fault);
    free(call);
}

/* ---- what comes ---- */

void h2_call_fail(struct upstream_call *call, enum code code, const char *format, ...)
{
    if (call->fault)
        return;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&call->fault, format, arguments) < 0)
        abort();
    va_end(arguments);
    call->code = code;
    call->from_peer = false;
    if (!call->stream)
        return;
    h2_reset(call->stream, H2_CANCEL);
    write_later(call);
}

/* Tells of a held call that there is something to take. */
static void tell_replied(struct upstream_call *call)
{
    if (call->replied || !call->waits || !h2_call_events(call))
        return;
    call->replied = true;
    h2_call_events(call)->call_replied(call->context);
}

void h2_call_section(struct upstream_call *call)
{
    bool begun = call->response.begun;
    grpc_response_section(&call->response);
    if (h2_stream_head_too_large(call->stream))
        h2_call_fail(call, CODE_RESOURCE_EXHAUSTED, "its metadata are larger than %u bytes",
                     H2_CALL_HEAD_MAX);
    if (begun || !call->response.begun)
        return;
    call->conn->used = true;
    if (call->streams)
        h2_call_tell_headers(call);
    else
        tell_replied(call);
}

/* Memory for the message, as far as it may come already. */
static void make_room(struct upstream_call *call)
{
    size_t size = grpc_reader_size(&call->reader);
    size_t room = call->waits && size > H2_CALL_WINDOW ? H2_CALL_WINDOW : size;
    if (!grpc_reader_start(&call->reader, room))
        h2_call_fail(call, CODE_RESOURCE_EXHAUSTED, "no memory for a message of %zu bytes", size);
}

void h2_call_size_known(struct upstream_call *call)
{
    size_t size = grpc_reader_size(&call->reader);
    uint32_t max = call->upstream->max_message;
    if (size > max) {
        h2_call_fail(call, CODE_RESOURCE_EXHAUSTED,
                     "a reply of %zu bytes is larger than max_message, %u", size, max);
        return;
    }
    make_room(call);
    if (!call->streams && !call->waits)
        h2_widen(call->stream, size + GRPC_PREFIX_SIZE);
}

struct blob *h2_call_unpack(struct upstream_call *call, struct blob *message)
{
    struct blob *unpacked = NULL;
    uint32_t max = call->upstream->max_message;
    if (!grpc_reader_compressed(&call->reader))
        return message;
    enum encoding encoding = call->response.encoding;
    enum inflate_result result = encoding_inflate(blob_span(message), encoding, max, &unpacked);
    blob_unref(message);
    if (call->response.bad_encoding)
        h2_call_fail(call, CODE_INTERNAL,
                     "a reply is compressed by an algorithm that is none of " ENCODING_ACCEPTED);
    if (result == INFLATE_BROKEN)
        h2_call_fail(call, CODE_INTERNAL, "a reply is not valid %s", encoding_name(encoding));
    if (result == INFLATE_TOO_LARGE)
        h2_call_fail(call, CODE_RESOURCE_EXHAUSTED,
                     "a compressed reply becomes larger than max_message, %u", max);
    return unpacked;
}

static void take_message(struct upstream_call *call, struct blob *message)
{
    if (!call->reply) {
        call->reply = h2_call_unpack(call, message);
        return;
    }
    blob_unref(message);
    h2_call_fail(call, CODE_INTERNAL, "more than one message in the reply");
}

static void read_reply(struct upstream_call *call, struct span bytes)
{
    struct blob *message;
    while (!call->fault) {
        switch (grpc_reader_take(&call->reader, &bytes, &message)) {
        case GRPC_READ_MORE:
            return;
        case GRPC_READ_SIZED:
            h2_call_size_known(call);
            break;
        case GRPC_READ_WHOLE:
            take_message(call, message);
            break;
        case GRPC_READ_BROKEN:
            h2_call_fail(call, CODE_INTERNAL, "the prefix of a message is not gRPC's");
        }
    }
}

/* What waits to be taken stays within the stream's window. */
void h2_call_data(struct upstream_call *call, struct span bytes)
{
    if (call->fault || call->cancelled)
        return;
    if (call->streams) {
        h2_call_stream_data(call, bytes);
        return;
    }
    read_reply(call, bytes);
    if (!call->waits)
        h2_consume(call->stream, bytes.length);
    else
        call->window += bytes.length;
}

/* ---- its end ---- */

static struct upstream_end end_of(const struct upstream_call *call)
{
    return (struct upstream_end){
        .code = call->code,
        .message = call->fault ? span_text(call->fault) : blob_span(call->response.message),
        .from_peer = call->from_peer,
        .unstarted = call->unstarted,
        .trailers =
            call->from_peer && call->response.trailers.count > 0 ? &call->response.trailers : NULL,
    };
}

void h2_call_tell_end(struct upstream_call *call)
{
    struct upstream_end end = end_of(call);
    if (!call->streams && call->response.headers.count > 0)
        end.headers = &call->response.headers;
    if (!call->streams && end.code == CODE_OK)
        end.reply = call->reply;
    if (h2_call_events(call))
        h2_call_events(call)->call_ended(call->context, &end);
    h2_call_free(call);
}

static void set_end(struct upstream_call *call, enum code code, const char *fault)
{
    call->code = code;
    call->fault = strdup(fault);
    if (!call->fault)
        abort();
}

static bool lacks_message(const struct upstream_call *call)
{
    return call->code == CODE_OK && !call->streams && !call->reply;
}

/* A fault that was found is what ended it; then what the server says counts; then what the
 * connection or the stream does. */
static void find_end(struct upstream_call *call, uint32_t error)
{
    struct grpc_end end = grpc_response_end(&call->response, error);
    if (call->fault)
        return;
    call->unstarted = !end.from_peer && h2_stream_unstarted(call->stream, error);
    if (end.from_peer) {
        call->code = end.code;
        call->from_peer = true;
    } else if (call->conn->reason) {
        set_end(call, CODE_UNAVAILABLE, call->conn->reason);
    } else {
        call->code = end.code;
        call->fault = strndup((const char *)end.message.at, end.message.length);
    }
    if (lacks_message(call)) {
        call->from_peer = false;
        set_end(call, CODE_INTERNAL, "a reply without message");
    }
}

/* The server needs no more of what we send. */
void h2_call_ended(struct upstream_call *call)
{
    if (call->finished && h2_stream_unsent(call->stream) == 0)
        return;
    h2_reset(call->stream, H2_CANCEL);
    write_later(call);
}

static void leave_conn(struct upstream_call *call)
{
    if (call->sending)
        TAILQ_REMOVE(&call->conn->senders, call, sender_link);
    call->sending = false;
    call->conn->call_count--;
    call->conn = NULL;
    call->stream = NULL;
}

void h2_call_closed(struct upstream_call *call, uint32_t error)
{
    find_end(call, error);
    leave_conn(call);
    if (call->streams && h2_call_events(call))
        h2_call_stream_closed(call);
    else if (call->waits && h2_call_events(call))
        tell_replied(call);
    else
        h2_call_tell_end(call);
}

/* ---- verbs ---- */

void h2_call_take(struct upstream_call *call)
{
    call->waits = false;
    if (!call->stream) {
        h2_transport_tell_later(call->upstream->transport, call);
        return;
    }
    if (call->reader.message) {
        make_room(call);
        h2_widen(call->stream, grpc_reader_size(&call->reader) + GRPC_PREFIX_SIZE);
    }
    h2_consume(call->stream, call->window);
    write_later(call);
}

void h2_call_cancel(struct upstream_call *call)
{
    call->cancelled = true;
    call->waits = call->waits && !call->replied;
    if (!call->stream) {
        h2_transport_tell_later(call->upstream->transport, call);
        return;
    }
    h2_reset(call->stream, H2_CANCEL);
    write_later(call);
}

void h2_call_go_on(struct upstream_call *call)
{
    if (call->streams && !call->cancelled)
        h2_call_stream_go_on(call);
    else if (!call->stream)
        h2_call_tell_end(call);
}
