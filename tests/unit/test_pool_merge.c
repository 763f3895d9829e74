/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that travel together, on an upstream in the test's hand. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "fake_transport.h"
#include "pool/clock.h"
#include "pool/pool.h"
#include "wire_text.h"

#define ASKS  12
#define LONG  60000 /* ms, a time that does not pass in a test */
#define SHORT 30    /* ms, one that does */

static struct fake_transport fake;
static struct fake_log sink;
static struct event_base *loop;
static struct conf_upstream upstream;
static struct conf_database database;
static struct endpoints *endpoints;
static struct pool *pool;
static struct ask asks[ASKS];

static void ignore(void *context, struct pool *of)
{
    (void)context, (void)of;
}

static void begin(void)
{
    loop = event_base_new();
    fake_open(&fake);
    fake_log_open(&sink);
    static const struct conf_host host = {"http://db:19530", "10.0.0.1", 19530};
    upstream = (struct conf_upstream){.name = "main",
                                      .uri = "http://db:19530",
                                      .hosts = &host,
                                      .host_count = 1,
                                      .connect_timeout = LONG};
    database = (struct conf_database){.name = "books",
                                      .upstream = &upstream,
                                      .pool_size = 1,
                                      .max_in_flight = 8,
                                      .queue_size = 8,
                                      .queue_timeout = LONG,
                                      .merge = {.searches = CONF_ON,
                                                .calls = 1,
                                                .max_calls = 8,
                                                .max_vectors = 8,
                                                .max_results = 100,
                                                .max_bytes = 1024}};
}

static void open_pool(void)
{
    char *error = NULL;
    endpoints = fake_endpoints(&fake, loop, &sink.logger, &upstream);
    struct pool_setup setup = {.loop = loop,
                               .endpoints = endpoints,
                               .transport = &fake.transport,
                               .logger = &sink.logger,
                               .database = &database,
                               .max_message = 1000,
                               .stats_period = LONG,
                               .connected = ignore,
                               .away = ignore};
    pool = pool_new(&setup, &error);
    cr_assert_not_null(pool, "%s", error);
}

static void open_ready(void)
{
    open_pool();
    fake_all_ready(&fake);
}

static void end(void)
{
    for (size_t i = 0; i < ASKS; i++)
        ask_free(&asks[i]);
    pool_free(pool);
    fake_close(&fake);
    event_base_free(loop);
}

TestSuite(pool_merge, .init = begin, .fini = end);

/* Lets those go that have come together. */
static void turn(void)
{
    event_base_loop(loop, EVLOOP_NONBLOCK);
}

static void submit_text(size_t at, const char *method, const char *text, int64_t timeout)
{
    struct ask *ask = &asks[at];
    struct blob *message = wire_text(text);
    memcpy(ask->bytes, message->data, message->size);
    ask->length = message->size;
    blob_unref(message);
    ask_make(ask, method);
    ask_admit(ask, pool, "books", timeout);
    ask->request.collection = span_text("docs");
    pool_submit(pool, &ask->request);
}

/* A vector is one binary byte, the number of who asks. `rest`: more fields. */
static void submit_as(size_t at, const char *rest, int64_t timeout)
{
    char text[512];
    snprintf(text, sizeof(text), "3'docs' 6{1{1'$0' 2:100 3x%02zx'}} 9{1'topk' 2'3'} 12:1 %s", at,
             rest);
    submit_text(at, "Search", text, timeout);
}

static void submit(size_t at)
{
    submit_as(at, "", LONG);
}

/* The first is alone on its way, the others wait. */
static void submit_many(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        submit(i);
        turn();
    }
}

static void cancel(size_t at)
{
    pool_cancel(pool, &asks[at].request);
}

static void expect_call(size_t call, const char *text)
{
    struct blob *expected = wire_text(text);
    cr_assert_lt(call, fake.call_count, "no call %zu", call);
    cr_expect(span_equal(blob_span(fake.calls[call].message), blob_span(expected)),
              "call %zu is another than %s", call, text);
    blob_unref(expected);
}

#define JOINED(VALUES, COUNT) "3'docs' 9{1'topk' 2'3'} 12:" COUNT " 6{1{1'$0' 2:100 " VALUES "}}"

