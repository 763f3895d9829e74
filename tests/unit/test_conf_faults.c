/* SPDX-License-Identifier: Apache-2.0 */
/* What a wrong configuration is told: each fault with its place, and nothing of a secret. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"
#include "conf/faults.h"

static char folder[] = "/tmp/mvb-faults-XXXXXX";

static void enter(void)
{
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
    umask(027); /* secrets are not for others */
    unsetenv("CREDENTIALS_DIRECTORY");
    fclose(fopen("file", "w"));
}

static void leave(void)
{
    unlink("file");
    cr_expect_eq(rmdir(folder), 0);
}

TestSuite(conf_faults, .init = enter, .fini = leave);

static char *print(struct conf_faults *faults)
{
    char *text;
    size_t length;
    FILE *stream = open_memstream(&text, &length);
    conf_faults_print(faults, "c", stream);
    fclose(stream);
    conf_faults_free(faults);
    return text;
}

/* The faults of the text, as they are printed. To be freed. */
static char *faults_of(const char *text, size_t length)
{
    struct conf *conf = NULL;
    struct conf_faults faults;
    int result = conf_parse("c", text, length, &conf, &faults);
    cr_expect_eq(result, faults.count > 0 ? -1 : 0);
    cr_expect_eq(conf == NULL, result != 0);
    conf_free(conf);
    return print(&faults);
}

static void expect_faults(const char *before, const char *text, const char *after,
                          const char *faults)
{
    char *whole, *got;
    cr_assert_geq(asprintf(&whole, "%s%s%s", before, text, after), 0);
    got = faults_of(whole, strlen(whole));
    cr_expect_str_eq(got, faults, "\n%s\n--- gives\n%s--- not\n%s", whole, got, faults);
    cr_expect_null(strstr(got, "hunter2"), "%s", got);
    free(got);
    free(whole);
}

struct pair {
    const char *text, *faults;
};

static void expect_all(const char *before, const struct pair *pairs, size_t count,
                       const char *after)
{
    for (size_t i = 0; i < count; i++)
        expect_faults(before, pairs[i].text, after, pairs[i].faults);
}

#define EXPECT_ALL(before, pairs, after)                                                           \
    expect_all(before, pairs, sizeof(pairs) / sizeof(*(pairs)), after)

#define UPSTREAMS "upstreams: {main: {uri: 'https://h'}}\n"
#define DATABASES "databases: {'*': {upstream: main}}\n"
#define LATER     " comes with a later version of milvus-bouncer; remove it\n"

/* ---- YAML ---- */

Test(conf_faults, of_yaml)
{
    static const struct pair pairs[] = {
        {"", "c:1:1: the file is empty; it needs \"upstreams\" and \"databases\"\n"},
        {"# nothing\n", "c:1:1: the file is empty; it needs \"upstreams\" and \"databases\"\n"},
        {"a: 'b\n", "c:2:1: not valid YAML: while scanning a quoted scalar, found unexpected end "
                    "of stream; look at this line and the one before it\n"},
        {"a:\n\tb: c\n", "c:2:1: not valid YAML: while scanning for the next token, found "
                         "character that cannot start any token; indent with spaces, not with "
                         "tabs\n"},
        {"a: b: c\n", "c:1:5: not valid YAML: mapping values are not allowed in this context; "
                      "look at this line and the one before it\n"},
        {"a: b\nc: \xe9\n",
         "c:2:4: not a YAML file: incomplete UTF-8 octet sequence; write it in UTF-8\n"},
        {"[[[[[[[[a]]]]]]]]",
         "c:1:1: \"the file\" takes keys: listen, upstreams, databases, access, tokens_file, "
         "schema_cache, limits, log, user\n"},
        {"[[[[[[[[[a]]]]]]]]]", "c:1:9: lists and maps stand at most 8 deep; no key needs more\n"},
        {"just a text\n",
         "c:1:1: \"the file\" takes keys: listen, upstreams, databases, access, tokens_file, "
         "schema_cache, limits, log, user\n"},
    };
    EXPECT_ALL("", pairs, "");
}

