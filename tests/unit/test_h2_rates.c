/* SPDX-License-Identifier: Apache-2.0 */
/* The limits of an HTTP/2 connection, each on both sides, by frames written by hand. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "h2_pair.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LIMIT        6     /* frames a minute, of each rate */
#define MINUTE       60000 /* ms */
#define ANSWERED     1     /* the stream that stays open for our answers */
#define OPEN         3     /* another one that stays open */
#define FIRST        5     /* of those that `send` opens */

static struct h2_pair pair;

static void end(void)
{
    h2_pair_close(&pair);
}

TestSuite(h2_rates, .fini = end);

static void raw(uint8_t type, uint8_t flags, uint32_t id, const char *payload, size_t length)
{
    h2_peer_raw(pair.peer, type, flags, id, span_of(payload, length));
}

/* A head in one frame, with one more field unless that is NULL. */
static void raw_head(uint32_t id, uint8_t flags, const char *name, const char *value)
{
    struct bytes block = {0};
    h2_request_write(&block);
    if (name)
        h2_field_write(&block, name, value);
    h2_peer_raw(pair.peer, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | flags, id,
                bytes_span(&block));
    bytes_clear(&block);
}

static uint32_t nth(unsigned i)
{
    return FIRST + 2 * i;
}

static void ping(unsigned i)
{
    (void)i;
    raw(NGHTTP2_PING, 0, 0, "12345678", 8);
}

static void settings(unsigned i)
{
    (void)i;
    raw(NGHTTP2_SETTINGS, 0, 0, "\0\4\0\0\1\0", 6);
}

static void priority(unsigned i)
{
    raw(NGHTTP2_PRIORITY, 0, i % 2 ? OPEN : nth(i), "\0\0\0\0\20", 5);
}

static void ping_answer(unsigned i)
{
    (void)i;
    raw(NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, "12345678", 8);
}

static void empty_data(unsigned i)
{
    (void)i;
    raw(NGHTTP2_DATA, 0, OPEN, NULL, 0);
}

static void padding(unsigned i)
{
    (void)i;
    raw(NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, OPEN, "\2\0\0", 3);
}

/* Three of them for one head. */
static void empty_continuation(unsigned i)
{
    if (i % 3 == 0) {
        struct bytes block = {0};
        h2_request_write(&block);
        raw(NGHTTP2_HEADERS, 0, nth(i), (const char *)block.at, block.length);
        bytes_clear(&block);
    }
    raw(NGHTTP2_CONTINUATION, i % 3 == 2 ? NGHTTP2_FLAG_END_HEADERS : 0, nth(i - i % 3), NULL, 0);
}

static void empty_headers(unsigned i)
{
    struct bytes block = {0};
    h2_request_write(&block);
    raw(NGHTTP2_HEADERS, 0, nth(i), NULL, 0);
    raw(NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, nth(i), (const char *)block.at,
        block.length);
    bytes_clear(&block);
}

static void unknown(unsigned i)
{
    raw((uint8_t)(0x20 + i), 0xff, i % 2 ? OPEN : 0, "unknown", 7);
}

static void goaway(unsigned i)
{
    (void)i;
    raw(NGHTTP2_GOAWAY, 0, 0, "\0\0\0\0\0\0\0\0", 8);
}

static void priority_update(unsigned i)
{
    (void)i;
    raw(NGHTTP2_PRIORITY_UPDATE, 0, 0, "\0\0\0\3u=1", 7);
}

static void window_update(unsigned i)
{
    raw(NGHTTP2_WINDOW_UPDATE, 0, i % 2 ? OPEN : 0, "\0\0\0\1", 4);
}

static void reset_again(unsigned i)
{
    if (i == 0) {
        raw_head(FIRST, 0, NULL, NULL);
        raw(NGHTTP2_RST_STREAM, 0, FIRST, "\0\0\0\10", 4);
    }
    raw(NGHTTP2_RST_STREAM, 0, FIRST, "\0\0\0\10", 4);
}