static void reply_text(size_t call, const char *text)
{
    struct blob *reply = wire_text(text);
    fake_reply(&fake, call, blob_span(reply));
    blob_unref(reply);
}

/* That call's one. */
static void reply_alone(size_t call)
{
    reply_text(call, "1{} 2{1:1 2:1 4(9) 5{1{1[9]}} 6[1]}");
}

static void expect_text(size_t at, const char *text)
{
    struct blob *expected = wire_text(text);
    expect_reply(&asks[at], blob_span(expected));
    blob_unref(expected);
}

static void expect_hit(size_t at, const char *hit)
{
    char text[128];
    snprintf(text, sizeof(text), "1{} 2{1:1 2:1 4(%s) 5{1{1[%s]}} 6[1]}", hit, hit);
    expect_text(at, text);
}

/* ---- together ---- */

Test(pool_merge, one_goes_as_it_is_and_at_once)
{
    open_ready();
    submit(0);
    turn();
    expect_call(0, "3'docs' 6{1{1'$0' 2:100 3x00'}} 9{1'topk' 2'3'} 12:1");
    cr_expect_eq(fake.calls[0].deadline, asks[0].request.deadline);
    reply_alone(0);
    expect_hit(0, "9");
}

Test(pool_merge, those_that_wait_go_together_and_each_gets_its_part)
{
    open_ready();
    submit_many(4);
    cr_assert_eq(fake.call_count, 1);
    cr_expect_eq(pool_phase(pool, &asks[1].request), PHASE_QUEUE);
    reply_alone(0);
    cr_assert_eq(fake.call_count, 2);
    expect_call(1, JOINED("3x01' 3x02' 3x03'", "3"));
    cr_expect_eq(pool_phase(pool, &asks[1].request), PHASE_UPSTREAM);
    reply_text(1, "1{} 2{1:3 2:1 4(1 2 3) 5{1{1[1 2 3]}} 6[1 1 1]}");
    expect_hit(1, "1");
    expect_hit(2, "2");
    expect_hit(3, "3");
    cr_expect_eq(fake.call_count, 2);
}

/* What one read of a socket brings, and a connection that comes up. */
Test(pool_merge, those_that_come_together_go_together)
{
    open_ready();
    submit(0);
    submit(1);
    cr_expect_eq(fake.call_count, 0);
    turn();
    cr_assert_eq(fake.call_count, 1);
    expect_call(0, JOINED("3x00' 3x01'", "2"));
    reply_text(0, "1{} 2{1:2 2:1 4(1 2) 5{1{1[1 2]}} 6[1 1]}");
    expect_hit(1, "2");
}

Test(pool_merge, those_that_wait_for_a_connection_go_together)
{
    open_pool();
    submit_many(2);
    cr_expect_eq(pool_phase(pool, &asks[1].request), PHASE_CONNECT);
    cr_expect_eq(fake.call_count, 0);
    fake_all_ready(&fake);
    cr_assert_eq(fake.call_count, 1);
    expect_call(0, JOINED("3x00' 3x01'", "2"));
    reply_text(0, "1{} 2{1:2 2:1 4(1 2) 5{1{1[1 2]}} 6[1 1]}");
}

Test(pool_merge, others_are_asked_each_in_its_turn)
{
    open_ready();
    submit(0);
    turn();
    submit_as(1, "5'x > 1'", LONG);
    submit_as(2, "5'x > 2'", LONG);
    submit_as(3, "5'x > 1'", LONG);
    reply_alone(0);
    cr_assert_eq(fake.call_count, 2);
    expect_call(1, "3'docs' 9{1'topk' 2'3'} 5'x > 1' 12:2 6{1{1'$0' 2:100 3x01' 3x03'}}");
    reply_text(1, "1{} 2{1:2 2:1 4(1 2) 5{1{1[1 2]}} 6[1 1]}");
    expect_hit(3, "2");
    cr_assert_eq(fake.call_count, 3);
    reply_alone(2);
    expect_hit(2, "9");
}