Test(conf_faults, of_yaml_that_is_not_supported)
{
    static const struct pair pairs[] = {
        {"log: &x {level: info}\n",
         "c:3:6: anchors (&name) are not supported; write the value itself\n"},
        {"log: *x\n",
         "c:3:6: aliases (*name) are not supported; write the value itself, or quote it\n"},
        {"log: {level: !!str info}\n",
         "c:3:14: tags (!name) are not supported; write the value alone\n"},
        {"log: {level: info}\n---\nlog: 1\n",
         "c:4:1: a second document starts here; a configuration is one document\n"},
        {"? [log]\n: 1\n", "c:3:3: a key is a text, not a list or map; write NAME: VALUE\n"},
        {"log: {level: info}\nlimits: {}\nlog: {}\n",
         "c:5:1: duplicate key \"log\"; it stands in line 3 already, keep one of the two\n"},
        {"log: {level: \"info\\n\"}\n",
         "c:3:14: line ends and control characters are not supported; write one line\n"},
        {"\"a\\eb\": 1\n",
         "c:3:1: line ends and control characters are not supported; write one line\n"},
    };
    EXPECT_ALL(UPSTREAMS DATABASES, pairs, "");
}

Test(conf_faults, of_too_many_entries)
{
    char text[5 * 4097 + 16] = "listen: [";
    for (int i = 0; i < 4096; i++)
        strcat(text, "1,");
    strcpy(text + strlen(text), "1]\n");
    char *got = faults_of(text, strlen(text));
    cr_expect_str_eq(got, "c:1:8202: a list or map has at most 4096 entries; remove some\n");
    free(got);
    strcpy(text + strlen(text) - 3, "]\n");
    got = faults_of(text, strlen(text));
    cr_expect(strstr(got, "c:1:10: \"listen\" takes keys: address, mode"));
    cr_expect(strstr(got, "\nmore faults were found; mend these first\n"));
    free(got);
}

Test(conf_faults, of_a_large_file)
{
    size_t length = 1024 * 1024;
    char *text = malloc(length + 1);
    memset(text, '#', length + 1);
    memcpy(text, UPSTREAMS DATABASES, strlen(UPSTREAMS DATABASES));
    char *got = faults_of(text, length);
    cr_expect_str_eq(got, "");
    free(got);
    got = faults_of(text, length + 1);
    cr_expect_str_eq(got, "c: a configuration is at most 1 MiB; is it this file?\n");
    free(got);
    free(text);
}

Test(conf_faults, of_a_file_that_cannot_be_read)
{
    struct conf *conf = NULL;
    struct conf_faults faults;
    cr_assert_eq(conf_load("nope", &conf, &faults), -1);
    char *got = print(&faults);
    cr_expect_str_eq(got, "cannot read nope: No such file or directory\n");
    free(got);
    cr_assert_eq(conf_load("/", &conf, &faults), -1);
    got = print(&faults);
    cr_expect_str_eq(got, "cannot read /: Is a directory\n");
    free(got);
    cr_assert_eq(conf_load("file", &conf, &faults), -1);
    got = print(&faults);
    cr_expect(strstr(got, "the file is empty"));
    free(got);
}

/* ---- keys ---- */

#define HTTP2_KEYS                                                                                 \
    "max_streams, max_header_list, max_continuations, stream_window, max_buffered, max_pings, "    \
    "max_settings, max_priorities, max_empty_frames, max_window_updates, max_resets, "             \
    "max_stream_errors\n"

Test(conf_faults, of_unknown_keys)
{
    static const struct pair pairs[] = {
        {"limit: {}\n", "c:3:1: unknown key \"limit\"; did you mean \"limits\"?\n"},
        {"foo: {}\n", "c:3:1: unknown key \"foo\"; the keys here are listen, upstreams, "
                      "databases, access, tokens_file, schema_cache, limits, log, user\n"},
        {"limits: {max_client: 1, foo: 2}\n",
         "c:3:10: unknown key \"max_client\"; did you mean \"max_clients\"?\n"
         "c:3:25: unknown key \"foo\"; the keys here are max_clients, max_message, "
         "frame_timeout, stall_timeout, http2, http\n"},
        {"limits: {http2: {max_ping: 1, max_concurrent: 1}}\n",
         "c:3:18: unknown key \"max_ping\"; did you mean \"max_pings\"?\n"
         "c:3:31: unknown key \"max_concurrent\"; the keys here are " HTTP2_KEYS},
        {"Log: {}\n", "c:3:1: unknown key \"Log\"; did you mean \"log\"?\n"},
        {"? \n: 1\n", "c:3:2: unknown key \"\"; the keys here are listen, upstreams, databases, "
                      "access, tokens_file, schema_cache, limits, log, user\n"},
        {"admin: {address: 'unix:/a'}\nmetrics: 1\n",
         "c:3:1: \"admin\"" LATER "c:4:1: \"metrics\"" LATER},
    };
    EXPECT_ALL(UPSTREAMS DATABASES, pairs, "");
}

