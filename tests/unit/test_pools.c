/* SPDX-License-Identifier: Apache-2.0 */
/* The pools of one database, by credential. Each has one connection, numbered as they were opened.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake_transport.h"
#include "pool/clock.h"
#include "pool/pools.h"

#define ASKS 8
#define LONG 60000 /* ms, a time that does not pass in a test */

static struct fake_transport fake;
static struct fake_log sink;
static struct event_base *loop;
static struct endpoints *endpoints;
static struct pools *pools;
static struct ask asks[ASKS];
static size_t forgotten;
static int64_t idle_time, refused_time;
static char secret_path[] = "/tmp/mvb-pools-XXXXXX";

static const struct conf_host host = {"http://db:19530", "10.0.0.1", 19530};
static const struct conf_upstream upstream = {.name = "main",
                                              .uri = "http://db:19530",
                                              .hosts = &host,
                                              .host_count = 1,
                                              .connect_timeout = LONG};
static struct conf_database database;
static const char *const other[] = {"films"};
static struct conf_rule rules[] = {
    {.number = 1},
    {.number = 2, .credential = {.user = "ro", .password_file = secret_path}},
    {.number = 3,
     .credential = {.user = "rw", .password_file = secret_path},
     .databases = other,
     .database_count = 1},
};
static struct conf conf = {.databases = &database, .database_count = 1};

static void forget(void *context, const struct pool *pool)
{
    cr_expect_eq(context, &sink);
    cr_expect_not_null(pool);
    forgotten++;
}

static void no_news(void *context, struct pool *pool)
{
    cr_expect_eq(context, &sink);
    cr_expect_not_null(pool);
}

static void begin(void)
{
    loop = event_base_new();
    fake_open(&fake);
    fake_log_open(&sink);
    endpoints = fake_endpoints(&fake, loop, &sink.logger, &upstream);
    database = (struct conf_database){.name = "books",
                                      .upstream = &upstream,
                                      .pool_size = 1,
                                      .max_in_flight = 8,
                                      .queue_size = 8,
                                      .queue_timeout = LONG,
                                      .credentials = CONF_CREDENTIALS_CLIENT,
                                      .max_credentials = 2};
    idle_time = refused_time = LONG;
    int file = mkstemp(secret_path);
    cr_assert_eq(write(file, "pw", 2), 2);
    close(file);
}

static void open_pools(size_t rule_count)
{
    char *error = NULL;
    conf.rules = rules;
    conf.rule_count = rule_count;
    pools = pools_new(&(struct pools_setup){.pool = {.loop = loop,
                                                     .transport = &fake.transport,
                                                     .endpoints = endpoints,
                                                     .logger = &sink.logger,
                                                     .database = &database,
                                                     .max_message = 1000,
                                                     .connected = no_news,
                                                     .away = no_news,
                                                     .context = &sink},
                                            .conf = &conf,
                                            .idle_time = idle_time,
                                            .refused_time = refused_time,
                                            .forget = forget},
                      &error);
    cr_assert_not_null(pools, "%s", error);
    fake_others_ready(&fake);
}

static void end(void)
{
    for (size_t i = 0; i < ASKS; i++)
        ask_free(&asks[i]);
    pools_free(pools);
    cr_expect_eq(fake.closed_count, fake.connection_count);
    fake_close(&fake);
    event_base_free(loop);
    unlink(secret_path);
}

TestSuite(pools, .init = begin, .fini = end);

static void ended(struct request *request, const struct outcome *outcome)
{
    if (request->pool)
        pools_release(request, outcome);
    request->answer(request, outcome);
}

/* Whether it has a pool; then its call is sent. */
static bool submit_by(const struct conf_rule *rule, size_t at, const char *authorization)
{
    ask_free(&asks[at]);
    ask_make(&asks[at], "Search");
    ask_admit(&asks[at], NULL, "books", LONG);
    asks[at].request.ended = ended;
    asks[at].request.authorization = span_text(authorization);
    if (!pools_choose(pools, rule, &asks[at].request))
        return false;
    fake_others_ready(&fake);
    pool_submit(asks[at].request.pool, &asks[at].request);
    return true;
}

