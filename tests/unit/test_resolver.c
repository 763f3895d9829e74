/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "fake_transport.h"
#include "name_server.h"
#include "pool/clock.h"
#include "pool/resolver.h"

#define LONG  60000 /* ms, a time that does not pass in a test */
#define SHORT 30    /* ms, one that does */

static struct event_base *loop;
static struct name_server server;
static struct resolver *resolver;
static size_t ends;
static char found_text[1024]; /* "127.0.0.1:19530 " each */
static char error_text[256];

static void begin(void)
{
    loop = event_base_new();
    name_server_open(&server, loop, "127.0.0.7 inhosts\n::7 inhosts both\n127.0.0.8 both\n");
    resolver = resolver_new(loop, server.resolv_conf, server.hosts);
}

static void end(void)
{
    resolver_free(resolver);
    name_server_close(&server);
    event_base_free(loop);
}

TestSuite(resolver, .init = begin, .fini = end);

static void done(void *context, const struct addrinfo *found, const char *error)
{
    (void)context;
    ends++;
    *found_text = *error_text = '\0';
    cr_assert_eq(!found, !!error);
    if (error)
        strcpy(error_text, error);
    for (; found; found = found->ai_next) {
        struct endpoint endpoint = {.length = found->ai_addrlen};
        char text[ENDPOINT_TEXT_MAX];
        memcpy(&endpoint.address, found->ai_addr, found->ai_addrlen);
        endpoint.port = ntohs(((struct sockaddr_in *)&endpoint.address)->sin_port);
        endpoint_text(&endpoint, text);
        sprintf(found_text + strlen(found_text), "%s ", text);
    }
}

static struct lookup *ask(const char *name, int family, int64_t timeout)
{
    return resolver_look_up(resolver, name, 19530, family, timeout, done, NULL);
}

static void expect_end(const char *name, int family, int64_t timeout, const char *found,
                       const char *error)
{
    size_t before = ends;
    ask(name, family, timeout);
    cr_expect_eq(ends, before, "never from within");
    run_until(loop, &ends, before + 1);
    cr_expect_str_eq(found_text, found, "%s: %s", name, error_text);
    cr_expect(strstr(error_text, error), "%s: %s", name, error_text);
}

Test(resolver, finds_what_the_server_says)
{
    server.ipv4 = "10.0.0.1 10.0.0.2";
    server.ipv6 = "fd00::1";
    expect_end(NAME_SERVER_NAME, AF_INET, LONG, "10.0.0.1:19530 10.0.0.2:19530 ", "");
    expect_end(NAME_SERVER_NAME, AF_INET6, LONG, "[fd00::1]:19530 ", "");
}

Test(resolver, finds_what_the_hosts_file_says)
{
    expect_end("inhosts", AF_INET, LONG, "127.0.0.7:19530 ", "");
    expect_end("both", AF_INET6, LONG, "[::7]:19530 ", "");
    cr_expect_eq(server.questions, 0);
}

Test(resolver, reads_its_files_anew)
{
    FILE *file = fopen(server.hosts, "w");
    fputs("10.1.1.1 inhosts\n", file);
    fclose(file);
    expect_end("inhosts", AF_INET, LONG, "10.1.1.1:19530 ", "");
    expect_end("inhosts", AF_INET6, LONG, "", "the hosts file has no such address");
}

Test(resolver, says_why_there_is_none)
{
    expect_end("nosuch.example", AF_INET, LONG, "", "there is no such name");
    expect_end(NAME_SERVER_NAME, AF_INET, LONG, "", "the name has no address");
}

Test(resolver, answer_that_was_cut_is_none)
{
    server.ipv4 = "10.0.0.1";
    server.cut = true;
    expect_end(NAME_SERVER_NAME, AF_INET, LONG, "", "no name server has answered");
}

Test(resolver, gives_up_in_time)
{
    server.ipv4 = NULL;
    int64_t start = clock_now();
    expect_end(NAME_SERVER_NAME, AF_INET, SHORT, "", "no name server has answered in time");
    cr_expect_geq(clock_now() - start, SHORT - 1);
    cr_expect_eq(server.questions, 1);
}

Test(resolver, without_files_it_asks_the_machine_itself)
{
    resolver_free(resolver);
    resolver = resolver_new(loop, "/nonexistent/resolv.conf", "/nonexistent/hosts");
    expect_end("localhost", AF_INET, LONG, "127.0.0.1:19530 ", "");
    expect_end("nosuch.example", AF_INET, SHORT, "", "no name server has answered");
}

Test(resolver, cancelled_lookup_tells_nothing)
{
    server.ipv4 = NULL;
    lookup_cancel(ask(NAME_SERVER_NAME, AF_INET, LONG));
    lookup_cancel(ask("inhosts", AF_INET, LONG));
    lookup_cancel(NULL);
    expect_end("inhosts", AF_INET, LONG, "127.0.0.7:19530 ", "");
    cr_expect_eq(ends, 1);
}

Test(resolver, may_be_freed_with_cancelled_lookups)
{
    server.ipv4 = NULL;
    lookup_cancel(ask(NAME_SERVER_NAME, AF_INET, LONG));
    struct lookup *asked = ask(NAME_SERVER_NAME, AF_INET, LONG);
    run_until(loop, &server.questions, 1);
    lookup_cancel(asked);
    resolver_free(resolver);
    resolver = NULL;
    cr_expect_eq(ends, 0);
}
