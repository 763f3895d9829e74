/* SPDX-License-Identifier: Apache-2.0 */
/* How an HTTP/2 connection begins and ends: what is no HTTP/2, broken rules, GOAWAY, and that the
 * events do not depend on how the bytes arrive. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "h2_pair.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LAST_STREAM  0x7fffffff /* RFC 9113 section 6.8: any that may still come */

static struct h2_pair pair;

static void end(void)
{
    h2_pair_close(&pair);
}

TestSuite(h2_end, .fini = end);

static void open_pair(void)
{
    h2_pair_close(&pair);
    pair = (struct h2_pair){0};
    h2_pair_open(&pair, &(struct h2_peer_options){0});
}

static void open_raw(void)
{
    h2_pair_close(&pair);
    pair = (struct h2_pair){0};
    h2_pair_open_raw(&pair);
}

static void expect_goaway(uint32_t last, uint32_t error, const char *text)
{
    struct h2_frame frame;
    cr_assert_geq(h2_peer_count(pair.peer, NGHTTP2_GOAWAY, 0, &frame), 1);
    cr_expect_eq(h2_frame_number(&frame, 0), last, "%u", h2_frame_number(&frame, 0));
    cr_expect_eq(h2_frame_number(&frame, 4), error, "%u", h2_frame_number(&frame, 4));
    if (text)
        cr_expect(span_is(span_of(frame.payload.at + 8, frame.payload.length - 8), text));
}

Test(h2_end, nothing_is_told_of_a_connection_without_streams)
{
    open_pair();
    cr_expect_eq(pair.count, 0);
    cr_expect_null(h2_fault(pair.h2));
    cr_expect_eq(h2_unsent(pair.h2), 0);
    cr_expect_not(h2_in_head(pair.h2));
    cr_expect_not(h2_is_over(pair.h2));
}

Test(h2_end, free_takes_null)
{
    h2_free(NULL);
}

Test(h2_end, free_closes_what_is_open_once_each)
{
    h2_pair_open(&pair, &(struct h2_peer_options){.keeps_windows = true});
    for (int i = 0; i < 6; i++)
        h2_pair_request(&pair, 10, i % 2);
    h2_pair_answer_all(&pair.seen[0], 10);
    h2_pair_answer_all(&pair.seen[1], 200000);
    h2_pair_respond(&pair.seen[2], false);
    h2_pair_run(&pair);
    h2_pair_send_body(&pair.seen[3], 10);
    h2_reset(pair.seen[4].stream, H2_INTERNAL_ERROR);
    cr_expect_eq(pair.seen[0].closed, 1);
    end();
    for (size_t i = 0; i < 6; i++) {
        cr_expect_eq(pair.seen[i].closed, 1);
        cr_expect_eq(pair.seen[i].error, i == 0 ? H2_NO_ERROR : H2_CANCEL);
    }
}

static const char preface[] = H2_PREFACE;

/* One byte of it wrong, and the bytes at once or one by one. */
Test(h2_end, other_prefaces_are_no_http2)
{
    for (size_t wrong = 0; wrong < strlen(preface); wrong++) {
        char text[sizeof(preface)];
        strcpy(text, preface);
        text[wrong] ^= 1;
        size_t step = wrong % 2 ? 1 : strlen(text);
        h2_pair_close(&pair);
        pair = (struct h2_pair){0};
        h2_pair_open(&pair, &(struct h2_peer_options){.silent = true});
        bool good = true;
        for (size_t at = 0; at < strlen(text) && good; at += step)
            good = h2_pair_input(&pair, span_of(text + at, step));
        cr_assert_not(good, "byte %zu", wrong);
        cr_expect(strstr(h2_fault(pair.h2), "this is not HTTP/2"), "%s", h2_fault(pair.h2));
        cr_expect_eq(h2_fault_error(pair.h2), H2_PROTOCOL_ERROR);
    }
}

/* The client is told what ended the connection. */
Test(h2_end, fault_is_followed_by_goaway)
{
    h2_pair_open(&pair, &(struct h2_peer_options){.silent = true});
    cr_assert_not(h2_pair_input(&pair, span_text("GET / HTTP/1.1\r\nHost: a\r\n\r\n")));
    h2_goaway(pair.h2, h2_fault_error(pair.h2), h2_fault(pair.h2));
    h2_pair_send(&pair);
    expect_goaway(0, H2_PROTOCOL_ERROR, h2_fault(pair.h2));
}

