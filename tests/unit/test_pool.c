/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake_transport.h"
#include "pool/clock.h"
#include "pool/login.h"
#include "pool/pool.h"
#include "pool/servers.h"

#define ASKS  132
#define LONG  60000 /* ms, a time that does not pass in a test */
#define SHORT 30    /* ms, one that does */

static struct fake_transport fake;
static struct fake_log sink;
static struct event_base *loop;
static struct conf_upstream upstream;
static struct conf_database database;
static struct endpoints *endpoints;
static struct pool *pool;
static size_t connected_count;
static size_t away_count;
static struct ask asks[ASKS];
static char secret_path[] = "/tmp/mvb-pool-XXXXXX";

static void connected(void *context, struct pool *of)
{
    (void)context;
    cr_expect_eq(of, pool);
    connected_count++;
}

static void away(void *context, struct pool *of)
{
    (void)context;
    cr_expect_eq(of, pool);
    away_count++;
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
                                      .max_in_flight = 2,
                                      .queue_size = 3,
                                      .queue_timeout = LONG};
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
                               .connected = connected,
                               .away = away};
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
    unlink(secret_path);
}

TestSuite(pool, .init = begin, .fini = end);

static void submit_for(size_t at, int64_t timeout)
{
    ask_number(&asks[at], 9, at);
    ask_make(&asks[at], "Search");
    ask_admit(&asks[at], pool, "books", timeout);
    pool_submit(pool, &asks[at].request);
}

static void submit(size_t at)
{
    submit_for(at, LONG);
}

static void submit_many(size_t count)
{
    for (size_t i = 0; i < count; i++)
        submit(i);
}

static void cancel(size_t at)
{
    pool_cancel(pool, &asks[at].request);
}

/* That call carries that request. */
static void expect_call(size_t call, size_t ask)
{
    cr_assert_lt(call, fake.call_count, "no call %zu", call);
    cr_expect(span_equal(blob_span(fake.calls[call].message), asks[ask].request.body),
              "call %zu carries another request than %zu", call, ask);
}

static void write_secret(const char *secret)
{
    FILE *file = fopen(secret_path, "w");
    cr_assert_not_null(file);
    fputs(secret, file);
    fclose(file);
}

static void open_with_secret(const char *secret)
{
    close(mkstemp(secret_path));
    write_secret(secret);
    database.credential.token_file = secret_path;
    open_ready();
}

/* ---- a request's way ---- */

Test(pool, sends_what_the_request_says)
{
    open_with_secret("key");
    asks[0].request.tail = blob_copy(span_text("tail"));
    ask_text(&asks[0], (struct wire_path){.number = 2}, "x");
    submit(0);
    const struct fake_call *call = &fake.calls[0];
    cr_assert_eq(fake.call_count, 1);
    cr_expect_str_eq(call->path, "/milvus.proto.milvus.MilvusService/Search");
    cr_expect_str_eq(call->database, "books");
    cr_expect_str_eq(call->authorization, "a2V5");
    cr_expect_eq(call->deadline, asks[0].request.deadline);
    cr_expect(span_equal(blob_span(call->message), span_of("\x12\x01x\x48\x00tail", 9)));
    cr_expect_eq(pool_phase(pool, &asks[0].request), PHASE_UPSTREAM);
    blob_unref(asks[0].request.tail);
    fake_reply(&fake, 0, span_text("found"));
    expect_reply(&asks[0], span_text("found"));
}

Test(pool, what_the_server_says_passes_unchanged)
{
    open_ready();
    submit(0);
    fake_refuse(&fake, 0, CODE_PERMISSION_DENIED);
    expect_failure(&asks[0], CODE_PERMISSION_DENIED, PHASE_UPSTREAM, "said the server");
    cr_expect_str_eq(asks[0].message, "said the server");
}

Test(pool, what_happens_on_the_way_is_told_as_the_daemons)
{
    open_ready();
    submit(0);
    fake_break(&fake, 0, CODE_UNAVAILABLE, false);
    expect_failure(&asks[0], CODE_UNAVAILABLE, PHASE_UPSTREAM, "broken pipe");
    cr_expect_str_eq(asks[0].message, "milvus-bouncer: database books: upstream: upstream main "
                                      "(http://db:19530): broken pipe");
}

Test(pool, deadline_noticed_by_the_transport_is_a_deadline)
{
    open_ready();
    submit(0);
    fake_break(&fake, 0, CODE_DEADLINE_EXCEEDED, false);
    expect_failure(&asks[0], CODE_DEADLINE_EXCEEDED, PHASE_UPSTREAM, "milvus-bouncer: ");
}

/* The upstream knows what is left of the time. */
Test(pool, deadline_noticed_by_the_server_is_ours_when_it_is_due)
{
    open_ready();
    submit(0);
    fake_refuse(&fake, 0, CODE_DEADLINE_EXCEEDED);
    expect_failure(&asks[0], CODE_DEADLINE_EXCEEDED, PHASE_UPSTREAM, "said the server");
    cr_expect_null(strstr(asks[0].message, "milvus-bouncer"), "%s", asks[0].message);
    submit(1);
    asks[1].request.deadline = clock_now();
    fake_refuse(&fake, 1, CODE_DEADLINE_EXCEEDED);
    expect_failure(&asks[1], CODE_DEADLINE_EXCEEDED, PHASE_UPSTREAM, "milvus-bouncer: ");
}

/* What only clients of gRPC have. */
Test(pool, metadata_and_encoding_travel)
{
    struct metadata metadata = {0};
    metadata_add(&metadata, span_text("id"), span_text("7"));
    open_ready();
    asks[0].request.metadata = &metadata;
    asks[0].request.encoding = ENCODING_GZIP;
    submit(0);
    cr_expect_str_eq(fake.calls[0].metadata, "id=7;");
    cr_expect_eq(fake.calls[0].encoding, ENCODING_GZIP);
    cr_expect_not(fake.calls[0].stream);
    fake_reply(&fake, 0, span_text("r"));
    metadata_clear(&metadata);
}

