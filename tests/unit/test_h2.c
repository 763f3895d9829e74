/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and responses of the HTTP/2 engine, RFC 9113. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "h2_pair.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct h2_pair pair;

static void begin(void)
{
    h2_pair_open(&pair, &(struct h2_peer_options){0});
}

static void end(void)
{
    h2_pair_close(&pair);
}

TestSuite(h2, .init = begin, .fini = end);

static void reopen(struct h2_limits limits)
{
    h2_pair_close(&pair);
    pair = (struct h2_pair){.limits = limits};
    begin();
}

/* The types of a stream's frames: H, D, R, W. */
static void expect_frames(const struct h2_seen *seen, const char *types)
{
    char got[64] = "";
    size_t count = 0;
    struct span left = bytes_span(&pair.peer->received);
    struct h2_frame frame;
    while (h2_frame_next(&left, &frame)) {
        if (frame.stream != (uint32_t)h2_pair_id(&pair, seen) || count + 1 == sizeof(got))
            continue;
        cr_assert_leq(frame.type, NGHTTP2_WINDOW_UPDATE);
        got[count++] = "DH-R----W"[frame.type];
    }
    cr_expect_str_eq(got, types);
}

static void expect_closed(const struct h2_seen *seen, uint32_t error)
{
    cr_expect_eq(seen->closed, 1);
    cr_expect_eq(seen->error, error, "%u", seen->error);
    cr_expect_null(seen->stream);
    cr_expect_eq(h2_unsent(pair.h2), 0);
}

static void expect_told(const struct h2_seen *seen, uint32_t error)
{
    struct h2_frame frame;
    int32_t id = h2_pair_id(&pair, seen);
    cr_assert_eq(h2_peer_count(pair.peer, NGHTTP2_RST_STREAM, id, &frame), 1);
    cr_expect_eq(h2_frame_number(&frame, 0), error);
    cr_expect(h2_peer_stream(pair.peer, id)->closed);
}

static void expect_events(const char *text)
{
    cr_expect(span_is(bytes_span(&pair.events), text), "%.*s", SPAN_ARGS(bytes_span(&pair.events)));
}

#define HEAD                                                                                       \
    "\n0 opened\n0 :method=POST\n0 :scheme=http\n0 :path=/a\n0 :authority=localhost\n0 headers "   \
    "ended"

Test(h2, request_comes_as_events)
{
    h2_pair_request(&pair, 3, true);
    expect_events(HEAD "\n0 data !\"#\n0 ended");
}

Test(h2, request_without_a_body_ends_with_its_head)
{
    h2_pair_request(&pair, 0, true);
    expect_events(HEAD "\n0 ended");
}

/* The end as a frame of its own. */
Test(h2, request_may_end_later)
{
    h2_pair_request(&pair, 2, false);
    expect_events(HEAD "\n0 data !\"");
    h2_peer_more(pair.peer, 1, 0, true);
    h2_pair_run(&pair);
    expect_events(HEAD "\n0 data !\"\n0 ended");
}

Test(h2, fields_of_a_request_come_in_order_and_repeatedly)
{
    struct metadata more = {0};
    metadata_add(&more, span_text("b"), span_text("1"));
    metadata_add(&more, span_text("a"), span_text(""));
    metadata_add(&more, span_text("b"), span_text("2"));
    h2_peer_open(pair.peer, &more, 0, true);
    metadata_clear(&more);
    h2_pair_run(&pair);
    expect_events("\n0 opened\n0 :method=POST\n0 :scheme=http\n0 :path=/a\n0 :authority=localhost"
                  "\n0 b=1\n0 a=\n0 b=2\n0 headers ended\n0 ended");
}

/* gRPC has none in requests. */
Test(h2, trailers_of_a_request_end_it_and_are_not_told)
{
    struct bytes block = {0};
    h2_pair_request(&pair, 2, false);
    h2_field_write(&block, "late", "1");
    h2_peer_raw(pair.peer, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1,
                bytes_span(&block));
    bytes_clear(&block);
    h2_pair_receive(&pair);
    expect_events(HEAD "\n0 data !\"\n0 ended");
}

Test(h2, server_introduces_itself_with_its_limits)
{
    static const struct {
        uint16_t id;
        uint32_t value;
    } expected[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 7},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 12345},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, 999},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    struct h2_limits limits = h2_pair_limits();
    limits.max_streams = 7;
    limits.stream_window = 12345;
    limits.max_header_list = 999;
    reopen(limits);
    for (size_t i = 0; i < COUNT(expected); i++)
        cr_expect_eq(nghttp2_session_get_remote_settings(pair.peer->session, expected[i].id),
                     expected[i].value, "%u", expected[i].id);
    cr_expect_gt(nghttp2_session_get_remote_window_size(pair.peer->session), 65535,
                 "that of the connection");
}

