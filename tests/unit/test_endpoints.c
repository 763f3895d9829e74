/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "fake_transport.h"
#include "name_server.h"
#include "pool/clock.h"
#include "pool/endpoints.h"

#define LONG  60000 /* ms, a time that does not pass in a test */
#define SHORT 60    /* ms, one that does */

static struct event_base *loop;
static struct fake_log sink;
static struct name_server server;
static struct resolver *resolver;
static struct conf_upstream upstream;
static struct endpoints *endpoints;
static struct endpoints_watcher watcher;
static const struct endpoint *known[64];
static size_t known_count;
static size_t added_count;
static size_t removed_count;
static size_t unknown_count;
static char reason[256];

static const struct conf_host name = {"http://" NAME_SERVER_NAME, NAME_SERVER_NAME, 19530};
static const struct conf_host other_name = {"http://nosuch.example", "nosuch.example", 1};
static const struct conf_host ipv4 = {"http://10.0.0.9:1", "10.0.0.9", 1};
static const struct conf_host ipv6 = {"http://[fd00::9]:1", "fd00::9", 1};

static void added(void *context, const struct endpoint *endpoint)
{
    cr_assert_eq(context, &watcher);
    known[known_count++] = endpoint;
    added_count++;
}

static void removed(void *context, const struct endpoint *endpoint)
{
    cr_assert_eq(context, &watcher);
    size_t at = 0;
    while (known[at] != endpoint)
        cr_assert_lt(++at, known_count, "it was not known");
    known[at] = known[--known_count];
    removed_count++;
}

static void unknown(void *context, const char *why)
{
    cr_assert_eq(context, &watcher);
    cr_expect_eq(known_count, 0);
    unknown_count++;
    snprintf(reason, sizeof(reason), "%s", why);
}

static void begin(void)
{
    loop = event_base_new();
    fake_log_open(&sink);
    name_server_open(&server, loop, "");
    resolver = resolver_new(loop, server.resolv_conf, server.hosts);
    upstream = (struct conf_upstream){.name = "main", .connect_timeout = LONG};
    watcher = (struct endpoints_watcher){
        .added = added, .removed = removed, .unknown = unknown, .context = &watcher};
}

static void end(void)
{
    endpoints_unwatch(&watcher);
    endpoints_free(endpoints);
    resolver_free(resolver);
    name_server_close(&server);
    event_base_free(loop);
}

TestSuite(endpoints, .init = begin, .fini = end);

static void open_all(const struct conf_host *hosts, size_t count, int64_t period)
{
    upstream.uri = hosts->text;
    upstream.hosts = hosts;
    upstream.host_count = count;
    endpoints = endpoints_new(&(struct endpoints_setup){.loop = loop,
                                                        .resolver = resolver,
                                                        .logger = &sink.logger,
                                                        .upstream = &upstream,
                                                        .period = period});
    endpoints_watch(endpoints, &watcher);
}

/* The name's addresses, looked up once. */
static void open_name(int64_t period)
{
    open_all(&name, 1, period);
    cr_expect_eq(known_count, 0);
    run_until(loop, &added_count, 1);
}

/* Those known, in any order, each with a blank behind it. */
static void expect_known(const char *texts)
{
    size_t length = 0;
    for (size_t i = 0; i < known_count; i++) {
        char text[ENDPOINT_TEXT_MAX + 1];
        endpoint_text(known[i], text);
        strcat(text, " ");
        cr_expect(strstr(texts, text), "%s is not in %s", text, texts);
        length += strlen(text);
    }
    cr_expect_eq(length, strlen(texts), "%zu are known, not %s", known_count, texts);
}

/* Of a lookup that somebody needs now. */
static void hurry(size_t *counter)
{
    size_t before = *counter;
    endpoints_hurry(endpoints);
    run_until(loop, counter, before + 1);
}