Test(pool, metadata_of_the_server_come_with_the_end)
{
    static const enum code codes[] = {CODE_OK, CODE_NOT_FOUND};
    struct metadata headers = {0};
    struct metadata trailers = {0};
    struct blob *reply = blob_copy(span_text("r"));
    metadata_add(&headers, span_text("by"), span_text("a"));
    metadata_add(&trailers, span_text("cost"), span_text("3"));
    open_ready();
    for (size_t i = 0; i < 2; i++) {
        submit(i);
        fake_end(&fake, i,
                 (struct upstream_end){.code = codes[i],
                                       .reply = codes[i] == CODE_OK ? reply : NULL,
                                       .headers = &headers,
                                       .trailers = &trailers,
                                       .from_peer = true});
        cr_expect_eq(asks[i].code, codes[i]);
        cr_expect_str_eq(asks[i].headers, "by=a;");
        cr_expect_str_eq(asks[i].trailers, "cost=3;");
    }
    blob_unref(reply);
    metadata_clear(&headers);
    metadata_clear(&trailers);
}

/* ---- streams ---- */

static void submit_stream_for(size_t at, int64_t timeout)
{
    ask_stream(&asks[at], "DumpMessages");
    ask_admit(&asks[at], pool, "books", timeout);
    pool_submit(pool, &asks[at].request);
}

static void submit_stream(size_t at)
{
    submit_stream_for(at, LONG);
}

static void give(size_t at, const char *text, bool compressed)
{
    struct blob *message = blob_copy(span_text(text));
    pool_send(&asks[at].request, message, compressed);
    blob_unref(message);
}

Test(pool, stream_is_opened_with_its_call)
{
    struct metadata metadata = {0};
    metadata_add(&metadata, span_text("id"), span_text("7"));
    open_with_secret("key");
    asks[0].request.metadata = &metadata;
    asks[0].request.encoding = ENCODING_DEFLATE;
    submit_stream(0);
    cr_expect_eq(asks[0].opened, 1);
    cr_assert_eq(fake.call_count, 1);
    const struct fake_call *call = &fake.calls[0];
    cr_expect(call->stream);
    cr_expect_str_eq(call->path, "/milvus.proto.milvus.MilvusService/DumpMessages");
    cr_expect_str_eq(call->database, "books");
    cr_expect_str_eq(call->authorization, "a2V5");
    cr_expect_str_eq(call->metadata, "id=7;");
    cr_expect_eq(call->encoding, ENCODING_DEFLATE);
    cr_expect_eq(call->deadline, asks[0].request.deadline);
    cr_expect_eq(pool_phase(pool, &asks[0].request), PHASE_UPSTREAM);
    fake_end(&fake, 0, (struct upstream_end){.from_peer = true});
    expect_reply(&asks[0], span_of(NULL, 0));
    metadata_clear(&metadata);
}

Test(pool, messages_of_a_stream_go_both_ways)
{
    open_ready();
    submit_stream(0);
    give(0, "one", false);
    cr_expect(span_is(blob_span(fake.calls[0].message), "one"));
    cr_expect_not(fake.calls[0].compressed);
    cr_expect_eq(asks[0].sent, 0);
    fake_taken(&fake, 0);
    cr_expect_eq(asks[0].sent, 1);
    give(0, "two", true);
    cr_expect(fake.calls[0].compressed);
    fake_taken(&fake, 0);
    pool_finish(&asks[0].request);
    cr_expect(fake.calls[0].finished);

    fake_headers(&fake, 0, "by", "a");
    cr_expect_eq(asks[0].headers_count, 1);
    cr_expect_str_eq(asks[0].headers, "by=a;");
    cr_expect_not(fake.calls[0].asked);
    pool_receive(&asks[0].request);
    cr_expect(fake.calls[0].asked);
    fake_message(&fake, 0, span_text("reply"));
    cr_expect_eq(asks[0].received, 1);
    cr_expect_str_eq(asks[0].last, "reply");

    struct metadata trailers = {0};
    metadata_add(&trailers, span_text("cost"), span_text("3"));
    fake_end(&fake, 0, (struct upstream_end){.trailers = &trailers, .from_peer = true});
    metadata_clear(&trailers);
    expect_reply(&asks[0], span_of(NULL, 0));
    cr_expect_str_eq(asks[0].trailers, "cost=3;");
}

Test(pool, stream_holds_its_slot_to_its_end)
{
    database.max_in_flight = 1;
    open_ready();
    submit_stream(0);
    submit_stream(1);
    cr_expect_eq(asks[1].opened, 0);
    pool_receive(&asks[0].request);
    fake_message(&fake, 0, span_text("m"));
    cr_expect_eq(asks[1].opened, 0);
    fake_refuse(&fake, 0, CODE_NOT_FOUND);
    expect_failure(&asks[0], CODE_NOT_FOUND, PHASE_UPSTREAM, "said the server");
    cr_expect_eq(asks[1].opened, 1);
    fake_refuse(&fake, 1, CODE_NOT_FOUND);
}

Test(pool, stream_that_waits_may_be_cancelled)
{
    open_pool();
    submit_stream(0);
    cancel(0);
    fake_all_ready(&fake);
    cr_expect_eq(asks[0].opened, 0);
    cr_expect_eq(fake.call_count, 0);
}

static void cancel_at_once(struct ask *ask)
{
    cancel((size_t)(ask - asks));
}

static void give_at_once(struct ask *ask)
{
    give((size_t)(ask - asks), "at once", false);
}

/* Whoever is told that the stream is open may use it, or be gone; also out of the queue. */
Test(pool, opened_stream_may_be_used_and_dropped_at_once)
{
    database.max_in_flight = 3;
    open_pool();
    for (size_t i = 0; i < 3; i++) {
        asks[i].on_opened = i == 1 ? cancel_at_once : give_at_once;
        submit_stream(i);
    }
    fake_all_ready(&fake);
    cr_assert_eq(fake.call_count, 3);
    cr_expect(fake.calls[0].sending);
    cr_expect(fake.calls[1].cancelled);
    cr_expect(fake.calls[2].sending);
    for (size_t i = 0; i < 3; i++)
        fake_break(&fake, i, CODE_CANCELLED, false);
    cr_expect_eq(asks[1].answers, 0);
}

Test(pool, cancelled_stream_hears_nothing)
{
    open_ready();
    submit_stream(0);
    give(0, "one", false);
    pool_receive(&asks[0].request);
    cancel(0);
    cr_expect(fake.calls[0].cancelled);
    fake_headers(&fake, 0, "by", "a");
    fake_message(&fake, 0, span_text("late"));
    fake_taken(&fake, 0);
    fake_break(&fake, 0, CODE_CANCELLED, false);
    cr_expect_eq(asks[0].headers_count + asks[0].received + asks[0].sent + asks[0].answers, 0);
}

