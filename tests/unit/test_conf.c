/* SPDX-License-Identifier: Apache-2.0 */
/* What a right configuration becomes. What a wrong one is told stands in test_conf_faults.c. */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"
#include "conf/schema.h"

static char folder[] = "/tmp/mvb-conf-XXXXXX";
static const char *const files[] = {"app.token",  "analytics.password", "ca.pem",
                                    "client.pem", "client.key",         "conf.yaml"};

static void put(const char *name, const char *text, size_t length)
{
    FILE *file = fopen(name, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(text, 1, length, file), length);
    fclose(file);
}

static void enter(void)
{
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
    umask(027); /* secrets are not for others */
    unsetenv("CREDENTIALS_DIRECTORY");
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
        put(files[i], "x", 1);
}

static void leave(void)
{
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
        unlink(files[i]);
    cr_expect_eq(rmdir(folder), 0);
}

TestSuite(conf, .init = enter, .fini = leave);

/* Exactly one of a conf and faults has come; ends the test otherwise. */
static struct conf *expect_conf(int result, struct conf *conf, struct conf_faults *faults)
{
    if (result != 0)
        conf_faults_print(faults, "conf.yaml", stderr);
    cr_assert_eq(result, 0);
    cr_assert_eq(faults->count, 0);
    conf_faults_free(faults);
    return conf;
}

static struct conf *parsed(const char *text)
{
    struct conf *conf = NULL;
    struct conf_faults faults;
    int result = conf_parse("conf.yaml", text, strlen(text), &conf, &faults);
    return expect_conf(result, conf, &faults);
}

#define UPSTREAMS "upstreams: {main: {uri: 'http://localhost'}}\n"
#define DATABASES "databases: {'*': {upstream: main}}\n"

static const char *const rate_keys[] = {
#define X(name, key, what, renewed) [H2_RATE_##name] = (key),
    H2_RATES(X)
#undef X
};

static void expect_http2(const struct h2_limits *got, const struct h2_limits *wanted)
{
    cr_expect_eq(got->max_streams, wanted->max_streams);
    cr_expect_eq(got->max_header_list, wanted->max_header_list);
    cr_expect_eq(got->max_continuations, wanted->max_continuations);
    cr_expect_eq(got->stream_window, wanted->stream_window);
    cr_expect_eq(got->max_buffered, wanted->max_buffered);
    for (int i = 0; i < H2_RATE_COUNT; i++)
        cr_expect_eq(got->rates[i], wanted->rates[i], "%s: %u", rate_keys[i], got->rates[i]);
}