Test(endpoints, numbers_are_known_at_once)
{
    const struct conf_host hosts[] = {ipv4, ipv6};
    open_all(hosts, 2, SHORT);
    expect_known("10.0.0.9:1 [fd00::9]:1 ");
    endpoints_hurry(endpoints);
    endpoints_down(endpoints, known[0]);
    cr_expect_eq(event_base_get_num_events(loop, EVENT_BASE_COUNT_ADDED), 1,
                 "nothing is waited for but the name server's questions");
}

Test(endpoints, are_all_addresses_of_a_name)
{
    server.ipv4 = "10.0.0.1 10.0.0.2";
    open_name(LONG);
    expect_known("10.0.0.1:19530 10.0.0.2:19530 ");
    cr_expect_str_eq(known[0]->host, NAME_SERVER_NAME);
    cr_expect_eq(server.ipv6_questions, 0);
}

Test(endpoints, are_looked_up_again_in_time)
{
    server.ipv4 = "10.0.0.1 10.0.0.2";
    open_name(SHORT);
    const struct endpoint *second = known[1];
    server.ipv4 = "10.0.0.3 10.0.0.2";
    int64_t start = clock_now();
    run_until(loop, &removed_count, 1);
    cr_expect_geq(clock_now() - start, SHORT - SHORT / 6 - 1);
    expect_known("10.0.0.2:19530 10.0.0.3:19530 ");
    cr_expect(second == known[0] || second == known[1], "the one that stays is the same");
    cr_expect(strstr(sink.text, "upstream main: 10.0.0.1:19530 is no endpoint any more"));
    size_t questions = server.questions;
    run_until(loop, &server.questions, questions + 2);
    cr_expect_eq(added_count, 3, "the same answer changes nothing");
}

Test(endpoints, what_is_known_outlives_a_failure)
{
    server.ipv4 = "10.0.0.1";
    open_name(SHORT);
    server.ipv4 = "";
    size_t questions = server.questions;
    run_until(loop, &server.questions, questions + 3);
    expect_known("10.0.0.1:19530 ");
    const char *line = strstr(sink.text, "upstream main: cannot resolve " NAME_SERVER_NAME ": ");
    cr_assert(line, "%s", sink.text);
    cr_expect_null(strstr(strchr(line, '\n'), "cannot resolve"), "said twice: %s", sink.text);
    cr_expect_eq(unknown_count, 0);
}

Test(endpoints, failure_with_nothing_known_is_told)
{
    open_all(&other_name, 1, SHORT);
    run_until(loop, &unknown_count, 1);
    cr_expect_str_eq(reason, "cannot resolve nosuch.example: there is no such name");
    cr_expect_eq(server.questions, 2, "both families were asked for");
    run_until(loop, &unknown_count, 2);
}

Test(endpoints, what_is_unknown_is_asked_for_sooner)
{
    open_all(&other_name, 1, LONG);
    run_until(loop, &unknown_count, 1);
    int64_t start = clock_now();
    run_until(loop, &unknown_count, 2);
    cr_expect_geq(clock_now() - start, ENDPOINTS_PAUSE - ENDPOINTS_PAUSE / 6 - 1);
}

Test(endpoints, failure_with_another_host_known_is_not)
{
    const struct conf_host hosts[] = {other_name, ipv4};
    open_all(hosts, 2, SHORT);
    run_until(loop, &server.questions, 4);
    cr_expect_eq(unknown_count, 0);
    expect_known("10.0.0.9:1 ");
}

Test(endpoints, lookup_that_takes_too_long_fails)
{
    server.ipv4 = server.ipv6 = NULL;
    upstream.connect_timeout = SHORT;
    int64_t start = clock_now();
    open_all(&name, 1, LONG);
    run_until(loop, &unknown_count, 1);
    cr_expect_geq(clock_now() - start, SHORT - 2);
    cr_expect(strstr(reason, "no name server has answered in time"), "%s", reason);
}