Test(pool, deadline_ends_a_stream)
{
    open_ready();
    submit_stream_for(0, SHORT);
    pool_receive(&asks[0].request);
    run_until(loop, &asks[0].answers, 1);
    expect_failure(&asks[0], CODE_DEADLINE_EXCEEDED, PHASE_UPSTREAM, "deadline");
    cr_expect(fake.calls[0].cancelled);
    fake_message(&fake, 0, span_text("late"));
    cr_expect_eq(asks[0].received, 0);
    fake_break(&fake, 0, CODE_CANCELLED, false);
}

/* ---- held replies ---- */

static void submit_held_for(size_t at, int64_t timeout)
{
    ask_number(&asks[at], 9, at);
    ask_held(&asks[at], "Query");
    ask_admit(&asks[at], pool, "books", timeout);
    pool_submit(pool, &asks[at].request);
}

static void submit_held(size_t at)
{
    submit_held_for(at, LONG);
}

static void take(size_t at)
{
    pool_take(&asks[at].request);
}

Test(pool, held_reply_waits_to_be_taken)
{
    open_ready();
    submit_held(0);
    submit(1);
    cr_expect(fake.calls[0].held);
    cr_expect_not(fake.calls[1].held);
    cr_expect_eq(asks[0].replied, 0);
    fake_replied(&fake, 0);
    cr_expect_eq(asks[0].replied, 1);
    cr_expect_not(fake.calls[0].taken);
    cr_expect_eq(pool_phase(pool, &asks[0].request), PHASE_UPSTREAM);
    take(0);
    cr_expect(fake.calls[0].taken);
    cr_expect_eq(asks[0].answers, 0);
    fake_reply(&fake, 0, span_text("r"));
    expect_reply(&asks[0], span_text("r"));
    fake_reply(&fake, 1, span_text("r"));
}

static void take_at_once(struct ask *ask)
{
    pool_take(&ask->request);
}

Test(pool, held_reply_may_be_taken_at_once)
{
    open_ready();
    asks[0].on_replied = take_at_once;
    submit_held(0);
    fake_replied(&fake, 0);
    cr_expect(fake.calls[0].taken);
    fake_reply(&fake, 0, span_text("r"));
    expect_reply(&asks[0], span_text("r"));
}

Test(pool, held_reply_keeps_its_slot)
{
    database.max_in_flight = 1;
    open_ready();
    submit_held(0);
    submit(1);
    fake_replied(&fake, 0);
    cr_expect_eq(fake.call_count, 1);
    take(0);
    cr_expect_eq(fake.call_count, 1);
    fake_reply(&fake, 0, span_text("r"));
    expect_call(1, 1);
    fake_reply(&fake, 1, span_text("r"));
}

/* That it replied is said of a call without a reply, too. */
Test(pool, held_call_may_fail)
{
    open_ready();
    submit_held(0);
    fake_replied(&fake, 0);
    take(0);
    fake_refuse(&fake, 0, CODE_NOT_FOUND);
    expect_failure(&asks[0], CODE_NOT_FOUND, PHASE_UPSTREAM, "said the server");
    submit_held(1);
    fake_replied(&fake, 1);
    take(1);
    fake_break(&fake, 1, CODE_UNAVAILABLE, false);
    expect_failure(&asks[1], CODE_UNAVAILABLE, PHASE_UPSTREAM, "broken pipe");
}

Test(pool, held_call_that_was_not_begun_is_held_again)
{
    open_ready();
    submit_held(0);
    fake_replied(&fake, 0);
    take(0);
    fake_break(&fake, 0, CODE_UNAVAILABLE, true);
    cr_assert_eq(fake.call_count, 2);
    expect_call(1, 0);
    cr_expect(fake.calls[1].held);
    cr_expect_eq(asks[0].replied, 1);
    fake_replied(&fake, 1);
    cr_expect_eq(asks[0].replied, 2);
    take(0);
    cr_expect(fake.calls[1].taken);
    fake_reply(&fake, 1, span_text("r"));
    expect_reply(&asks[0], span_text("r"));
}

/* The call's end frees its slot, and is nobody's business. */
static void expect_slot_freed(size_t ask)
{
    cr_expect(fake.calls[0].taken);
    cr_expect_eq(fake.call_count, 1);
    fake_break(&fake, 0, CODE_CANCELLED, false);
    expect_call(1, ask);
    fake_reply(&fake, 1, span_text("r"));
}

Test(pool, cancelled_while_the_reply_waits)
{
    database.max_in_flight = 1;
    open_ready();
    submit_held(0);
    submit(1);
    fake_replied(&fake, 0);
    cancel(0);
    expect_slot_freed(1);
    cr_expect_eq(asks[0].answers, 0);
}

/* Nobody waits for the reply, so the pool takes it for the call to end. */
Test(pool, cancelled_before_it_replied)
{
    database.max_in_flight = 1;
    open_ready();
    submit_held(0);
    submit(1);
    cancel(0);
    cr_expect_not(fake.calls[0].taken);
    fake_replied(&fake, 0);
    cr_expect_eq(asks[0].replied, 0);
    expect_slot_freed(1);
    cr_expect_eq(asks[0].answers, 0);
}

static void cancel_when_replied(struct ask *ask)
{
    pool_cancel(pool, &ask->request);
}

Test(pool, cancelled_in_the_moment_it_replies)
{
    database.max_in_flight = 1;
    open_ready();
    asks[0].on_replied = cancel_when_replied;
    submit_held(0);
    submit(1);
    fake_replied(&fake, 0);
    expect_slot_freed(1);
    cr_expect_eq(asks[0].answers, 0);
}

Test(pool, cancelled_after_the_reply_was_taken)
{
    database.max_in_flight = 1;
    open_ready();
    submit_held(0);
    submit(1);
    fake_replied(&fake, 0);
    take(0);
    cancel(0);
    expect_slot_freed(1);
    cr_expect_eq(asks[0].answers, 0);
}

Test(pool, deadline_passes_while_the_reply_waits)
{
    database.max_in_flight = 1;
    open_ready();
    submit_held_for(0, SHORT);
    submit(1);
    fake_replied(&fake, 0);
    run_until(loop, &asks[0].answers, 1);
    expect_failure(&asks[0], CODE_DEADLINE_EXCEEDED, PHASE_UPSTREAM, "deadline");
    cr_expect(fake.calls[0].cancelled);
    expect_slot_freed(1);
    cr_expect_eq(asks[0].answers, 1);
}