/* Frames behind the preface and a SETTINGS frame; stream 1 is open, stream 3 has ended its
 * request, stream 5 was reset. */
static const struct {
    const char *name;
    uint8_t type;
    uint8_t flags;
    uint32_t stream;
    struct span payload;
    uint32_t error;
} broken[] = {
#define BYTES(text)                                                                                \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }
    {"data of the connection", NGHTTP2_DATA, 0, 0, BYTES("1"), NGHTTP2_PROTOCOL_ERROR},
    {"data of an idle stream", NGHTTP2_DATA, 0, 7, BYTES("1"), NGHTTP2_PROTOCOL_ERROR},
    {"data behind the end", NGHTTP2_DATA, 0, 3, BYTES("1"), NGHTTP2_STREAM_CLOSED},
    {"more padding than data", NGHTTP2_DATA, 8, 1, BYTES("\5a"), NGHTTP2_PROTOCOL_ERROR},
    {"head of the connection", NGHTTP2_HEADERS, 4, 0, BYTES(""), NGHTTP2_PROTOCOL_ERROR},
    {"stream of the server", NGHTTP2_HEADERS, 4, 2, BYTES(""), NGHTTP2_PROTOCOL_ERROR},
    {"index of no field", NGHTTP2_HEADERS, 4, 7, BYTES("\xff"), NGHTTP2_COMPRESSION_ERROR},
    {"priority too short", NGHTTP2_PRIORITY, 0, 1, BYTES("1234"), NGHTTP2_FRAME_SIZE_ERROR},
    {"priority of the connection", NGHTTP2_PRIORITY, 0, 0, BYTES("\0\0\0\0\1"),
     NGHTTP2_PROTOCOL_ERROR},
    {"reset too long", NGHTTP2_RST_STREAM, 0, 1, BYTES("12345"), NGHTTP2_FRAME_SIZE_ERROR},
    {"reset of the connection", NGHTTP2_RST_STREAM, 0, 0, BYTES("1234"), NGHTTP2_PROTOCOL_ERROR},
    {"reset of an idle stream", NGHTTP2_RST_STREAM, 0, 7, BYTES("1234"), NGHTTP2_PROTOCOL_ERROR},
    {"settings of a stream", NGHTTP2_SETTINGS, 0, 1, BYTES(""), NGHTTP2_PROTOCOL_ERROR},
    {"settings cut", NGHTTP2_SETTINGS, 0, 0, BYTES("12345"), NGHTTP2_FRAME_SIZE_ERROR},
    {"settings of a wrong value", NGHTTP2_SETTINGS, 0, 0, BYTES("\0\4\x80\0\0\0"),
     NGHTTP2_FLOW_CONTROL_ERROR},
    {"push", NGHTTP2_PUSH_PROMISE, 4, 1, BYTES("\0\0\0\2"), NGHTTP2_PROTOCOL_ERROR},
    {"ping of a stream", NGHTTP2_PING, 0, 1, BYTES("12345678"), NGHTTP2_PROTOCOL_ERROR},
    {"ping too short", NGHTTP2_PING, 0, 0, BYTES("1234567"), NGHTTP2_FRAME_SIZE_ERROR},
    {"goaway of a stream", NGHTTP2_GOAWAY, 0, 1, BYTES("\0\0\0\0\0\0\0\0"), NGHTTP2_PROTOCOL_ERROR},
    {"window update of nothing", NGHTTP2_WINDOW_UPDATE, 0, 0, BYTES("\0\0\0\0"),
     NGHTTP2_PROTOCOL_ERROR},
    {"window too large", NGHTTP2_WINDOW_UPDATE, 0, 0, BYTES("\x7f\xff\xff\xff"),
     NGHTTP2_FLOW_CONTROL_ERROR},
    {"window of an idle stream", NGHTTP2_WINDOW_UPDATE, 0, 7, BYTES("\0\0\0\1"),
     NGHTTP2_PROTOCOL_ERROR},
    {"continuation of nothing", NGHTTP2_CONTINUATION, 4, 1, BYTES(""), NGHTTP2_PROTOCOL_ERROR},
#undef BYTES
};

static void open_three(void)
{
    struct bytes block = {0};
    open_raw();
    h2_request_write(&block);
    for (uint32_t id = 1; id <= 5; id += 2)
        h2_peer_raw(pair.peer, NGHTTP2_HEADERS,
                    NGHTTP2_FLAG_END_HEADERS | (id == 3 ? NGHTTP2_FLAG_END_STREAM : 0), id,
                    bytes_span(&block));
    h2_peer_raw(pair.peer, NGHTTP2_RST_STREAM, 0, 5, span_of("\0\0\0\10", 4));
    h2_pair_run(&pair);
    bytes_clear(&block);
    cr_assert_eq(pair.seen[2].closed, 1);
}

