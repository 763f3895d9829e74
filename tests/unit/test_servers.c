/* SPDX-License-Identifier: Apache-2.0 */
/* The connections of a pool that has several endpoints, or replaces and closes them in time. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "fake_transport.h"
#include "name_server.h"
#include "pool/clock.h"
#include "pool/pool.h"

#define ASKS     12
#define LONG     60000 /* ms, a time that does not pass in a test */
#define SHORT    40    /* ms, one that does */
#define LIFETIME 100   /* ms, which passes too */

static struct fake_transport fake;
static struct fake_log sink;
static struct event_base *loop;
static struct name_server server;
static struct resolver *resolver;
static struct endpoints *endpoints;
static struct conf_upstream upstream;
static struct conf_database database;
static struct pool *pool;
static size_t connected_count;
static size_t away_count;
static struct ask asks[ASKS];

static const struct conf_host hosts[] = {{"http://10.0.0.1", "10.0.0.1", 19530},
                                         {"http://10.0.0.2", "10.0.0.2", 19530},
                                         {"http://10.0.0.3", "10.0.0.3", 19530}};
static const struct conf_host name = {"http://" NAME_SERVER_NAME, NAME_SERVER_NAME, 19530};

static void connected(void *context, struct pool *of)
{
    (void)context, (void)of;
    connected_count++;
}

static void away(void *context, struct pool *of)
{
    (void)context, (void)of;
    away_count++;
}

static void begin(void)
{
    loop = event_base_new();
    fake_open(&fake);
    fake_log_open(&sink);
    name_server_open(&server, loop, "");
    upstream = (struct conf_upstream){.name = "main", .uri = "LIST", .connect_timeout = LONG};
    database = (struct conf_database){.name = "books",
                                      .upstream = &upstream,
                                      .pool_size = 1,
                                      .max_in_flight = ASKS,
                                      .queue_size = ASKS,
                                      .queue_timeout = LONG};
}

static void open_pool(const struct conf_host *of, size_t count)
{
    char *error = NULL;
    upstream.hosts = of;
    upstream.host_count = count;
    resolver = resolver_new(loop, server.resolv_conf, server.hosts);
    endpoints = endpoints_new(&(struct endpoints_setup){.loop = loop,
                                                        .resolver = resolver,
                                                        .logger = &sink.logger,
                                                        .upstream = &upstream,
                                                        .period = LONG});
    pool = pool_new(&(struct pool_setup){.loop = loop,
                                         .transport = &fake.transport,
                                         .endpoints = endpoints,
                                         .logger = &sink.logger,
                                         .database = &database,
                                         .connected = connected,
                                         .away = away},
                    &error);
    cr_assert_not_null(pool, "%s", error);
}

static void open_ready(size_t count)
{
    open_pool(hosts, count);
    fake_all_ready(&fake);
}

static void end(void)
{
    for (size_t i = 0; i < ASKS; i++)
        ask_free(&asks[i]);
    pool_free(pool);
    fake_close(&fake);
    endpoints_free(endpoints);
    resolver_free(resolver);
    name_server_close(&server);
    event_base_free(loop);
}

TestSuite(servers, .init = begin, .fini = end);

static void submit_as(size_t at, const char *method)
{
    ask_make(&asks[at], method);
    ask_admit(&asks[at], pool, "books", LONG);
    pool_submit(pool, &asks[at].request);
}

static void submit(size_t at)
{
    submit_as(at, "Search");
}

static void submit_from(size_t first, size_t count)
{
    for (size_t i = 0; i < count; i++)
        submit(first + i);
}

static void answer(size_t call)
{
    fake_reply(&fake, call, span_text("r"));
}

/* The connection that a call is on, which was started last. */
static size_t used(void)
{
    return fake.calls[fake.call_count - 1].connection;
}

static void expect_endpoint(size_t connection, const char *expected)
{
    char text[ENDPOINT_TEXT_MAX];
    endpoint_text(&fake.connections[connection].endpoint, text);
    cr_expect_str_eq(text, expected, "of connection %zu", connection);
}

/* ---- several endpoints ---- */

Test(servers, pool_size_is_of_each_endpoint)
{
    database.pool_size = 2;
    open_pool(hosts, 2);
    cr_assert_eq(fake.connection_count, 4);
    expect_endpoint(0, "10.0.0.1:19530");
    expect_endpoint(1, "10.0.0.1:19530");
    expect_endpoint(2, "10.0.0.2:19530");
    expect_endpoint(3, "10.0.0.2:19530");
}