Test(pool, deadline_passes_before_it_replied)
{
    database.max_in_flight = 1;
    open_ready();
    submit_held_for(0, SHORT);
    submit(1);
    run_until(loop, &asks[0].answers, 1);
    expect_failure(&asks[0], CODE_DEADLINE_EXCEEDED, PHASE_UPSTREAM, "deadline");
    fake_replied(&fake, 0);
    cr_expect_eq(asks[0].replied, 0);
    expect_slot_freed(1);
    cr_expect_eq(asks[0].answers, 1);
}

Test(pool, may_be_freed_while_cancelled_calls_are_held)
{
    open_ready();
    submit_held(0);
    submit_held(1);
    fake_replied(&fake, 0);
    cancel(0);
    cancel(1);
}

/* ---- limits ---- */

Test(pool, max_in_flight_is_exact)
{
    open_ready();
    submit_many(3);
    cr_expect_eq(fake.call_count, 2);
    cr_expect_eq(pool_phase(pool, &asks[2].request), PHASE_QUEUE);
    fake_reply(&fake, 1, span_text("r"));
    cr_expect_eq(fake.call_count, 3);
    expect_call(2, 2);
    fake_reply(&fake, 0, span_text("r"));
    fake_reply(&fake, 2, span_text("r"));
    submit(3);
    submit(4);
    cr_expect_eq(fake.call_count, 5);
    fake_reply(&fake, 3, span_text("r"));
    fake_reply(&fake, 4, span_text("r"));
}

Test(pool, queue_size_is_exact)
{
    open_ready();
    submit_many(5);
    cr_expect_eq(asks[4].answers, 0);
    submit(5);
    expect_failure(&asks[5], CODE_RESOURCE_EXHAUSTED, PHASE_QUEUE, "queue_size");
    cr_expect(strstr(asks[5].message, "milvus-bouncer: database books: queue: "));
    fake_reply(&fake, 0, span_text("r"));
    submit(6);
    cr_expect_eq(asks[6].answers, 0);
    for (size_t i = 1; i < 6; i++)
        fake_reply(&fake, i, span_text("r"));
}

Test(pool, without_a_queue_nobody_waits)
{
    database.queue_size = 0;
    open_ready();
    submit_many(3);
    expect_failure(&asks[2], CODE_RESOURCE_EXHAUSTED, PHASE_QUEUE, "queue_size");
    fake_reply(&fake, 0, span_text("r"));
    fake_reply(&fake, 1, span_text("r"));
}

Test(pool, first_come_is_first_served)
{
    database.max_in_flight = 1;
    open_ready();
    submit_many(4);
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(fake.call_count, i + 1);
        expect_call(i, i);
        fake_reply(&fake, i, span_text("r"));
    }
}

/* One that comes while others wait goes behind them, even in the moment a slot is free. */
static void submit_next(struct ask *ask)
{
    submit((size_t)(ask - asks) + 4);
}

Test(pool, nobody_overtakes_the_queue)
{
    database.max_in_flight = 1;
    open_ready();
    submit_many(2);
    asks[0].on_answer = submit_next;
    fake_reply(&fake, 0, span_text("r"));
    expect_call(1, 1);
    fake_reply(&fake, 1, span_text("r"));
    expect_call(2, 4);
    fake_reply(&fake, 2, span_text("r"));
}

/* ---- time ---- */

Test(pool, waits_for_a_slot_no_longer_than_queue_timeout)
{
    database.queue_timeout = SHORT;
    open_ready();
    int64_t start = clock_now();
    submit_many(3);
    run_until(loop, &asks[2].answers, 1);
    cr_expect_geq(clock_now() - start, SHORT);
    expect_failure(&asks[2], CODE_RESOURCE_EXHAUSTED, PHASE_QUEUE, "queue_timeout (30 ms)");
    cr_expect_eq(asks[0].answers, 0);
    fake_reply(&fake, 0, span_text("r"));
    fake_reply(&fake, 1, span_text("r"));
    cr_expect_eq(fake.call_count, 2);
}

Test(pool, waits_for_a_connection_no_longer_than_connect_timeout)
{
    upstream.connect_timeout = SHORT;
    open_pool();
    submit(0);
    cr_expect_eq(pool_phase(pool, &asks[0].request), PHASE_CONNECT);
    fake_state(&fake, 0, UPSTREAM_DOWN);
    run_until(loop, &asks[0].answers, 1);
    expect_failure(&asks[0], CODE_UNAVAILABLE, PHASE_CONNECT, "connection refused");
    cr_expect(strstr(asks[0].message, "connect_timeout (30 ms)"), "%s", asks[0].message);
    cr_expect(strstr(asks[0].message, "http://db:19530"), "%s", asks[0].message);
}

/* queue_timeout is for slots alone. */
Test(pool, queue_timeout_does_not_limit_connecting)
{
    database.queue_timeout = 1;
    open_pool();
    submit(0);
    run_for(loop, SHORT);
    cr_expect_eq(asks[0].answers, 0);
    fake_all_ready(&fake);
    expect_call(0, 0);
    fake_reply(&fake, 0, span_text("r"));
    expect_reply(&asks[0], span_text("r"));
}

/* A slot was waited for; then the connection went: what counts is what is waited for at the end. */
Test(pool, wait_goes_on_when_what_it_waits_for_changes)
{
    database.queue_timeout = SHORT;
    database.max_in_flight = 1;
    open_ready();
    submit_many(2);
    fake_state(&fake, 0, UPSTREAM_CONNECTING);
    run_for(loop, 2 * SHORT);
    cr_expect_eq(asks[1].answers, 0);
    fake_reply(&fake, 0, span_text("r"));
    fake_state(&fake, 0, UPSTREAM_READY);
    expect_call(1, 1);
    fake_reply(&fake, 1, span_text("r"));
}

/* Whoever waits for a slot waits for a connection once the last one has gone. */
Test(pool, connect_timeout_begins_when_the_last_connection_goes)
{
    upstream.connect_timeout = SHORT;
    database.max_in_flight = 1;
    open_ready();
    submit_many(2);
    fake_state(&fake, 0, UPSTREAM_CONNECTING);
    run_until(loop, &asks[1].answers, 1);
    expect_failure(&asks[1], CODE_UNAVAILABLE, PHASE_CONNECT, "connect_timeout");
    fake_reply(&fake, 0, span_text("r"));
}

