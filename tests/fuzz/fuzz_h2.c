/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of a client to the HTTP/2 engine, in pieces, with an owner that does what the gRPC front
 * does: it reads heads and messages, answers at once or later, little or much, resets, gives
 * windows back or keeps them, and has room for output or has none. The first byte says whether a
 * preface is put before the bytes and which limits there are, four more how the owner's dice fall.
 */
#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "proto/grpc_head.h"
#include "proto/grpc_reader.h"
#include "proto/grpc_reply.h"
#include "proto/h2.h"

#define PREFIX             5
#define MESSAGE_MAX        65536
#define LARGE              70000 /* more than a window */
#define FRAME_HEAD         9
#define PIECE_MAX          400
#define FRAMES_A_MINUTE    200
#define STEP_MAX           2000 /* ms between two pieces */
#define OUTPUT_WITHOUT_END (64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum call_phase { CALL_HEAD, CALL_BODY, CALL_ENDED };

struct call {
    LIST_ENTRY(call) link;
    struct h2_stream *stream;
    enum call_phase phase;
    bool responded;
    bool finished; /* the answer is whole, or there will be none */
    size_t window; /* bytes that were not given back */
    struct grpc_head head;
    struct grpc_reader reader;
};

struct front {
    struct h2 *h2;
    struct h2_limits limits;
    struct h2_counters counters;
    uint32_t dice;
    int64_t now;
    LIST_HEAD(, call) calls;
    size_t open;
    bool has_room; /* whatever the dice say */
    struct blob *small;
    struct blob *large;
    size_t queued;             /* bytes of bodies given to the engine */
    size_t dropped;            /* of them, those of streams that ended before */
    size_t written;            /* of them, those that came out in DATA frames */
    size_t output;             /* bytes, of all frames */
    uint8_t frame[FRAME_HEAD]; /* of the frame that is coming out */
    size_t frame_filled;
    size_t frame_left; /* bytes of its payload */
};

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* A number below `sides`: xorshift. */
static uint32_t roll(struct front *front, uint32_t sides)
{
    front->dice ^= front->dice << 13;
    front->dice ^= front->dice >> 17;
    front->dice ^= front->dice << 5;
    return front->dice % sides;
}

static void respond(struct call *call, const char *status, bool last)
{
    struct metadata head = {0};
    if (status)
        grpc_reply_http(&head, status);
    else
        grpc_reply_head(&head, &call->head.metadata);
    if (!status && last)
        grpc_reply_status(&head, CODE_UNAVAILABLE, span_text("50% \n"), NULL);
    h2_respond(call->stream, &head, last);
    metadata_clear(&head);
    call->responded = true;
    call->finished = last;
}

static void send_message(struct front *front, struct call *call, struct blob *message)
{
    uint8_t prefix[GRPC_PREFIX_SIZE];
    if (!call->responded)
        respond(call, NULL, false);
    grpc_prefix_write(prefix, false, message->size);
    h2_send(call->stream, span_of(prefix, sizeof(prefix)), message);
    front->queued += sizeof(prefix) + message->size;
}

static void finish(struct front *front, struct call *call)
{
    struct metadata trailers = {0};
    if (!call->responded)
        respond(call, NULL, false);
    if (roll(front, 4) > 0)
        grpc_reply_status(&trailers, CODE_OK, span_of(NULL, 0), &call->head.metadata);
    h2_finish(call->stream, &trailers);
    check(trailers.count == 0);
    call->finished = true;
}

static void give_back(struct front *front, struct call *call)
{
    size_t length = call->window > 0 ? 1 + roll(front, (uint32_t)call->window) : 0;
    h2_consume(call->stream, length);
    call->window -= length;
}

/* Something that an owner may do with a stream that is not answered in full. */
static void answer(struct front *front, struct call *call)
{
    switch (roll(front, 7)) {
    case 0:
        send_message(front, call, front->small);
        return;
    case 1:
        send_message(front, call, front->large);
        return;
    case 2:
        if (!call->responded)
            respond(call, NULL, true);
        return;
    case 3:
        send_message(front, call, front->small);
        finish(front, call);
        return;
    case 4:
        finish(front, call);
        return;
    case 5:
        h2_reset(call->stream, roll(front, 2) ? H2_CANCEL : H2_PROTOCOL_ERROR);
        call->finished = true;
        return;
    default:
        h2_blame(call->stream);
    }
}

static void act(struct front *front, struct call *call)
{
    if (roll(front, 3) == 0)
        give_back(front, call);
    else if (roll(front, 8) == 0)
        h2_widen(call->stream, roll(front, 1 << 21));
    else if (!call->finished && call->phase != CALL_HEAD)
        answer(front, call);
}