Test(pool_merge, another_collection_or_database_does_not_wait)
{
    open_ready();
    submit(0);
    turn();
    asks[1].request.metadata = NULL;
    submit(1);
    submit_text(2, "Search", "3'cats' 6{1{1'$0' 2:100 3x01'}} 9{1'topk' 2'3'} 12:1", LONG);
    turn();
    cr_expect_eq(fake.call_count, 1, "they have one lane");
    cancel(2);
    asks[3].request.collection = span_text("cats");
    submit_text(3, "Query", "3'docs'", LONG);
    cr_assert_eq(fake.call_count, 2, "what is no search does not wait");
    fake_reply(&fake, 1, span_text(""));
    reply_alone(0);
    reply_alone(2);
}

static void fill_to(size_t vectors)
{
    open_ready();
    submit_many(vectors + 1);
    reply_alone(0);
}

Test(pool_merge, calls_have_as_many_vectors_as_they_may)
{
    database.merge.max_vectors = 2;
    fill_to(3);
    expect_call(1, JOINED("3x01' 3x02'", "2"));
    reply_text(1, "1{} 2{1:2 2:1 4(1 2) 5{1{1[1 2]}} 6[1 1]}");
    cr_assert_eq(fake.call_count, 3);
    reply_alone(2);
    expect_hit(3, "9");
}

Test(pool_merge, and_as_many_results)
{
    database.merge.max_results = 6;
    fill_to(3);
    expect_call(1, JOINED("3x01' 3x02'", "2"));
    reply_text(1, "1{} 2{1:2 2:1 4(1 2) 5{1{1[1 2]}} 6[1 1]}");
    reply_alone(2);
}

Test(pool_merge, and_as_many_bytes)
{
    database.merge.max_bytes = 6; /* two vectors with their heads */
    fill_to(3);
    expect_call(1, JOINED("3x01' 3x02'", "2"));
    reply_text(1, "1{} 2{1:2 2:1 4(1 2) 5{1{1[1 2]}} 6[1 1]}");
    reply_alone(2);
}

Test(pool_merge, one_with_more_than_that_goes_alone)
{
    database.merge.max_results = 2;
    open_ready();
    submit_many(2);
    cr_expect_eq(fake.call_count, 2);
    reply_alone(0);
    reply_alone(1);
}

Test(pool_merge, several_calls_may_be_under_way)
{
    database.merge.calls = 2;
    open_ready();
    submit_many(4);
    cr_assert_eq(fake.call_count, 2);
    reply_alone(1);
    expect_call(2, JOINED("3x02' 3x03'", "2"));
    reply_alone(0);
    reply_text(2, "1{} 2{1:2 2:1 4(1 2) 5{1{1[1 2]}} 6[1 1]}");
}

Test(pool_merge, slots_are_those_of_calls)
{
    database.max_in_flight = 1;
    database.merge.calls = 2;
    open_ready();
    submit_many(3);
    cr_assert_eq(fake.call_count, 1);
    reply_alone(0);
    expect_call(1, JOINED("3x01' 3x02'", "2"));
    reply_text(1, "1{} 2{1:2 2:1 4(1 2) 5{1{1[1 2]}} 6[1 1]}");
}

Test(pool_merge, those_that_travel_together_and_others_take_turns)
{
    database.max_in_flight = 1;
    open_ready();
    submit(0);
    turn();
    for (size_t i = 1; i < 4; i++)
        submit_text(i, "Query", "3'docs'", LONG);
    submit(4);
    submit(5);
    reply_alone(0);
    cr_expect_str_eq(fake.calls[1].path, "/milvus.proto.milvus.MilvusService/Query");
    fake_reply(&fake, 1, span_text(""));
    expect_call(2, JOINED("3x04' 3x05'", "2"));
    reply_text(2, "1{} 2{1:2 2:1 4(1 2) 5{1{1[1 2]}} 6[1 1]}");
    fake_reply(&fake, 3, span_text(""));
    fake_reply(&fake, 4, span_text(""));
    cr_expect_eq(fake.call_count, 5);
}