Test(pool, deadline_passes_in_the_queue)
{
    open_ready();
    submit_many(2);
    submit_for(2, SHORT);
    run_until(loop, &asks[2].answers, 1);
    expect_failure(&asks[2], CODE_DEADLINE_EXCEEDED, PHASE_QUEUE, "deadline");
    fake_reply(&fake, 0, span_text("r"));
    fake_reply(&fake, 1, span_text("r"));
    cr_expect_eq(fake.call_count, 2);
}

Test(pool, deadline_passes_while_connecting)
{
    open_pool();
    submit_for(0, SHORT);
    run_until(loop, &asks[0].answers, 1);
    expect_failure(&asks[0], CODE_DEADLINE_EXCEEDED, PHASE_CONNECT, "deadline");
}

Test(pool, deadline_passes_on_the_wire)
{
    open_ready();
    submit_for(0, SHORT);
    run_until(loop, &asks[0].answers, 1);
    expect_failure(&asks[0], CODE_DEADLINE_EXCEEDED, PHASE_UPSTREAM, "database books: upstream: ");
    cr_expect(fake.calls[0].cancelled);
    fake_break(&fake, 0, CODE_CANCELLED, false);
    cr_expect_eq(asks[0].answers, 1);
}

/* ---- cancelling ---- */

Test(pool, cancelled_in_the_queue_is_never_sent)
{
    open_ready();
    submit_many(4);
    cancel(2);
    fake_reply(&fake, 0, span_text("r"));
    expect_call(2, 3);
    fake_reply(&fake, 1, span_text("r"));
    fake_reply(&fake, 2, span_text("r"));
    cr_expect_eq(fake.call_count, 3);
    cr_expect_eq(asks[2].answers, 0);
}

Test(pool, cancelled_on_the_wire_holds_its_slot_to_the_end)
{
    database.max_in_flight = 1;
    open_ready();
    submit_many(2);
    cancel(0);
    cr_expect(fake.calls[0].cancelled);
    cr_expect_eq(fake.call_count, 1);
    fake_break(&fake, 0, CODE_CANCELLED, false);
    cr_expect_eq(asks[0].answers, 0);
    expect_call(1, 1);
    fake_reply(&fake, 1, span_text("r"));
}

Test(pool, may_be_freed_with_cancelled_calls_on_the_wire)
{
    open_ready();
    submit_many(2);
    cancel(0);
    cancel(1);
}

/* ---- connections ---- */

/* What is under way together is written together; beyond that they share the load. */
Test(pool, one_connection_is_filled_before_the_next)
{
    enum { MANY = SERVERS_TOGETHER };
    database.pool_size = 2;
    database.max_in_flight = 2 * MANY + 2;
    open_ready();
    submit_many(2 * MANY + 2);
    size_t first = fake.calls[0].connection;
    for (size_t i = 0; i < 2 * MANY; i++)
        cr_expect_eq(fake.calls[i].connection == first, i < MANY, "call %zu", i);
    cr_expect_neq(fake.calls[2 * MANY].connection, fake.calls[2 * MANY + 1].connection);
    for (size_t i = 0; i < 2 * MANY + 2; i++)
        fake_reply(&fake, i, span_text("r"));
}

Test(pool, connection_that_was_used_last_is_used_again)
{
    database.pool_size = 3;
    open_ready();
    for (size_t i = 0; i < 4; i++) {
        submit(i);
        fake_reply(&fake, i, span_text("r"));
        cr_expect_eq(fake.calls[i].connection, fake.calls[0].connection);
    }
}

Test(pool, refused_ones_keep_their_order_before_others)
{
    database.pool_size = 1;
    database.max_in_flight = 2;
    open_ready();
    submit_many(3);
    cr_assert_eq(fake.call_count, 2);
    fake_state(&fake, 0, UPSTREAM_CONNECTING);
    fake_break(&fake, 0, CODE_UNAVAILABLE, true);
    fake_break(&fake, 1, CODE_UNAVAILABLE, true);
    fake_state(&fake, 0, UPSTREAM_READY);
    expect_call(2, 0);
    expect_call(3, 1);
    fake_state(&fake, 0, UPSTREAM_CONNECTING);
    fake_reply(&fake, 2, span_text("r"));
    fake_break(&fake, 3, CODE_UNAVAILABLE, true);
    fake_state(&fake, 0, UPSTREAM_READY);
    expect_call(4, 1);
    expect_call(5, 2);
    fake_reply(&fake, 4, span_text("r"));
    fake_reply(&fake, 5, span_text("r"));
}

/* A connection on its way out may not be known to be: C core tells of it later. */
Test(pool, connection_that_refused_comes_last)
{
    database.pool_size = 2;
    open_ready();
    submit(0);
    fake_break(&fake, 0, CODE_UNAVAILABLE, true);
    cr_assert_eq(fake.call_count, 2);
    size_t refuser = fake.calls[0].connection;
    cr_expect_neq(fake.calls[1].connection, refuser);
    fake_break(&fake, 1, CODE_UNAVAILABLE, true);
    cr_assert_eq(fake.call_count, 3);
    fake_reply(&fake, 2, span_text("r"));
    submit(1);
    cr_expect_eq(fake.calls[3].connection, fake.calls[2].connection, "it has served one");
    fake_reply(&fake, 3, span_text("r"));
}

Test(pool, connection_that_is_down_is_left_out)
{
    database.pool_size = 2;
    open_ready();
    submit(0);
    size_t used = fake.calls[0].connection;
    fake_state(&fake, used, UPSTREAM_DOWN);
    submit(1);
    cr_expect_neq(fake.calls[1].connection, used);
    fake_reply(&fake, 0, span_text("r"));
    fake_reply(&fake, 1, span_text("r"));
}

Test(pool, connection_that_comes_up_takes_those_who_wait)
{
    database.pool_size = 2;
    open_pool();
    submit_many(3);
    fake_state(&fake, 1, UPSTREAM_READY);
    cr_expect_eq(fake.call_count, 2);
    cr_expect_eq(fake.calls[0].connection, 1);
    cr_expect_eq(fake.calls[1].connection, 1);
    for (size_t i = 0; i < 3; i++)
        fake_reply(&fake, i, span_text("r"));
}

Test(pool, tells_that_the_upstream_may_be_another)
{
    database.pool_size = 2;
    open_pool();
    cr_expect_eq(connected_count, 0);
    fake_state(&fake, 0, UPSTREAM_READY);
    cr_expect_eq(connected_count, 1);
    fake_state(&fake, 1, UPSTREAM_READY);
    cr_expect_eq(connected_count, 1);
    fake_state(&fake, 1, UPSTREAM_DOWN);
    cr_expect_eq(connected_count, 1);
    fake_state(&fake, 1, UPSTREAM_READY);
    cr_expect_eq(connected_count, 2);
}