static void act_on_some(struct front *front)
{
    struct call *call;
    LIST_FOREACH (call, &front->calls, link) {
        if (roll(front, 8) == 0)
            act(front, call);
    }
}

static struct call *look_up(struct h2_stream *stream)
{
    struct call *call = h2_stream_user(stream);
    check(call && call->stream == stream);
    return call;
}

static void on_opened(void *context, struct h2_stream *stream)
{
    struct front *front = context;
    struct call *call = calloc(1, sizeof(*call));
    check(call && !h2_stream_user(stream) && h2_stream_unsent(stream) == 0);
    call->stream = stream;
    h2_stream_set_user(stream, call);
    LIST_INSERT_HEAD(&front->calls, call, link);
    front->open++;
    check(front->open <= front->limits.max_streams);
}

static void on_header(void *context, struct h2_stream *stream, struct span name, struct span value)
{
    (void)context;
    struct call *call = look_up(stream);
    check(call->phase == CALL_HEAD && !h2_stream_head_too_large(stream));
    grpc_head_take(&call->head, name, value);
}

static void on_headers_ended(void *context, struct h2_stream *stream)
{
    struct front *front = context;
    struct call *call = look_up(stream);
    check(call->phase == CALL_HEAD);
    call->phase = CALL_BODY;
    if (h2_stream_head_too_large(stream))
        respond(call, NULL, true);
    else if (grpc_head_check(&call->head) != GRPC_HEAD_GOOD)
        respond(call, "415", true);
    else if (roll(front, 4) == 0)
        act(front, call);
}

/* One message after the other, as far as they are no larger than is allowed. */
static void read_messages(struct front *front, struct call *call, struct span bytes)
{
    for (;;) {
        struct blob *message;
        switch (grpc_reader_take(&call->reader, &bytes, &message)) {
        case GRPC_READ_SIZED:
            if (grpc_reader_size(&call->reader) > MESSAGE_MAX)
                return;
            check(grpc_reader_start(&call->reader, SIZE_MAX));
            break;
        case GRPC_READ_WHOLE:
            if (!call->finished && roll(front, 2) == 0)
                send_message(front, call, message); /* an echo */
            blob_unref(message);
            break;
        default:
            return;
        }
    }
}

static void on_data(void *context, struct h2_stream *stream, struct span bytes)
{
    struct front *front = context;
    struct call *call = look_up(stream);
    check(call->phase == CALL_BODY);
    call->window += bytes.length;
    read_messages(front, call, bytes);
    act(front, call);
}

static void on_ended(void *context, struct h2_stream *stream)
{
    struct front *front = context;
    struct call *call = look_up(stream);
    check(call->phase == CALL_BODY);
    call->phase = CALL_ENDED;
    act(front, call);
}

/* What one stream has held may let others go on. */
static void on_closed(void *context, struct h2_stream *stream, uint32_t error)
{
    (void)error;
    struct front *front = context;
    struct call *call = look_up(stream);
    front->dropped += h2_stream_unsent(stream);
    LIST_REMOVE(call, link);
    front->open--;
    grpc_head_clear(&call->head);
    grpc_reader_clear(&call->reader);
    free(call);
    if (front->h2)
        act_on_some(front);
}

static bool has_room(void *context)
{
    struct front *front = context;
    return front->has_room || roll(front, 4) > 0;
}

/* Follows the frames that come out. */
static void take_output(struct front *front, struct span bytes)
{
    front->output += bytes.length;
    check(front->output < OUTPUT_WITHOUT_END);
    for (size_t i = 0; i < bytes.length;) {
        if (front->frame_left > 0) {
            size_t left = bytes.length - i;
            size_t taken = left < front->frame_left ? left : front->frame_left;
            front->frame_left -= taken;
            i += taken;
            continue;
        }
        front->frame[front->frame_filled++] = bytes.at[i++];
        if (front->frame_filled < FRAME_HEAD)
            continue;
        const uint8_t *head = front->frame;
        front->frame_filled = 0;
        front->frame_left = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
        if (head[3] == NGHTTP2_DATA)
            front->written += front->frame_left;
    }
}

static void on_write(void *context, struct span bytes)
{
    check(bytes.length > 0);
    take_output(context, bytes);
}

static void on_write_blob(void *context, struct blob *blob, struct span bytes)
{
    check(bytes.length > 0 && bytes.at >= blob->data && bytes.length <= blob->size);
    check((size_t)(bytes.at - blob->data) <= blob->size - bytes.length);
    take_output(context, bytes);
}