/* Of one who asks much, no more goes before another than what is under way. */
Test(pool_merge, who_asks_little_is_in_the_next_call)
{
    database.merge.max_vectors = 2;
    open_ready();
    submit_many(5);
    asks[5].request.asker = 1;
    submit(5);
    reply_alone(0);
    expect_call(1, JOINED("3x01' 3x05'", "2"));
    reply_text(1, "1{} 2{1:2 2:1 4(1 2) 5{1{1[1 2]}} 6[1 1]}");
    expect_call(2, JOINED("3x02' 3x03'", "2"));
    reply_text(2, "1{} 2{1:2 2:1 4(1 2) 5{1{1[1 2]}} 6[1 1]}");
    reply_alone(3);
}

/* ---- metadata ---- */

static void submit_with(size_t at, struct metadata *metadata, const char *name, const char *value)
{
    metadata_add(metadata, span_text(name), span_text(value));
    asks[at].request.metadata = metadata;
    submit(at);
}

Test(pool_merge, who_traces_a_call_travels_with_others)
{
    struct metadata metadata[3] = {{0}};
    open_ready();
    submit(0);
    turn();
    submit_with(1, &metadata[0], "client-request-id", "a");
    submit_with(2, &metadata[1], "traceparent", "b");
    submit_with(3, &metadata[2], "another", "c");
    reply_alone(0);
    cr_assert_eq(fake.call_count, 2);
    expect_call(1, JOINED("3x01' 3x02'", "2"));
    cr_expect_str_eq(fake.calls[1].metadata, "client-request-id=a;");
    reply_text(1, "1{} 2{1:2 2:1 4(1 2) 5{1{1[1 2]}} 6[1 1]}");
    cr_assert_eq(fake.call_count, 3);
    cr_expect_str_eq(fake.calls[2].metadata, "another=c;");
    reply_alone(2);
    for (size_t i = 0; i < 3; i++)
        metadata_clear(&metadata[i]);
}

Test(pool_merge, metadata_of_the_server_come_to_each)
{
    struct metadata trailers = {0};
    struct blob *reply = wire_text("1{} 2{1:2 2:1 4(1 2) 5{1{1[1 2]}} 6[1 1]}");
    metadata_add(&trailers, span_text("cost"), span_text("3"));
    open_ready();
    submit(0);
    submit(1);
    turn();
    fake_end(&fake, 0,
             (struct upstream_end){.reply = reply, .trailers = &trailers, .from_peer = true});
    cr_expect_str_eq(asks[0].trailers, "cost=3;");
    cr_expect_str_eq(asks[1].trailers, "cost=3;");
    metadata_clear(&trailers);
    blob_unref(reply);
}

/* ---- those who go ---- */

Test(pool_merge, who_waits_may_leave)
{
    open_ready();
    submit_many(4);
    cancel(1); /* whose bundle it was */
    reply_alone(0);
    expect_call(1, JOINED("3x02' 3x03'", "2"));
    reply_text(1, "1{} 2{1:2 2:1 4(1 2) 5{1{1[1 2]}} 6[1 1]}");
    cr_expect_eq(asks[1].answers, 0);
    expect_hit(3, "2");
}

Test(pool_merge, nobody_is_left)
{
    open_ready();
    submit_many(3);
    cancel(1);
    cancel(2);
    reply_alone(0);
    cr_expect_eq(fake.call_count, 1);
}

Test(pool_merge, who_is_under_way_may_leave)
{
    open_ready();
    submit_many(4);
    reply_alone(0);
    cancel(2);
    cr_expect_not(fake.calls[1].cancelled);
    reply_text(1, "1{} 2{1:3 2:1 4(1 2 3) 5{1{1[1 2 3]}} 6[1 1 1]}");
    expect_hit(1, "1");
    expect_hit(3, "3");
    cr_expect_eq(asks[2].answers, 0);
}

Test(pool_merge, the_last_to_leave_ends_the_call)
{
    open_ready();
    submit_many(3);
    reply_alone(0);
    cancel(1);
    cr_expect_not(fake.calls[1].cancelled);
    cancel(2);
    cr_expect(fake.calls[1].cancelled);
    submit(3);
    turn();
    cr_expect_eq(fake.call_count, 2, "the place is free when the call has ended");
    fake_break(&fake, 1, CODE_CANCELLED, false);
    cr_assert_eq(fake.call_count, 3);
    reply_alone(2);
}