Test(conf, fills_in_defaults)
{
    struct conf *conf = parsed(UPSTREAMS DATABASES);
    cr_assert_eq(conf->listener_count, 1);
    cr_expect_str_eq(conf->listeners->address.text, "unix:/run/milvus-bouncer/milvus.sock");
    cr_expect_eq(conf->listeners->mode, CONF_MODE_UNSET);
    cr_expect_eq(conf->listeners->gid, (gid_t)-1);
    cr_expect_null(conf->listeners->group);
    cr_expect_str_eq(conf->listeners->database, "default");
    cr_expect_eq(conf->listeners->protocols, CONF_PROTOCOL_ALL);

    cr_assert_eq(conf->upstream_count, 1);
    const struct conf_upstream *upstream = conf->upstreams;
    cr_expect_str_eq(upstream->name, "main");
    cr_expect_str_eq(upstream->uri, "http://localhost");
    cr_assert_eq(upstream->host_count, 1);
    cr_expect_str_eq(upstream->hosts->text, "http://localhost");
    cr_expect_str_eq(upstream->hosts->host, "localhost");
    cr_expect_eq(upstream->hosts->port, 19530);
    cr_expect_not(upstream->secure);
    cr_expect_null(upstream->credential.token_file);
    cr_expect_null(upstream->tls.ca_file);
    cr_expect_eq(upstream->connect_timeout, 10000);
    cr_expect_eq(upstream->keepalive, 30000);
    cr_expect_eq(upstream->server_lifetime, 3600000);
    cr_expect_eq(upstream->server_idle_timeout, 0);

    cr_assert_eq(conf->database_count, 1);
    const struct conf_database *database = conf->databases;
    cr_expect_str_eq(database->name, "*");
    cr_expect_null(database->upstream_name);
    cr_expect_eq(database->upstream, upstream);
    cr_expect_eq(database->pool_size, 2);
    cr_expect_eq(database->max_in_flight, 256);
    cr_expect_eq(database->queue_size, 1024);
    cr_expect_eq(database->queue_timeout, 30000);
    cr_expect_eq(database->default_timeout, 30000);
    cr_expect_eq(database->max_timeout, 300000);
    cr_expect_eq(database->method_timeout_count, 0);
    cr_expect_not(database->own_credential);

    cr_expect_eq(conf->schema_cache.ttl, 60000);
    cr_expect_eq(conf->schema_cache.max_entries, 4096);
    cr_expect_eq(conf->limits.max_clients, 10000);
    cr_expect_eq(conf->limits.max_message, 64 << 20);
    cr_expect_eq(conf->limits.frame_timeout, 30000);
    cr_expect_eq(conf->limits.stall_timeout, 60000);
    expect_http2(&conf->limits.http2,
                 &(struct h2_limits){.max_streams = 1000,
                                     .max_header_list = 32 << 10,
                                     .max_continuations = 8,
                                     .stream_window = 64 << 10,
                                     .max_buffered = 64 << 20,
                                     .rates = {[H2_RATE_PINGS] = 600,
                                               [H2_RATE_SETTINGS] = 60,
                                               [H2_RATE_PRIORITIES] = 600,
                                               [H2_RATE_EMPTY_FRAMES] = 600,
                                               [H2_RATE_WINDOW_UPDATES] = 60000,
                                               [H2_RATE_RESETS] = 12000,
                                               [H2_RATE_STREAM_ERRORS] = 600}});
    cr_expect_eq(conf->limits.http.max_header, 32 << 10);
    cr_expect_eq(conf->limits.http.max_pipelined, 64 << 10);
    cr_expect_eq(conf->log.level, LOG_INFO);
    cr_expect_eq(conf->log.format, LOG_TEXT);
    conf_free(conf);
}

/* The example as it is shipped, with the files that it names beside it. */
static struct conf *load_example(void)
{
    static char text[65536];
    FILE *file = fopen(MVB_SOURCE "/conf/milvus-bouncer.yaml", "rb");
    cr_assert_not_null(file);
    size_t length = fread(text, 1, sizeof(text), file);
    fclose(file);
    put("conf.yaml", text, length);
    struct conf *conf = NULL;
    struct conf_faults faults;
    int result = conf_load("./conf.yaml", &conf, &faults);
    return expect_conf(result, conf, &faults);
}

Test(conf, reads_the_example)
{
    struct conf *conf = load_example();
    cr_assert_eq(conf->listener_count, 2);
    cr_expect_eq(conf->listeners[0].mode, 0660);
    cr_expect_eq(conf->listeners[0].protocols, CONF_PROTOCOL_ALL);
    cr_expect_str_eq(conf->listeners[1].database, "analytics");
    cr_expect_eq(conf->listeners[1].mode, CONF_MODE_UNSET);
    cr_assert_eq(conf->upstream_count, 1);
    cr_expect(conf->upstreams->secure);
    cr_expect_str_eq(conf->upstreams->credential.token_file, "./app.token");
    cr_assert_eq(conf->database_count, 2);

    const struct conf_database *analytics = &conf->databases[0];
    cr_expect_str_eq(analytics->upstream_name, "analytics_v2");
    cr_expect(analytics->own_credential);
    cr_expect_str_eq(analytics->credential.user, "analytics_ro");
    cr_expect_str_eq(analytics->credential.password_file, "./analytics.password");
    cr_expect_null(analytics->credential.token_file);
    cr_assert_eq(analytics->method_timeout_count, 2);
    cr_expect_str_eq(analytics->method_timeouts[0].method, "Search");
    cr_expect_eq(analytics->method_timeouts[0].timeout, 2000);
    cr_expect_str_eq(analytics->method_timeouts[1].method, "Insert");

    const struct conf_database *any = &conf->databases[1];
    cr_expect_not(any->own_credential);
    cr_expect_str_eq(any->credential.token_file, "./app.token");
    cr_expect_eq(any->credential.column, 17);
    conf_free(conf);
}

