/* SPDX-License-Identifier: Apache-2.0 */
/* How much the HTTP/2 engine hands over and takes in: windows (RFC 9113 section 5.2), frames, room
 * for output, and blobs that are not copied. */
#include <criterion/criterion.h>

#include "h2_pair.h"

#define COUNT(array)      (sizeof(array) / sizeof((array)[0]))
#define FRAME_HEAD        9
#define DEFAULT_WINDOW    65535
#define CONNECTION_WINDOW 65535 /* of the client */

static struct h2_pair pair;

static void open_with(struct h2_peer_options options)
{
    h2_pair_close(&pair);
    pair = (struct h2_pair){.limits = pair.limits};
    h2_pair_open(&pair, &options);
}

static void begin(void)
{
    open_with((struct h2_peer_options){.keeps_windows = true});
}

static void end(void)
{
    h2_pair_close(&pair);
}

TestSuite(h2_flow, .init = begin, .fini = end);

/* The client lets so many bytes more come, on a stream or (0) in all. */
static void open_window(int32_t id, int32_t length)
{
    cr_assert_eq(nghttp2_submit_window_update(pair.peer->session, 0, id, length), 0);
    h2_pair_run(&pair);
}

static size_t received(const struct h2_seen *seen)
{
    return h2_pair_answer(&pair, seen)->body.length;
}

static void expect_unsent(const struct h2_seen *seen, size_t unsent)
{
    cr_expect_eq(h2_stream_unsent(seen->stream), unsent, "%zu", h2_stream_unsent(seen->stream));
}

Test(h2_flow, no_more_is_handed_over_than_the_stream_takes)
{
    open_with((struct h2_peer_options){.window = 1000, .keeps_windows = true});
    struct h2_seen *seen = h2_pair_request(&pair, 0, true);
    h2_pair_answer_all(seen, 2500);
    expect_unsent(seen, 2500);
    h2_pair_run(&pair);
    static const struct {
        int32_t opened;
        size_t received;
    } steps[] = {{1, 1001}, {499, 1500}, {999, 2499}};
    cr_expect_eq(received(seen), 1000);
    expect_unsent(seen, 1500);
    for (size_t i = 0; i < COUNT(steps); i++) {
        open_window(1, steps[i].opened);
        cr_expect_eq(received(seen), steps[i].received);
        expect_unsent(seen, 2500 - steps[i].received);
        cr_expect_eq(h2_unsent(pair.h2), 2500 - steps[i].received);
        cr_expect_not(h2_pair_answer(&pair, seen)->ended);
    }
    open_window(1, 1);
    h2_expect_body(&h2_pair_answer(&pair, seen)->body, 2500);
    cr_expect_eq(h2_unsent(pair.h2), 0);
    cr_expect(h2_pair_answer(&pair, seen)->ended);
    cr_expect_eq(seen->closed, 1);
}

/* A window that fits just holds nothing up, trailers are not counted. */
Test(h2_flow, body_of_the_window_is_handed_over_whole)
{
    open_with((struct h2_peer_options){.window = 1000, .keeps_windows = true});
    for (size_t i = 0; i < 2; i++) {
        struct h2_seen *seen = h2_pair_request(&pair, 0, true);
        h2_pair_answer_all(seen, 1000 + i);
        h2_pair_run(&pair);
        h2_expect_body(&h2_pair_answer(&pair, seen)->body, 1000);
        cr_expect_eq(h2_unsent(pair.h2), i);
        cr_expect_eq(h2_pair_answer(&pair, seen)->ended, i == 0);
    }
}

Test(h2_flow, no_more_is_handed_over_than_the_connection_takes)
{
    open_with((struct h2_peer_options){.window = 100000, .keeps_windows = true});
    struct h2_seen *a = h2_pair_request(&pair, 0, true);
    struct h2_seen *b = h2_pair_request(&pair, 0, true);
    h2_pair_answer_all(a, 60000);
    h2_pair_answer_all(b, 60000);
    cr_expect_eq(h2_unsent(pair.h2), 120000);
    h2_pair_run(&pair);
    cr_expect_eq(received(a) + received(b), CONNECTION_WINDOW);
    cr_expect_eq(h2_unsent(pair.h2), 120000 - CONNECTION_WINDOW);
    open_window(0, 1);
    cr_expect_eq(received(a) + received(b), CONNECTION_WINDOW + 1);
    open_window(0, 60000);
    h2_expect_body(&h2_pair_answer(&pair, a)->body, 60000);
    h2_expect_body(&h2_pair_answer(&pair, b)->body, 60000);
    cr_expect_eq(h2_unsent(pair.h2), 0);
    cr_expect_eq(a->closed + b->closed, 2);
}

