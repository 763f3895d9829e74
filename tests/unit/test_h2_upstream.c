/* SPDX-License-Identifier: Apache-2.0 */
/* The transport h2 before a server in the test's hand: what becomes of its connections. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "fake_transport.h"
#include "h2_server.h"
#include "pool/clock.h"
#include "pool/h2_transport.h"

#define LONG        60000 /* ms, a time that does not pass in a test */
#define SHORT       100   /* ms, one that does */
#define CALLS       8
#define MAX_MESSAGE (1u << 20)

struct told {
    struct upstream_call *call;
    size_t ended;
    enum code code;
    bool unstarted;
    char message[256];
};

static struct event_base *loop;
static struct transport *transport;
static struct upstream *upstream;
static struct h2_server server;
static struct conf_upstream to;
static struct told told[CALLS];
static size_t ready;
static size_t down;
static size_t grown;
static size_t all_ended;
static char why_down[512];

static void on_ended(void *context, const struct upstream_end *end)
{
    struct told *of = context;
    of->ended++;
    of->code = end->code;
    of->unstarted = end->unstarted;
    snprintf(of->message, sizeof(of->message), "%.*s", SPAN_ARGS(end->message));
    all_ended++;
}

static void on_state(void *context, enum upstream_state state, const char *reason)
{
    (void)context;
    ready += state == UPSTREAM_READY;
    down += state == UPSTREAM_DOWN;
    if (state == UPSTREAM_DOWN)
        snprintf(why_down, sizeof(why_down), "%s", reason);
}

static void on_grown(void *context)
{
    (void)context;
    grown++;
}

static const struct upstream_events events = {
    .call_ended = on_ended,
    .state_changed = on_state,
    .capacity_grew = on_grown,
};

static void begin(void)
{
    loop = event_base_new();
    transport = h2_transport_new(loop);
    h2_server_open(&server, loop);
    to = (struct conf_upstream){.name = "main", .connect_timeout = LONG, .keepalive = LONG};
}

static void end(void)
{
    upstream_close(upstream);
    transport->close(transport);
    h2_server_shut(&server);
    event_base_free(loop);
}

TestSuite(h2_upstream, .init = begin, .fini = end);

static void open_upstream(void)
{
    char *error = NULL;
    upstream =
        transport->open(transport, &to, &server.endpoint, MAX_MESSAGE, &events, NULL, &error);
    cr_assert_not_null(upstream);
}

static void connect_up(void)
{
    open_upstream();
    run_until(loop, &ready, 1);
}

/* Starts a call; the server has its request. */
static void start(size_t number, size_t size)
{
    struct blob *body = blob_new(size);
    memset(body->data, 'x', size);
    struct upstream_message message = {.path = "/test/Call",
                                       .deadline = clock_now() + LONG,
                                       .owner = body,
                                       .body = blob_span(body)};
    told[number].call = upstream_start(upstream, &message, &told[number]);
    blob_unref(body);
}

static void start_and_wait(size_t number)
{
    size_t before = server.requests;
    start(number, 10);
    run_until(loop, &server.requests, before + 1);
}

static void expect_ok(size_t number)
{
    run_until(loop, &told[number].ended, 1);
    cr_expect_eq(told[number].code, CODE_OK, "%s", told[number].message);
}

static void expect_lost(size_t number, bool unstarted)
{
    run_until(loop, &told[number].ended, 1);
    cr_expect_eq(told[number].code, CODE_UNAVAILABLE, "%s", told[number].message);
    cr_expect_eq(told[number].unstarted, unstarted);
}

/* ---- what the server allows ---- */

Test(h2_upstream, capacity_is_the_servers)
{
    server.limits.max_streams = 2;
    connect_up();
    cr_expect_eq(upstream->state, UPSTREAM_READY);
    cr_expect_eq(upstream->capacity, 2);
}

/* ---- goaway ---- */

Test(h2_upstream, calls_go_on_where_the_server_says_goodbye)
{
    server.limits.max_streams = 5;
    connect_up();
    start_and_wait(0);
    h2_server_goaway(&server);
    run_until(loop, &ready, 2);
    cr_expect_eq(server.connections, 2);
    cr_expect_eq(told[0].ended, 0);
    cr_expect_eq(upstream->capacity, 6, "the call on the old connection is the pool's, too");
    start_and_wait(1);
    h2_server_answer(&server, 1, 10);
    expect_ok(1);
    h2_server_answer(&server, 0, 10);
    expect_ok(0);
    run_for(loop, SHORT);
    cr_expect_eq(upstream->capacity, 5);
    cr_expect_eq(down, 0);
}

Test(h2_upstream, call_behind_a_goaway_certainly_never_began)
{
    connect_up();
    start_and_wait(0);
    h2_server_goaway(&server);
    start(1, 10);
    expect_lost(1, true);
    h2_server_answer(&server, 0, 10);
    expect_ok(0);
    cr_expect_eq(server.requests, 1);
}

/* ---- ends ---- */

Test(h2_upstream, call_under_way_may_have_begun_when_the_connection_breaks)
{
    connect_up();
    start_and_wait(0);
    h2_server_cut(&server);
    expect_lost(0, false);
    cr_expect(strstr(told[0].message, "connection"), "%s", told[0].message);
    cr_expect_neq(upstream->state, UPSTREAM_READY);
    run_until(loop, &ready, 2);
}

Test(h2_upstream, refused_call_certainly_never_began)
{
    connect_up();
    start_and_wait(0);
    h2_server_refuse(&server, 0, H2_REFUSED_STREAM);
    expect_lost(0, true);
    cr_expect_eq(upstream->state, UPSTREAM_READY);
}