static bool submit(size_t at, const char *authorization)
{
    return submit_by(NULL, at, authorization);
}

static size_t connection_of_last(void)
{
    return fake.calls[fake.call_count - 1].connection;
}

/* The one sent last is answered. */
static void reply(void)
{
    fake_reply(&fake, fake.call_count - 1, span_text("r"));
}

/* It is sent and answered; the connection it went by. */
static size_t ask_once(const char *authorization)
{
    cr_assert(submit(0, authorization));
    cr_expect_str_eq(fake.calls[fake.call_count - 1].authorization, authorization);
    reply();
    return connection_of_last();
}

static size_t ask_in_vain(const char *authorization)
{
    cr_assert(submit(0, authorization));
    fake_refuse(&fake, fake.call_count - 1, CODE_UNAUTHENTICATED);
    expect_failure(&asks[0], CODE_UNAUTHENTICATED, PHASE_UPSTREAM, "said the server");
    return connection_of_last();
}

static void run_events(void)
{
    event_base_loop(loop, EVLOOP_NONBLOCK);
}

static bool is_closed(size_t connection)
{
    return fake.connections[connection].closed;
}

/* ---- the daemon's ---- */

Test(pools, each_rule_with_a_credential_has_its_own)
{
    database.credentials = CONF_CREDENTIALS_DAEMON;
    open_pools(3);
    cr_expect_eq(fake.connection_count, 2, "the database's and rule 2's: 3 does not reach it");
    cr_assert(submit_by(NULL, 0, "client"));
    cr_assert(submit_by(&rules[0], 1, "client"));
    cr_assert(submit_by(&rules[1], 2, "client"));
    static const char *const sent[] = {"", "", "cm86cHc="}; /* ro:pw */
    for (size_t i = 0; i < 3; i++) {
        cr_expect_str_eq(fake.calls[i].authorization, sent[i]);
        cr_expect_eq(fake.calls[i].connection, i / 2);
        fake_reply(&fake, i, span_text("r"));
    }
}

Test(pools, log_and_errors_say_whose_credential_it_is)
{
    database.credentials = CONF_CREDENTIALS_DAEMON;
    open_pools(3);
    cr_expect(strstr(sink.text, "database books: connected to upstream main"), "%s", sink.text);
    cr_expect(strstr(sink.text, "database books, rule 2: connected to upstream"), "%s", sink.text);
    cr_assert(submit_by(&rules[1], 0, ""));
    fake_refuse(&fake, 0, CODE_UNAUTHENTICATED);
    expect_failure(
        &asks[0], CODE_UNAUTHENTICATED, PHASE_UPSTREAM,
        "upstream main refuses the credentials of rule 2 of \"access\", user ro (password in ");
    cr_expect(strstr(sink.text, "upstream main, database books, rule 2: Milvus refuses the "
                                "credential, user ro (password in "),
              "%s", sink.text);
    cr_expect_eq(forgotten, 0);
}

static void write_secret(const char *secret)
{
    FILE *file = fopen(secret_path, "w");
    cr_assert_not_null(file);
    fputs(secret, file);
    fclose(file);
}

Test(pools, secrets_of_rules_are_read_again_when_somebody_says_so)
{
    open_pools(3);
    ask_once("client");
    write_secret("new");
    pools_renew(pools);
    cr_assert(submit_by(&rules[1], 0, ""));
    cr_expect_str_eq(fake.calls[1].authorization, "cm86bmV3"); /* ro:new */
    reply();
    ask_once("client");
}