Test(servers, equal_ones_take_turns)
{
    open_ready(3);
    for (size_t i = 0; i < 6; i++) {
        submit(i);
        cr_expect_eq(used(), i % 3);
        answer(i);
    }
}

Test(servers, fewest_under_way_is_taken)
{
    open_ready(3);
    submit_from(0, 6);
    answer(1);
    answer(4);
    submit(6);
    cr_expect_eq(used(), 1);
    submit(7);
    cr_expect_eq(used(), 1);
    for (size_t i = 0; i < 8; i++) {
        if (i != 1 && i != 4)
            answer(i);
    }
}

Test(servers, capacity_is_not_exceeded)
{
    open_ready(2);
    fake_capacity(&fake, 0, 1);
    fake_capacity(&fake, 1, 2);
    submit_from(0, 4);
    cr_assert_eq(fake.call_count, 3);
    cr_expect_eq(pool_phase(pool, &asks[3].request), PHASE_QUEUE);
    fake_capacity(&fake, 0, 2);
    cr_assert_eq(fake.call_count, 4);
    cr_expect_eq(used(), 0);
    for (size_t i = 0; i < 4; i++)
        answer(i);
}

Test(servers, one_that_is_down_is_left_out)
{
    open_ready(2);
    fake_state(&fake, 0, UPSTREAM_DOWN);
    submit_from(0, 2);
    cr_expect_eq(fake.calls[0].connection, 1);
    cr_expect_eq(fake.calls[1].connection, 1);
    cr_expect_eq(away_count, 0);
    fake_state(&fake, 0, UPSTREAM_READY);
    submit(2);
    cr_expect_eq(used(), 0);
    for (size_t i = 0; i < 3; i++)
        answer(i);
}

Test(servers, all_are_tried_when_all_are_out)
{
    open_ready(2);
    fake_state(&fake, 0, UPSTREAM_DOWN);
    submit(0);
    answer(0);
    cr_expect_eq(fake.connections[0].hurried, 0, "the other one is up");
    fake_state(&fake, 1, UPSTREAM_DOWN);
    cr_expect_eq(away_count, 1);
    submit_from(1, 3);
    for (size_t i = 0; i < 2; i++)
        cr_expect_eq(fake.connections[i].hurried, 1, "not with each of many requests");
    fake_state(&fake, 1, UPSTREAM_READY);
    for (size_t i = 1; i < 4; i++)
        answer(i);
}

Test(servers, all_are_tried_when_the_last_one_goes_and_somebody_waits)
{
    database.max_in_flight = 1;
    open_ready(2);
    submit_from(0, 2);
    fake_state(&fake, 0, UPSTREAM_DOWN);
    cr_expect_eq(fake.connections[0].hurried, 0);
    fake_state(&fake, 1, UPSTREAM_DOWN);
    cr_expect_eq(fake.connections[0].hurried, 1);
    cr_expect_eq(fake.connections[1].hurried, 1);
    fake_state(&fake, 0, UPSTREAM_READY);
    answer(0);
    answer(1);
}

Test(servers, log_names_the_endpoint)
{
    open_ready(2);
    cr_expect(strstr(sink.text, "books: connected to upstream main (http://10.0.0.1:19530)\n"));
    cr_expect(strstr(sink.text, "books: connected to upstream main (http://10.0.0.2:19530)\n"));
    fake_state(&fake, 1, UPSTREAM_DOWN);
    cr_expect(strstr(sink.text, "no connection to upstream main (http://10.0.0.2:19530): conn"));
}

Test(servers, log_names_the_address_of_a_name)
{
    server.ipv4 = "10.0.0.7";
    open_pool(&name, 1);
    run_until(loop, &fake.connection_count, 1);
    fake_all_ready(&fake);
    cr_expect(strstr(sink.text, "(http://" NAME_SERVER_NAME ":19530, 10.0.0.7:19530)"), "%s",
              sink.text);
}

Test(servers, tells_of_an_endpoint_that_comes_up)
{
    database.pool_size = 2;
    open_pool(hosts, 2);
    fake_state(&fake, 0, UPSTREAM_READY);
    fake_state(&fake, 1, UPSTREAM_READY);
    cr_expect_eq(connected_count, 1);
    fake_state(&fake, 2, UPSTREAM_READY);
    fake_state(&fake, 3, UPSTREAM_READY);
    cr_expect_eq(connected_count, 2);
    fake_state(&fake, 3, UPSTREAM_CONNECTING);
    fake_state(&fake, 3, UPSTREAM_READY);
    cr_expect_eq(connected_count, 3);
}