/* It says that the values shown are the defaults. */
Test(conf, shows_the_default_limits_in_the_example)
{
    struct conf *example = load_example();
    struct conf *defaults = parsed(UPSTREAMS DATABASES);
    cr_expect_eq(example->limits.max_clients, defaults->limits.max_clients);
    cr_expect_eq(example->limits.max_message, defaults->limits.max_message);
    cr_expect_eq(example->limits.frame_timeout, defaults->limits.frame_timeout);
    cr_expect_eq(example->limits.stall_timeout, defaults->limits.stall_timeout);
    expect_http2(&example->limits.http2, &defaults->limits.http2);
    conf_free(example);
    conf_free(defaults);
}

Test(conf, takes_both_ends_of_each_range)
{
    static const char *const ends[] = {
        "pool_size: 1",
        "pool_size: 1024",
        "max_in_flight: 1",
        "max_in_flight: 65536",
        "queue_size: 0",
        "queue_size: 1048576",
        "queue_timeout: 1ms",
        "queue_timeout: 24h",
        "max_timeout: 1ms",
        "max_timeout: 24h",
        "timeouts: {default: 1ms, Flush: 1ms, Search: 5m}",
        "timeouts: {default: 5m}",
        "timeouts: {}",
    };
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
        char text[256];
        snprintf(text, sizeof(text), UPSTREAMS "databases: {a: {upstream: main, %s}}\n", ends[i]);
        conf_free(parsed(text));
    }
    static const char *const tops[] = {
        "schema_cache: {ttl: 0, max_entries: 0}",
        "schema_cache: {ttl: 24h, max_entries: 1048576}",
        "limits: {max_clients: 1, max_message: 1KiB, frame_timeout: 100ms}",
        "limits: {max_clients: 1048576, max_message: 1GiB, frame_timeout: 1h}",
        "limits: {stall_timeout: 100ms}",
        "limits: {stall_timeout: 1h}",
        "limits: {http2: {}}",
        "log: {level: error, format: json}",
        "log: {level: debug}",
        "limits: {}",
    };
    for (size_t i = 0; i < sizeof(tops) / sizeof(*tops); i++) {
        char text[256];
        snprintf(text, sizeof(text), UPSTREAMS DATABASES "%s\n", tops[i]);
        conf_free(parsed(text));
    }
}

static struct conf *parsed_limits(const char *limits)
{
    char text[512];
    snprintf(text, sizeof(text), UPSTREAMS DATABASES "limits: {%s}\n", limits);
    return parsed(text);
}

Test(conf, takes_both_ends_of_each_limit_of_http2)
{
    struct conf *conf = parsed_limits(
        "max_message: 1KiB, http2: {max_streams: 1, max_header_list: 4KiB, max_continuations: 0,"
        " stream_window: 64KiB, max_buffered: 1MiB}");
    cr_expect_eq(conf->limits.http2.max_streams, 1);
    cr_expect_eq(conf->limits.http2.max_header_list, 4 << 10);
    cr_expect_eq(conf->limits.http2.max_continuations, 0);
    cr_expect_eq(conf->limits.http2.stream_window, 64 << 10);
    cr_expect_eq(conf->limits.http2.max_buffered, 1 << 20);
    conf_free(conf);
    conf = parsed_limits("http2: {max_streams: 65536, max_header_list: 1MiB,"
                         " max_continuations: 1024, stream_window: 64MiB, max_buffered: 1GiB}");
    cr_expect_eq(conf->limits.http2.max_streams, 65536);
    cr_expect_eq(conf->limits.http2.max_header_list, 1 << 20);
    cr_expect_eq(conf->limits.http2.max_continuations, 1024);
    cr_expect_eq(conf->limits.http2.stream_window, 64 << 20);
    cr_expect_eq(conf->limits.http2.max_buffered, 1 << 30);
    conf_free(conf);
}

/* Each key has a field of its own, and both ends of its range. */
Test(conf, takes_both_ends_of_each_limit_of_http)
{
    struct conf *conf = parsed_limits("http: {max_header: 1KiB, max_pipelined: 1KiB}");
    cr_expect_eq(conf->limits.http.max_header, 1 << 10);
    cr_expect_eq(conf->limits.http.max_pipelined, 1 << 10);
    conf_free(conf);
    conf = parsed_limits("http: {max_header: 64KiB, max_pipelined: 16MiB}");
    cr_expect_eq(conf->limits.http.max_header, 64 << 10);
    cr_expect_eq(conf->limits.http.max_pipelined, 16 << 20);
    conf_free(conf);
}

