/* SPDX-License-Identifier: Apache-2.0 */
/* Which credential a request goes upstream with, and that no answer from memory goes to another's.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/rules.h"
#include "fake_transport.h"
#include "pool/clock.h"
#include "pool/router.h"

#define ASKS 4
#define LONG 60000 /* ms, a time that does not pass in a test */

static struct fake_transport fake;
static struct transports transports;
static struct fake_log sink;
static struct event_base *loop;
static struct router *router;
static struct ask asks[ASKS];
static char secret_path[] = "/tmp/mvb-router-XXXXXX";

static const struct conf_host host = {"http://db:19530", "10.0.0.1", 19530};
static const struct conf_upstream upstream = {.name = "main",
                                              .uri = "http://db:19530",
                                              .hosts = &host,
                                              .host_count = 1,
                                              .connect_timeout = LONG};
static struct conf_database databases[2];
static const struct conf_rule rules[] = {
    {.number = 1, .allow.classes = ~0U},
    {.number = 2, .allow.classes = ~0U, .credential = {.user = "ro", .password_file = secret_path}},
};
static struct conf conf = {.upstreams = &upstream,
                           .upstream_count = 1,
                           .databases = databases,
                           .database_count = 2,
                           .rules = rules,
                           .rule_count = 2,
                           .schema_cache = {.ttl = LONG, .max_entries = 100},
                           .limits = {.max_message = 1000}};
static struct rule with_none = {.conf = &rules[0]};
static struct rule with_own = {.conf = &rules[1]};

static struct conf_database entry(const char *name, enum conf_credentials credentials)
{
    return (struct conf_database){.name = name,
                                  .upstream_name = name,
                                  .upstream = &upstream,
                                  .pool_size = 1,
                                  .max_in_flight = 8,
                                  .queue_size = 8,
                                  .queue_timeout = LONG,
                                  .default_timeout = LONG,
                                  .max_timeout = LONG,
                                  .credentials = credentials,
                                  .max_credentials = 1};
}

/* "ours" by its own credential, which is none, and rule 2's; "theirs" by rule 2's. */
static void begin(void)
{
    char *error = NULL;
    int file = mkstemp(secret_path);
    cr_assert_eq(write(file, "pw", 2), 2);
    close(file);
    databases[0] = entry("ours", CONF_CREDENTIALS_DAEMON);
    databases[1] = entry("theirs", CONF_CREDENTIALS_CLIENT);
    loop = event_base_new();
    fake_open(&fake);
    transports = (struct transports){.loop = loop, .made = {&fake.transport}};
    fake_log_open(&sink);
    router = router_new(&conf, loop, &transports, &sink.logger, &error);
    cr_assert_not_null(router, "%s", error);
    fake_others_ready(&fake);
}

static void end(void)
{
    for (size_t i = 0; i < ASKS; i++)
        ask_free(&asks[i]);
    router_free(router);
    fake_close(&fake);
    event_base_free(loop);
    unlink(secret_path);
}

TestSuite(router_credentials, .init = begin, .fini = end);

static void submit(size_t at, struct rule *rule, const char *method, const char *database,
                   const char *authorization)
{
    ask_free(&asks[at]);
    ask_text(&asks[at], (struct wire_path){.number = 3}, "c");
    ask_make(&asks[at], method);
    asks[at].request.rule = rule;
    asks[at].request.database = span_text(database);
    asks[at].request.authorization = span_text(authorization);
    router_submit(router, &asks[at].request);
    fake_others_ready(&fake);
}

/* Whether the question went upstream, where it is answered so. */
static bool goes_upstream(struct rule *rule, const char *method, const char *database,
                          const char *authorization, const char *answer)
{
    size_t before = fake.call_count;
    submit(0, rule, method, database, authorization);
    if (fake.call_count == before)
        return false;
    cr_expect_str_eq(strrchr(fake.calls[before].path, '/') + 1, method);
    struct span message = span_text(answer);
    uint8_t bytes[32] = {0x3a, (uint8_t)message.length};
    memcpy(bytes + 2, message.at, message.length);
    fake_reply(&fake, before, span_of(bytes, message.length + 2));
    cr_expect_eq(asks[0].answers, 1);
    return true;
}

static bool describes(struct rule *rule, const char *database, const char *authorization)
{
    return goes_upstream(rule, "DescribeCollection", database, authorization, authorization);
}

Test(router_credentials, what_is_asked_at_the_start)
{
    static const char *const sent[] = {"", "", "cm86cHc=", "cm86cHc=", "cm86cHc=", "cm86cHc="};
    cr_expect_eq(fake.connection_count, 3);
    cr_assert_eq(fake.call_count, 6, "Connect and GetVersion of each");
    for (size_t i = 0; i < 6; i++)
        cr_expect_str_eq(fake.calls[i].authorization, sent[i]);
}

Test(router_credentials, nobody_logs_in_for_a_client)
{
    size_t before = fake.call_count;
    submit(0, &with_none, "Search", "theirs", "a");
    cr_assert_eq(fake.call_count, before + 1);
    cr_expect_str_eq(fake.calls[before].authorization, "a");
    cr_expect(strstr(fake.calls[before].path, "/Search"));
    fake_reply(&fake, before, span_text("r"));
}