Test(pool, log_tells_once_that_a_connection_is_down)
{
    open_pool();
    fake_state(&fake, 0, UPSTREAM_DOWN);
    fake_state(&fake, 0, UPSTREAM_CONNECTING);
    fake_state(&fake, 0, UPSTREAM_DOWN);
    const char *line = strstr(sink.text, "connection refused");
    cr_assert_not_null(line);
    cr_expect_null(strstr(line + 1, "connection refused"), "%s", sink.text);
    fake_state(&fake, 0, UPSTREAM_READY);
    cr_expect(strstr(sink.text, "connected to upstream main"));
}

Test(pool, connection_that_cannot_be_opened_is_an_error)
{
    char *error = NULL;
    endpoints = fake_endpoints(&fake, loop, &sink.logger, &upstream);
    struct pool_setup setup = {.loop = loop,
                               .transport = &fake.transport,
                               .endpoints = endpoints,
                               .logger = &sink.logger,
                               .database = &database};
    fake.open_error = "no such certificate";
    cr_expect_null(pool_new(&setup, &error));
    cr_expect_str_eq(error, "no such certificate");
    free(error);
}

/* ---- an upstream that is away ---- */

static void submit_session(size_t at)
{
    ask_make(&asks[at], at % 2 ? "Connect" : "GetVersion");
    ask_admit(&asks[at], pool, "books", LONG);
    pool_submit(pool, &asks[at].request);
}

static void expect_away(size_t at)
{
    expect_failure(&asks[at], CODE_UNAVAILABLE, PHASE_CONNECT, "connection refused");
    cr_expect_str_eq(asks[at].message,
                     "milvus-bouncer: database books: connect: no connection to upstream main "
                     "(http://db:19530): connection refused");
}

Test(pool, session_waits_for_the_first_attempt)
{
    open_pool();
    submit_session(0);
    run_for(loop, SHORT);
    cr_expect_eq(asks[0].answers, 0);
    fake_all_ready(&fake);
    fake_reply(&fake, 0, span_text("r"));
    expect_reply(&asks[0], span_text("r"));
}

Test(pool, sessions_that_wait_fail_with_the_attempt)
{
    database.queue_size = 8;
    open_pool();
    submit(0);
    submit_session(1);
    submit(2);
    submit_session(3);
    fake_state(&fake, 0, UPSTREAM_DOWN);
    expect_away(1);
    expect_away(3);
    cr_expect_eq(asks[0].answers + asks[2].answers, 0);
    fake_state(&fake, 0, UPSTREAM_READY);
    expect_call(0, 0);
    expect_call(1, 2);
    fake_reply(&fake, 0, span_text("r"));
    fake_reply(&fake, 1, span_text("r"));
}

Test(pool, session_fails_at_once_while_the_upstream_is_away)
{
    open_pool();
    fake_state(&fake, 0, UPSTREAM_DOWN);
    submit_session(0);
    expect_away(0);
    fake_state(&fake, 0, UPSTREAM_CONNECTING); /* tries again */
    submit_session(1);
    expect_away(1);
    submit(2);
    cr_expect_eq(asks[2].answers, 0);
    fake_state(&fake, 0, UPSTREAM_READY);
    submit_session(3);
    fake_reply(&fake, 0, span_text("r"));
    fake_reply(&fake, 1, span_text("r"));
    expect_reply(&asks[3], span_text("r"));
}

/* The upstream may be back in a moment. */
Test(pool, session_waits_out_a_short_loss)
{
    open_ready();
    fake_state(&fake, 0, UPSTREAM_CONNECTING);
    submit_session(0);
    cr_expect_eq(asks[0].answers, 0);
    fake_state(&fake, 0, UPSTREAM_READY);
    fake_reply(&fake, 0, span_text("r"));
    expect_reply(&asks[0], span_text("r"));
}

Test(pool, upstream_is_not_away_while_a_connection_is_up)
{
    database.pool_size = 2;
    database.max_in_flight = 1;
    open_pool();
    fake_state(&fake, 0, UPSTREAM_READY);
    submit(0);
    submit_session(1);
    fake_state(&fake, 1, UPSTREAM_DOWN);
    cr_expect_eq(asks[1].answers, 0);
    cr_expect_eq(away_count, 0);
    fake_state(&fake, 0, UPSTREAM_CONNECTING);
    cr_expect_eq(away_count, 0);
    fake_state(&fake, 0, UPSTREAM_DOWN);
    cr_expect_eq(away_count, 1);
    expect_away(1);
    fake_reply(&fake, 0, span_text("r"));
}

Test(pool, tells_once_that_the_upstream_is_away)
{
    database.pool_size = 2;
    open_pool();
    fake_state(&fake, 0, UPSTREAM_DOWN);
    fake_state(&fake, 1, UPSTREAM_DOWN);
    fake_state(&fake, 0, UPSTREAM_DOWN);
    cr_expect_eq(away_count, 1);
    fake_state(&fake, 0, UPSTREAM_READY);
    fake_state(&fake, 0, UPSTREAM_CONNECTING);
    cr_expect_eq(away_count, 1);
    fake_state(&fake, 0, UPSTREAM_DOWN);
    cr_expect_eq(away_count, 2);
}

/* Who is told asks again at once, and takes another out of the queue. */
static void ask_again_and_drop(struct ask *ask)
{
    (void)ask;
    submit_session(5);
    cancel(3);
}

Test(pool, whoever_is_told_may_come_back)
{
    database.queue_size = 8;
    open_pool();
    submit_session(1);
    submit(2);
    submit_session(3);
    submit_session(4);
    asks[1].on_answer = ask_again_and_drop;
    fake_state(&fake, 0, UPSTREAM_DOWN);
    expect_away(1);
    expect_away(4);
    expect_away(5);
    cr_expect_eq(asks[2].answers + asks[3].answers, 0);
    cancel(2);
}

Test(pool, session_is_not_sent_again_to_an_upstream_that_is_away)
{
    open_ready();
    submit_session(0);
    fake_state(&fake, 0, UPSTREAM_CONNECTING);
    fake_state(&fake, 0, UPSTREAM_DOWN);
    fake_break(&fake, 0, CODE_UNAVAILABLE, true);
    expect_failure(&asks[0], CODE_UNAVAILABLE, PHASE_CONNECT, "did not take the request");
}