static void head_again(unsigned i)
{
    if (i == 0) {
        raw_head(FIRST, 0, NULL, NULL);
        raw(NGHTTP2_RST_STREAM, 0, FIRST, "\0\0\0\10", 4);
    }
    raw_head(FIRST, 0, NULL, NULL);
}

static void open_and_reset(unsigned i)
{
    raw_head(nth(i), i % 2 ? NGHTTP2_FLAG_END_STREAM : 0, NULL, NULL);
    raw(NGHTTP2_RST_STREAM, 0, nth(i), "\0\0\0\10", 4);
}

/* Before it has acknowledged how many it may open. */
static void open_too_many(unsigned i)
{
    raw_head(nth(i), 0, NULL, NULL);
}

static void malformed(unsigned i)
{
    raw_head(nth(i), NGHTTP2_FLAG_END_STREAM, i % 2 ? "Upper" : "te", "gzip");
}

static void too_large(unsigned i)
{
    raw_head(nth(i), NGHTTP2_FLAG_END_STREAM, "long", "12345678901234567890");
}

static void wrong_length(unsigned i)
{
    raw_head(nth(i), 0, "content-length", "5");
    raw(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, nth(i), "four", 4);
}

static void window_overflow(unsigned i)
{
    raw_head(nth(i), 0, NULL, NULL);
    raw(NGHTTP2_WINDOW_UPDATE, 0, nth(i), "\x7f\xff\xff\xff", 4);
}

/* As of the last input. */
static void above_http2(unsigned i)
{
    (void)i;
    h2_pair_receive(&pair);
    h2_blame(pair.seen[0].stream);
}

static const struct rate_case {
    const char *name;
    enum h2_rate rate;
    void (*send)(unsigned i); /* what counts as one */
} cases[] = {
    {"ping", H2_RATE_PINGS, ping},
    {"settings", H2_RATE_SETTINGS, settings},
    {"priority", H2_RATE_PRIORITIES, priority},
    {"ping answer", H2_RATE_EMPTY_FRAMES, ping_answer},
    {"empty data", H2_RATE_EMPTY_FRAMES, empty_data},
    {"padding", H2_RATE_EMPTY_FRAMES, padding},
    {"empty continuation", H2_RATE_EMPTY_FRAMES, empty_continuation},
    {"empty headers", H2_RATE_EMPTY_FRAMES, empty_headers},
    {"head of a stream that is over", H2_RATE_EMPTY_FRAMES, head_again},
    {"unknown", H2_RATE_EMPTY_FRAMES, unknown},
    {"goaway", H2_RATE_EMPTY_FRAMES, goaway},
    {"priority update", H2_RATE_EMPTY_FRAMES, priority_update},
    {"window update", H2_RATE_WINDOW_UPDATES, window_update},
    {"reset again", H2_RATE_WINDOW_UPDATES, reset_again},
    {"open and reset", H2_RATE_RESETS, open_and_reset},
    {"open too many", H2_RATE_RESETS, open_too_many},
    {"malformed", H2_RATE_STREAM_ERRORS, malformed},
    {"too large", H2_RATE_STREAM_ERRORS, too_large},
    {"wrong length", H2_RATE_STREAM_ERRORS, wrong_length},
    {"window overflow", H2_RATE_STREAM_ERRORS, window_overflow},
    {"above http2", H2_RATE_STREAM_ERRORS, above_http2},
};

/* A connection with two streams that stay open, and whole allowances. */
static void open_case(const struct rate_case *the)
{
    h2_pair_close(&pair);
    pair = (struct h2_pair){.limits = h2_pair_limits()};
    pair.limits.rates[the->rate] = LIMIT;
    if (the->send == too_large)
        pair.limits.max_header_list = 200;
    if (the->send == open_too_many)
        pair.limits.max_streams = 2;
    h2_pair_open_raw(&pair);
    raw_head(ANSWERED, 0, NULL, NULL);
    raw_head(OPEN, 0, NULL, NULL);
    pair.now += MINUTE; /* the client's first SETTINGS is forgotten */
    h2_pair_run(&pair);
    cr_assert_eq(pair.count, 2);
}