/* They say nothing of a login: each is asked of Milvus. */
Test(router_credentials, connect_of_a_client_goes_upstream_each_time)
{
    for (int i = 0; i < 2; i++) {
        cr_expect(goes_upstream(&with_none, "Connect", "theirs", "a", "x"));
        cr_expect_not(
            span_equal(blob_span(fake.calls[fake.call_count - 1].message), span_of(NULL, 0)),
            "the client's own words");
    }
}

Test(router_credentials, what_a_client_shows_goes_nowhere_else)
{
    size_t before = fake.call_count;
    submit(0, &with_none, "Search", "ours", "a");
    submit(1, &with_own, "Search", "ours", "a");
    submit(2, &with_own, "Search", "theirs", "a");
    static const char *const sent[] = {"", "cm86cHc=", "cm86cHc="};
    for (size_t i = 0; i < 3; i++) {
        cr_expect_str_eq(fake.calls[before + i].authorization, sent[i]);
        fake_reply(&fake, before + i, span_text("r"));
    }
}

Test(router_credentials, no_answer_crosses_to_another_rule)
{
    cr_expect(describes(&with_none, "ours", ""));
    cr_expect(describes(&with_own, "ours", ""));
    cr_expect_not(describes(&with_none, "ours", ""));
    cr_expect_not(describes(&with_own, "ours", ""));
}

Test(router_credentials, no_answer_crosses_to_another_client)
{
    databases[1].max_credentials = 2;
    cr_expect(describes(&with_none, "theirs", "a"));
    cr_expect(describes(&with_none, "theirs", "b"));
    cr_expect_not(describes(&with_none, "theirs", "a"));
    cr_expect(memmem(asks[0].reply->data, asks[0].reply->size, "a", 1));
    cr_expect_not(describes(&with_none, "theirs", "b"));
    cr_expect(memmem(asks[0].reply->data, asks[0].reply->size, "b", 1));
    cr_expect(describes(&with_none, "theirs", ""));
}

/* Memory is given out again: with one place, each pool is closed for the next, whose address may be
 * the same; so AddressSanitizer keeps nothing back here, see CMakeLists.txt. */
Test(router_credentials, no_answer_outlives_its_pool)
{
    const struct pool *before[20];
    bool same = false;
    for (size_t i = 0; i < 20; i++) {
        char shown[] = {(char)('a' + i), '\0'};
        cr_expect(describes(&with_none, "theirs", shown), "%s", shown);
        before[i] = asks[0].request.pool;
        for (size_t j = 0; j < i; j++)
            same |= before[i] == before[j];
        event_base_loop(loop, EVLOOP_NONBLOCK);
    }
    cr_expect_eq(fake.connection_count - fake.closed_count, 4);
    cr_expect(same, "no address has come again: this shows nothing");
}

Test(router_credentials, answers_are_forgotten_once_the_credential_is_refused)
{
    cr_expect(describes(&with_none, "theirs", "a"));
    cr_expect_not(describes(&with_none, "theirs", "a"));
    submit(1, &with_none, "Search", "theirs", "a");
    fake_refuse(&fake, fake.call_count - 1, CODE_UNAUTHENTICATED);
    expect_failure(&asks[1], CODE_UNAUTHENTICATED, PHASE_UPSTREAM, "said the server");
    cr_expect(describes(&with_none, "theirs", "a"));
}

/* They wait in the cache for the same answer, and its pool is busy as long. */
Test(router_credentials, pool_of_those_who_wait_is_busy)
{
    for (size_t i = 0; i < 2; i++)
        submit(i, &with_none, "DescribeCollection", "theirs", "a");
    router_end(&asks[0].request, CODE_CANCELLED, "cancelled by the client");
    submit(2, &with_none, "Search", "theirs", "b");
    expect_failure(&asks[2], CODE_RESOURCE_EXHAUSTED, PHASE_ADMISSION, "max_credentials");
    router_drop(&asks[1].request);
    asks[1].request.state = REQUEST_IDLE;
    submit(3, &with_none, "Search", "theirs", "b");
    cr_expect_eq(asks[3].answers, 0);
    fake_reply(&fake, fake.call_count - 1, span_text("r"));
    expect_reply(&asks[3], span_text("r"));
}

Test(router_credentials, own_question_by_a_rule)
{
    size_t before = fake.call_count;
    ask_make(&asks[0], "ListDatabases");
    router_submit_to(router, &databases[1], &rules[1], &asks[0].request);
    ask_make(&asks[1], "ListDatabases");
    router_submit_to(router, &databases[0], &rules[0], &asks[1].request);
    cr_expect_str_eq(fake.calls[before].authorization, "cm86cHc=");
    cr_expect_str_eq(fake.calls[before].database, "theirs");
    cr_expect_str_eq(fake.calls[before + 1].authorization, "");
    cr_expect_str_eq(fake.calls[before + 1].database, "ours");
    for (size_t i = 0; i < 2; i++)
        fake_reply(&fake, before + i, span_text("r"));
}