Test(pools, credential_of_a_rule_comes_before_the_clients)
{
    open_pools(3);
    cr_expect_eq(fake.connection_count, 1);
    asks[0].request.shows_nothing = true;
    cr_assert(submit_by(&rules[1], 0, "client"));
    cr_expect_str_eq(fake.calls[0].authorization, "cm86cHc=");
    cr_assert(submit_by(&rules[0], 1, "client"));
    cr_expect_str_eq(fake.calls[1].authorization, "client");
    fake_reply(&fake, 0, span_text("r"));
    fake_reply(&fake, 1, span_text("r"));
}

Test(pools, rule_whose_secret_cannot_be_read_is_an_error)
{
    char *error = NULL;
    open_pools(0);
    unlink(secret_path);
    conf.rule_count = 3;
    cr_expect_null(pools_new(&(struct pools_setup){.pool = {.loop = loop,
                                                            .transport = &fake.transport,
                                                            .endpoints = endpoints,
                                                            .logger = &sink.logger,
                                                            .database = &database},
                                                   .conf = &conf},
                             &error));
    cr_expect(strstr(error, secret_path), "%s", error);
    conf.rule_count = 0;
    free(error);
}

/* ---- clients' own ---- */

Test(pools, each_credential_has_its_own)
{
    open_pools(0);
    cr_expect_eq(fake.connection_count, 0);
    cr_expect_eq(ask_once("a"), 0);
    cr_expect_eq(ask_once("b"), 1);
    cr_expect_eq(ask_once("a"), 0);
    cr_expect_eq(ask_once("b"), 1);
    cr_expect_null(strstr(sink.text, "refuses"), "%s", sink.text);
}

Test(pools, no_credential_is_one_too)
{
    open_pools(0);
    asks[0].request.authorization = span_of(NULL, 0);
    cr_expect_eq(ask_once(""), 0);
    cr_expect_eq(ask_once("a"), 1);
    cr_expect_eq(ask_once(""), 0);
}

Test(pools, protocol_that_shows_nothing_is_told_so)
{
    open_pools(0);
    ask_make(&asks[0], "Search");
    ask_admit(&asks[0], NULL, "books", LONG);
    asks[0].request.ended = ended;
    asks[0].request.shows_nothing = true;
    cr_expect_not(pools_choose(pools, NULL, &asks[0].request));
    expect_failure(&asks[0], CODE_UNAUTHENTICATED, PHASE_ADMISSION, "the plain protocol");
    cr_expect_eq(fake.connection_count, 0);
}

Test(pools, least_recently_used_idle_one_leaves_first)
{
    open_pools(0);
    ask_once("a");
    ask_once("b");
    run_events();
    cr_expect_eq(fake.closed_count, 0, "as many as may be are kept");
    ask_once("a");
    cr_expect_eq(ask_once("c"), 2);
    run_events();
    cr_expect(is_closed(1));
    cr_expect_eq(fake.closed_count, 1);
    cr_expect_eq(forgotten, 1);
    cr_expect_eq(ask_once("a"), 0);
    cr_expect_eq(ask_once("b"), 3, "anew");
    run_events();
    cr_expect(is_closed(2));
}

Test(pools, busy_one_is_never_closed)
{
    open_pools(0);
    cr_assert(submit(1, "a"));
    ask_once("b");
    ask_once("c");
    run_events();
    cr_expect(is_closed(1));
    cr_expect_not(is_closed(0));
    fake_reply(&fake, 0, span_text("r"));
    expect_reply(&asks[1], span_text("r"));
}

Test(pools, one_more_than_may_be_busy_is_refused)
{
    open_pools(0);
    cr_assert(submit(1, "a"));
    cr_assert(submit(2, "b"));
    cr_assert(submit(3, "a"), "a further request of the same");
    cr_expect_not(submit(0, "c"));
    expect_failure(&asks[0], CODE_RESOURCE_EXHAUSTED, PHASE_ADMISSION, "max_credentials");
    cr_expect_null(strstr(asks[0].message, "c)"));
    fake_reply(&fake, 0, span_text("r"));
    cr_expect_not(submit(0, "c"), "it has another request");
    fake_reply(&fake, 2, span_text("r"));
    cr_expect_eq(ask_once("c"), 2);
    fake_reply(&fake, 1, span_text("r"));
}