/* False: the connection is to be ended. */
static bool give(const struct rate_case *the, unsigned *next, unsigned count)
{
    bool good = true;
    for (unsigned i = 0; i < count && good; i++) {
        the->send((*next)++);
        good = h2_pair_receive(&pair) && h2_pair_send(&pair);
    }
    return good;
}

/* Nor anything counted. */
static void expect_no_fault(const struct rate_case *the)
{
    cr_expect_null(h2_fault(pair.h2), "%s: %s", the->name, h2_fault(pair.h2));
    for (int i = 0; i < H2_RATE_COUNT; i++)
        cr_expect_eq(pair.counters.rates[i], 0, "%s", the->name);
}

static void expect_fault(const struct rate_case *the)
{
    char text[192];
    snprintf(text, sizeof(text), "too many %s: more than %d a minute (limits.http2.%s)",
             h2_rate_what(the->rate), LIMIT, h2_rate_key(the->rate));
    cr_assert_not_null(h2_fault(pair.h2), "%s", the->name);
    cr_expect_str_eq(h2_fault(pair.h2), text);
    cr_expect_eq(h2_fault_error(pair.h2), H2_ENHANCE_YOUR_CALM);
    for (int i = 0; i < H2_RATE_COUNT; i++)
        cr_expect_eq(pair.counters.rates[i], i == (int)the->rate, "%s", the->name);
}

Test(h2_rates, what_a_minute_allows_passes_and_one_more_does_not)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned next = 0;
        open_case(&cases[i]);
        cr_expect(give(&cases[i], &next, LIMIT), "%s", cases[i].name);
        expect_no_fault(&cases[i]);
        cr_expect_not(give(&cases[i], &next, 1), "%s", cases[i].name);
        expect_fault(&cases[i]);
    }
}

/* All in one read. */
Test(h2_rates, flood_is_noticed_within_one_input)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        open_case(&cases[i]);
        for (unsigned j = 0; j < LIMIT + 1; j++)
            cases[i].send(j);
        bool received = h2_pair_receive(&pair);
        bool sent = h2_pair_send(&pair);
        cr_expect_not(received && sent, "%s", cases[i].name);
        expect_fault(&cases[i]);
    }
}

Test(h2_rates, time_gives_allowances_back)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned next = 0;
        open_case(&cases[i]);
        cr_expect(give(&cases[i], &next, LIMIT));
        pair.now += MINUTE / 2 + 1;
        cr_expect(give(&cases[i], &next, LIMIT / 2), "%s", cases[i].name);
        expect_no_fault(&cases[i]);
        cr_expect_not(give(&cases[i], &next, 1), "%s", cases[i].name);
        expect_fault(&cases[i]);
    }
}

static void send_head(void)
{
    h2_pair_respond(&pair.seen[0], false);
}

static void send_data(void)
{
    h2_pair_send_body(&pair.seen[0], 1);
}

static void send_ping(void)
{
    h2_ping(pair.h2);
}

static void send_window_update(void)
{
    h2_widen(pair.seen[0].stream, 1 << 20);
}

/* Whether all of what was used up is there again once we have sent something. */
static bool renews(const struct rate_case *the, bool responded, void (*send)(void))
{
    unsigned next = 0;
    open_case(the);
    if (responded)
        send_head();
    h2_pair_run(&pair);
    cr_assert(give(the, &next, LIMIT), "%s", the->name);
    send();
    h2_pair_run(&pair);
    if (!give(the, &next, 1))
        return false;
    cr_expect(give(the, &next, LIMIT - 1), "%s", the->name);
    cr_expect_not(give(the, &next, 1), "%s", the->name);
    expect_fault(the);
    return true;
}