Test(conf_faults, of_missing_keys)
{
    static const struct pair pairs[] = {
        {"log: {}\n",
         "c:1:1: \"the file\" lacks the key \"upstreams\"; write upstreams: {main: {uri: "
         "\"http://127.0.0.1:19530\"}}\n"
         "c:1:1: \"the file\" lacks the key \"databases\"; write databases: {\"*\": {upstream: "
         "main}} to serve any\n"},
        {"upstreams: {}\ndatabases: {}\n",
         "c:1:12: \"upstreams\" is empty; write names with keys of their own below it\n"
         "c:2:12: \"databases\" is empty; write names with keys of their own below it\n"},
        {"upstreams:\ndatabases: []\n",
         "c:1:11: \"upstreams\" is empty; write names with keys of their own below it\n"
         "c:2:12: \"databases\" has the wrong type; write names with keys of their own below it\n"},
        {"upstreams: {main: {}}\ndatabases:\n  a:\n    pool_size: 1\n",
         "c:1:13: \"main\" lacks the key \"uri\"; write http://HOST:PORT or https://HOST:PORT\n"
         "c:3:3: \"a\" lacks the key \"upstream\"; write the name of one of \"upstreams\"\n"},
        {"upstreams: {main: 1}\ndatabases: {a: }\n",
         "c:1:19: \"main\" takes keys: uri, allow_plaintext, token_file, user, password_file, tls, "
         "connect_timeout, keepalive, server_lifetime, server_idle_timeout, http_port, "
         "transport\n"
         "c:2:16: \"a\" takes keys: upstream, name, pool_size, max_in_flight, queue_size, "
         "queue_timeout, timeouts, max_timeout, token_file, user, password_file, credentials, "
         "max_credentials, merge\n"},
    };
    EXPECT_ALL("", pairs, "");
}

/* ---- values ---- */

#define CLIENTS "\"max_clients\" takes a whole number from 1 to 1048576"
#define MESSAGE "\"max_message\" takes a size from 1KiB to 1GiB, in KiB, MiB or GiB, such as 64MiB"
#define FRAME   "\"frame_timeout\" takes a duration from 100ms to 1h, in ms, s, m or h, such as 10s"
#define TTL     "\"ttl\" takes a duration from 0 to 24h, in ms, s, m or h, such as 10s"
#define ENTRIES "\"max_entries\" takes a whole number from 0 to 1048576"

Test(conf_faults, of_values)
{
    static const struct pair pairs[] = {
        {"limits: {max_clients: 0, max_message: 1023KiB, frame_timeout: 99ms}\n",
         "c:3:23: " CLIENTS "\nc:3:63: " FRAME "\n"},
        {"limits: {max_clients: 1048577, max_message: 1025MiB, frame_timeout: 3601s}\n",
         "c:3:23: " CLIENTS "\nc:3:45: " MESSAGE "\nc:3:69: " FRAME "\n"},
        {"limits: {max_clients: ten, max_message: 64, frame_timeout: 30}\n",
         "c:3:23: " CLIENTS "\nc:3:41: " MESSAGE "\nc:3:60: " FRAME "\n"},
        {"limits: {max_clients: '5', max_message: [], frame_timeout: {}}\n",
         "c:3:23: " CLIENTS ", without quotes\n"
         "c:3:41: \"max_message\" takes one value, not a list\n"
         "c:3:60: \"frame_timeout\" takes one value, not a map of keys\n"},
        {"limits: {max_clients: , max_message: ~, frame_timeout: ''}\n",
         "c:3:23: \"max_clients\" is empty; write its value, or remove the key\n"
         "c:3:38: \"max_message\" is empty; write its value, or remove the key\n"
         "c:3:56: \"frame_timeout\" is empty; write its value, or remove the key\n"},
        {"limits: {max_message: 0}\n", "c:3:23: " MESSAGE "\n"},
        {"schema_cache: {ttl: 1441m, max_entries: 1048577}\n",
         "c:3:21: " TTL "\nc:3:41: " ENTRIES "\n"},
        {"schema_cache: {ttl: -1s, max_entries: -1}\n", "c:3:21: " TTL "\nc:3:39: " ENTRIES "\n"},
        {"log: {level: warn, format: xml}\n",
         "c:3:14: \"level\" takes one of error, warning, info, debug\n"
         "c:3:28: \"format\" takes one of text, json\n"},
        {"log: {level: warnin}\n", "c:3:14: \"level\" takes one of error, warning, info, debug; "
                                   "did you mean \"warning\"?\n"},
        {"log: info\n", "c:3:6: \"log\" takes keys: level, format, stats_period\n"},
        {"limits: []\n", "c:3:9: \"limits\" takes keys: max_clients, max_message, frame_timeout, "
                         "stall_timeout, http2, http\n"},
    };
    EXPECT_ALL(UPSTREAMS DATABASES, pairs, "");
}