static void cancel_next(struct ask *ask)
{
    cancel((size_t)(ask - asks) + 1);
}

Test(pool_merge, who_is_told_may_drop_the_next)
{
    open_ready();
    submit_many(4);
    reply_alone(0);
    asks[1].on_answer = cancel_next;
    reply_text(1, "1{} 2{1:3 2:1 4(1 2 3) 5{1{1[1 2 3]}} 6[1 1 1]}");
    expect_hit(1, "1");
    cr_expect_eq(asks[2].answers, 0);
    expect_hit(3, "3");
}

Test(pool_merge, deadlines_are_each_ones_own)
{
    open_ready();
    submit(0);
    turn();
    submit_as(1, "", SHORT);
    submit_as(2, "", LONG);
    reply_alone(0);
    cr_expect_eq(fake.calls[1].deadline, asks[2].request.deadline);
    run_until(loop, &asks[1].answers, 1);
    expect_failure(&asks[1], CODE_DEADLINE_EXCEEDED, PHASE_UPSTREAM, "deadline");
    cr_expect_not(fake.calls[1].cancelled);
    reply_text(1, "1{} 2{1:2 2:1 4(1 2) 5{1{1[1 2]}} 6[1 1]}");
    expect_hit(2, "2");
}

Test(pool_merge, deadline_and_queue_timeout_end_waiting)
{
    database.queue_timeout = 2 * SHORT;
    open_ready();
    submit(0);
    turn();
    submit_as(1, "", SHORT);
    submit_as(2, "", LONG);
    run_until(loop, &asks[1].answers, 1);
    expect_failure(&asks[1], CODE_DEADLINE_EXCEEDED, PHASE_QUEUE, "deadline");
    run_until(loop, &asks[2].answers, 1);
    expect_failure(&asks[2], CODE_RESOURCE_EXHAUSTED, PHASE_QUEUE,
                   "no turn within queue_timeout (60 ms): 1 calls");
    reply_alone(0);
    cr_expect_eq(fake.call_count, 1);
}

Test(pool_merge, queue_size_counts_those_that_wait)
{
    database.queue_size = 2;
    open_ready();
    submit_many(4);
    expect_failure(&asks[3], CODE_RESOURCE_EXHAUSTED, PHASE_QUEUE, "2 requests wait");
    reply_alone(0);
    expect_call(1, JOINED("3x01' 3x02'", "2"));
    reply_text(1, "1{} 2{1:2 2:1 4(1 2) 5{1{1[1 2]}} 6[1 1]}");
    submit(4);
    turn();
    reply_alone(2);
    expect_hit(4, "9");
}

Test(pool_merge, with_no_queue_nothing_waits)
{
    database.queue_size = 0;
    open_ready();
    submit_many(2);
    expect_failure(&asks[1], CODE_RESOURCE_EXHAUSTED, PHASE_QUEUE, "the queue is full");
    reply_alone(0);
    expect_hit(0, "9");
}

/* ---- what goes wrong ---- */

/* Two in one call. */
static void open_pair(void)
{
    open_ready();
    submit(0);
    submit(1);
    turn();
    cr_assert_eq(fake.call_count, 1);
}

/* Both have been sent again, as they came, and are answered. */
static void expect_both_alone(size_t first)
{
    cr_assert_eq(fake.call_count, first + 2);
    expect_call(first, "3'docs' 6{1{1'$0' 2:100 3x00'}} 9{1'topk' 2'3'} 12:1");
    expect_call(first + 1, "3'docs' 6{1{1'$0' 2:100 3x01'}} 9{1'topk' 2'3'} 12:1");
    reply_alone(first);
    fake_refuse(&fake, first + 1, CODE_NOT_FOUND);
    expect_hit(0, "9");
    expect_failure(&asks[1], CODE_NOT_FOUND, PHASE_UPSTREAM, "said the server");
}

Test(pool_merge, an_error_in_the_reply_sends_each_alone)
{
    open_pair();
    reply_text(0, "1{1:1 2'bad' 3:1100}");
    expect_both_alone(1);
}