/* ---- endpoints that come and go ---- */

Test(servers, endpoint_that_comes_is_used)
{
    open_ready(1);
    submit(0);
    endpoints_set(endpoints, hosts, 2, "other");
    cr_assert_eq(fake.connection_count, 2);
    submit(1);
    cr_expect_eq(used(), 0, "the new one is not up yet");
    fake_state(&fake, 1, UPSTREAM_READY);
    cr_expect_eq(connected_count, 2);
    submit(2);
    cr_expect_eq(used(), 1);
    for (size_t i = 0; i < 3; i++)
        answer(i);
}

Test(servers, endpoint_that_goes_ends_its_calls)
{
    open_ready(2);
    submit_from(0, 2);
    endpoints_set(endpoints, &hosts[1], 1, "other");
    submit(2);
    cr_expect_eq(used(), 1);
    run_for(loop, SHORT);
    cr_expect_eq(fake.closed_count, 0, "a call is on it");
    answer(0);
    expect_reply(&asks[0], span_text("r"));
    run_until(loop, &fake.closed_count, 1);
    cr_expect(fake.connections[0].closed);
    cr_expect_eq(away_count, 0);
    answer(1);
    answer(2);
}

Test(servers, what_happens_to_one_that_goes_is_nobodys_business)
{
    open_ready(2);
    submit(0);
    endpoints_set(endpoints, &hosts[1], 1, "other");
    fake_state(&fake, 0, UPSTREAM_DOWN);
    fake_state(&fake, 0, UPSTREAM_READY);
    fake_capacity(&fake, 0, 1);
    cr_expect_eq(connected_count, 2);
    cr_expect_null(strstr(sink.text, "no connection"), "%s", sink.text);
    fake_break(&fake, 0, CODE_UNAVAILABLE, true);
    cr_expect_eq(used(), 1, "it was not begun, so it goes to another");
    answer(1);
    run_until(loop, &fake.closed_count, 1);
}

Test(servers, who_waits_goes_to_another_list)
{
    open_pool(hosts, 1);
    submit(0);
    endpoints_set(endpoints, &hosts[1], 1, "other");
    run_until(loop, &fake.closed_count, 1);
    cr_expect_eq(pool_phase(pool, &asks[0].request), PHASE_CONNECT);
    fake_state(&fake, 1, UPSTREAM_READY);
    answer(0);
    expect_reply(&asks[0], span_text("r"));
}

Test(servers, one_that_cannot_be_opened_later_is_told)
{
    open_ready(1);
    fake.open_error = "no such certificate";
    endpoints_set(endpoints, hosts, 2, "other");
    cr_expect(strstr(sink.text, "database books: upstream main: no such certificate"));
    submit_from(0, 3);
    const char *line = strstr(sink.text, "no such certificate");
    cr_expect_null(strstr(line + 1, "no such certificate"), "not with each request");
    cr_expect_eq(away_count, 0);
    for (size_t i = 0; i < 3; i++)
        answer(i);
}

Test(servers, name_that_cannot_be_resolved_is_told)
{
    static const struct conf_host nosuch = {"http://nosuch.example:1", "nosuch.example", 1};
    upstream.connect_timeout = SHORT;
    open_pool(&nosuch, 1);
    run_until(loop, &away_count, 1);
    submit_as(0, "Connect");
    expect_failure(&asks[0], CODE_UNAVAILABLE, PHASE_CONNECT,
                   "no connection to upstream main (LIST): cannot resolve nosuch.example: ");
    submit(1);
    run_until(loop, &asks[1].answers, 1);
    expect_failure(&asks[1], CODE_UNAVAILABLE, PHASE_CONNECT,
                   "within connect_timeout (40 ms): cannot resolve nosuch.example: ");
}

Test(servers, request_has_names_looked_up)
{
    open_pool(&name, 1);
    run_until(loop, &away_count, 1);
    server.ipv4 = "10.0.0.7";
    submit(0);
    run_until(loop, &fake.connection_count, 1);
    fake_all_ready(&fake);
    answer(0);
}

/* ---- server_lifetime ---- */