/* One that does not read holds nobody else up while the connection's window is open. */
Test(h2_flow, shut_window_of_one_stream_is_not_anothers)
{
    open_with((struct h2_peer_options){.window = 100, .keeps_windows = true});
    struct h2_seen *slow = h2_pair_request(&pair, 0, true);
    h2_pair_answer_all(slow, 50000);
    h2_pair_run(&pair);
    for (int i = 0; i < 10; i++) {
        struct h2_seen *fast = h2_pair_request(&pair, 0, true);
        h2_pair_answer_all(fast, 100);
        h2_pair_run(&pair);
        cr_expect_eq(fast->closed, 1);
    }
    cr_expect_eq(received(slow), 100);
    expect_unsent(slow, 49900);
}

static void set_window(uint32_t window)
{
    const nghttp2_settings_entry setting = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window};
    cr_assert_eq(nghttp2_submit_settings(pair.peer->session, 0, &setting, 1), 0);
    h2_pair_run(&pair);
}

/* As Milvus's servers and clients do; RFC 9113 section 6.9.2. */
Test(h2_flow, window_may_change_while_a_body_is_sent)
{
    open_with((struct h2_peer_options){.window = 1000, .keeps_windows = true});
    struct h2_seen *seen = h2_pair_request(&pair, 0, true);
    h2_pair_answer_all(seen, 5000);
    h2_pair_run(&pair);
    cr_expect_eq(received(seen), 1000);
    set_window(3000);
    cr_expect_eq(received(seen), 3000);
    set_window(0);
    open_window(1, 3000);
    cr_expect_eq(received(seen), 3000, "the window was 3000 below zero");
    open_window(1, 1);
    cr_expect_eq(received(seen), 3001);
    set_window(2000);
    h2_expect_body(&h2_pair_answer(&pair, seen)->body, 5000);
    cr_expect_eq(seen->closed, 1);
}

Test(h2_flow, zero_window_lets_only_the_head_through)
{
    set_window(0);
    struct h2_seen *seen = h2_pair_request(&pair, 0, true);
    h2_pair_answer_all(seen, 1);
    struct h2_seen *empty = h2_pair_request(&pair, 0, true);
    h2_pair_respond(empty, true);
    h2_pair_run(&pair);
    cr_expect_eq(h2_pair_answer(&pair, seen)->head.count, 1);
    expect_unsent(seen, 1);
    cr_expect_eq(empty->closed, 1);
    open_window(1, 1);
    cr_expect_eq(seen->closed, 1);
}

/* The lengths of a stream's DATA frames. */
static size_t data_lengths(int32_t id, size_t lengths[64])
{
    struct span left = bytes_span(&pair.peer->received);
    struct h2_frame frame;
    size_t count = 0;
    while (h2_frame_next(&left, &frame)) {
        if (frame.type != NGHTTP2_DATA || frame.stream != (uint32_t)id)
            continue;
        cr_assert_lt(count, 64);
        lengths[count++] = frame.payload.length;
    }
    return count;
}

Test(h2_flow, frames_are_of_the_size_every_client_takes)
{
    static const struct {
        uint32_t frame_max;
        size_t expected;
    } cases[] = {{16384, 16384}, {16385, 16384}, {1 << 20, 16384}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t lengths[64];
        open_with((struct h2_peer_options){.window = 1 << 24, .frame_max = cases[i].frame_max});
        struct h2_seen *seen = h2_pair_request(&pair, 0, true);
        open_window(0, 1 << 24);
        h2_pair_answer_all(seen, 300000);
        h2_pair_run(&pair);
        h2_expect_body(&h2_pair_answer(&pair, seen)->body, 300000);
        size_t count = data_lengths(1, lengths);
        cr_assert_eq(count, (300000 + cases[i].expected - 1) / cases[i].expected);
        for (size_t j = 0; j + 1 < count; j++)
            cr_expect_eq(lengths[j], cases[i].expected, "case %zu", i);
    }
}