Test(h2, response_is_head_body_and_trailers)
{
    struct h2_seen *seen = h2_pair_request(&pair, 3, true);
    h2_pair_answer_all(seen, 1000);
    cr_expect_eq(seen->closed, 0, "only h2_fill() closes");
    h2_pair_run(&pair);
    struct h2_peer_stream *answer = h2_pair_answer(&pair, seen);
    cr_expect(span_is(metadata_find(&answer->head, ":status"), "200"));
    h2_expect_body(&answer->body, 1000);
    cr_expect(span_is(metadata_find(&answer->trailers, "grpc-status"), "0"));
    cr_expect(answer->closed);
    cr_expect_eq(answer->error, NGHTTP2_NO_ERROR);
    expect_frames(seen, "HDH");
    expect_closed(seen, H2_NO_ERROR);
    expect_events(HEAD "\n0 data !\"#\n0 ended\n0 closed 0");
}

/* What gRPC calls Trailers-Only: one frame that ends the stream. */
Test(h2, response_may_be_a_head_alone)
{
    struct h2_seen *seen = h2_pair_request(&pair, 0, true);
    h2_pair_respond(seen, true);
    h2_pair_run(&pair);
    struct h2_peer_stream *answer = h2_pair_answer(&pair, seen);
    cr_expect(span_is(metadata_find(&answer->head, ":status"), "200"));
    cr_expect(answer->ended);
    expect_frames(seen, "H");
    expect_closed(seen, H2_NO_ERROR);
}

Test(h2, body_may_be_empty)
{
    struct h2_seen *seen = h2_pair_request(&pair, 0, true);
    h2_pair_respond(seen, false);
    h2_pair_finish(seen);
    h2_pair_run(&pair);
    struct h2_peer_stream *answer = h2_pair_answer(&pair, seen);
    cr_expect_eq(answer->body.length, 0);
    cr_expect(span_is(metadata_find(&answer->trailers, "grpc-status"), "0"));
    cr_expect(answer->ended);
    expect_closed(seen, H2_NO_ERROR);
}

/* The last frame of the body ends the stream then. */
Test(h2, response_may_have_no_trailers)
{
    for (size_t length = 0; length < 2; length++) {
        struct h2_seen *seen = h2_pair_request(&pair, 0, true);
        h2_pair_respond(seen, false);
        h2_pair_send_body(seen, length);
        h2_finish(seen->stream, &(struct metadata){0});
        h2_pair_run(&pair);
        struct h2_peer_stream *answer = h2_pair_answer(&pair, seen);
        h2_expect_body(&answer->body, length);
        cr_expect(answer->ended);
        cr_expect_eq(answer->trailers.count, 0);
        expect_frames(seen, "HD");
        expect_closed(seen, H2_NO_ERROR);
    }
}

/* Neither a blob without bytes nor no prefix holds anything up. */
Test(h2, parts_of_a_body_may_be_empty)
{
    struct h2_seen *seen = h2_pair_request(&pair, 0, true);
    struct blob *nothing = blob_new(0);
    h2_pair_respond(seen, false);
    h2_send(seen->stream, span_of(NULL, 0), nothing);
    h2_pair_run(&pair);
    h2_send(seen->stream, span_of("!\"", 2), nothing);
    h2_send(seen->stream, span_of(NULL, 0), nothing);
    h2_send(seen->stream, span_of("#$", 2), nothing);
    h2_pair_run(&pair);
    h2_send(seen->stream, span_of(NULL, 0), nothing);
    h2_pair_finish(seen);
    h2_pair_run(&pair);
    h2_expect_body(&h2_pair_answer(&pair, seen)->body, 4);
    cr_expect(h2_pair_answer(&pair, seen)->ended);
    expect_closed(seen, H2_NO_ERROR);
    cr_expect_eq(atomic_load(&nothing->references), 1 + pair.part_count);
    blob_unref(nothing);
}