#define STALL   "\"stall_timeout\" takes a duration from 100ms to 1h, in ms, s, m or h, such as 10s"
#define STREAMS "\"max_streams\" takes a whole number from 1 to 65536"
#define HEADERS                                                                                    \
    "\"max_header_list\" takes a size from 4KiB to 1MiB, in KiB, MiB or GiB, such as 64MiB"
#define CONTINUATIONS "\"max_continuations\" takes a whole number from 0 to 1024"
#define WINDOW                                                                                     \
    "\"stream_window\" takes a size from 64KiB to 64MiB, in KiB, MiB or GiB, such as 64MiB"
#define BUFFERED                                                                                   \
    "\"max_buffered\" takes a size from 1MiB to 1GiB, in KiB, MiB or GiB, such as 64MiB"
#define HEADER "\"max_header\" takes a size from 1KiB to 64KiB, in KiB, MiB or GiB, such as 64MiB"
#define PIPELINED                                                                                  \
    "\"max_pipelined\" takes a size from 1KiB to 16MiB, in KiB, MiB or GiB, such as 64MiB"

Test(conf_faults, of_stalls_and_http)
{
    static const struct pair pairs[] = {
        {"stall_timeout: 99ms", "c:3:25: " STALL "\n"},
        {"stall_timeout: 3601s", "c:3:25: " STALL "\n"},
        {"stall_timeout: 0", "c:3:25: " STALL "\n"},
        {"http2: {max_streams: 0, max_header_list: 3KiB, max_continuations: -1}",
         "c:3:31: " STREAMS "\nc:3:51: " HEADERS "\nc:3:76: " CONTINUATIONS "\n"},
        {"http2: {max_streams: 65537, max_header_list: 1025KiB, max_continuations: 1025}",
         "c:3:31: " STREAMS "\nc:3:55: " HEADERS "\nc:3:83: " CONTINUATIONS "\n"},
        {"http2: {stream_window: 63KiB, max_buffered: 1023KiB}",
         "c:3:33: " WINDOW "\nc:3:54: " BUFFERED "\n"},
        {"http2: {stream_window: 65MiB, max_buffered: 1025MiB}",
         "c:3:33: " WINDOW "\nc:3:54: " BUFFERED "\n"},
        {"http2: 5", "c:3:17: \"http2\" takes keys: " HTTP2_KEYS},
        {"http: {max_header: 0KiB}", "c:3:29: " HEADER "\n"},
        {"http: {max_header: 65KiB, max_pipelined: 17MiB}",
         "c:3:29: " HEADER "\nc:3:51: " PIPELINED "\n"},
        {"http: {max_body: 1}", "c:3:17: unknown key \"max_body\"; the keys here are max_header, "
                                "max_pipelined\n"},
    };
    EXPECT_ALL(UPSTREAMS DATABASES "limits: {", pairs, "}\n");
}

/* The number stands in the next line, so that its place does not hang on the key. */
Test(conf_faults, of_rates_of_http2)
{
#define RATE(key) ": \"" key "\" takes a whole number from 1 to 10000000\n"
#define X(name, key, what, renewed)                                                                \
    {key ":\n 0", "c:4:2" RATE(key)}, {key ":\n 10000001", "c:4:2" RATE(key)},
    static const struct pair pairs[] = {H2_RATES(X)};
#undef X
    EXPECT_ALL(UPSTREAMS DATABASES "limits: {http2: {", pairs, "}}\n");
}