Test(conf, takes_each_rate_of_http2)
{
    struct conf *defaults = parsed(UPSTREAMS DATABASES);
    static const uint32_t values[] = {1, 10000000};
    for (int i = 0; i < 2 * H2_RATE_COUNT; i++) {
        enum h2_rate rate = (enum h2_rate)(i / 2);
        char text[64];
        snprintf(text, sizeof(text), "http2: {%s: %u}", rate_keys[rate], values[i % 2]);
        struct conf *conf = parsed_limits(text);
        struct h2_limits wanted = defaults->limits.http2;
        wanted.rates[rate] = values[i % 2];
        expect_http2(&conf->limits.http2, &wanted);
        conf_free(conf);
    }
    conf_free(defaults);
}

Test(conf, has_room_for_a_whole_message)
{
    static const struct {
        const char *limits;
        uint32_t room;
    } cases[] = {
        {"max_message: 1GiB", 1 << 30},
        {"max_message: 8MiB, http2: {max_buffered: 7MiB}", 8 << 20},
        {"max_message: 8MiB, http2: {max_buffered: 8MiB}", 8 << 20},
        {"max_message: 8MiB, http2: {max_buffered: 9MiB}", 9 << 20},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct conf *conf = parsed_limits(cases[i].limits);
        cr_expect_eq(conf->limits.http2.max_buffered, cases[i].room, "%s", cases[i].limits);
        conf_free(conf);
    }
}

Test(conf, caps_the_timeout_nobody_wrote)
{
    struct conf *conf = parsed(UPSTREAMS "databases: {a: {upstream: main, max_timeout: 10s}}\n");
    cr_expect_eq(conf->databases->default_timeout, 10000);
    cr_expect_str_eq(conf->databases->upstream_name, "a");
    conf_free(conf);
}

static void expect_merge(const char *text, struct conf_merge wanted)
{
    char file[512];
    snprintf(file, sizeof(file), UPSTREAMS "databases: {a: {upstream: main%s}}\n", text);
    struct conf *conf = parsed(file);
    const struct conf_merge *got = &conf->databases->merge;
    cr_expect_eq(got->searches, wanted.searches, "%s", text);
    cr_expect_eq(got->identical, wanted.identical, "%s", text);
    cr_expect_eq(got->calls, wanted.calls, "%s", text);
    cr_expect_eq(got->max_calls, wanted.max_calls, "%s", text);
    cr_expect_eq(got->max_vectors, wanted.max_vectors, "%s", text);
    cr_expect_eq(got->max_results, wanted.max_results, "%s", text);
    cr_expect_eq(got->max_bytes, wanted.max_bytes, "%s", text);
    conf_free(conf);
}

Test(conf, reads_merge_as_a_word_or_keys)
{
    struct conf_merge on = {CONF_ON, CONF_OFF, 0, 8, 128, 65536, 4 << 20};
    struct conf_merge off = on;
    off.searches = CONF_OFF;
    expect_merge("", on);
    expect_merge(", merge: on", on);
    expect_merge(", merge: \"on\"", on);
    expect_merge(", merge: {}", on);
    expect_merge(", merge: off", off);
    expect_merge(
        ", merge: {searches: off, identical: on, calls: 1024, max_calls: 1, max_vectors: 1,"
        " max_results: 268435456, max_bytes: 1KiB}",
        (struct conf_merge){CONF_OFF, CONF_ON, 1024, 1, 1, 1 << 28, 1 << 10});
}

Test(conf, makes_no_message_that_it_would_not_take)
{
    struct conf *conf = parsed(UPSTREAMS DATABASES "limits: {max_message: 7MiB}\n");
    cr_expect_eq(conf->databases->merge.max_bytes, 7 << 19);
    conf_free(conf);
    conf = parsed(UPSTREAMS DATABASES "limits: {max_message: 8MiB}\n");
    cr_expect_eq(conf->databases->merge.max_bytes, 4 << 20);
    conf_free(conf);
}