/* Libraries answer those with pings and window updates. */
Test(h2_rates, sent_heads_and_data_renew_pings_and_window_updates)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum h2_rate rate = cases[i].rate;
        bool renewed = rate == H2_RATE_PINGS || rate == H2_RATE_WINDOW_UPDATES;
        cr_expect_eq(renews(&cases[i], false, send_head), renewed, "%s", cases[i].name);
        cr_expect_eq(renews(&cases[i], true, send_data), renewed, "%s", cases[i].name);
        cr_expect_not(renews(&cases[i], false, send_ping), "%s", cases[i].name);
        cr_expect_not(renews(&cases[i], false, send_window_update), "%s", cases[i].name);
    }
}

Test(h2_rates, first_fault_stays)
{
    unsigned next = 0;
    open_case(&cases[0]);
    cr_expect_not(give(&cases[0], &next, LIMIT + 1));
    for (unsigned i = 0; i < 2 * LIMIT; i++) {
        settings(i);
        cr_expect_not(h2_pair_receive(&pair));
        cr_expect_not(h2_pair_send(&pair));
    }
    expect_fault(&cases[0]);
}

/* Neither in the same input nor in the next one. */
Test(h2_rates, nothing_is_read_behind_a_fault)
{
    open_case(&cases[0]);
    for (unsigned i = 0; i < LIMIT + 1; i++)
        ping(i);
    for (unsigned i = 0; i < 2; i++) {
        raw_head(nth(i), 0, NULL, NULL);
        raw(NGHTTP2_DATA, 0, OPEN, "1", 1);
        cr_expect_not(h2_pair_receive(&pair));
        cr_expect_eq(pair.count, 2);
        cr_expect_eq(pair.seen[1].body.length, 0);
    }
}

/* Those of all connections that share them. */
Test(h2_rates, counters_count_on)
{
    unsigned next = 0;
    open_case(&cases[0]);
    pair.counters.rates[H2_RATE_PINGS] = 41;
    cr_expect_not(give(&cases[0], &next, LIMIT + 1));
    cr_expect_eq(pair.counters.rates[H2_RATE_PINGS], 42);
}

/* A connection whose next charge is its end. */
static void open_without_allowances(void)
{
    open_case(&cases[0]);
    for (int i = 0; i < H2_RATE_COUNT; i++)
        pair.limits.rates[i] = 0;
    pair.now += MINUTE;
}

/* What well-behaved clients do all day. */
Test(h2_rates, calls_cost_nothing)
{
    open_without_allowances();
    raw(NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, NULL, 0);
    for (unsigned i = 0; i < 100; i++) {
        raw_head(nth(i), 0, NULL, NULL);
        raw(NGHTTP2_DATA, 0, nth(i), "1", 1);
        raw(NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, nth(i),
            "\1"
            "1\0",
            3);
        raw(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, nth(i), NULL, 0);
        cr_expect(h2_pair_receive(&pair));
        h2_pair_answer_all(&pair.seen[pair.count - 1], 1);
        cr_expect(h2_pair_send(&pair));
        cr_expect_eq(pair.seen[pair.count - 1].closed, 1);
    }
    expect_no_fault(&cases[0]);
}

static void answer_in_part(const struct h2_seen *seen)
{
    h2_pair_respond(seen, false);
    h2_pair_send_body(seen, 10);
}

static void answer_whole(const struct h2_seen *seen)
{
    h2_pair_answer_all(seen, 10);
}

static void answer_by_head(const struct h2_seen *seen)
{
    h2_pair_respond(seen, true);
}

/* Once the answer is whole, a reset is what many libraries end a call with. */
Test(h2_rates, resets_behind_the_answer_are_free)
{
    static const struct {
        void (*answer)(const struct h2_seen *seen);
        bool whole;
    } answers[] = {{answer_whole, true}, {answer_by_head, true}, {answer_in_part, false}};
    open_without_allowances();
    pair.room = 0;
    for (unsigned i = 0; i < COUNT(answers); i++) {
        raw_head(nth(i), NGHTTP2_FLAG_END_STREAM, NULL, NULL);
        cr_expect(h2_pair_receive(&pair));
        struct h2_seen *seen = &pair.seen[pair.count - 1];
        answers[i].answer(seen);
        raw(NGHTTP2_RST_STREAM, 0, nth(i), "\0\0\0\10", 4);
        cr_expect_eq(h2_pair_receive(&pair), answers[i].whole);
        cr_expect_eq(seen->closed, 1);
    }
    cr_expect_eq(pair.counters.rates[H2_RATE_RESETS], 1);
}