Test(conf_faults, of_listeners)
{
#define LISTENER_KEYS "takes keys: address, mode, group, database, protocols, allow_remote\n"
    static const struct pair pairs[] = {
        {"listen: []\n", "c:3:9: \"listen\" is empty; write a list, each entry opened by \"- \"\n"},
        {"listen: {address: 1}\n",
         "c:3:9: \"listen\" has the wrong type; write a list, each entry opened by \"- \"\n"},
        {"listen: ['unix:/a']\n", "c:3:10: \"listen\" " LISTENER_KEYS},
        {"listen:\n- mode: 0600\n", "c:4:3: \"listen\" lacks the key \"address\"; write "
                                    "unix:/path, 127.0.0.1:19530 or [::1]:19530\n"},
        {"listen: [{address: 'localhost:1'}]\n",
         "c:3:20: \"address\": a host is written in numbers, names are not resolved; write "
         "127.0.0.1:19530 or [::1]:19530\n"},
        {"listen: [{address: 'unix:@a', mode: 0600}]\n",
         "c:3:20: \"address\": abstract sockets are not supported, as they have no permissions; "
         "write unix:/path\n"},
        {"listen: [{address: 'unix:/a', mode: rw}]\n",
         "c:3:37: \"mode\" takes permissions in octal, \"0000\" to \"0777\", such as \"0660\"\n"},
        {"listen: [{address: '127.0.0.1:1', mode: 0600, group: root}]\n",
         "c:3:41: \"mode\" is for unix: addresses alone; remove it\n"
         "c:3:54: \"group\" is for unix: addresses alone; remove it\n"},
        {"listen: [{address: 'unix:/a', group: nobody-here}]\n",
         "c:3:38: \"group\": no group \"nobody-here\" on this machine; see `getent group`\n"},
        {"listen: [{address: 'unix:/a'}, {address: 'unix:/b'}, {address: 'unix:/a'}]\n",
         "c:3:64: \"address\": unix:/a stands twice; remove one of the two\n"},
        {"listen: [{address: '[::1]:1'}, {address: '[0::1]:1'}]\n",
         "c:3:42: \"address\": [0::1]:1 stands twice; remove one of the two\n"},
        {"listen: [{address: 'unix:/a', database: ''}]\n",
         "c:3:41: \"database\" is empty; write its value, or remove the key\n"},
        {"listen: [{address: 'unix:/a', protocols: [plain, grpc, http, ftp, []]}]\n",
         "c:3:62: \"protocols\" takes a list of protocols: plain, grpc, http\n"
         "c:3:67: \"protocols\" takes one value, not a list\n"},
        {"listen: [{address: 'unix:/a', protocols: [grpc, plain, grpc, plain]}]\n",
         "c:3:56: \"protocols\": grpc stands twice; remove one of the two\n"
         "c:3:62: \"protocols\": plain stands twice; remove one of the two\n"},
        {"listen: [{address: 'unix:/a', protocols: plain}]\n",
         "c:3:42: \"protocols\" has the wrong type; write protocols: [plain, grpc, http]\n"},
        {"listen: [{address: 'unix:/a', protocols: []}]\n",
         "c:3:42: \"protocols\" is empty; write protocols: [plain, grpc, http]\n"},
        {"listen: [{address: 'unix:/a', protocols: }]\n",
         "c:3:42: \"protocols\" is empty; write protocols: [plain, grpc, http]\n"},
    };
    EXPECT_ALL(UPSTREAMS DATABASES, pairs, "");
}

Test(conf_faults, of_more_uris_than_are_taken)
{
    char text[4096] = "upstreams: {main: {uri: [";
    for (int i = 0; i <= CONF_HOSTS_MAX; i++)
        sprintf(text + strlen(text), "'https://h%d',", i);
    strcat(text, "]}}\n");
    expect_faults("", text, DATABASES, "c:1:25: \"uri\" takes a list of at most 64 URIs\n");
}

Test(conf_faults, of_upstreams)
{
    static const struct pair pairs[] = {
        {"uri: 'http://u:hunter2@h'}}\n",
         "c:1:25: \"uri\": a user and password do not belong in a URI; write http://HOST:PORT or "
         "https://HOST:PORT and name them by user and password_file\n"},
        {"uri: ['http://a', 'https://b', 'http://c']}}\n",
         "c:1:38: \"uri\" starts with https://, the list's first with http://; write the same for "
         "all\n"},
        {"uri: ['https://a', 'https://b', 'https://A:443']}}\n",
         "c:1:52: \"uri\": https://A:443 stands twice; remove one of the two\n"},
        {"uri: ['http://a', '', 'http://b:0']}}\n",
         "c:1:38: \"uri\" is empty; write its value, or remove the key\n"
         "c:1:42: \"uri\": the port is a number from 1 to 65535; write http://HOST:PORT or "
         "https://HOST:PORT\n"},
        {"uri: []}}\n", "c:1:25: \"uri\" is an empty list; write one URI or several\n"},
        {"uri: {}}}\n", "c:1:25: \"uri\" takes one value, not a map of keys\n"},
        {"uri: [[]]}}\n", "c:1:26: \"uri\" takes one value, not a list\n"},
        {"uri: ['ftp://h']}}\n", "c:1:26: \"uri\": a URI starts with http:// or https://; write "
                                 "http://HOST:PORT or https://HOST:PORT\n"},
        {"uri: 'https://h', connect_timeout: 0, keepalive: 9999ms}}\n",
         "c:1:55: \"connect_timeout\" takes a duration from 1ms to 24h, in ms, s, m or h, such as "
         "10s\n"
         "c:1:69: \"keepalive\" takes a duration from 10s to 24h, in ms, s, m or h, such as 10s\n"},
        {"uri: 'https://h', server_lifetime: 25h, server_idle_timeout: -1}}\n",
         "c:1:55: \"server_lifetime\" takes a duration from 0 to 24h, in ms, s, m or h, such as "
         "10s\n"
         "c:1:81: \"server_idle_timeout\" takes a duration from 0 to 24h, in ms, s, m or h, such "
         "as "
         "10s\n"},
        {"uri: 'http://[::1]', tls: {}}}\n",
         "c:1:46: \"tls\" needs an https:// \"uri\"; change that, or remove \"tls\"\n"},
        {"uri: 'https://h', tls: {cert_file: file}}}\n",
         "c:1:55: \"cert_file\" needs \"key_file\", the certificate's key\n"},
        {"uri: 'https://h', tls: {key_file: file}}}\n",
         "c:1:54: \"key_file\" needs \"cert_file\", the key's certificate\n"},
        {"uri: 'https://h', tls: {ca_file: nope, ca: x}}}\n",
         "c:1:53: \"ca_file\": cannot read nope: No such file or directory; it takes the name of "
         "a file that the daemon can read\n"
         "c:1:59: unknown key \"ca\"; the keys here are ca_file, cert_file, key_file, "
         "server_name\n"},
        {"uri: 'https://h', tls: {ca_file: /}}}\n",
         "c:1:53: \"ca_file\": cannot read /: it is a folder; it takes the name of a file that "
         "the daemon can read\n"},
    };
    EXPECT_ALL("upstreams: {main: {", pairs, DATABASES);
}