Test(conf, reads_tls_and_one_uri_in_a_list)
{
    struct conf *conf = parsed("upstreams: {main: {uri: ['https://h'], keepalive: 10s,"
                               " tls: {ca_file: ca.pem, cert_file: client.pem,"
                               " key_file: client.key, server_name: n}}}\n" DATABASES);
    cr_assert_eq(conf->upstreams->host_count, 1);
    cr_expect_eq(conf->upstreams->hosts->port, 443);
    cr_expect(conf->upstreams->secure);
    cr_expect_str_eq(conf->upstreams->uri, "https://h");
    cr_expect_str_eq(conf->upstreams->tls.ca_file, "ca.pem");
    cr_expect_str_eq(conf->upstreams->tls.cert_file, "client.pem");
    cr_expect_str_eq(conf->upstreams->tls.key_file, "client.key");
    cr_expect_str_eq(conf->upstreams->tls.server_name, "n");
    conf_free(conf);
}

Test(conf, reads_a_list_of_uris)
{
    struct conf *conf = parsed("upstreams: {main: {uri: ['http://a', 'http://a:1', 'http://[::1]'],"
                               " allow_plaintext: true,"
                               " server_lifetime: 0, server_idle_timeout: 24h}}\n" DATABASES);
    const struct conf_upstream *upstream = conf->upstreams;
    cr_assert_eq(upstream->host_count, 3);
    cr_expect_str_eq(upstream->uri, "http://a, http://a:1, http://[::1]");
    cr_expect_str_eq(upstream->hosts[1].text, "http://a:1");
    cr_expect_str_eq(upstream->hosts[1].host, "a");
    cr_expect_eq(upstream->hosts[1].port, 1);
    cr_expect_str_eq(upstream->hosts[2].host, "::1");
    cr_expect_eq(upstream->hosts[2].port, 19530);
    cr_expect_not(upstream->secure);
    cr_expect_eq(upstream->server_lifetime, 0);
    cr_expect_eq(upstream->server_idle_timeout, 86400000);
    conf_free(conf);
}

/* A list of so many uris, of 21 bytes each with what joins them. */
static struct conf *with_uris(int count)
{
    char text[4096] = "upstreams: {main: {uri: [";
    for (int i = 0; i < count; i++)
        sprintf(text + strlen(text), "'http://127.0.0.1:%d'%s", 10 + i, i < count - 1 ? "," : "");
    strcat(text, "]}}\n" DATABASES);
    return parsed(text);
}

Test(conf, takes_as_many_uris_as_it_says)
{
    struct conf *conf = with_uris(CONF_HOSTS_MAX);
    cr_expect_eq(conf->upstreams->host_count, CONF_HOSTS_MAX);
    conf_free(conf);
}

Test(conf, cuts_the_text_of_a_long_list)
{
    struct conf *fits = with_uris((CONF_URI_TEXT_MAX + 2) / 21);
    struct conf *cut = with_uris((CONF_URI_TEXT_MAX + 2) / 21 + 1);
    size_t length = strlen(fits->upstreams->uri);
    cr_expect_null(strstr(fits->upstreams->uri, "..."), "%s", fits->upstreams->uri);
    cr_expect_eq(strncmp(fits->upstreams->uri, cut->upstreams->uri, length), 0);
    cr_expect_str_eq(cut->upstreams->uri + length, ", ...");
    conf_free(fits);
    conf_free(cut);
}

Test(conf, reads_listeners)
{
    struct conf *conf =
        parsed(UPSTREAMS DATABASES "listen:\n"
                                   "- {address: 'unix:/a', mode: 0600, group: root}\n"
                                   "- {address: '[::1]:1', protocols: [plain], database: d}\n"
                                   "- {address: 127.0.0.1:0, protocols: [grpc]}\n"
                                   "- {address: 127.0.0.1:0, protocols: [http, plain]}\n");
    cr_assert_eq(conf->listener_count, 4);
    cr_expect_eq(conf->listeners[0].mode, 0600);
    cr_expect_str_eq(conf->listeners[0].group, "root");
    cr_expect_eq(conf->listeners[0].gid, 0);
    cr_expect_eq(conf->listeners[1].gid, (gid_t)-1);
    cr_expect_str_eq(conf->listeners[1].database, "d");
    cr_expect_eq(conf->listeners[0].protocols, CONF_PROTOCOL_ALL);
    cr_expect_eq(conf->listeners[1].protocols, CONF_PROTOCOL_PLAIN);
    cr_expect_eq(conf->listeners[2].protocols, CONF_PROTOCOL_GRPC);
    cr_expect_eq(conf->listeners[3].protocols, CONF_PROTOCOL_PLAIN | CONF_PROTOCOL_HTTP);
    conf_free(conf);
}