/* The error that ends the connection: of our own, or nghttp2 has told the client already. */
static uint32_t error_told(void)
{
    struct h2_frame frame;
    if (h2_fault(pair.h2))
        return h2_fault_error(pair.h2);
    cr_assert_eq(h2_peer_count(pair.peer, NGHTTP2_GOAWAY, 0, &frame), 1);
    return h2_frame_number(&frame, 4);
}

Test(h2_end, broken_rules_end_the_connection)
{
    for (size_t i = 0; i < COUNT(broken); i++) {
        open_three();
        h2_peer_raw(pair.peer, broken[i].type, broken[i].flags, broken[i].stream,
                    broken[i].payload);
        h2_pair_receive(&pair);
        h2_pair_send(&pair);
        cr_assert(h2_fault(pair.h2) || h2_is_over(pair.h2), "%s", broken[i].name);
        cr_expect_eq(error_told(), broken[i].error, "%s: %u", broken[i].name, error_told());
        if (h2_fault(pair.h2))
            continue;
        size_t before = pair.events.length;
        h2_peer_raw(pair.peer, NGHTTP2_DATA, 0, 1, span_text("more"));
        h2_pair_receive(&pair);
        cr_expect_eq(pair.events.length, before, "%s: more is told", broken[i].name);
    }
}

/* Also where bodies are queued, which nobody is to have any more. */
Test(h2_end, broken_rules_do_not_wait_for_bodies)
{
    open_three();
    h2_pair_answer_all(&pair.seen[1], 100000);
    h2_pair_run(&pair);
    cr_assert_gt(h2_unsent(pair.h2), 0);
    h2_pair_answer_all(&pair.seen[0], 10);
    h2_peer_raw(pair.peer, NGHTTP2_PING, 0, 1, span_text("12345678"));
    h2_pair_receive(&pair);
    cr_expect_not(h2_is_over(pair.h2), "the client is not told");
    h2_pair_send(&pair);
    cr_expect(h2_is_over(pair.h2));
    expect_goaway(5, H2_PROTOCOL_ERROR, NULL);
}

Test(h2_end, frame_too_large_ends_the_connection)
{
    struct blob *large = blob_new(16385);
    memset(large->data, 0, large->size);
    open_three();
    h2_peer_raw(pair.peer, NGHTTP2_DATA, 0, 1, span_of(large->data, 16384));
    h2_pair_run(&pair);
    cr_expect_eq(pair.seen[0].body.length, 16384);
    cr_expect_not(h2_is_over(pair.h2));
    h2_peer_raw(pair.peer, NGHTTP2_DATA, 0, 1, blob_span(large));
    h2_pair_run(&pair);
    cr_expect(h2_is_over(pair.h2));
    expect_goaway(5, NGHTTP2_FRAME_SIZE_ERROR, NULL);
    blob_unref(large);
}

Test(h2_end, settings_come_first)
{
    h2_pair_open(&pair, &(struct h2_peer_options){.silent = true});
    bytes_add(&pair.peer->output, span_text(H2_PREFACE));
    h2_peer_raw(pair.peer, NGHTTP2_PING, 0, 0, span_text("12345678"));
    h2_pair_receive(&pair);
    h2_pair_send(&pair);
    cr_expect(h2_is_over(pair.h2));
    expect_goaway(0, H2_PROTOCOL_ERROR, NULL);
}

/* RFC 9113 section 6.8: those that the client sent before it knew are served. */
Test(h2_end, announced_end_serves_what_crosses)
{
    open_pair();
    struct h2_seen *before = h2_pair_request(&pair, 0, true);
    h2_announce_end(pair.h2);
    int32_t crossing = h2_peer_open(pair.peer, NULL, 5, true);
    h2_peer_flush(pair.peer);
    h2_pair_send(&pair);
    expect_goaway(LAST_STREAM, H2_NO_ERROR, NULL);
    h2_pair_run(&pair);
    struct h2_seen *crossed = &pair.seen[1];
    cr_assert_eq(crossed->ended, 1);
    cr_expect_eq(crossing, 3);
    h2_pair_answer_all(before, 10);
    h2_pair_answer_all(crossed, 20);
    h2_pair_run(&pair);
    h2_expect_body(&h2_peer_stream(pair.peer, 1)->body, 10);
    h2_expect_body(&h2_peer_stream(pair.peer, 3)->body, 20);
    cr_expect(h2_peer_stream(pair.peer, 3)->ended);
    cr_expect_null(h2_fault(pair.h2));
}