Test(servers, connection_is_replaced_in_time)
{
    upstream.server_lifetime = LIFETIME;
    sink.logger.level = LOG_INFO;
    open_ready(1);
    int64_t start = clock_now();
    submit(0);
    run_until(loop, &fake.connection_count, 2);
    cr_expect_geq(clock_now() - start, LIFETIME - LIFETIME / 10 - 1);
    expect_endpoint(1, "10.0.0.1:19530");
    submit(1);
    cr_expect_eq(used(), 0, "until the new one is up");
    fake_state(&fake, 1, UPSTREAM_READY);
    submit(2);
    cr_expect_eq(used(), 1);
    answer(0);
    cr_expect_eq(fake.closed_count, 0);
    answer(1);
    run_until(loop, &fake.closed_count, 1);
    cr_expect(fake.connections[0].closed);
    cr_expect_eq(connected_count, 1);
    cr_expect_eq(away_count, 0);
    const char *line = strstr(sink.text, "connected to");
    cr_expect_null(strstr(line + 1, "connected to"), "said again: %s", sink.text);
    answer(2);
}

Test(servers, one_is_replaced_at_a_time)
{
    database.pool_size = 2;
    upstream.server_lifetime = SHORT;
    open_ready(1);
    run_until(loop, &fake.connection_count, 3);
    run_for(loop, 2 * SHORT);
    cr_expect_eq(fake.connection_count, 3);
    fake_state(&fake, 2, UPSTREAM_READY);
    run_until(loop, &fake.connection_count, 4);
    run_until(loop, &fake.closed_count, 1);
    cr_expect_eq(connected_count, 1);
}

Test(servers, zero_is_for_ever)
{
    open_ready(1);
    run_for(loop, 2 * SHORT);
    cr_expect_eq(fake.connection_count, 1);
    cr_expect_eq(fake.closed_count, 0);
}

Test(servers, without_a_replacement_the_old_one_stays)
{
    upstream.server_lifetime = SHORT;
    open_ready(1);
    run_until(loop, &fake.connection_count, 2);
    int64_t start = clock_now();
    fake_state(&fake, 1, UPSTREAM_DOWN);
    run_until(loop, &fake.closed_count, 1);
    cr_expect(fake.connections[1].closed);
    cr_expect_eq(away_count, 0);
    cr_expect(strstr(sink.text, "cannot replace the connection to upstream main "
                                "(http://10.0.0.1:19530), it stays: connection refused"));
    submit(0);
    cr_expect_eq(used(), 0);
    answer(0);
    run_until(loop, &fake.connection_count, 3);
    cr_expect_geq(clock_now() - start, 999);
}

Test(servers, lost_one_needs_no_replacement)
{
    upstream.server_lifetime = LIFETIME;
    open_ready(1);
    run_until(loop, &fake.connection_count, 2);
    fake_state(&fake, 0, UPSTREAM_CONNECTING);
    run_until(loop, &fake.closed_count, 1);
    cr_expect(fake.connections[1].closed);
    fake_state(&fake, 0, UPSTREAM_READY);
    run_until(loop, &fake.connection_count, 3);
}

Test(servers, replacement_goes_with_its_endpoint)
{
    upstream.server_lifetime = LIFETIME;
    open_pool(hosts, 2);
    fake_state(&fake, 0, UPSTREAM_READY);
    run_until(loop, &fake.connection_count, 3);
    endpoints_set(endpoints, &hosts[1], 1, "other");
    run_until(loop, &fake.closed_count, 2);
    cr_expect(fake.connections[0].closed);
    cr_expect(fake.connections[2].closed);
    fake_state(&fake, 1, UPSTREAM_READY);
    run_until(loop, &fake.connection_count, 4);
}

Test(servers, replacement_that_cannot_be_opened_is_told)
{
    upstream.server_lifetime = LIFETIME;
    open_ready(1);
    fake.open_error = "no such certificate";
    while (!strstr(sink.text, "no such certificate"))
        event_base_loop(loop, EVLOOP_ONCE);
    submit(0);
    cr_expect_eq(used(), 0);
    answer(0);
    cr_expect_eq(away_count, 0);
}