#define AWAY(column, uri)                                                                          \
    "c:1:" column ": \"uri\": " uri " is another host, and credentials can be read on the way "    \
    "there; write https://, or \"allow_plaintext: true\" beside it if that network is trusted\n"

Test(conf_faults, of_plaintext_to_another_host)
{
    static const struct pair pairs[] = {
        {"uri: 'http://milvus:19530'}}\n", AWAY("25", "http://milvus:19530")},
        {"uri: 'http://10.0.0.7', allow_plaintext: false}}\n", AWAY("25", "http://10.0.0.7")},
        {"uri: 'http://[fd00::1]'}}\n", AWAY("25", "http://[fd00::1]")},
        {"uri: ['http://localhost', 'http://a', 'http://b']}}\n", AWAY("46", "http://a")},
        {"uri: 'http://milvus', allow_plaintext: please}}\n",
         "c:1:59: \"allow_plaintext\" takes true or false\n"},
    };
    EXPECT_ALL("upstreams: {main: {", pairs, DATABASES);
}

Test(conf_faults, of_credentials)
{
#define IN_A_FILE "; a secret stands in a file of its own, name that by "
    static const struct pair pairs[] = {
        {"token: hunter2", "c:2:33: unknown key \"token\"" IN_A_FILE "\"token_file\"\n"},
        {"password: hunter2", "c:2:33: unknown key \"password\"" IN_A_FILE "\"password_file\"\n"},
        {"api_key: hunter2", "c:2:33: unknown key \"api_key\"" IN_A_FILE "\"token_file\"\n"},
        {"pasword: hunter2",
         "c:2:33: unknown key \"pasword\"; the keys here are upstream, name, "
         "pool_size, max_in_flight, queue_size, queue_timeout, timeouts, "
         "max_timeout, token_file, user, password_file, credentials, max_credentials, merge\n"},
        {"user: u", "c:2:39: \"user\" needs \"password_file\", the file that holds its password\n"},
        {"password_file: file",
         "c:2:48: \"password_file\" needs \"user\", whose password it holds\n"},
        {"user: 'u:v', password_file: file",
         "c:2:39: \"user\" is a name without a colon; Milvus ends it there\n"},
        {"token_file: file, user: u, password_file: file",
         "c:2:45: \"token_file\" excludes \"user\" and \"password_file\"; keep the token or the "
         "user\n"},
        {"token_file: [hunter2]", "c:2:45: \"token_file\" takes one value, not a list\n"},
        {"credentials: hunter2", "c:2:46: \"credentials\" takes one of daemon, client\n"},
        {"credentials: clint", "c:2:46: \"credentials\" takes one of daemon, client; did you mean "
                               "\"client\"?\n"},
        {"credentials: client, token_file: file",
         "c:2:46: \"credentials\": client has each client's own travel, and another is given here; "
         "keep one of the two\n"},
        {"credentials: client, user: u, password_file: file",
         "c:2:46: \"credentials\": client has each client's own travel, and another is given here; "
         "keep one of the two\n"},
        {"max_credentials: 5",
         "c:2:50: \"max_credentials\" needs \"credentials: client\", which it bounds\n"},
        {"credentials: clientele, max_credentials: 4097",
         "c:2:46: \"credentials\" takes one of daemon, client; did you mean \"client\"?\n"
         "c:2:74: \"max_credentials\" takes a whole number from 1 to 4096\n"},
        {"merge: yes", "c:2:40: \"merge\" takes one of off, on\n"},
        {"merge: onn", "c:2:40: \"merge\" takes one of off, on; did you mean \"on\"?\n"},
        {"merge: []", "c:2:40: \"merge\" takes keys: searches, calls, max_calls, max_vectors, "
                      "max_results, max_bytes, identical\n"},
        {"merge: {identical: 1}", "c:2:52: \"identical\" takes one of off, on\n"},
        {"merge: {calls: 1025, max_calls: 0}",
         "c:2:48: \"calls\" takes a whole number from 0 to 1024\n"
         "c:2:65: \"max_calls\" takes a whole number from 1 to 1024\n"},
        {"merge: {max_vectors: 0, max_results: 268435457, max_bytes: 65MiB}",
         "c:2:54: \"max_vectors\" takes a whole number from 1 to 16384\n"
         "c:2:70: \"max_results\" takes a whole number from 1 to 268435456\n"
         "c:2:92: \"max_bytes\" takes a size from 1KiB to 64MiB, in KiB, MiB or GiB, such as "
         "64MiB\n"},
    };
    EXPECT_ALL(UPSTREAMS "databases: {a: {upstream: main, ", pairs, "}}\n");
}