/* nghttp2 has a limit of its own, which is lower. */
Test(h2_rates, resets_are_limited_by_the_configuration_alone)
{
    open_case(&cases[0]);
    for (unsigned i = 0; i < 1500; i++)
        open_and_reset(i);
    cr_expect(h2_pair_receive(&pair));
    cr_expect(h2_pair_send(&pair));
    cr_expect_eq(pair.count, 1502);
    cr_expect_not(h2_is_over(pair.h2));
    cr_expect_eq(h2_peer_count(pair.peer, NGHTTP2_GOAWAY, 0, NULL), 0);
    expect_no_fault(&cases[0]);
}

/* Errors that are ours. */
Test(h2_rates, resets_of_ours_are_free)
{
    static const enum h2_error errors[] = {H2_NO_ERROR, H2_CANCEL, H2_INTERNAL_ERROR};
    open_without_allowances();
    for (unsigned i = 0; i < COUNT(errors); i++) {
        raw_head(nth(i), 0, NULL, NULL);
        h2_pair_receive(&pair);
        h2_reset(pair.seen[pair.count - 1].stream, errors[i]);
        cr_expect(h2_pair_send(&pair));
    }
    expect_no_fault(&cases[0]);
}

/* HEADERS and so many CONTINUATION frames, the head spread over them. */
static bool continue_head(unsigned count)
{
    struct bytes block = {0};
    h2_request_write(&block);
    for (unsigned i = 0; i <= count; i++) {
        size_t from = block.length * i / (count + 1);
        size_t to = block.length * (i + 1) / (count + 1);
        raw(i ? NGHTTP2_CONTINUATION : NGHTTP2_HEADERS, i == count ? NGHTTP2_FLAG_END_HEADERS : 0,
            FIRST, (const char *)block.at + from, to - from);
    }
    bytes_clear(&block);
    return h2_pair_receive(&pair);
}

static void open_continuations(uint32_t limit)
{
    h2_pair_close(&pair);
    pair = (struct h2_pair){.limits = h2_pair_limits()};
    pair.limits.max_continuations = limit;
    h2_pair_open_raw(&pair);
}

Test(h2_rates, continuations_of_the_limit_pass_and_one_more_does_not)
{
    static const uint32_t limits[] = {1, 2, 8, 20};
    for (size_t i = 0; i < COUNT(limits); i++) {
        char text[128];
        open_continuations(limits[i]);
        cr_expect(continue_head(limits[i]));
        cr_expect_eq(pair.seen[0].headers_ended, 1);
        cr_expect_null(h2_fault(pair.h2));
        cr_expect_eq(pair.counters.continuations, 0);

        open_continuations(limits[i]);
        cr_expect_not(continue_head(limits[i] + 1));
        snprintf(text, sizeof(text), "more than %u for one head (limits.http2.max_continuations)",
                 limits[i]);
        cr_assert_not_null(h2_fault(pair.h2));
        cr_expect(strstr(h2_fault(pair.h2), text), "%s", h2_fault(pair.h2));
        cr_expect_eq(h2_fault_error(pair.h2), H2_ENHANCE_YOUR_CALM);
        cr_expect_eq(pair.counters.continuations, 1);
    }
}

/* The limit is one of each head. */
Test(h2_rates, continuations_are_counted_anew_for_each_head)
{
    struct bytes block = {0};
    open_continuations(1);
    h2_request_write(&block);
    for (unsigned i = 0; i < 10; i++) {
        raw(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, nth(i), NULL, 0);
        raw(NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, nth(i), (const char *)block.at,
            block.length);
        cr_expect(h2_pair_receive(&pair));
    }
    bytes_clear(&block);
    cr_expect_eq(pair.count, 10);
}