/* A cancelled call may still be under way upstream. */
Test(pools, one_whose_requests_were_cancelled_is_idle)
{
    open_pools(0);
    database.max_credentials = 1;
    cr_assert(submit(1, "a"));
    pool_cancel(asks[1].request.pool, &asks[1].request);
    pools_release(&asks[1].request, NULL);
    cr_expect_eq(ask_once("b"), 1);
    run_events();
    cr_expect(is_closed(0));
}

Test(pools, one_that_was_only_refused_leaves_before_others)
{
    open_pools(0);
    ask_once("a");
    ask_in_vain("wrong");
    ask_once("c");
    run_events();
    cr_expect(is_closed(1));
    cr_expect_eq(ask_once("a"), 0);
    /* It was right, and is not any more. */
    ask_in_vain("c");
    ask_once("d");
    run_events();
    cr_expect(is_closed(2));
    cr_expect_eq(ask_once("a"), 0);
}

Test(pools, who_may_not_is_known_all_the_same)
{
    open_pools(0);
    cr_assert(submit(0, "a"));
    fake_refuse(&fake, 0, CODE_PERMISSION_DENIED);
    ask_once("b");
    ask_once("a");
    ask_once("c");
    run_events();
    cr_expect(is_closed(1));
    cr_expect_not(is_closed(0));
}

Test(pools, refusal_of_a_client_is_no_error_of_ours)
{
    open_pools(0);
    ask_in_vain("hunter2");
    cr_expect_null(strstr(sink.text, "refuses"), "%s", sink.text);
    cr_expect_null(strstr(sink.text, "hunter2"), "%s", sink.text);
    cr_expect_str_eq(asks[0].message, "said the server");
    cr_expect_eq(fake.call_count, 1);
    cr_expect_eq(forgotten, 1);
}

Test(pools, idle_ones_are_closed_in_time)
{
    idle_time = 60;
    refused_time = 20;
    open_pools(0);
    cr_assert(submit(1, "busy"));
    ask_once("a");
    int64_t since = clock_now();
    run_until(loop, &fake.closed_count, 1);
    cr_expect(is_closed(1));
    cr_expect_geq(clock_now() - since, 60);
    ask_in_vain("wrong");
    since = clock_now();
    run_until(loop, &fake.closed_count, 2);
    cr_expect(is_closed(2));
    cr_expect_geq(clock_now() - since, 20);
    cr_expect_not(is_closed(0));
    fake_reply(&fake, 0, span_text("r"));
    run_until(loop, &fake.closed_count, 3);
}

/* Who is told may come back with other credentials, and take the place of the pool that tells. */
static void ask_as_another(struct ask *ask)
{
    ask->on_answer = NULL;
    cr_assert(submit(1, "b"));
}

Test(pools, one_may_be_closed_from_within_its_own_answer)
{
    database.max_credentials = 1;
    open_pools(0);
    cr_assert(submit(0, "a"));
    asks[0].on_answer = ask_as_another;
    fake_reply(&fake, 0, span_text("r"));
    cr_expect_not(is_closed(0), "it still is in its event");
    run_events();
    cr_expect(is_closed(0));
    fake_reply(&fake, 1, span_text("r"));
    expect_reply(&asks[1], span_text("r"));
}

Test(pools, one_that_cannot_be_opened)
{
    open_pools(0);
    fake.open_error = "no such certificate";
    cr_expect_not(submit(0, "a"));
    expect_failure(&asks[0], CODE_UNAVAILABLE, PHASE_CONNECT, "main: no such certificate");
    fake.open_error = NULL;
    cr_expect_eq(ask_once("a"), 0);
}