Test(endpoints, name_without_ipv4_is_ipv6)
{
    server.ipv6 = "fd00::1";
    open_name(LONG);
    expect_known("[fd00::1]:19530 ");
    server.ipv6 = "fd00::2";
    server.ipv6_questions = 0;
    size_t questions = server.questions;
    hurry(&removed_count);
    expect_known("[fd00::2]:19530 ");
    cr_expect_eq(server.questions, questions + 1, "only its own family was asked for");
}

Test(endpoints, other_family_is_used_when_all_are_down)
{
    server.ipv4 = "10.0.0.1 10.0.0.2";
    server.ipv6 = "fd00::1";
    open_name(LONG);
    endpoints_down(endpoints, known[0]);
    run_until(loop, &server.questions, 2);
    cr_expect_eq(server.ipv6_questions, 0, "one is up");
    endpoints_down(endpoints, known[1]);
    run_until(loop, &removed_count, 2);
    expect_known("[fd00::1]:19530 ");
    endpoints_down(endpoints, known[0]);
    run_until(loop, &removed_count, 3);
    expect_known("10.0.0.1:19530 10.0.0.2:19530 ");
}

Test(endpoints, one_that_comes_up_again_keeps_the_family)
{
    server.ipv4 = "10.0.0.1";
    server.ipv6 = "fd00::1";
    open_name(LONG);
    endpoints_down(endpoints, known[0]);
    endpoints_up(known[0]);
    run_until(loop, &server.questions, 2);
    hurry(&server.questions);
    cr_expect_eq(server.ipv6_questions, 0);
    expect_known("10.0.0.1:19530 ");
}

Test(endpoints, without_the_other_family_all_stay)
{
    server.ipv4 = "10.0.0.1";
    open_name(LONG);
    endpoints_down(endpoints, known[0]);
    run_until(loop, &server.ipv6_questions, 1);
    hurry(&server.questions);
    expect_known("10.0.0.1:19530 ");
    cr_expect_null(strstr(sink.text, "cannot resolve"), "%s", sink.text);
}

Test(endpoints, hurry_at_once_and_then_after_a_pause)
{
    server.ipv4 = "10.0.0.1";
    open_name(LONG);
    int64_t start = clock_now();
    hurry(&server.questions);
    cr_expect_lt(clock_now() - start, ENDPOINTS_PAUSE);
    for (size_t i = 0; i < 9; i++)
        endpoints_hurry(endpoints);
    run_until(loop, &server.questions, 3);
    cr_expect_geq(clock_now() - start, ENDPOINTS_PAUSE - 1);
    cr_expect_eq(server.questions, 3);
}

Test(endpoints, another_list_keeps_what_is_in_both)
{
    server.ipv4 = "10.0.0.1";
    const struct conf_host hosts[] = {name, ipv4};
    open_all(hosts, 2, LONG);
    run_until(loop, &added_count, 2);
    const struct endpoint *kept = known[0]->port == 19530 ? known[0] : known[1];
    const struct conf_host other[] = {ipv6, name};
    endpoints_set(endpoints, other, 2, "both");
    expect_known("10.0.0.1:19530 [fd00::9]:1 ");
    cr_expect(kept == known[0] || kept == known[1]);
    cr_expect_str_eq(endpoints_uri(endpoints), "both");
    endpoints_set(endpoints, &ipv6, 1, "one");
    expect_known("[fd00::9]:1 ");
    cr_expect_eq(event_base_get_num_events(loop, EVENT_BASE_COUNT_ADDED), 1);
}

Test(endpoints, name_of_another_list_is_looked_up)
{
    server.ipv4 = "10.0.0.1";
    open_all(&ipv4, 1, LONG);
    endpoints_set(endpoints, &name, 1, "name");
    run_until(loop, &added_count, 2);
    expect_known("10.0.0.1:19530 ");
}

Test(endpoints, list_may_change_during_a_lookup)
{
    server.ipv4 = NULL;
    open_all(&name, 1, LONG);
    run_until(loop, &server.questions, 1);
    endpoints_set(endpoints, &ipv4, 1, "number");
    expect_known("10.0.0.9:1 ");
}
