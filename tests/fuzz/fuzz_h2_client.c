/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of a server to the HTTP/2 engine as a client, with an owner that does what the transport
 * does: it reads responses and messages, sends bodies of any number of parts, resets, gives windows
 * back or keeps them. The first four bytes say how the owner's dice fall.
 */
#include <stdlib.h>
#include <sys/queue.h>

#include "proto/grpc_reader.h"
#include "proto/grpc_response.h"
#include "proto/h2.h"

#define MESSAGE_MAX 65536
#define CALLS_MAX   16
#define PIECE_MAX   400
#define FIELDS      5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct call {
    LIST_ENTRY(call) link;
    struct h2_stream *stream;
    bool finished; /* the request is whole */
    size_t window; /* bytes that were not given back */
    struct grpc_response response;
    struct grpc_reader reader;
};

struct side {
    struct h2 *h2;
    uint32_t dice;
    LIST_HEAD(, call) calls;
    size_t open;
    bool gone; /* a goaway has come */
    struct blob *part;
};

static const struct h2_limits limits = {
    .max_header_list = 4096, .max_continuations = 8, .stream_window = 64 << 10};

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* A number below `sides`: xorshift. */
static uint32_t roll(struct side *side, uint32_t sides)
{
    side->dice ^= side->dice << 13;
    side->dice ^= side->dice >> 17;
    side->dice ^= side->dice << 5;
    return side->dice % sides;
}

static void open_call(struct side *side)
{
    const struct h2_field fields[FIELDS] = {
        {.name = span_text(":method"), .value = span_text("POST")},
        {.name = span_text(":scheme"), .value = span_text("http")},
        {.name = span_text(":path"), .value = span_text("/s/M")},
        {.name = span_text(":authority"), .value = span_text("a")},
        {.name = span_text("grpc-timeout"), .value = span_text("1S"), .varies = true},
    };
    struct call *call = calloc(1, sizeof(*call));
    check(call != NULL);
    call->stream = h2_request(side->h2, fields, FIELDS, call);
    LIST_INSERT_HEAD(&side->calls, call, link);
    side->open++;
}

static void act(struct side *side, struct call *call)
{
    switch (roll(side, 6)) {
    case 0:
        h2_consume(call->stream, call->window);
        call->window = 0;
        return;
    case 1:
        h2_widen(call->stream, roll(side, 1 << 21));
        return;
    case 2:
        h2_reset(call->stream, H2_CANCEL);
        call->finished = true;
        return;
    case 3:
        if (!call->finished)
            h2_finish(call->stream, &(struct metadata){0});
        call->finished = true;
        return;
    default:
        if (!call->finished)
            h2_send(call->stream, span_text("12345"), side->part);
    }
}

static void act_on_some(struct side *side)
{
    struct call *call;
    LIST_FOREACH (call, &side->calls, link) {
        if (roll(side, 4) == 0)
            act(side, call);
    }
    if (side->open < CALLS_MAX && h2_takes_requests(side->h2) && roll(side, 3) == 0)
        open_call(side);
}

static void on_header(void *context, struct h2_stream *stream, struct span name, struct span value)
{
    (void)context;
    struct call *call = h2_stream_user(stream);
    grpc_response_take(&call->response, name, value);
}

static void on_headers_ended(void *context, struct h2_stream *stream)
{
    struct call *call = h2_stream_user(stream);
    grpc_response_section(&call->response);
    act(context, call);
}

static void on_data(void *context, struct h2_stream *stream, struct span bytes)
{
    struct call *call = h2_stream_user(stream);
    call->window += bytes.length;
    for (;;) {
        struct blob *message;
        enum grpc_read read = grpc_reader_take(&call->reader, &bytes, &message);
        if (read == GRPC_READ_WHOLE)
            blob_unref(message);
        else if (read != GRPC_READ_SIZED || grpc_reader_size(&call->reader) > MESSAGE_MAX)
            break;
        else
            check(grpc_reader_start(&call->reader, SIZE_MAX));
    }
    act(context, call);
}

static void on_ended(void *context, struct h2_stream *stream)
{
    act(context, h2_stream_user(stream));
}

/* Who is told of an end may open another one. */
static void on_closed(void *context, struct h2_stream *stream, uint32_t error)
{
    struct side *side = context;
    struct call *call = h2_stream_user(stream);
    struct grpc_end end = grpc_response_end(&call->response, error);
    check(end.code <= CODE_UNAUTHENTICATED);
    check(!h2_stream_unstarted(stream, error) || !call->response.begun || error == 7);
    LIST_REMOVE(call, link);
    side->open--;
    grpc_response_clear(&call->response);
    grpc_reader_clear(&call->reader);
    free(call);
    if (side->h2 && side->open < CALLS_MAX && h2_takes_requests(side->h2))
        open_call(side);
}

static void on_settings(void *context)
{
    (void)h2_capacity(((struct side *)context)->h2);
}

static void on_goaway(void *context, uint32_t error, struct span text)
{
    (void)error;
    struct side *side = context;
    side->gone = true;
    check(text.length < (1 << 14));
}

static bool has_room(void *context)
{
    return roll(context, 8) > 0;
}

static void write_bytes(void *context, struct span bytes)
{
    (void)context;
    check(bytes.length > 0);
}

static void write_blob(void *context, struct blob *blob, struct span bytes)
{
    (void)context;
    check(bytes.at >= blob->data && bytes.at + bytes.length <= blob->data + blob->size);
}

static const struct h2_handler handler = {
    .header = on_header,
    .headers_ended = on_headers_ended,
    .data = on_data,
    .ended = on_ended,
    .closed = on_closed,
    .settings = on_settings,
    .goaway = on_goaway,
    .room = has_room,
    .write = write_bytes,
    .write_blob = write_blob,
};

static bool feed(struct side *side, const uint8_t *data, size_t size)
{
    while (size > 0) {
        size_t piece = 1 + roll(side, PIECE_MAX);
        if (piece > size)
            piece = size;
        if (!h2_input(side->h2, span_of(data, piece), 0) || !h2_fill(side->h2))
            return false;
        act_on_some(side);
        check(!side->gone || !h2_takes_requests(side->h2));
        data += piece;
        size -= piece;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct side side = {.dice = 1};
    if (size < sizeof(side.dice))
        return 0;
    memcpy(&side.dice, data, sizeof(side.dice));
    side.dice |= 1;
    LIST_INIT(&side.calls);
    side.part = blob_copy(span_text("a part of a message"));
    side.h2 = h2_client_new(&limits, &handler, &side);
    check(side.part && side.h2);
    open_call(&side);
    open_call(&side);
    h2_fill(side.h2);
    if (!feed(&side, data + sizeof(side.dice), size - sizeof(side.dice)))
        check(h2_fault(side.h2) != NULL);
    struct h2 *h2 = side.h2;
    side.h2 = NULL; /* no call is opened by the end of another any more */
    h2_free(h2);
    check(side.open == 0);
    blob_unref(side.part);
    return 0;
}