Test(h2_end, goaway_lets_the_streams_before_it_finish)
{
    open_pair();
    struct h2_seen *before = h2_pair_request(&pair, 0, true);
    h2_announce_end(pair.h2);
    h2_pair_send(&pair);
    h2_goaway(pair.h2, H2_NO_ERROR, "the daemon drains");
    h2_pair_send(&pair);
    expect_goaway(1, H2_NO_ERROR, "the daemon drains");
    h2_pair_answer_all(before, 100000);
    cr_expect_not(h2_is_over(pair.h2));
    h2_pair_run(&pair);
    h2_expect_body(&h2_peer_stream(pair.peer, 1)->body, 100000);
    cr_expect(h2_peer_stream(pair.peer, 1)->ended);
    cr_expect_eq(before->closed, 1);
    cr_expect(h2_is_over(pair.h2));
}

Test(h2_end, streams_behind_goaway_are_ignored)
{
    struct bytes block = {0};
    open_three();
    h2_goaway(pair.h2, H2_NO_ERROR, "");
    h2_pair_send(&pair);
    expect_goaway(5, H2_NO_ERROR, "");
    h2_request_write(&block);
    h2_peer_raw(pair.peer, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 7, bytes_span(&block));
    h2_peer_raw(pair.peer, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 7, span_text("body"));
    h2_peer_raw(pair.peer, NGHTTP2_DATA, 0, 1, span_text("!\"#"));
    bytes_clear(&block);
    h2_pair_run(&pair);
    cr_expect_eq(pair.count, 3);
    h2_expect_body(&pair.seen[0].body, 3);
    cr_expect_eq(h2_peer_count(pair.peer, NGHTTP2_GOAWAY, 0, NULL), 1);
    cr_expect_not(h2_in_head(pair.h2));
    cr_expect_null(h2_fault(pair.h2));
}

/* One that comes between h2_goaway() and the frame of it has been told of, and is refused. */
Test(h2_end, stream_that_crosses_goaway_is_closed)
{
    open_pair();
    h2_goaway(pair.h2, H2_NO_ERROR, "");
    h2_peer_open(pair.peer, NULL, 5, true);
    h2_pair_receive(&pair);
    h2_pair_send(&pair);
    cr_expect_leq(pair.count, 1);
    cr_expect_eq(pair.seen[0].opened, pair.seen[0].closed);
    if (pair.count > 0)
        cr_expect_eq(pair.seen[0].error, H2_REFUSED_STREAM);
    cr_expect(h2_is_over(pair.h2));
}

Test(h2_end, goaway_without_streams_is_the_end)
{
    open_pair();
    h2_goaway(pair.h2, H2_NO_ERROR, "idle");
    cr_expect_not(h2_is_over(pair.h2), "it is not sent");
    h2_pair_send(&pair);
    cr_expect(h2_is_over(pair.h2));
}

Test(h2_end, announcement_alone_is_not_the_end)
{
    open_pair();
    h2_announce_end(pair.h2);
    h2_pair_send(&pair);
    cr_expect_not(h2_is_over(pair.h2));
}

/* With an error there is no time for bodies: what is queued stays. */
Test(h2_end, goaway_with_an_error_keeps_bodies_unsent)
{
    open_pair();
    struct h2_seen *queued = h2_pair_request(&pair, 0, true);
    struct h2_seen *begun = h2_pair_request(&pair, 0, true);
    h2_pair_respond(begun, false);
    h2_pair_run(&pair);
    h2_pair_send_body(begun, 30);
    h2_pair_finish(begun);
    h2_pair_answer_all(queued, 20);
    h2_goaway(pair.h2, H2_ENHANCE_YOUR_CALM, "no more");
    h2_pair_run(&pair);
    expect_goaway(3, H2_ENHANCE_YOUR_CALM, "no more");
    cr_expect_eq(h2_peer_count(pair.peer, NGHTTP2_DATA, -1, NULL), 0);
    cr_expect_eq(h2_unsent(pair.h2), 50);
    cr_expect_eq(queued->closed + begun->closed, 0);
}