/* All that the engine hands over for one stream with a body of pieces, its room as `step` says. */
static void fill_in_steps(size_t step, struct bytes *to)
{
    open_with((struct h2_peer_options){.window = 1 << 20, .keeps_windows = true});
    struct h2_seen *seen = h2_pair_request(&pair, 0, true);
    size_t whole = 0;
    h2_pair_respond(seen, false);
    for (size_t i = 0; i < 10; i++, whole += 5001)
        h2_pair_send_body(seen, 5001);
    h2_pair_finish(seen);
    for (size_t turns = 0; !seen->closed; turns++) {
        cr_assert_lt(turns, 100, "it does not go on");
        pair.room = step == SIZE_MAX ? step : pair.output.length + step;
        cr_expect(h2_fill(pair.h2));
        cr_expect(seen->closed || h2_stream_unsent(seen->stream) == h2_unsent(pair.h2));
        size_t left = h2_unsent(pair.h2);
        cr_expect_leq(pair.output.length + left, whole + 200, "more than heads beside the body");
        cr_expect_geq(pair.output.length + left, whole);
    }
    bytes_add(to, bytes_span(&pair.output));
}

/* One frame at a time where there is room for a byte. */
Test(h2_flow, output_waits_for_room_and_loses_nothing)
{
    static const size_t steps[] = {1, 10, 1000, 17000, 40000};
    struct bytes whole = {0};
    fill_in_steps(SIZE_MAX, &whole);
    for (size_t i = 0; i < COUNT(steps); i++) {
        struct bytes got = {0};
        fill_in_steps(steps[i], &got);
        cr_expect(span_equal(bytes_span(&got), bytes_span(&whole)), "%zu bytes at a time",
                  steps[i]);
        bytes_clear(&got);
    }
    bytes_clear(&whole);
}

Test(h2_flow, nothing_is_handed_over_without_room)
{
    struct h2_seen *seen = h2_pair_request(&pair, 0, true);
    pair.room = 0;
    h2_pair_answer_all(seen, 100);
    for (int i = 0; i < 3; i++) {
        cr_expect(h2_fill(pair.h2));
        cr_expect_eq(pair.output.length, 0);
        expect_unsent(seen, 100);
        cr_expect_not(h2_is_over(pair.h2));
    }
    pair.room = 1;
    h2_fill(pair.h2);
    cr_expect_gt(pair.output.length, 0);
    expect_unsent(seen, 100);
    pair.room = SIZE_MAX;
    h2_pair_run(&pair);
    h2_expect_body(&h2_pair_answer(&pair, seen)->body, 100);
}

/* The frame that was next belongs to a stream that is gone meanwhile. */
Test(h2_flow, stream_may_end_while_its_frame_waits_for_room)
{
    for (int by_us = 0; by_us < 2; by_us++) {
        struct h2_seen *gone = h2_pair_request(&pair, 0, true);
        struct h2_seen *stays = h2_pair_request(&pair, 0, true);
        h2_pair_answer_all(gone, 3000);
        pair.room = 1; /* the head fits, the body has been begun */
        h2_fill(pair.h2);
        expect_unsent(gone, 3000);
        if (by_us)
            h2_reset(gone->stream, H2_CANCEL);
        else
            nghttp2_submit_rst_stream(pair.peer->session, 0, h2_pair_id(&pair, gone), H2_CANCEL);
        h2_pair_receive(&pair);
        h2_pair_answer_all(stays, 4000);
        pair.room = SIZE_MAX;
        h2_pair_run(&pair);
        cr_expect_eq(gone->closed, 1);
        cr_expect_eq(gone->error, H2_CANCEL);
        h2_expect_body(&h2_pair_answer(&pair, stays)->body, 4000);
        cr_expect_eq(h2_unsent(pair.h2), 0);
    }
}

/* What is added to a frame that waits goes into the next one. */
Test(h2_flow, body_may_grow_while_its_frame_waits_for_room)
{
    struct h2_seen *seen = h2_pair_request(&pair, 0, true);
    h2_pair_respond(seen, false);
    h2_pair_send_body(seen, 89);
    pair.room = 1;
    h2_fill(pair.h2);
    h2_pair_send_body(seen, 178);
    h2_pair_finish(seen);
    h2_fill(pair.h2);
    expect_unsent(seen, 267);
    pair.room = SIZE_MAX;
    h2_pair_run(&pair);
    h2_expect_body(&h2_pair_answer(&pair, seen)->body, 267);
    cr_expect(h2_pair_answer(&pair, seen)->ended);
}

/* In order, without a gap, and where they lie. */
static void expect_parts(const struct blob *blob, size_t first, size_t length)
{
    size_t at = 0;
    for (size_t i = first; i < pair.part_count; i++) {
        cr_expect_eq(pair.parts[i].blob, blob);
        cr_expect_eq(pair.parts[i].bytes.at, blob->data + at);
        at += pair.parts[i].bytes.length;
    }
    cr_expect_eq(at, length);
}