/* As a server-streaming call does it: nothing waits for what follows. */
Test(h2, response_may_come_in_parts)
{
    struct h2_seen *seen = h2_pair_request(&pair, 0, true);
    struct h2_peer_stream *answer = h2_pair_answer(&pair, seen);
    h2_pair_respond(seen, false);
    h2_pair_run(&pair);
    cr_expect_eq(answer->head.count, 1);
    for (size_t i = 1; i <= 3; i++) {
        h2_pair_send_body(seen, 89);
        h2_pair_run(&pair);
        h2_expect_body(&answer->body, 89 * i);
        cr_expect_not(answer->ended);
    }
    h2_pair_finish(seen);
    cr_expect_eq(seen->closed, 0);
    h2_pair_run(&pair);
    cr_expect(answer->ended);
    cr_expect_eq(answer->trailers.count, 1);
    expect_closed(seen, H2_NO_ERROR);
}

static void add_many(struct metadata *to, size_t count, size_t length)
{
    struct blob *value = blob_new(length);
    memset(value->data, 'v', length);
    for (size_t i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof(name), "name%zu", i);
        metadata_add(to, span_text(name), blob_span(value));
    }
    blob_unref(value);
}

static void expect_same(const struct metadata *got, const struct metadata *expected)
{
    struct metadata_item a, b;
    size_t at_a = 0;
    size_t at_b = 0;
    cr_assert_eq(got->count, expected->count);
    while (metadata_next(expected, &at_a, &a) && metadata_next(got, &at_b, &b))
        cr_expect(span_equal(a.name, b.name) && span_equal(a.value, b.value), "%.*s",
                  SPAN_ARGS(a.name));
}

/* Few, and more than one frame of them. */
Test(h2, response_may_have_many_fields)
{
    static const struct {
        size_t count;
        size_t length;
    } cases[] = {{0, 0}, {14, 1}, {15, 1}, {16, 1}, {17, 10}, {100, 50}, {20, 1000}, {2, 20000}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct h2_seen *seen = h2_pair_request(&pair, 0, true);
        struct metadata head = {0};
        metadata_add(&head, span_text(":status"), span_text("200"));
        add_many(&head, cases[i].count, cases[i].length);
        struct metadata trailers = {0};
        struct metadata copy = {0};
        add_many(&trailers, cases[i].count, cases[i].length);
        add_many(&copy, cases[i].count, cases[i].length);
        h2_respond(seen->stream, &head, false);
        h2_finish(seen->stream, &trailers);
        h2_pair_run(&pair);
        expect_same(&h2_pair_answer(&pair, seen)->head, &head);
        expect_same(&h2_pair_answer(&pair, seen)->trailers, &copy);
        cr_expect(h2_pair_answer(&pair, seen)->ended, "case %zu", i);
        metadata_clear(&head);
        metadata_clear(&copy);
    }
}

/* nghttp2 sends no more than 64 KiB at once: the client is not left waiting for ever. */
Test(h2, response_with_too_many_fields_resets_the_stream)
{
    for (int in_trailers = 0; in_trailers < 2; in_trailers++) {
        struct h2_seen *seen = h2_pair_request(&pair, 0, true);
        struct metadata head = {0};
        struct metadata trailers = {0};
        metadata_add(&head, span_text(":status"), span_text("200"));
        add_many(in_trailers ? &trailers : &head, 70, 1000);
        h2_respond(seen->stream, &head, false);
        h2_finish(seen->stream, &trailers);
        metadata_clear(&head);
        h2_pair_run(&pair);
        expect_closed(seen, H2_INTERNAL_ERROR);
        expect_told(seen, H2_INTERNAL_ERROR);
    }
}

/* Whatever order they are answered in. */
Test(h2, requests_are_answered_independently)
{
    enum { STREAMS = 9 };
    for (size_t i = 0; i < STREAMS; i++)
        h2_pair_request(&pair, i, true);
    for (size_t i = 0; i < STREAMS; i++) {
        struct h2_seen *seen = &pair.seen[i * 4 % STREAMS];
        h2_pair_answer_all(seen, 10 * (size_t)h2_pair_id(&pair, seen));
        if (i % 2)
            h2_pair_run(&pair);
    }
    h2_pair_run(&pair);
    for (size_t i = 0; i < STREAMS; i++) {
        h2_expect_body(&pair.seen[i].body, i);
        h2_expect_body(&h2_pair_answer(&pair, &pair.seen[i])->body, 10 * (2 * i + 1));
        expect_closed(&pair.seen[i], H2_NO_ERROR);
    }
}

static void answer_by_head(const struct h2_seen *seen)
{
    h2_pair_respond(seen, true);
}