static const struct h2_handler handler = {
    .opened = on_opened,
    .header = on_header,
    .headers_ended = on_headers_ended,
    .data = on_data,
    .ended = on_ended,
    .closed = on_closed,
    .room = has_room,
    .write = on_write,
    .write_blob = on_write_blob,
};

/* All that was queued is on its way, or waits, or went with its stream. */
static void check_sums(const struct front *front)
{
    size_t unsent = 0;
    const struct call *call;
    LIST_FOREACH (call, &front->calls, link) {
        unsent += h2_stream_unsent(call->stream);
    }
    check(h2_unsent(front->h2) == unsent);
    check(front->queued == front->written + front->dropped + unsent);
    check(front->frame_left == 0 && front->frame_filled == 0);
}

static bool fill(struct front *front)
{
    bool good = h2_fill(front->h2);
    check(good == !h2_fault(front->h2));
    check_sums(front);
    return good;
}

/* In a block of its own, so that a read behind it is noticed. */
static bool take_piece(struct front *front, struct span bytes)
{
    struct blob *piece = blob_copy(bytes);
    check(piece);
    bool good = h2_input(front->h2, blob_span(piece), front->now);
    blob_unref(piece);
    check(good == !h2_fault(front->h2));
    h2_in_head(front->h2);
    return good;
}

static void do_something(struct front *front)
{
    switch (roll(front, 256)) {
    case 0:
        h2_announce_end(front->h2);
        return;
    case 1:
        h2_goaway(front->h2, H2_NO_ERROR, "the daemon drains");
        return;
    case 2:
        h2_ping(front->h2);
        return;
    default:
        act_on_some(front);
    }
}

/* Until the connection is over. */
static void take_all(struct front *front, struct span bytes)
{
    size_t most = roll(front, 2) ? PIECE_MAX : 1 + roll(front, 20);
    for (size_t at = 0, length; at < bytes.length; at += length) {
        length = 1 + roll(front, (uint32_t)most);
        struct span rest = span_of(bytes.at + at, bytes.length - at);
        front->now += roll(front, STEP_MAX);
        if (!take_piece(front, span_cut(rest, length)))
            return;
        do_something(front);
        if (roll(front, 4) == 0)
            h2_rest(front->h2);
        if ((roll(front, 2) && !fill(front)) || h2_is_over(front->h2))
            return;
    }
}

static void begin(struct front *front, uint8_t limits, uint32_t dice)
{
    front->dice = dice * 2654435761u | 1; /* spread over all bits; never 0, where it would stay */
    front->limits = (struct h2_limits){
        .max_streams = limits & 2 ? 3 : 100,
        .max_header_list = limits & 4 ? 300 : 32768,
        .max_continuations = limits & 8 ? 1 : 8,
        .stream_window = limits & 16 ? 100 : 65535,
        .max_buffered = 1 << 20,
    };
    for (int i = 0; i < H2_RATE_COUNT; i++)
        front->limits.rates[i] = limits & 32 ? 5 : FRAMES_A_MINUTE;
    front->small = blob_copy(span_text("small"));
    front->large = blob_new(LARGE);
    front->h2 = h2_server_new(&front->limits, &front->counters, &handler, front, front->now);
    check(front->small && front->large && front->h2);
    memset(front->large->data, 'l', LARGE);
}

/* The client is told why, if there is a reason; then all is closed, once each. */
static void end(struct front *front)
{
    front->has_room = true;
    if (h2_fault(front->h2))
        h2_goaway(front->h2, h2_fault_error(front->h2), h2_fault(front->h2));
    fill(front);
    struct h2 *h2 = front->h2;
    front->h2 = NULL;
    h2_free(h2);
    check(front->open == 0 && LIST_EMPTY(&front->calls));
    check(front->queued == front->written + front->dropped);
    check(atomic_load(&front->small->references) == 1);
    check(atomic_load(&front->large->references) == 1);
    blob_unref(front->small);
    blob_unref(front->large);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* An empty SETTINGS frame behind it, its last byte the literal's own NUL. */
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";
    struct front front = {0};
    uint32_t dice;
    if (size <= PREFIX)
        return 0;
    memcpy(&dice, data + 1, sizeof(dice));
    begin(&front, data[0], dice);
    if (data[0] & 1)
        check(take_piece(&front, span_of(preface, sizeof(preface))));
    take_all(&front, span_of(data + PREFIX, size - PREFIX));
    end(&front);
    return 0;
}