/* It leaves once its calls are answered. */
Test(h2_end, client_may_say_goodbye)
{
    open_pair();
    struct h2_seen *seen = h2_pair_request(&pair, 0, true);
    nghttp2_submit_goaway(pair.peer->session, 0, 0, H2_NO_ERROR, NULL, 0);
    h2_pair_run(&pair);
    cr_expect_not(h2_is_over(pair.h2));
    h2_pair_answer_all(seen, 10);
    h2_pair_run(&pair);
    cr_expect_eq(seen->closed, 1);
    cr_expect(h2_is_over(pair.h2));
}

Test(h2_end, client_that_leaves_is_answered_before)
{
    open_pair();
    pair.room = 0;
    nghttp2_submit_ping(pair.peer->session, 0, (const uint8_t *)"12345678");
    nghttp2_submit_goaway(pair.peer->session, 0, 0, H2_NO_ERROR, NULL, 0);
    h2_pair_receive(&pair);
    cr_expect_not(h2_is_over(pair.h2));
    pair.room = SIZE_MAX;
    h2_pair_send(&pair);
    cr_expect_eq(h2_peer_count(pair.peer, NGHTTP2_PING, 0, NULL), 1);
    cr_expect(h2_is_over(pair.h2));
}

/* Gives HEADERS without the end of the head. */
static void begin_head(uint32_t id)
{
    struct bytes block = {0};
    h2_request_write(&block);
    h2_peer_raw(pair.peer, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, id, bytes_span(&block));
    bytes_clear(&block);
    h2_pair_receive(&pair);
}

static void end_head(uint32_t id)
{
    h2_peer_raw(pair.peer, NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, id, span_of(NULL, 0));
    h2_pair_receive(&pair);
}

Test(h2_end, head_is_noticed_until_it_is_whole)
{
    open_raw();
    cr_expect_not(h2_in_head(pair.h2));
    begin_head(1);
    cr_expect(h2_in_head(pair.h2));
    h2_pair_send(&pair);
    cr_expect(h2_in_head(pair.h2));
    h2_peer_raw(pair.peer, NGHTTP2_CONTINUATION, 0, 1, span_of(NULL, 0));
    h2_pair_receive(&pair);
    cr_expect(h2_in_head(pair.h2));
    end_head(1);
    cr_expect_not(h2_in_head(pair.h2));
    cr_expect_eq(pair.seen[0].ended, 1);
}

/* A frame that is cut within its payload has begun, too. */
Test(h2_end, head_is_noticed_byte_by_byte)
{
    struct bytes block = {0};
    open_raw();
    h2_request_write(&block);
    h2_peer_raw(pair.peer, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, bytes_span(&block));
    bytes_clear(&block);
    struct bytes *output = &pair.peer->output;
    for (size_t i = 0; i < output->length; i++) {
        cr_expect(h2_pair_input(&pair, span_of(output->at + i, 1)));
        if (i >= 9)
            cr_expect_eq(h2_in_head(pair.h2), i < output->length - 1, "byte %zu", i);
    }
    output->length = 0;
}

/* What happens to other streams meanwhile does not make it whole. */
Test(h2_end, head_is_noticed_while_other_streams_end)
{
    open_three();
    begin_head(7);
    h2_pair_answer_all(&pair.seen[1], 10);
    h2_pair_send(&pair);
    cr_expect_eq(pair.seen[1].closed, 1);
    cr_expect(h2_in_head(pair.h2));
    end_head(7);
    cr_expect_not(h2_in_head(pair.h2));
}

/* A head that nghttp2 refuses is over as well, once that is told or something else comes. */
Test(h2_end, malformed_head_is_not_awaited)
{
    struct bytes block = {0};
    h2_request_write(&block);
    h2_field_write(&block, "Upper", "1");
    for (int told = 0; told < 2; told++) {
        open_raw();
        h2_peer_raw(pair.peer, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, bytes_span(&block));
        if (!told)
            h2_peer_raw(pair.peer, NGHTTP2_PING, 0, 0, span_text("12345678"));
        h2_pair_receive(&pair);
        if (told)
            h2_pair_send(&pair);
        cr_expect_not(h2_in_head(pair.h2));
        h2_pair_run(&pair);
        cr_expect_eq(pair.seen[0].opened, pair.seen[0].closed);
        cr_expect_eq(pair.seen[0].headers_ended, 0);
    }
    bytes_clear(&block);
}

Test(h2_end, trailers_of_a_request_are_a_head)
{
    struct bytes block = {0};
    open_three();
    h2_field_write(&block, "late", "1");
    h2_peer_raw(pair.peer, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, bytes_span(&block));
    bytes_clear(&block);
    h2_pair_receive(&pair);
    cr_expect(h2_in_head(pair.h2));
    end_head(1);
    cr_expect_not(h2_in_head(pair.h2));
    cr_expect_eq(pair.seen[0].ended, 1);
}