static void answer_with_trailers(const struct h2_seen *seen)
{
    h2_pair_answer_all(seen, 10);
}

static void answer_without_trailers(const struct h2_seen *seen)
{
    h2_pair_respond(seen, false);
    h2_pair_send_body(seen, 10);
    h2_finish(seen->stream, &(struct metadata){0});
}

/* RFC 9113 section 8.1: the client may keep the rest. */
Test(h2, response_before_the_end_of_the_request_stops_that)
{
    static const struct {
        void (*answer)(const struct h2_seen *seen);
        const char *frames;
    } answers[] = {
        {answer_by_head, "HR"},
        {answer_with_trailers, "HDHR"},
        {answer_without_trailers, "HDR"},
    };
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct h2_seen *seen = h2_pair_request(&pair, 5, false);
        answers[i].answer(seen);
        h2_pair_run(&pair);
        expect_frames(seen, answers[i].frames);
        expect_told(seen, H2_NO_ERROR);
        expect_closed(seen, H2_NO_ERROR);
        cr_expect_eq(seen->ended, 0);
        cr_expect(h2_pair_answer(&pair, seen)->ended);
    }
}

Test(h2, reset_by_the_client_closes)
{
    static const uint32_t errors[] = {H2_NO_ERROR, H2_CANCEL, H2_INTERNAL_ERROR, 0xd, 77};
    for (size_t i = 0; i < COUNT(errors); i++) {
        struct h2_seen *seen = h2_pair_request(&pair, 0, i % 2);
        nghttp2_submit_rst_stream(pair.peer->session, 0, h2_pair_id(&pair, seen), errors[i]);
        h2_pair_receive(&pair);
        expect_closed(seen, errors[i]);
    }
}

/* A response that is queued behind another; nothing of it follows, nor a reset of ours (RFC 9113
 * section 5.4.2). */
Test(h2, reset_by_the_client_drops_what_was_to_be_sent)
{
    struct h2_seen *other = h2_pair_request(&pair, 0, true);
    struct h2_seen *seen = h2_pair_request(&pair, 0, true);
    struct blob *blob = blob_new(100000);
    memset(blob->data, 0, blob->size);
    pair.room = 0;
    h2_pair_respond(other, false);
    h2_pair_respond(seen, false);
    h2_send(seen->stream, span_of("12345", 5), blob);
    h2_send(seen->stream, span_of("12345", 5), blob);
    h2_pair_run(&pair);
    cr_expect_eq(h2_unsent(pair.h2), 200010);
    nghttp2_submit_rst_stream(pair.peer->session, 0, h2_pair_id(&pair, seen), H2_CANCEL);
    h2_pair_run(&pair);
    expect_closed(seen, H2_CANCEL);
    cr_expect_eq(atomic_load(&blob->references), 1);
    blob_unref(blob);
    pair.room = SIZE_MAX;
    h2_pair_run(&pair);
    expect_frames(seen, "");
    expect_frames(other, "H");
}

Test(h2, reset_ends_the_stream)
{
    static const enum h2_error errors[] = {H2_NO_ERROR,       H2_PROTOCOL_ERROR,
                                           H2_INTERNAL_ERROR, H2_REFUSED_STREAM,
                                           H2_CANCEL,         H2_ENHANCE_YOUR_CALM};
    for (size_t i = 0; i < COUNT(errors); i++) {
        struct h2_seen *seen = h2_pair_request(&pair, 0, i % 2);
        h2_reset(seen->stream, errors[i]);
        cr_expect_eq(seen->closed, 0, "it comes with the next h2_fill()");
        h2_pair_run(&pair);
        expect_closed(seen, errors[i]);
        expect_told(seen, errors[i]);
    }
}

Test(h2, reset_drops_what_was_to_be_sent)
{
    struct h2_seen *seen = h2_pair_request(&pair, 0, true);
    h2_pair_answer_all(seen, 200000);
    h2_pair_send(&pair); /* the client's window is shut now */
    cr_expect_eq(h2_unsent(pair.h2), 200000 - 65535);
    h2_reset(seen->stream, H2_CANCEL);
    h2_pair_run(&pair);
    expect_closed(seen, H2_CANCEL);
    expect_told(seen, H2_CANCEL);
    cr_expect_not(h2_pair_answer(&pair, seen)->ended);
}

static enum h2_event moment;

static void reset_then(struct h2_pair *of, struct h2_seen *seen, enum h2_event event)
{
    (void)of;
    if (event == moment)
        h2_reset(seen->stream, H2_INTERNAL_ERROR);
}