Test(conf_faults, of_databases)
{
    static const struct pair pairs[] = {
        {"a: {upstream: mian}", "c:2:27: \"upstream\": no upstream \"mian\"; did you mean "
                                "\"main\"?\n"},
        {"a: {upstream: other}", "c:2:27: \"upstream\": no upstream \"other\"; there is main\n"},
        {"'*': {upstream: main, name: b}",
         "c:2:41: \"name\" cannot stand at \"*\", which keeps each name; remove it\n"},
        {"'': {upstream: main}", "c:2:13: a name has 1 to 255 bytes\n"},
        {"a: {upstream: main, quue_size: 5}",
         "c:2:33: unknown key \"quue_size\"; did you mean \"queue_size\"?\n"},
        {"a: {upstream: main, pool_size: 0, max_in_flight: 0, queue_size: -1}",
         "c:2:44: \"pool_size\" takes a whole number from 1 to 1024\n"
         "c:2:62: \"max_in_flight\" takes a whole number from 1 to 65536\n"
         "c:2:77: \"queue_size\" takes a whole number from 0 to 1048576\n"},
        {"a: {upstream: main, pool_size: 1025, max_in_flight: 65537, queue_size: 1048577}",
         "c:2:44: \"pool_size\" takes a whole number from 1 to 1024\n"
         "c:2:65: \"max_in_flight\" takes a whole number from 1 to 65536\n"
         "c:2:84: \"queue_size\" takes a whole number from 0 to 1048576\n"},
        {"a: {upstream: main, queue_timeout: 0, max_timeout: 25h, timeouts: {default: 99h}}",
         "c:2:48: \"queue_timeout\" takes a duration from 1ms to 24h, in ms, s, m or h, such as "
         "10s\n"
         "c:2:64: \"max_timeout\" takes a duration from 1ms to 24h, in ms, s, m or h, such as 10s\n"
         "c:2:89: \"default\" takes a duration from 1ms to 24h, in ms, s, m or h, such as 10s\n"},
        {"a: {upstream: main, max_timeout: 10s, timeouts: {default: 10001ms, Search: 11s}}",
         "c:2:71: \"default\" is more than \"max_timeout\"; lower it, or raise that\n"
         "c:2:88: \"Search\" is more than \"max_timeout\"; lower it, or raise that\n"},
        {"a: {upstream: main, timeouts: {search: 1s, defualt: 1s, Xy: 1s, Search: 0}}",
         "c:2:44: unknown key \"search\"; did you mean \"Search\"?\n"
         "c:2:56: unknown key \"defualt\"; did you mean \"default\"?\n"
         "c:2:69: unknown key \"Xy\"; the keys here are default and the names of Milvus's "
         "RPCs, as Search\n"
         "c:2:85: \"Search\" takes a duration from 1ms to 24h, in ms, s, m or h, such as 10s\n"},
        {"a: {upstream: main, timeouts: 30s}",
         "c:2:43: \"timeouts\" takes keys: default and the names of Milvus's RPCs, as "
         "Search\n"},
    };
    EXPECT_ALL(UPSTREAMS "databases: {", pairs, "}\n");
}