/* ---- repeating ---- */

Test(pool, what_was_not_begun_is_sent_once_more)
{
    open_ready();
    submit(0);
    fake_break(&fake, 0, CODE_UNAVAILABLE, true);
    cr_expect_eq(asks[0].answers, 0);
    expect_call(1, 0);
    fake_reply(&fake, 1, span_text("r"));
    expect_reply(&asks[0], span_text("r"));
}

/* Eight times more at most, as pool.c has it. */
Test(pool, what_is_never_begun_is_given_up)
{
    open_ready();
    submit(0);
    for (size_t i = 0; i < 9; i++) {
        cr_assert_eq(fake.call_count, i + 1);
        cr_assert_eq(asks[0].answers, 0);
        fake_break(&fake, i, CODE_UNAVAILABLE, true);
    }
    cr_expect_eq(fake.call_count, 9);
    expect_failure(&asks[0], CODE_UNAVAILABLE, PHASE_CONNECT, "did not take the request");
    cr_expect(strstr(asks[0].message, "broken pipe"));
}

Test(pool, begun_after_a_repeat_is_not_repeated)
{
    open_ready();
    submit(0);
    fake_break(&fake, 0, CODE_UNAVAILABLE, true);
    fake_break(&fake, 1, CODE_UNAVAILABLE, false);
    cr_expect_eq(fake.call_count, 2);
    expect_failure(&asks[0], CODE_UNAVAILABLE, PHASE_UPSTREAM, "broken pipe");
}

Test(pool, what_may_have_begun_is_never_repeated)
{
    static const enum code codes[] = {CODE_UNAVAILABLE, CODE_INTERNAL, CODE_UNKNOWN,
                                      CODE_UNAUTHENTICATED, CODE_CANCELLED};
    open_ready();
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        submit(i);
        fake_break(&fake, i, codes[i], false);
        cr_expect_eq(fake.call_count, i + 1);
        expect_failure(&asks[i], codes[i], PHASE_UPSTREAM, "broken pipe");
    }
}

/* Messages of it may be gone. */
Test(pool, stream_is_never_sent_again)
{
    open_ready();
    submit_stream(0);
    fake_break(&fake, 0, CODE_UNAVAILABLE, true);
    cr_expect_eq(fake.call_count, 1);
    cr_expect_eq(asks[0].opened, 1);
    expect_failure(&asks[0], CODE_UNAVAILABLE, PHASE_CONNECT, "did not take the request");
}

Test(pool, repeated_goes_before_those_who_wait)
{
    open_ready();
    submit_many(4);
    fake_state(&fake, 0, UPSTREAM_CONNECTING);
    fake_break(&fake, 0, CODE_UNAVAILABLE, true);
    cr_expect_eq(fake.call_count, 2);
    fake_state(&fake, 0, UPSTREAM_READY);
    expect_call(2, 0);
    fake_reply(&fake, 1, span_text("r"));
    expect_call(3, 2);
    fake_reply(&fake, 2, span_text("r"));
    expect_call(4, 3);
    fake_reply(&fake, 3, span_text("r"));
    fake_reply(&fake, 4, span_text("r"));
}

Test(pool, cancelled_is_not_repeated)
{
    open_ready();
    submit(0);
    cancel(0);
    fake_break(&fake, 0, CODE_UNAVAILABLE, true);
    cr_expect_eq(fake.call_count, 1);
}

/* ---- credentials ---- */

Test(pool, new_secret_is_read_when_the_old_one_is_refused)
{
    open_with_secret("old");
    submit(0);
    cr_expect_str_eq(fake.calls[0].authorization, "b2xk");
    write_secret("new");
    fake_refuse(&fake, 0, CODE_UNAUTHENTICATED);
    cr_assert_eq(fake.call_count, 2);
    cr_expect_str_eq(fake.calls[1].authorization, "bmV3");
    fake_reply(&fake, 1, span_text("r"));
    expect_reply(&asks[0], span_text("r"));
    cr_expect(strstr(sink.text, "has been read again"), "%s", sink.text);
    cr_expect_null(strstr(sink.text, "refuses the credential"), "%s", sink.text);
}

/* The next one has it. */
Test(pool, refused_stream_reads_the_new_secret_too)
{
    open_with_secret("old");
    submit_stream(0);
    write_secret("new");
    fake_refuse(&fake, 0, CODE_UNAUTHENTICATED);
    cr_expect_eq(fake.call_count, 1);
    expect_failure(&asks[0], CODE_UNAUTHENTICATED, PHASE_UPSTREAM, "said the server");
    submit_stream(1);
    cr_expect_str_eq(fake.calls[1].authorization, "bmV3");
    fake_refuse(&fake, 1, CODE_NOT_FOUND);
}

/* The first that is refused reads the new secret and tries it; the others were sent with the old
 * one too, and wait for how that ends. */
Test(pool, all_that_were_sent_with_the_old_secret_are_repeated)
{
    open_with_secret("old");
    submit_many(2);
    write_secret("new");
    fake_refuse(&fake, 0, CODE_UNAUTHENTICATED);
    fake_refuse(&fake, 1, CODE_UNAUTHENTICATED);
    cr_assert_eq(fake.call_count, 3);
    fake_reply(&fake, 2, span_text("r"));
    cr_assert_eq(fake.call_count, 4);
    cr_expect_str_eq(fake.calls[3].authorization, "bmV3");
    fake_reply(&fake, 3, span_text("r"));
    expect_reply(&asks[0], span_text("r"));
    expect_reply(&asks[1], span_text("r"));
}

Test(pool, refused_credential_is_told_once_and_never_shown)
{
    open_with_secret("hunter2");
    submit(0);
    fake_refuse(&fake, 0, CODE_UNAUTHENTICATED);
    cr_expect_eq(fake.call_count, 1);
    expect_failure(&asks[0], CODE_UNAUTHENTICATED, PHASE_UPSTREAM, "said the server");
    cr_expect(strstr(asks[0].message, "milvus-bouncer: database books: upstream: upstream main "
                                      "refuses the daemon's credentials, token in /tmp/"),
              "%s", asks[0].message);
    const char *line = strstr(sink.text, "refuses the credential");
    cr_assert_not_null(line, "%s", sink.text);
    cr_expect(strstr(line, secret_path), "%s", line);
    cr_expect_null(strstr(sink.text, "hunter2"));
    cr_expect_null(strstr(sink.text, "aHVudGVyMg"));
    cr_expect_null(strstr(line + 1, "refuses the credential"), "told twice");
}