Test(pool_merge, an_old_error_in_the_reply_does_too)
{
    open_pair();
    reply_text(0, "1{1:1 2'bad'}");
    expect_both_alone(1);
}

Test(pool_merge, an_error_of_the_call_does_too)
{
    open_pair();
    fake_refuse(&fake, 0, CODE_RESOURCE_EXHAUSTED);
    expect_both_alone(1);
}

Test(pool_merge, a_lost_call_does_too)
{
    open_pair();
    fake_break(&fake, 0, CODE_UNAVAILABLE, false);
    expect_both_alone(1);
}

Test(pool_merge, a_call_that_was_not_taken_does_too)
{
    open_pair();
    fake_break(&fake, 0, CODE_UNAVAILABLE, true);
    expect_both_alone(1);
}

Test(pool_merge, a_reply_that_is_not_understood_does_too)
{
    open_pair();
    reply_text(0, "1{} 2{1:2 2:1 4(1 2) 5{1{1[1 2]}} 6[1 1]} 99:1");
    expect_both_alone(1);
    cr_expect_not_null(strstr(sink.text, "is not understood"), "%s", sink.text);
}

Test(pool_merge, who_has_been_alone_is_not_tried_once_more)
{
    open_pair();
    reply_text(0, "1{1:1 2'bad' 3:1100}");
    fake_break(&fake, 1, CODE_UNAVAILABLE, false);
    reply_text(2, "1{1:1 2'bad' 3:1100}");
    expect_failure(&asks[0], CODE_UNAVAILABLE, PHASE_UPSTREAM, "broken pipe");
    expect_text(1, "1{1:1 2'bad' 3:1100}");
    cr_expect_eq(fake.call_count, 3);
}

Test(pool_merge, who_has_left_is_not_sent_again)
{
    open_pair();
    cancel(0);
    fake_break(&fake, 0, CODE_UNAVAILABLE, false);
    cr_assert_eq(fake.call_count, 2);
    reply_alone(1);
    expect_hit(1, "9");
    cr_expect_eq(asks[0].answers, 0);
}

/* Its kind travels alone for a while, others do not. */
Test(pool_merge, a_shape_that_failed_rests)
{
    open_pair();
    reply_text(0, "1{1:1 2'bad' 3:1100}");
    expect_both_alone(1);
    submit(2);
    submit(3);
    cr_expect_eq(fake.call_count, 5, "both are on their way");
    submit_as(4, "5'x'", LONG);
    submit_as(5, "5'x'", LONG);
    turn();
    cr_assert_eq(fake.call_count, 6);
    reply_alone(3);
    reply_alone(4);
    reply_text(5, "1{} 2{1:2 2:1 4(1 2) 5{1{1[1 2]}} 6[1 1]}");
}

Test(pool_merge, a_shape_whose_reply_is_too_large_rests)
{
    open_pair();
    fake_break(&fake, 0, CODE_RESOURCE_EXHAUSTED, false);
    expect_both_alone(1);
    run_for(loop, 1010); /* longer than after another error */
    submit(2);
    submit(3);
    cr_assert_eq(fake.call_count, 5, "both are on their way");
    reply_alone(3);
    reply_alone(4);
}

Test(pool_merge, a_shape_that_failed_is_tried_again_after_a_while)
{
    open_pair();
    reply_text(0, "1{1:1 2'bad' 3:1100}");
    expect_both_alone(1);
    run_for(loop, 1010);
    submit(2);
    submit(3);
    turn();
    cr_assert_eq(fake.call_count, 4);
    reply_text(3, "1{} 2{1:2 2:1 4(1 2) 5{1{1[1 2]}} 6[1 1]}");
}

/* One of those that were refused together tries again, alone; then all that wait are told, those in
 * bundles too. */