/* From within each event, and what comes behind it does no harm. */
Test(h2, reset_is_possible_at_any_time)
{
    pair.react = reset_then;
    for (moment = H2_OPENED; moment < H2_CLOSED; moment++) {
        struct h2_seen *seen = &pair.seen[pair.count];
        h2_peer_open(pair.peer, NULL, 10, true);
        h2_pair_run(&pair);
        expect_closed(seen, H2_INTERNAL_ERROR);
        expect_told(seen, H2_INTERNAL_ERROR);
    }
}

static void answer_then(struct h2_pair *of, struct h2_seen *seen, enum h2_event event)
{
    (void)of;
    if (event == moment)
        h2_pair_answer_all(seen, 10);
}

Test(h2, answer_is_possible_at_any_time)
{
    pair.react = answer_then;
    for (moment = H2_HEADERS_ENDED; moment < H2_CLOSED; moment++) {
        struct h2_seen *seen = h2_pair_request(&pair, 10, true);
        h2_expect_body(&h2_pair_answer(&pair, seen)->body, 10);
        cr_expect(h2_pair_answer(&pair, seen)->ended);
        expect_closed(seen, H2_NO_ERROR);
    }
}

/* 176 bytes as RFC 9113 section 6.5.2 counts the head of h2_pair_request(). */
Test(h2, head_of_the_limit_is_taken_and_one_byte_above_is_told)
{
    for (uint32_t limit = 175; limit <= 176; limit++) {
        struct h2_limits limits = h2_pair_limits();
        limits.max_header_list = limit;
        reopen(limits);
        struct h2_seen *seen = h2_pair_request(&pair, 3, true);
        bool too_large = limit < 176;
        cr_expect_eq(h2_stream_head_too_large(seen->stream), too_large);
        cr_expect_eq(seen->fields, too_large ? 3 : 4);
        cr_expect_eq(pair.counters.header_lists, too_large);
        h2_expect_body(&seen->body, 3);
        cr_expect_null(h2_fault(pair.h2));
        h2_pair_answer_all(seen, 5);
        h2_pair_run(&pair);
        h2_expect_body(&h2_pair_answer(&pair, seen)->body, 5);
        expect_closed(seen, H2_NO_ERROR);
    }
}

/* Small fields behind the one that was too much are not told either, and it counts once. */
Test(h2, rest_of_a_head_too_large_is_ignored)
{
    struct metadata more = {0};
    struct h2_limits limits = h2_pair_limits();
    limits.max_header_list = 300;
    reopen(limits);
    metadata_add(&more, span_text("a"), span_text("1"));
    add_many(&more, 1, 100);
    metadata_add(&more, span_text("b"), span_text("2"));
    add_many(&more, 3, 1000);
    h2_peer_open(pair.peer, &more, 0, true);
    metadata_clear(&more);
    h2_pair_run(&pair);
    cr_expect(h2_stream_head_too_large(pair.seen[0].stream));
    cr_expect_eq(pair.seen[0].fields, 5);
    cr_expect_eq(pair.seen[0].headers_ended, 1);
    cr_expect_eq(pair.seen[0].ended, 1);
    cr_expect_eq(pair.counters.header_lists, 1);
}

Test(h2, ping_is_answered_by_the_client)
{
    struct h2_frame frame;
    h2_ping(pair.h2);
    h2_pair_send(&pair);
    cr_expect_eq(h2_peer_count(pair.peer, NGHTTP2_PING, 0, &frame), 1);
    cr_expect_eq(frame.flags, 0);
    h2_peer_flush(pair.peer);
    struct span left = bytes_span(&pair.peer->output);
    cr_assert(h2_frame_next(&left, &frame));
    cr_expect_eq(frame.type, NGHTTP2_PING);
    cr_expect_eq(frame.flags, NGHTTP2_FLAG_ACK);
    cr_expect(h2_pair_receive(&pair));
    cr_expect_null(h2_fault(pair.h2));
}

Test(h2, ping_of_the_client_is_answered)
{
    struct h2_frame frame;
    nghttp2_submit_ping(pair.peer->session, 0, (const uint8_t *)"12345678");
    h2_pair_run(&pair);
    cr_expect_eq(h2_peer_count(pair.peer, NGHTTP2_PING, 0, &frame), 1);
    cr_expect_eq(frame.flags, NGHTTP2_FLAG_ACK);
    cr_expect(span_is(frame.payload, "12345678"));
}