/* The server answers before it has all of the request, and needs no more of it (RFC 9113 section
 * 8.1). */
Test(h2_upstream, early_answer_is_one)
{
    connect_up();
    start(0, MAX_MESSAGE);
    run_until(loop, &server.requests, 1);
    h2_server_answer(&server, 0, 10);
    expect_ok(0);
    start_and_wait(1);
    h2_server_answer(&server, 1, 10);
    expect_ok(1);
}

Test(h2_upstream, cancelled_call_is_reset)
{
    connect_up();
    start_and_wait(0);
    upstream_cancel(upstream, told[0].call);
    run_until(loop, &server.resets, 1);
    run_until(loop, &told[0].ended, 1);
    cr_expect_eq(told[0].code, CODE_CANCELLED);
}

Test(h2_upstream, reply_as_large_as_allowed_and_one_larger)
{
    connect_up();
    start_and_wait(0);
    start_and_wait(1);
    h2_server_answer(&server, 0, MAX_MESSAGE + 1);
    run_until(loop, &told[0].ended, 1);
    cr_expect_eq(told[0].code, CODE_RESOURCE_EXHAUSTED);
    cr_expect_str_eq(told[0].message,
                     "a reply of 1048577 bytes is larger than max_message, 1048576");
    h2_server_answer(&server, 1, MAX_MESSAGE);
    expect_ok(1);
}

/* From within an event of its own, with calls that wait for their end. */
static void close_at_end(void *context, const struct upstream_end *ended)
{
    on_ended(context, ended);
    upstream_close(upstream);
    upstream = NULL;
}

Test(h2_upstream, closed_from_within_the_end_of_a_call)
{
    static const struct upstream_events closing = {.call_ended = close_at_end,
                                                   .state_changed = on_state};
    char *error = NULL;
    upstream =
        transport->open(transport, &to, &server.endpoint, MAX_MESSAGE, &closing, NULL, &error);
    run_until(loop, &ready, 1);
    start_and_wait(0);
    start_and_wait(1);
    h2_server_answer(&server, 0, 10);
    run_until(loop, &all_ended, 1);
    run_for(loop, SHORT);
    cr_expect_eq(all_ended, 1);
    cr_expect_null(server.conns);
}

/* ---- connecting ---- */

Test(h2_upstream, pauses_between_tries_grow)
{
    enum { TRIES = 4, LEAST = (200 + 320 + 512) * 8 / 10 };
    h2_server_shut(&server);
    int64_t before = clock_now();
    open_upstream();
    run_until(loop, &down, TRIES);
    cr_expect_geq(clock_now() - before, LEAST);
    cr_expect(strstr(why_down, "cannot connect: Connection refused"), "%s", why_down);
    h2_server_listen(&server);
    run_until(loop, &ready, 1);
}

/* The first pause is kept also by those who are in a hurry. */
Test(h2_upstream, hurry_ends_a_pause)
{
    enum { TRIES = 20, LEAST = 200 };
    h2_server_shut(&server);
    open_upstream();
    for (size_t i = 1; i <= TRIES; i++) {
        int64_t before = clock_now();
        run_until(loop, &down, i);
        cr_expect(i == 1 || clock_now() - before >= LEAST - 10);
        upstream_hurry(upstream);
    }
}

Test(h2_upstream, connection_that_does_not_come_up_in_time)
{
    server.mute = true;
    to.connect_timeout = SHORT;
    open_upstream();
    run_until(loop, &down, 1);
    cr_expect_str_eq(why_down, "not up within connect_timeout (100 ms): still waiting for it to "
                               "speak HTTP/2");
    server.mute = false;
    run_until(loop, &ready, 1);
    run_for(loop, 3 * SHORT);
    cr_expect_eq(ready, 1, "the limit is for connecting alone");
}

Test(h2_upstream, server_that_speaks_something_else)
{
    server.greeting = "HTTP/1.1 400 Bad Request\r\n\r\n";
    open_upstream();
    run_until(loop, &down, 1);
    cr_expect_str_eq(why_down, "what it says is not HTTP/2");
}

Test(h2_upstream, server_that_closes_at_once_is_no_server)
{
    connect_up();
    h2_server_cut(&server);
    run_until(loop, &down, 1);
    cr_expect(strstr(why_down, "connection"), "%s", why_down);
}

/* ---- pings ---- */

Test(h2_upstream, quiet_connection_is_kept)
{
    to.keepalive = SHORT;
    connect_up();
    run_for(loop, 10 * SHORT);
    cr_expect_eq(server.connections, 1);
    cr_expect_eq(upstream->state, UPSTREAM_READY);
}

Test(h2_upstream, server_that_does_not_answer_pings_is_gone)
{
    to.keepalive = SHORT;
    connect_up();
    start_and_wait(0);
    h2_server_stop_reading(&server);
    expect_lost(0, false);
    cr_expect_str_eq(told[0].message, "it does not answer pings");
    run_until(loop, &ready, 2);
}

/* It takes one ping a connection. */
Test(h2_upstream, pings_become_rarer_when_the_server_says_so)
{
    enum { KEEPALIVE = 50, TIMES = 3, LEAST = 2 * (KEEPALIVE + 2 * KEEPALIVE + 4 * KEEPALIVE) };
    to.keepalive = KEEPALIVE;
    server.limits.rates[H2_RATE_PINGS] = 1;
    connect_up();
    int64_t before = clock_now();
    run_until(loop, &server.pings_refused, TIMES);
    cr_expect_geq(clock_now() - before, LEAST);
}