static void drop_parts(void)
{
    for (size_t i = 0; i < pair.part_count; i++)
        blob_unref(pair.parts[i].blob);
    pair.part_count = 0;
}

Test(h2_flow, blobs_are_handed_over_where_they_lie)
{
    struct h2_seen *seen = h2_pair_request(&pair, 0, true);
    struct blob *blob = blob_new(100000);
    memset(blob->data, 'b', blob->size);
    h2_pair_respond(seen, false);
    h2_send(seen->stream, span_of("12345", 5), blob);
    cr_expect_eq(atomic_load(&blob->references), 2);
    h2_pair_run(&pair);
    expect_parts(blob, 0, DEFAULT_WINDOW - 5);
    cr_expect_eq(atomic_load(&blob->references), 2 + pair.part_count, "it has more to send");
    open_window(0, 100000);
    open_window(1, 100000);
    expect_parts(blob, 0, 100000);
    cr_expect_eq(atomic_load(&blob->references), 1 + pair.part_count, "all is handed over");
    drop_parts();
    cr_expect_eq(atomic_load(&blob->references), 1);
    blob_unref(blob);
}

Test(h2_flow, blob_may_be_sent_twice_and_by_two_streams)
{
    struct blob *blob = blob_copy(span_text("same"));
    for (int i = 0; i < 2; i++) {
        struct h2_seen *seen = h2_pair_request(&pair, 0, true);
        h2_pair_respond(seen, false);
        h2_send(seen->stream, span_text("1"), blob);
        h2_send(seen->stream, span_text("2"), blob);
        h2_pair_finish(seen);
    }
    cr_expect_eq(atomic_load(&blob->references), 5);
    h2_pair_run(&pair);
    for (int i = 0; i < 2; i++)
        cr_expect(span_is(bytes_span(&h2_pair_answer(&pair, &pair.seen[i])->body), "1same2same"));
    drop_parts();
    cr_expect_eq(atomic_load(&blob->references), 1);
    blob_unref(blob);
}

/* Prefixes of every size, cut by the window at every place. */
Test(h2_flow, prefix_stands_before_its_blob)
{
    struct blob *blob = blob_copy(span_text("blob"));
    for (size_t length = 0; length <= H2_PREFIX_MAX; length++) {
        struct bytes expected = {0};
        open_with((struct h2_peer_options){.window = 1, .keeps_windows = true});
        struct h2_seen *seen = h2_pair_request(&pair, 0, true);
        h2_pair_respond(seen, false);
        for (int i = 0; i < 2; i++) {
            h2_send(seen->stream, span_of("12345678", length), blob);
            bytes_add(&expected, span_of("12345678", length));
            bytes_add(&expected, blob_span(blob));
        }
        h2_pair_finish(seen);
        h2_pair_run(&pair);
        for (size_t i = 1; i < expected.length; i++) {
            expect_unsent(seen, expected.length - i);
            open_window(1, 1);
        }
        cr_expect(span_equal(bytes_span(&h2_pair_answer(&pair, seen)->body), bytes_span(&expected)),
                  "prefix of %zu", length);
        cr_expect_eq(seen->closed, 1);
        bytes_clear(&expected);
    }
    drop_parts();
    blob_unref(blob);
}

static void open_with_stream_window(uint32_t window)
{
    h2_pair_close(&pair);
    pair = (struct h2_pair){.limits = h2_pair_limits()};
    pair.limits.stream_window = window;
    h2_pair_open(&pair, &(struct h2_peer_options){0});
}

Test(h2_flow, request_stalls_once_its_window_is_full)
{
    static const uint32_t windows[] = {1000, 65535, 100000};
    for (size_t i = 0; i < COUNT(windows); i++) {
        size_t window = windows[i];
        open_with_stream_window(windows[i]);
        struct h2_seen *fits = h2_pair_request(&pair, window, true);
        cr_expect_eq(fits->ended, 1);
        struct h2_seen *stalls = h2_pair_request(&pair, window + 1, true);
        h2_expect_body(&stalls->body, window);
        cr_expect_eq(stalls->ended, 0);
        cr_expect_eq(h2_pair_answer(&pair, stalls)->sent, window);
        struct h2_seen *other = h2_pair_request(&pair, window / 2, true);
        cr_expect_eq(other->ended, 1, "it goes on");
        cr_expect_eq(h2_peer_windows(pair.peer, h2_pair_id(&pair, stalls)), 0);
        h2_consume(stalls->stream, window);
        h2_pair_run(&pair);
        h2_expect_body(&stalls->body, window + 1);
        cr_expect_eq(stalls->ended, 1);
        cr_expect_eq(h2_peer_windows(pair.peer, h2_pair_id(&pair, stalls)), window);
    }
}