/* The client's first SETTINGS may be of that many entries. */
static bool give_settings(size_t entries)
{
    struct bytes payload = {0};
    for (size_t i = 0; i < entries; i++)
        bytes_add(&payload, span_of("\0\4\0\1\0\0", 6));
    h2_peer_raw(pair.peer, NGHTTP2_SETTINGS, 0, 0, bytes_span(&payload));
    bytes_clear(&payload);
    bool received = h2_pair_receive(&pair);
    return h2_pair_send(&pair) && received && !h2_is_over(pair.h2);
}

Test(h2_rates, settings_frame_of_32_entries_passes_and_of_33_does_not)
{
    struct h2_frame frame;
    h2_pair_open_raw(&pair);
    cr_expect(give_settings(32));
    cr_expect_eq(h2_peer_count(pair.peer, NGHTTP2_GOAWAY, 0, NULL), 0);
    cr_expect_not(give_settings(33));
    cr_expect(h2_is_over(pair.h2));
    cr_assert_eq(h2_peer_count(pair.peer, NGHTTP2_GOAWAY, 0, &frame), 1);
    cr_expect_eq(h2_frame_number(&frame, 4), H2_ENHANCE_YOUR_CALM);
}

/* Once it knows how many it may open, more are a broken protocol. */
Test(h2_rates, streams_of_the_limit_pass_and_one_more_does_not)
{
    struct h2_frame frame;
    pair = (struct h2_pair){.limits = h2_pair_limits()};
    pair.limits.max_streams = 3;
    h2_pair_open_raw(&pair);
    raw(NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, NULL, 0);
    for (unsigned i = 0; i < 3; i++)
        raw_head(nth(i), 0, NULL, NULL);
    h2_pair_run(&pair);
    cr_expect_eq(pair.count, 3);
    h2_pair_answer_all(&pair.seen[0], 1);
    h2_pair_run(&pair);
    raw_head(nth(3), 0, NULL, NULL);
    h2_pair_run(&pair);
    cr_expect_eq(pair.count, 4, "one has ended before");
    cr_expect_not(h2_is_over(pair.h2));
    raw_head(nth(4), 0, NULL, NULL);
    h2_pair_run(&pair);
    cr_expect_eq(pair.count, 4);
    cr_expect(h2_is_over(pair.h2));
    cr_assert_eq(h2_peer_count(pair.peer, NGHTTP2_GOAWAY, 0, &frame), 1);
    cr_expect_eq(h2_frame_number(&frame, 4), H2_PROTOCOL_ERROR);
}

/* Answers to frames of the client wait in memory while it does not read. */
Test(h2_rates, unread_answers_are_bounded)
{
    bool good = true;
    unsigned count = 0;
    struct h2_frame frame;
    pair = (struct h2_pair){.limits = h2_pair_limits()};
    pair.limits.rates[H2_RATE_PINGS] = 500;
    pair.limits.rates[H2_RATE_SETTINGS] = 100;
    h2_pair_open_raw(&pair);
    pair.room = 0;
    for (; good && count < 10000; count++) {
        pair.now += 200; /* 300 a minute */
        ping(0);
        good = h2_pair_receive(&pair);
    }
    cr_expect_not(good);
    cr_expect(count > 500 && count < 700, "%u", count);
    cr_assert(h2_fault(pair.h2));
    cr_expect(strstr(h2_fault(pair.h2), "whose answers were not read"), "%s", h2_fault(pair.h2));
    cr_expect_eq(h2_fault_error(pair.h2), H2_ENHANCE_YOUR_CALM);
    h2_goaway(pair.h2, H2_ENHANCE_YOUR_CALM, h2_fault(pair.h2));
    pair.room = SIZE_MAX;
    h2_pair_send(&pair);
    cr_assert_eq(h2_peer_count(pair.peer, NGHTTP2_GOAWAY, 0, &frame), 1);
    cr_expect_eq(h2_frame_number(&frame, 4), H2_ENHANCE_YOUR_CALM);
}
