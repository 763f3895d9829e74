/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "conf/compare.h"

#define LISTEN "listen: [{address: 'unix:/a', mode: '0660'}, {address: '127.0.0.1:1'}]\n"
#define UPSTREAMS                                                                                  \
    "upstreams: {main: {uri: 'http://[::1]', keepalive: 20s}, other: {uri: 'https://b'}}\n"
#define DATABASES                                                                                  \
    "databases: {books: {upstream: main, timeouts: {default: 9s, Search: 1s}}, "                   \
    "films: {upstream: main}}\n"
#define REST "limits: {max_clients: 9, http2: {max_pings: 7}}\nlog: {level: debug}\n"

static struct conf *parsed(const char *text)
{
    struct conf *conf = NULL;
    struct conf_faults faults;
    int result = conf_parse("c", text, strlen(text), &conf, &faults);
    cr_assert_eq(result, 0, "%s: %s", text, result ? faults.items[0].text : "");
    conf_faults_free(&faults);
    return conf;
}

static void note(void *context, const char *name)
{
    sprintf((char *)context + strlen(context), "%s;", name);
}

static void expect_difference(const char *text, const char *names)
{
    char found[4096] = "";
    struct conf *running = parsed(LISTEN UPSTREAMS DATABASES REST);
    struct conf *read = parsed(text);
    conf_compare(running, read, note, found);
    cr_expect_str_eq(found, names, "%s", text);
    conf_free(running);
    conf_free(read);
}

Test(compare, same_is_no_difference)
{
    expect_difference(LISTEN UPSTREAMS DATABASES REST, "");
}

Test(compare, names_what_differs)
{
    expect_difference(
        "listen: [{address: 'unix:/a', mode: '0600'}, {address: '127.0.0.1:1'}]\n" UPSTREAMS
            DATABASES REST,
        "listen;");
    expect_difference(UPSTREAMS DATABASES REST, "listen;");
    expect_difference(LISTEN UPSTREAMS DATABASES "limits: {max_clients: 9}\n",
                      "limits.http2.max_pings;log.level;");
    expect_difference(LISTEN UPSTREAMS DATABASES REST "schema_cache: {ttl: 1s}\n",
                      "schema_cache.ttl;");
}

Test(compare, other_uris_are_no_difference)
{
    expect_difference(
        LISTEN
        "upstreams: {main: {uri: ['http://c', 'http://d'], allow_plaintext: true, keepalive: 20s}, "
        "other: {uri: 'http://localhost'}}\n" DATABASES REST,
        "upstreams.other.uri;");
}

Test(compare, of_upstreams)
{
    expect_difference(LISTEN "upstreams: {main: {uri: 'http://[::1]', server_lifetime: 1m}, "
                             "new: {uri: 'https://b'}}\n" DATABASES REST,
                      "upstreams.main.keepalive;upstreams.main.server_lifetime;upstreams.other;"
                      "upstreams.new;");
}

Test(compare, of_access)
{
#define RULES(rule) LISTEN UPSTREAMS DATABASES REST "access: [{match: {uid: 1}, " rule "}]\n"
    static const char *const others[] = {
        "allow: [read, write]",
        "allow: [read, Search]",
        "allow: read, databases: books",
        "allow: read, read_only: true",
        "allow: read, limits: {max_clients: 1}",
        "allow: read, max_timeout: 1s",
        "allow: read, token_file: /dev/null",
        "allow: read, user: u, password_file: /dev/null",
    };
    struct conf *running = parsed(RULES("allow: read"));
    char found[4096] = "";
    struct conf *same = parsed(RULES("allow: [read], databases: '*'"));
    conf_compare(running, same, note, found);
    cr_expect_str_eq(found, "");
    conf_free(same);
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        char text[4096];
        snprintf(text, sizeof(text), RULES("%s"), others[i]);
        struct conf *read = parsed(text);
        *found = '\0';
        conf_compare(running, read, note, found);
        cr_expect_str_eq(found, "access;", "%s", others[i]);
        conf_free(read);
    }
    expect_difference(RULES("allow: read"), "access;");
    conf_free(running);
}

/* What a database has from its upstream is told of there. */
Test(compare, of_credentials)
{
    expect_difference(LISTEN
                      "upstreams: {main: {uri: 'http://[::1]', keepalive: 20s, user: u, "
                      "password_file: /dev/null}, other: {uri: 'https://b'}}\n" DATABASES REST,
                      "upstreams.main.user;upstreams.main.password_file;");
    expect_difference(LISTEN UPSTREAMS
                      "databases: {books: {upstream: main, timeouts: {default: 9s, Search: 1s}}, "
                      "films: {upstream: main, token_file: /dev/null}}\n" REST,
                      "databases.films.token_file;");
    expect_difference(LISTEN UPSTREAMS
                      "databases: {books: {upstream: main, timeouts: {default: 9s, Search: 1s}}, "
                      "films: {upstream: main, credentials: client, max_credentials: 5}}\n" REST,
                      "databases.films.credentials;databases.films.max_credentials;");
}

Test(compare, of_databases)
{
    expect_difference(LISTEN UPSTREAMS
                      "databases: {books: {upstream: other, name: b, timeouts: {default: 8s, "
                      "Search: 2s, Query: 1s}}, films: {upstream: main, queue_size: 0}, "
                      "'*': {upstream: main}}\n" REST,
                      "databases.books.upstream;databases.books.name;"
                      "databases.books.timeouts.default;databases.books.timeouts.Search;"
                      "databases.books.timeouts.Query;databases.films.queue_size;databases.*;");
}