/* A key that is wrong itself is not followed by what depends on it. */
Test(conf_faults, do_not_follow_from_each_other)
{
    expect_faults(
        "", "upstreams: 5\n", DATABASES,
        "c:1:12: \"upstreams\" has the wrong type; write names with keys of their own below "
        "it\n");
    expect_faults("", "upstreams: &a {main: {uri: 'https://h'}}\n", DATABASES,
                  "c:1:12: anchors (&name) are not supported; write the value itself\n");
    expect_faults("", "upstreams: {main: {!a uri: 'https://h'}}\n", DATABASES,
                  "c:1:20: tags (!name) are not supported; write the value alone\n");
    expect_faults(UPSTREAMS DATABASES, "listen: &a []\n", "",
                  "c:3:9: anchors (&name) are not supported; write the value itself\n");
    expect_faults(UPSTREAMS DATABASES, "listen: [{address: ~, mode: 0600}, {address: ~}]\n", "",
                  "c:3:20: \"address\" is empty; write its value, or remove the key\n"
                  "c:3:46: \"address\" is empty; write its value, or remove the key\n");
}

Test(conf_faults, come_in_the_order_of_the_file)
{
    expect_faults("", "log: {level: x}\nlisten: [{address: x}]\nadmin: 1\n", UPSTREAMS,
                  "c:1:1: \"the file\" lacks the key \"databases\"; write databases: {\"*\": "
                  "{upstream: main}} to serve any\n"
                  "c:1:14: \"level\" takes one of error, warning, info, debug\n"
                  "c:2:20: \"address\": an address is written as unix:/path, 127.0.0.1:19530 or "
                  "[::1]:19530\n"
                  "c:3:1: \"admin\"" LATER);
}

Test(conf_faults, of_arguments_have_no_place)
{
    const char *const listen[] = {"localhost:1", "unix:/a", "unix:/a"};
    struct conf *conf = NULL;
    struct conf_faults faults;
    cr_assert_eq(
        conf_from_arguments("http://u:hunter2@h", "nope", false, listen, 3, &conf, &faults), -1);
    char *got = print(&faults);
    cr_expect_str_eq(
        got,
        "--listen: a host is written in numbers, names are not resolved; write 127.0.0.1:19530 or "
        "[::1]:19530\n"
        "--upstream: a user and password do not belong in a URI; write http://HOST:PORT or "
        "https://HOST:PORT and name them by user and password_file\n"
        "--token-file: cannot read nope: No such file or directory; it takes the name of a file "
        "that the daemon can read\n"
        "--listen: unix:/a stands twice; remove one of the two\n",
        "%s", got);
    free(got);
    cr_assert_eq(conf_from_arguments("", "", false, NULL, 0, &conf, &faults), -1);
    got = print(&faults);
    cr_expect_str_eq(got, "--upstream is empty; write its value, or remove the key\n"
                          "--token-file is empty; write its value, or remove the key\n");
    free(got);
    cr_assert_eq(conf_from_arguments("http://h", NULL, false, NULL, 0, &conf, &faults), -1);
    got = print(&faults);
    cr_expect_str_eq(got, "--upstream: http://h is another host, and credentials can be read on "
                          "the way there; write https://, or add --allow-plaintext if that "
                          "network is trusted\n");
    free(got);
}

Test(conf_faults, have_a_most)
{
    struct conf_faults faults = {0};
    for (unsigned i = 0; i < FAULTS_MAX + 5; i++)
        faults_add(&faults, (struct mark){.line = FAULTS_MAX + 5 - i, .column = 1}, "x\x1b%u", i);
    cr_expect_eq(faults.count, FAULTS_MAX + 1);
    cr_expect_eq(faults.items[0].line, 6);
    cr_expect_str_eq(faults.items[0].text, "x?999");
    cr_expect_str_eq(faults.items[FAULTS_MAX].text, "more faults were found; mend these first");
    cr_expect_eq(faults.items[FAULTS_MAX].line, 0);
    conf_faults_free(&faults);
}

Test(conf_faults, show_the_first_of_many_names)
{
    char *text = NULL;
    size_t length;
    FILE *stream = open_memstream(&text, &length);
    fprintf(stream, "upstreams:\n");
    for (int i = 0; i < 100; i++)
        fprintf(stream, "  u%02d: {uri: 'https://h'}\n", i);
    fprintf(stream, "databases: {a: {upstream: nothing-like-it}}\n");
    fclose(stream);
    char *got = faults_of(text, length);
    cr_expect_str_eq(got, "c:102:27: \"upstream\": no upstream \"nothing-like-it\"; there is u00, "
                          "u01, u02, u03, u04, u05, u06, u07, u08, u09, u10, u11, u12, u13, u14, "
                          "u15, ...\n");
    free(got);
    free(text);
}