Test(conf, looks_for_secrets_in_the_credentials_directory)
{
    char path[sizeof(folder) + sizeof("/client.key")];
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    struct conf *conf = NULL;
    struct conf_faults faults;
    const char *text = "upstreams: {main: {uri: 'https://h', token_file: app.token,"
                       " tls: {ca_file: ../ca.pem}}}\n" DATABASES;
    char config[sizeof(folder) + sizeof("/sub/c.yaml")];
    snprintf(config, sizeof(config), "%s/sub/c.yaml", folder);
    cr_assert_eq(mkdir("sub", 0700), 0);
    int result = conf_parse(config, text, strlen(text), &conf, &faults);
    rmdir("sub");
    expect_conf(result, conf, &faults);
    snprintf(path, sizeof(path), "%s/app.token", folder);
    cr_expect_str_eq(conf->upstreams->credential.token_file, path);
    cr_expect(strstr(conf->upstreams->tls.ca_file, "/sub/../ca.pem"));
    conf_free(conf);
}

Test(conf, comes_from_arguments)
{
    const char *const listen[] = {"127.0.0.1:0", "unix:/a"};
    struct conf *conf = NULL;
    struct conf_faults faults;
    int result = conf_from_arguments("http://h:1", "app.token", true, listen, 2, &conf, &faults);
    expect_conf(result, conf, &faults);
    cr_assert_eq(conf->listener_count, 2);
    cr_expect_str_eq(conf->upstreams->name, "main");
    cr_expect_str_eq(conf->databases->name, "*");
    cr_expect_str_eq(conf->databases->credential.token_file, "app.token");
    cr_expect_eq(conf->listeners[1].protocols, CONF_PROTOCOL_ALL);
    struct conf *defaults = parsed(UPSTREAMS DATABASES);
    cr_expect_eq(conf->limits.stall_timeout, defaults->limits.stall_timeout);
    expect_http2(&conf->limits.http2, &defaults->limits.http2);
    conf_free(defaults);
    conf_free(conf);

    result = conf_from_arguments("http://127.0.0.1:1", NULL, false, NULL, 0, &conf, &faults);
    expect_conf(result, conf, &faults);
    cr_expect_str_eq(conf->listeners->address.text, "unix:/run/milvus-bouncer/milvus.sock");
    cr_expect_eq(conf->listeners->protocols, CONF_PROTOCOL_ALL);
    conf_free(conf);
    conf_free(NULL);
    conf_faults_free(NULL);
}

/* The key's row in its table ends with the default, bare or as code; a remark may follow. */
static void expect_default(const struct schema_key *key, const char *page)
{
    char start[64];
    snprintf(start, sizeof(start), "\n| `%s` |", key->name);
    const char *row = strstr(page, start);
    cr_assert(row, "docs/configuration.md has no row that opens with `%s`", key->name);
    const char *cell = strchr(row + 1, '\n') - strlen(" |");
    while (cell[-2] != '|')
        cell--;
    if (*cell == '`')
        cell++;
    size_t length = strlen(key->fallback);
    cr_expect(strncmp(cell, key->fallback, length) == 0 && strspn(cell + length, " ,`") > 0,
              "docs/configuration.md does not say of `%s` that %s is the default", key->name,
              key->fallback);
}

static void expect_in_pages(const struct schema_section *section, const char *page)
{
    for (size_t i = 0; i < section->count; i++) {
        const struct schema_key *key = &section->keys[i];
        char name[64];
        snprintf(name, sizeof(name), "`%s`", key->name);
        if (schema_is_taken(key))
            cr_expect(strstr(page, name), "docs/configuration.md lacks %s", name);
        if (key->section)
            expect_in_pages(key->section, page);
        if (key->fallback)
            expect_default(key, page);
    }
}

Test(conf, has_every_key_in_the_documentation)
{
    static char page[65536];
    FILE *file = fopen(MVB_SOURCE "/docs/configuration.md", "rb");
    cr_assert_not_null(file);
    cr_assert_gt(fread(page, 1, sizeof(page) - 1, file), 0);
    fclose(file);
    expect_in_pages(&schema_file, page);
}