Test(pool_merge, a_refused_credential_is_told_to_all)
{
    open_ready();
    submit_many(5);
    reply_alone(0);
    fake_refuse(&fake, 1, CODE_UNAUTHENTICATED);
    submit(5);
    for (size_t calls = 2; asks[5].answers == 0; event_base_loop(loop, EVLOOP_ONCE)) {
        cr_assert_leq(fake.call_count, calls + 1);
        if (fake.call_count > calls)
            fake_refuse(&fake, calls++, CODE_UNAUTHENTICATED);
    }
    for (size_t at = 1; at < 6; at++)
        expect_failure(&asks[at], CODE_UNAUTHENTICATED, PHASE_UPSTREAM, "said the server");
}

Test(pool_merge, a_lost_call_is_no_shapes_fault)
{
    open_pair();
    fake_break(&fake, 0, CODE_UNAVAILABLE, false);
    expect_both_alone(1);
    submit(2);
    submit(3);
    turn();
    cr_assert_eq(fake.call_count, 4);
    reply_text(3, "1{} 2{1:2 2:1 4(1 2) 5{1{1[1 2]}} 6[1 1]}");
}

/* ---- the same question ---- */

static void ask_the_same(void)
{
    database.merge.identical = CONF_ON;
    open_ready();
    for (size_t i = 0; i < 4; i++) {
        submit_text(i, "Query", "3'docs' 4'x'", LONG);
        turn();
    }
}

Test(pool_merge, who_asks_the_same_shares_the_next_answer)
{
    ask_the_same();
    cr_assert_eq(fake.call_count, 1);
    fake_reply(&fake, 0, span_text("older"));
    expect_reply(&asks[0], span_text("older"));
    cr_expect_eq(asks[1].answers, 0, "it was asked before");
    cr_assert_eq(fake.call_count, 2);
    fake_reply(&fake, 1, span_text("newer"));
    for (size_t i = 1; i < 4; i++)
        expect_reply(&asks[i], span_text("newer"));
    cr_expect_eq(fake.call_count, 2);
}

Test(pool_merge, others_do_not)
{
    database.merge.identical = CONF_ON;
    open_ready();
    submit_text(0, "Query", "3'docs' 4'x'", LONG);
    submit_text(1, "Query", "3'docs' 4'y'", LONG);
    submit_text(2, "Insert", "3'docs' 4'x'", LONG);
    submit_text(3, "Insert", "3'docs' 4'x'", LONG);
    submit_text(4, "AllocTimestamp", "", LONG);
    submit_text(5, "AllocTimestamp", "", LONG);
    turn();
    cr_assert_eq(fake.call_count, 6);
    for (size_t i = 0; i < 6; i++)
        fake_reply(&fake, i, span_text(""));
}

Test(pool_merge, a_shared_call_that_is_lost_sends_each_alone)
{
    ask_the_same();
    fake_reply(&fake, 0, span_text("older"));
    fake_break(&fake, 1, CODE_UNAVAILABLE, false);
    cr_assert_eq(fake.call_count, 5);
    for (size_t i = 2; i < 5; i++)
        fake_reply(&fake, i, span_text("alone"));
    expect_reply(&asks[3], span_text("alone"));
}

Test(pool_merge, off_is_off)
{
    database.merge.searches = CONF_OFF;
    open_ready();
    submit_many(3);
    cr_expect_eq(fake.call_count, 3);
    for (size_t i = 0; i < 3; i++)
        reply_alone(i);
}

/* ---- what is told ---- */

Test(pool_merge, counts_are_told)
{
    open_pair();
    reply_text(0, "1{} 2{1:2 2:1 4(1 2) 5{1{1[1 2]}} 6[1 1]}");
    submit(2);
    submit(3);
    turn();
    reply_text(1, "1{1:1}");
    reply_alone(2);
    reply_alone(3);
    pool_free(pool);
    pool = NULL;
    cr_expect_not_null(strstr(sink.text, "database books: merged 4 searches into 2 calls, 2.0 "
                                         "vectors a call; 0 equal reads into 0; sent one by one "
                                         "after all: 1 calls that failed, 0 that were lost, 0 not "
                                         "understood"),
                       "%s", sink.text);
}

Test(pool_merge, nothing_is_told_of_nothing)
{
    open_ready();
    submit(0);
    turn();
    reply_alone(0);
    pool_free(pool);
    pool = NULL;
    cr_expect_null(strstr(sink.text, "merged"), "%s", sink.text);
}