/* Milvus is not asked each time. */
Test(pool, refused_credential_is_tried_again_after_a_pause)
{
    open_with_secret("wrong");
    submit_many(2);
    fake_refuse(&fake, 0, CODE_UNAUTHENTICATED);
    fake_refuse(&fake, 1, CODE_UNAUTHENTICATED);
    expect_failure(&asks[1], CODE_UNAUTHENTICATED, PHASE_UPSTREAM, "said the server");
    for (size_t i = 2; i < 5; i++) {
        submit(i);
        expect_failure(&asks[i], CODE_UNAUTHENTICATED, PHASE_UPSTREAM, "said the server");
    }
    cr_expect_eq(fake.call_count, 2);
    run_for(loop, LOGIN_PAUSE_LEAST * 5 / 4);
    submit(5);
    submit(6);
    cr_expect_eq(fake.call_count, 3);
    expect_failure(&asks[6], CODE_UNAUTHENTICATED, PHASE_UPSTREAM, "said the server");
    fake_reply(&fake, 2, span_text("r"));
    expect_reply(&asks[5], span_text("r"));
    submit(7);
    cr_expect_eq(fake.call_count, 4);
    fake_reply(&fake, 3, span_text("r"));
}

Test(pool, refused_credential_is_tried_at_once_when_renewed)
{
    open_with_secret("wrong");
    submit(0);
    fake_refuse(&fake, 0, CODE_UNAUTHENTICATED);
    write_secret("right");
    pool_renew(pool);
    submit(1);
    cr_expect_str_eq(fake.calls[1].authorization, "cmlnaHQ=");
    fake_reply(&fake, 1, span_text("r"));
    expect_reply(&asks[1], span_text("r"));
}

static void open_with_proven_secret(void)
{
    open_with_secret("old");
    submit(0);
    fake_reply(&fake, 0, span_text("r"));
}

/* A change is under way: nothing is lost. */
Test(pool, requests_wait_while_a_secret_is_changed)
{
    open_with_proven_secret();
    submit(1);
    submit(2);
    fake_refuse(&fake, 1, CODE_UNAUTHENTICATED);
    fake_refuse(&fake, 2, CODE_UNAUTHENTICATED);
    submit(3);
    cr_expect_eq(fake.call_count, 3);
    write_secret("new");
    run_until(loop, &fake.call_count, 4);
    cr_expect_str_eq(fake.calls[3].authorization, "bmV3");
    fake_reply(&fake, 3, span_text("r"));
    cr_assert_eq(fake.call_count, 6);
    fake_reply(&fake, 4, span_text("r"));
    fake_reply(&fake, 5, span_text("r"));
    for (size_t i = 1; i < 4; i++)
        expect_reply(&asks[i], span_text("r"));
}

static void refuse_until_answered(size_t ask)
{
    size_t calls = fake.call_count;
    while (asks[ask].answers == 0) {
        event_base_loop(loop, EVLOOP_ONCE);
        for (; calls < fake.call_count; calls++)
            fake_refuse(&fake, calls, CODE_UNAUTHENTICATED);
    }
}

Test(pool, requests_wait_for_another_secret_for_a_time)
{
    database.queue_timeout = 60000;
    open_with_proven_secret();
    submit(1);
    run_until(loop, &fake.call_count, 2);
    fake_refuse(&fake, 1, CODE_UNAUTHENTICATED);
    submit(2);
    int64_t began = clock_now();
    refuse_until_answered(1);
    run_until(loop, &asks[2].answers, 1);
    cr_expect_geq(clock_now() - began, LOGIN_HOLD - 100);
    expect_failure(&asks[1], CODE_UNAUTHENTICATED, PHASE_UPSTREAM, "said the server");
    expect_failure(&asks[2], CODE_UNAUTHENTICATED, PHASE_UPSTREAM, "token in /tmp/");
}

/* Without a connection it is that which they wait for. */
Test(pool, secret_that_is_changed_while_the_upstream_is_away)
{
    upstream.connect_timeout = 30;
    open_with_secret("wrong");
    submit(0);
    fake_refuse(&fake, 0, CODE_UNAUTHENTICATED);
    for (size_t i = 0; i < fake.connection_count; i++)
        fake_state(&fake, i, UPSTREAM_DOWN);
    write_secret("right");
    submit(1);
    run_until(loop, &asks[1].answers, 1);
    expect_failure(&asks[1], CODE_UNAVAILABLE, PHASE_CONNECT, "connection refused");
    submit(2);
    fake_all_ready(&fake);
    cr_assert_eq(fake.call_count, 2);
    cr_expect_str_eq(fake.calls[1].authorization, "cmlnaHQ=");
    fake_reply(&fake, 1, span_text("r"));
    expect_reply(&asks[2], span_text("r"));
}

Test(pool, queue_timeout_ends_the_wait_for_a_secret)
{
    database.queue_timeout = 30;
    open_with_proven_secret();
    submit(1);
    fake_refuse(&fake, 1, CODE_UNAUTHENTICATED);
    run_until(loop, &asks[1].answers, 1);
    expect_failure(&asks[1], CODE_UNAUTHENTICATED, PHASE_UPSTREAM, "said the server");
}

Test(pool, secret_that_is_refused_anew_is_refused)
{
    open_with_secret("old");
    submit(0);
    write_secret("new");
    fake_refuse(&fake, 0, CODE_UNAUTHENTICATED);
    fake_refuse(&fake, 1, CODE_UNAUTHENTICATED);
    cr_expect_eq(fake.call_count, 2);
    expect_failure(&asks[0], CODE_UNAUTHENTICATED, PHASE_UPSTREAM, "said the server");
}

Test(pool, secret_that_cannot_be_read_again_stays)
{
    open_with_secret("old");
    submit(0);
    unlink(secret_path);
    fake_refuse(&fake, 0, CODE_UNAUTHENTICATED);
    expect_failure(&asks[0], CODE_UNAUTHENTICATED, PHASE_UPSTREAM, "said the server");
    cr_expect(strstr(sink.text, secret_path), "%s", sink.text);
    *sink.text = '\0';
    pool_renew(pool);
    submit(1);
    cr_assert_eq(fake.call_count, 2);
    cr_expect_str_eq(fake.calls[1].authorization, "b2xk");
    fake_refuse(&fake, 1, CODE_UNAUTHENTICATED);
    cr_expect_null(strstr(sink.text, secret_path), "said twice: %s", sink.text);
}