/* Neither more nor less than was consumed, in pieces of any size. */
Test(h2_flow, consumed_bytes_open_the_window)
{
    struct h2_seen *seen = h2_pair_request(&pair, 500000, true);
    size_t consumed = 0;
    for (size_t step = 1; !seen->ended; step = step * 2 % 9973) {
        cr_assert_leq(seen->body.length, consumed + DEFAULT_WINDOW);
        cr_assert_gt(seen->body.length, consumed, "it does not go on");
        size_t left = seen->body.length - consumed;
        h2_consume(seen->stream, left < step ? left : step);
        consumed += left < step ? left : step;
        h2_pair_run(&pair);
        cr_assert_leq(h2_peer_windows(pair.peer, 1), consumed);
    }
    h2_expect_body(&seen->body, 500000);
}

Test(h2_flow, widened_stream_may_send_more_at_once)
{
    static const size_t widths[] = {65536, 300000, 1 << 20};
    for (size_t i = 0; i < COUNT(widths); i++) {
        struct h2_seen *seen = h2_pair_request(&pair, widths[i] + 1, true);
        h2_expect_body(&seen->body, DEFAULT_WINDOW);
        h2_widen(seen->stream, widths[i]);
        h2_pair_run(&pair);
        h2_expect_body(&seen->body, widths[i]);
        cr_expect_eq(seen->ended, 0);
        h2_consume(seen->stream, widths[i]);
        h2_pair_run(&pair);
        cr_expect_eq(seen->ended, 1);
    }
}

Test(h2_flow, widening_never_narrows_and_is_bounded)
{
    struct h2_seen *seen = h2_pair_request(&pair, 10 << 20, true);
    h2_widen(seen->stream, 10);
    h2_widen(seen->stream, 0);
    h2_pair_run(&pair);
    h2_expect_body(&seen->body, DEFAULT_WINDOW);
    h2_consume(seen->stream, DEFAULT_WINDOW);
    h2_pair_run(&pair);
    h2_expect_body(&seen->body, 2 * DEFAULT_WINDOW);
    h2_widen(seen->stream, 200000);
    h2_widen(seen->stream, 100000);
    h2_pair_run(&pair);
    h2_expect_body(&seen->body, DEFAULT_WINDOW + 200000);
    h2_widen(seen->stream, SIZE_MAX);
    h2_pair_run(&pair);
    cr_expect_geq(seen->body.length, 1 << 20);
    cr_expect_leq(seen->body.length, 4 << 20);
}

/* The stream's window bounds what is held; the connection's never shuts because of it. */
Test(h2_flow, held_bodies_do_not_shut_the_connection)
{
    for (size_t i = 0; i < 40; i++) {
        struct h2_seen *seen = h2_pair_request(&pair, DEFAULT_WINDOW, true);
        h2_expect_body(&seen->body, DEFAULT_WINDOW);
        cr_expect_eq(seen->ended, 1);
    }
}

/* 2 MB that nobody wants: of streams that are gone, and padding. */
Test(h2_flow, ignored_bytes_do_not_shut_the_connection)
{
    static const uint8_t zeros[16000];
    uint8_t padded[256] = {255};
    struct bytes block = {0};
    h2_pair_close(&pair);
    pair = (struct h2_pair){.consumes = true};
    h2_pair_open_raw(&pair);
    h2_request_write(&block);
    for (uint32_t id = 1; id <= 3; id += 2)
        h2_peer_raw(pair.peer, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, id, bytes_span(&block));
    bytes_clear(&block);
    h2_pair_receive(&pair);
    h2_reset(pair.seen[0].stream, H2_CANCEL);
    h2_pair_send(&pair);
    for (int i = 0; i < 130; i++) {
        h2_peer_raw(pair.peer, NGHTTP2_DATA, 0, 1, span_of(zeros, sizeof(zeros)));
        h2_peer_raw(pair.peer, NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, 3, span_of(padded, 256));
        h2_pair_run(&pair);
    }
    cr_expect_null(h2_fault(pair.h2));
    cr_expect_eq(h2_peer_count(pair.peer, NGHTTP2_GOAWAY, -1, NULL), 0);
    cr_expect_eq(h2_peer_count(pair.peer, NGHTTP2_RST_STREAM, 3, NULL), 0);
    cr_expect_geq(h2_peer_windows(pair.peer, 0), 1500000);
}