static void answer_even(struct h2_pair *of, struct h2_seen *seen, enum h2_event event)
{
    (void)of;
    if (event == H2_ENDED && seen->body.length % 2 == 0)
        h2_pair_answer_all(seen, seen->body.length);
}

/* What a client sends that does a bit of everything, all of it on its own. */
static void write_client(struct bytes *to)
{
    struct h2_peer *peer = h2_peer_new(&(struct h2_peer_options){0});
    struct bytes block = {0};
    h2_peer_open(peer, NULL, 0, true);
    int32_t open = h2_peer_open(peer, NULL, 100, false);
    h2_peer_open(peer, NULL, 30001, true);
    nghttp2_submit_ping(peer->session, 0, (const uint8_t *)"12345678");
    h2_peer_flush(peer);
    nghttp2_submit_rst_stream(peer->session, 0, open, H2_CANCEL);
    open = h2_peer_open(peer, NULL, 11, false);
    h2_peer_flush(peer);
    h2_field_write(&block, "late", "1");
    h2_peer_raw(peer, NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, (uint32_t)open, span_of("\2,\0\0", 4));
    h2_peer_raw(peer, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM,
                (uint32_t)open, bytes_span(&block));
    h2_peer_raw(peer, 0x77, 0, 0, span_text("unknown"));
    h2_peer_open(peer, NULL, 5000, true);
    h2_peer_flush(peer);
    h2_peer_open(peer, NULL, 3, true);
    h2_peer_flush(peer);
    bytes_add(to, bytes_span(&peer->output));
    bytes_clear(&block);
    h2_peer_free(peer);
}

/* Pieces of `step` bytes, of random sizes if 0; adds what was told. */
static void feed(struct span input, size_t step, bool fills, struct bytes *events)
{
    h2_pair_close(&pair);
    pair = (struct h2_pair){.react = answer_even, .consumes = true};
    h2_pair_open(&pair, &(struct h2_peer_options){.silent = true});
    for (size_t at = 0, length; at < input.length; at += length) {
        length = step ? step : 1 + (size_t)rand() % 300;
        struct span rest = span_of(input.at + at, input.length - at);
        h2_pair_input(&pair, span_cut(rest, length));
        if (fills)
            h2_fill(pair.h2);
    }
    h2_fill(pair.h2);
    bytes_add(events, bytes_span(&pair.events));
}

static void expect_same_events(struct span input, size_t step, const struct bytes *expected)
{
    struct bytes events = {0};
    feed(input, step, false, &events);
    cr_expect(span_equal(bytes_span(&events), bytes_span(expected)), "%zu bytes at a time", step);
    bytes_clear(&events);
}

Test(h2_end, events_do_not_depend_on_how_bytes_arrive)
{
    static const size_t steps[] = {1, 2, 3, 5, 9, 10, 24, 100, 16384, 0, 0, 0, 0, 0, 0, 0, 0};
    struct bytes input = {0};
    struct bytes whole = {0};
    write_client(&input);
    feed(bytes_span(&input), input.length, false, &whole);
    cr_expect_eq(pair.count, 6);
    cr_expect_gt(pair.output.length, 5000);
    for (size_t i = 0; i < COUNT(steps); i++)
        expect_same_events(bytes_span(&input), steps[i], &whole);
    bytes_clear(&whole);
    bytes_clear(&input);
}

/* The same with answers between the pieces: each stream's own events stay. */
Test(h2_end, streams_do_not_depend_on_when_answers_go_out)
{
    static const size_t steps[] = {1, 7, 100, 0, 0, 0};
    struct bytes input = {0};
    write_client(&input);
    for (size_t i = 0; i < COUNT(steps); i++) {
        static const size_t bodies[] = {0, 100, 30001, 12, 5000, 3};
        struct bytes events = {0};
        feed(bytes_span(&input), steps[i], true, &events);
        cr_assert_eq(pair.count, COUNT(bodies));
        for (size_t j = 0; j < COUNT(bodies); j++) {
            h2_expect_body(&pair.seen[j].body, bodies[j]);
            cr_expect_eq(pair.seen[j].ended, j != 1);
            cr_expect_eq(pair.seen[j].closed, j == 1 || bodies[j] % 2 == 0);
        }
        bytes_clear(&events);
    }
    bytes_clear(&input);
}