/* Another one was due meanwhile. */
Test(servers, next_one_is_replaced_when_a_replacement_is_given_up)
{
    upstream.server_lifetime = SHORT;
    open_ready(2);
    run_until(loop, &fake.connection_count, 3);
    run_for(loop, 2 * SHORT);
    cr_expect_eq(fake.connection_count, 3);
    const struct endpoint *first = &fake.connections[0].endpoint;
    bool is_first = endpoint_equal(first, &fake.connections[2].endpoint);
    fake_state(&fake, is_first ? 0 : 1, UPSTREAM_CONNECTING);
    run_until(loop, &fake.connection_count, 4);
    cr_expect_eq(endpoint_equal(first, &fake.connections[3].endpoint), !is_first);
}

/* ---- server_idle_timeout ---- */

Test(servers, idle_connection_is_closed)
{
    upstream.server_idle_timeout = SHORT;
    open_ready(1);
    submit(0);
    run_for(loop, 2 * SHORT);
    cr_expect_eq(fake.closed_count, 0, "a call is on it");
    answer(0);
    int64_t start = clock_now();
    run_until(loop, &fake.closed_count, 1);
    cr_expect_geq(clock_now() - start, SHORT - 1);
    run_for(loop, SHORT);
    cr_expect_eq(fake.connection_count, 1, "nobody wants another");
    cr_expect_eq(away_count, 0);
}

Test(servers, next_request_opens_one_again)
{
    database.pool_size = 2;
    upstream.server_idle_timeout = SHORT;
    open_ready(1);
    run_until(loop, &fake.closed_count, 2);
    submit(0);
    cr_assert_eq(fake.connection_count, 3);
    cr_expect_eq(asks[0].answers, 0);
    cr_expect_eq(pool_phase(pool, &asks[0].request), PHASE_CONNECT);
    fake_state(&fake, 2, UPSTREAM_READY);
    cr_expect_eq(used(), 2);
    cr_expect_eq(away_count, 0);
    cr_expect_eq(connected_count, 2, "it may be another by now");
    answer(0);
}

/* A session does not fail for it. */
Test(servers, session_waits_for_one_to_be_opened_again)
{
    upstream.server_idle_timeout = SHORT;
    open_ready(1);
    run_until(loop, &fake.closed_count, 1);
    submit_as(0, "Connect");
    cr_expect_eq(asks[0].answers, 0);
    fake_state(&fake, 1, UPSTREAM_READY);
    answer(0);
    expect_reply(&asks[0], span_text("r"));
}

Test(servers, busy_ones_have_missing_ones_opened)
{
    database.pool_size = 2;
    upstream.server_idle_timeout = LIFETIME;
    open_ready(1);
    run_until(loop, &fake.closed_count, 2);
    submit(0);
    fake_state(&fake, 2, UPSTREAM_READY);
    cr_expect_eq(fake.connection_count, 3);
    submit(1);
    cr_expect_eq(used(), 2);
    cr_assert_eq(fake.connection_count, 4);
    fake_state(&fake, 3, UPSTREAM_READY);
    cr_expect_eq(connected_count, 2, "the upstream was there all the time");
    submit(2);
    cr_expect_eq(fake.connection_count, 4);
    for (size_t i = 0; i < 3; i++)
        answer(i);
}

Test(servers, missing_ones_are_opened_where_the_fewest_are)
{
    upstream.server_idle_timeout = SHORT;
    open_ready(2);
    run_until(loop, &fake.closed_count, 2);
    submit_from(0, 3);
    cr_assert_eq(fake.connection_count, 4);
    expect_endpoint(2, "10.0.0.1:19530");
    expect_endpoint(3, "10.0.0.2:19530");
    fake_state(&fake, 2, UPSTREAM_DOWN);
    cr_expect_eq(away_count, 1, "that is a failure");
    fake_state(&fake, 3, UPSTREAM_READY);
    for (size_t i = 0; i < 3; i++)
        answer(i);
}

Test(servers, request_that_was_not_begun_opens_what_is_missing)
{
    upstream.server_idle_timeout = SHORT;
    open_ready(2);
    submit(0);
    run_until(loop, &fake.closed_count, 1);
    cr_expect(fake.connections[1].closed);
    endpoints_set(endpoints, &hosts[1], 1, "other");
    fake_break(&fake, 0, CODE_UNAVAILABLE, true);
    cr_assert_eq(fake.connection_count, 3);
    expect_endpoint(2, "10.0.0.2:19530");
    fake_state(&fake, 2, UPSTREAM_READY);
    answer(1);
    expect_reply(&asks[0], span_text("r"));
}
