/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/schema.h"

#include <string.h>

#include "conf/conf.h"
#include "proto/rpc.h"

#define SECOND     INT64_C(1000)
#define HOUR       (3600 * SECOND)
#define DAY        (24 * HOUR)
#define KIB        INT64_C(1024)
#define MIB        (KIB * KIB)
#define GIB        (KIB * MIB)
#define COUNT_MANY 1048576             /* where nothing sets a narrower limit */
#define ID_MOST    INT64_C(4294967294) /* of a user or group; one more is none (chown(2)) */

#define AT(object, field) .offset = offsetof(object, field)
#define MANY(object, field, of)                                                                    \
    .offset = offsetof(object, field##s), .count_offset = offsetof(object, field##_count),         \
    .section = &of
#define SECTION(table, object)                                                                     \
    .keys = table, .count = sizeof(table) / sizeof(*table), .size = sizeof(object)

#define X(name, text) text,
static const char *const log_levels[] = {LOG_LEVELS(X) NULL};
#undef X
static const char *const log_formats[] = {[LOG_TEXT] = "text", [LOG_JSON] = "json", NULL};
#define X(name, word) word,
static const char *const protocols[] = {CONF_PROTOCOLS(X) NULL};
#undef X
static const char *const switches[] = {[CONF_OFF] = "off", [CONF_ON] = "on", NULL};
static const char *const whose[] = {
    [CONF_CREDENTIALS_DAEMON] = "daemon", [CONF_CREDENTIALS_CLIENT] = "client", NULL};
#define X(name, word) word,
static const char *const transports[] = {CONF_TRANSPORTS(X) NULL};
#undef X

/* What a rule may grant, in the order of enum rpc_class. */
#define X(name, word) word,
static const char *const rights[] = {RPC_RIGHTS(X) NULL};
#undef X

/* The default of each of H2_RATES, a minute. SDKs ping six times a minute. */
#define RATE_OF_PINGS          "600"
#define RATE_OF_SETTINGS       "60"
#define RATE_OF_PRIORITIES     "600"
#define RATE_OF_EMPTY_FRAMES   "600"
#define RATE_OF_WINDOW_UPDATES "60000"
#define RATE_OF_RESETS         "12000"
#define RATE_OF_STREAM_ERRORS  "600"
#define RATE_MOST              10000000

/* The keys of a struct that has a struct conf_credential. */
#define CREDENTIAL_KEYS(object)                                                                    \
    {.name = "token_file", .type = SCHEMA_SECRET_FILE, AT(object, credential.token_file)},         \
        {.name = "user", .type = SCHEMA_TEXT, AT(object, credential.user)},                        \
        {.name = "password_file",                                                                  \
         .type = SCHEMA_SECRET_FILE,                                                               \
         AT(object, credential.password_file)},                                                    \
        {.name = "token", .type = SCHEMA_MISPLACED_SECRET, .hint = "token_file"},                  \
        {.name = "api_key", .type = SCHEMA_MISPLACED_SECRET, .hint = "token_file"},                \
    {                                                                                              \
        .name = "password", .type = SCHEMA_MISPLACED_SECRET, .hint = "password_file"               \
    }

/* clang-format off */
static const struct schema_key listener_keys[] = {
    {.name = "address", .type = SCHEMA_ADDRESS, AT(struct conf_listener, address),
     .required = true, .hint = "write unix:/path, 127.0.0.1:19530 or [::1]:19530"},
    {.name = "mode", .type = SCHEMA_MODE, AT(struct conf_listener, mode)},
    {.name = "group", .type = SCHEMA_TEXT, AT(struct conf_listener, group)},
    {.name = "database", .type = SCHEMA_TEXT, AT(struct conf_listener, database),
     .fallback = "default"},
    {.name = "protocols", .type = SCHEMA_PROTOCOLS, AT(struct conf_listener, protocols),
     .words = protocols},
    {.name = "allow_remote", .type = SCHEMA_FLAG, AT(struct conf_listener, allow_remote)},
};
static const struct schema_section listener = {SECTION(listener_keys, struct conf_listener)};

static const struct schema_key tls_keys[] = {
    {.name = "ca_file", .type = SCHEMA_FILE, AT(struct conf_tls, ca_file)},
    {.name = "cert_file", .type = SCHEMA_FILE, AT(struct conf_tls, cert_file)},
    {.name = "key_file", .type = SCHEMA_SECRET_FILE, AT(struct conf_tls, key_file)},
    {.name = "server_name", .type = SCHEMA_TEXT, AT(struct conf_tls, server_name)},
};
static const struct schema_section tls = {SECTION(tls_keys, struct conf_tls)};

static const struct schema_key upstream_keys[] = {
    {.name = "uri", .type = SCHEMA_URIS, .required = true, .hint = "write http://HOST:PORT or https://HOST:PORT"},
    {.name = "allow_plaintext", .type = SCHEMA_FLAG, AT(struct conf_upstream, allow_plaintext),
     .is_about_uris = true},
    CREDENTIAL_KEYS(struct conf_upstream),
    {.name = "tls", .type = SCHEMA_SECTION, AT(struct conf_upstream, tls), .section = &tls},
    {.name = "connect_timeout", .type = SCHEMA_DURATION, AT(struct conf_upstream, connect_timeout),
     .minimum = 1, .maximum = DAY, .fallback = "10s"},
    {.name = "keepalive", .type = SCHEMA_DURATION, AT(struct conf_upstream, keepalive),
     .minimum = 10 * SECOND, .maximum = DAY, .fallback = "30s"},
    {.name = "server_lifetime", .type = SCHEMA_DURATION, AT(struct conf_upstream, server_lifetime),
     .minimum = 0, .maximum = DAY, .fallback = "1h"},
    {.name = "server_idle_timeout", .type = SCHEMA_DURATION,
     AT(struct conf_upstream, server_idle_timeout),
     .minimum = 0, .maximum = DAY, .fallback = "0"},
    {.name = "http_port", .type = SCHEMA_COUNT, AT(struct conf_upstream, http_port),
     .minimum = 0, .maximum = UINT16_MAX, .fallback = "0"},
    {.name = "transport", .type = SCHEMA_WORD, AT(struct conf_upstream, transport),
     .words = transports, .fallback = "h2"},
};
static const struct schema_section upstream = {SECTION(upstream_keys, struct conf_upstream)};

static const struct schema_key timeouts_keys[] = {
    {.name = "default", .type = SCHEMA_DURATION, AT(struct conf_database, default_timeout),
     .minimum = 1, .maximum = DAY, .fallback = "30s"},
};
static const struct schema_section timeouts = {SECTION(timeouts_keys, struct conf_database),
                                               .methods = true};

static const struct schema_key merge_keys[] = {
    {.name = "searches", .type = SCHEMA_WORD, AT(struct conf_merge, searches),
     .words = switches, .fallback = "on"},
    {.name = "calls", .type = SCHEMA_COUNT, AT(struct conf_merge, calls),
     .minimum = 0, .maximum = 1024, .fallback = "0"},
    {.name = "max_calls", .type = SCHEMA_COUNT, AT(struct conf_merge, max_calls),
     .minimum = 1, .maximum = 1024, .fallback = "8"},
    /* Milvus takes 16384 vectors in a search, and 16384 results of each. */
    {.name = "max_vectors", .type = SCHEMA_COUNT, AT(struct conf_merge, max_vectors),
     .minimum = 1, .maximum = 16384, .fallback = "128"},
    {.name = "max_results", .type = SCHEMA_COUNT, AT(struct conf_merge, max_results),
     .minimum = 1, .maximum = 16384 * 16384, .fallback = "65536"},
    {.name = "max_bytes", .type = SCHEMA_SIZE, AT(struct conf_merge, max_bytes),
     .minimum = KIB, .maximum = 64 * MIB, .fallback = "4MiB"},
    {.name = "identical", .type = SCHEMA_WORD, AT(struct conf_merge, identical),
     .words = switches, .fallback = "off"},
};
static const struct schema_section merge = {SECTION(merge_keys, struct conf_merge),
                                            .sole = "searches"};

static const struct schema_key database_keys[] = {
    {.name = "upstream", .type = SCHEMA_REFERENCE, .required = true, .hint = "write the name of one of \"upstreams\""},
    {.name = "name", .type = SCHEMA_TEXT, AT(struct conf_database, upstream_name)},
    {.name = "pool_size", .type = SCHEMA_COUNT, AT(struct conf_database, pool_size),
     .minimum = 1, .maximum = 1024, .fallback = "2"},
    {.name = "max_in_flight", .type = SCHEMA_COUNT, AT(struct conf_database, max_in_flight),
     .minimum = 1, .maximum = 65536, .fallback = "256"},
    {.name = "queue_size", .type = SCHEMA_COUNT, AT(struct conf_database, queue_size),
     .minimum = 0, .maximum = 1048576, .fallback = "1024"},
    {.name = "queue_timeout", .type = SCHEMA_DURATION, AT(struct conf_database, queue_timeout),
     .minimum = 1, .maximum = DAY, .fallback = "30s"},
    /* Its one field of its own, default_timeout, stands in the database itself. */
    {.name = "timeouts", .type = SCHEMA_SECTION, .offset = 0, .section = &timeouts},
    {.name = "max_timeout", .type = SCHEMA_DURATION, AT(struct conf_database, max_timeout),
     .minimum = 1, .maximum = DAY, .fallback = "5m"},
    CREDENTIAL_KEYS(struct conf_database),
    {.name = "credentials", .type = SCHEMA_WORD, AT(struct conf_database, credentials),
     .words = whose, .fallback = "daemon"},
    {.name = "max_credentials", .type = SCHEMA_COUNT, AT(struct conf_database, max_credentials),
     .minimum = 1, .maximum = 4096, .fallback = "64"},
    {.name = "merge", .type = SCHEMA_SECTION, AT(struct conf_database, merge), .section = &merge},
};
static const struct schema_section database = {SECTION(database_keys, struct conf_database)};

static const struct schema_key match_keys[] = {
    {.name = "user", .type = SCHEMA_TEXT, AT(struct conf_match, user)},
    {.name = "uid", .type = SCHEMA_COUNT, AT(struct conf_match, uid),
     .minimum = 0, .maximum = ID_MOST},
    {.name = "group", .type = SCHEMA_TEXT, AT(struct conf_match, group)},
    {.name = "gid", .type = SCHEMA_COUNT, AT(struct conf_match, gid),
     .minimum = 0, .maximum = ID_MOST},
    {.name = "listener", .type = SCHEMA_TEXT, AT(struct conf_match, address)},
    {.name = "token", .type = SCHEMA_TEXT, AT(struct conf_match, token)},
    {.name = "any", .type = SCHEMA_FLAG, AT(struct conf_match, any)},
};
static const struct schema_section match = {SECTION(match_keys, struct conf_match)};

static const struct schema_key rule_limits_keys[] = {
    {.name = "max_clients", .type = SCHEMA_COUNT, AT(struct conf_rule_limits, max_clients),
     .minimum = 1, .maximum = COUNT_MANY},
    {.name = "max_in_flight", .type = SCHEMA_COUNT, AT(struct conf_rule_limits, max_in_flight),
     .minimum = 1, .maximum = COUNT_MANY},
    {.name = "requests_per_second", .type = SCHEMA_COUNT,
     AT(struct conf_rule_limits, requests_per_second), .minimum = 1, .maximum = COUNT_MANY},
    {.name = "burst", .type = SCHEMA_COUNT, AT(struct conf_rule_limits, burst),
     .minimum = 1, .maximum = COUNT_MANY},
};
static const struct schema_section rule_limits = {SECTION(rule_limits_keys,
                                                          struct conf_rule_limits)};

static const struct schema_key rule_keys[] = {
    {.name = "match", .type = SCHEMA_SECTION, AT(struct conf_rule, match), .section = &match,
     .required = true, .hint = "write whom it is for, such as match: {user: www-data}, or match: {any: true}"},
    {.name = "databases", .type = SCHEMA_TEXTS, AT(struct conf_rule, databases),
     .count_offset = offsetof(struct conf_rule, database_count)},
    {.name = "allow", .type = SCHEMA_RIGHTS, AT(struct conf_rule, allow), .words = rights},
    {.name = "read_only", .type = SCHEMA_FLAG, AT(struct conf_rule, read_only)},
    {.name = "database", .type = SCHEMA_TEXT, AT(struct conf_rule, database)},
    {.name = "limits", .type = SCHEMA_SECTION, AT(struct conf_rule, limits),
     .section = &rule_limits},
    {.name = "max_timeout", .type = SCHEMA_DURATION, AT(struct conf_rule, max_timeout),
     .minimum = 1, .maximum = DAY},
    CREDENTIAL_KEYS(struct conf_rule),
};
static const struct schema_section rule = {SECTION(rule_keys, struct conf_rule)};

static const struct schema_key cache_keys[] = {
    {.name = "ttl", .type = SCHEMA_DURATION, AT(struct conf, schema_cache.ttl),
     .minimum = 0, .maximum = DAY, .fallback = "60s"},
    {.name = "max_entries", .type = SCHEMA_COUNT, AT(struct conf, schema_cache.max_entries),
     .minimum = 0, .maximum = COUNT_MANY, .fallback = "4096"},
};
static const struct schema_section cache = {SECTION(cache_keys, struct conf)};

#define X(rate, key, what, renewed)                                                                \
    {.name = key, .type = SCHEMA_COUNT, AT(struct h2_limits, rates[H2_RATE_##rate]),               \
     .minimum = 1, .maximum = RATE_MOST, .fallback = RATE_OF_##rate},
static const struct schema_key http2_keys[] = {
    {.name = "max_streams", .type = SCHEMA_COUNT, AT(struct h2_limits, max_streams),
     .minimum = 1, .maximum = 65536, .fallback = "1000"},
    {.name = "max_header_list", .type = SCHEMA_SIZE, AT(struct h2_limits, max_header_list),
     .minimum = 4 * KIB, .maximum = MIB, .fallback = "32KiB"},
    {.name = "max_continuations", .type = SCHEMA_COUNT, AT(struct h2_limits, max_continuations),
     .minimum = 0, .maximum = 1024, .fallback = "8"},
    {.name = "stream_window", .type = SCHEMA_SIZE, AT(struct h2_limits, stream_window),
     .minimum = 64 * KIB, .maximum = 64 * MIB, .fallback = "64KiB"},
    {.name = "max_buffered", .type = SCHEMA_SIZE, AT(struct h2_limits, max_buffered),
     .minimum = MIB, .maximum = GIB, .fallback = "64MiB"},
    H2_RATES(X)
};
#undef X
static const struct schema_section http2 = {SECTION(http2_keys, struct h2_limits)};

static const struct schema_key http_keys[] = {
    /* The parser's own limit of all that comes before a body is 80 KiB. */
    {.name = "max_header", .type = SCHEMA_SIZE, AT(struct http1_limits, max_header),
     .minimum = KIB, .maximum = 64 * KIB, .fallback = "32KiB"},
    {.name = "max_pipelined", .type = SCHEMA_SIZE, AT(struct http1_limits, max_pipelined),
     .minimum = KIB, .maximum = 16 * MIB, .fallback = "64KiB"},
};
static const struct schema_section http = {SECTION(http_keys, struct http1_limits)};

static const struct schema_key limits_keys[] = {
    {.name = "max_clients", .type = SCHEMA_COUNT, AT(struct conf, limits.max_clients),
     .minimum = 1, .maximum = COUNT_MANY, .fallback = "10000"},
    {.name = "max_message", .type = SCHEMA_SIZE, AT(struct conf, limits.max_message),
     .minimum = KIB, .maximum = GIB, .fallback = "64MiB"},
    {.name = "frame_timeout", .type = SCHEMA_DURATION, AT(struct conf, limits.frame_timeout),
     .minimum = 100, .maximum = HOUR, .fallback = "30s"},
    {.name = "stall_timeout", .type = SCHEMA_DURATION, AT(struct conf, limits.stall_timeout),
     .minimum = 100, .maximum = HOUR, .fallback = "60s"},
    {.name = "http2", .type = SCHEMA_SECTION, AT(struct conf, limits.http2), .section = &http2},
    {.name = "http", .type = SCHEMA_SECTION, AT(struct conf, limits.http), .section = &http},
};
static const struct schema_section limits = {SECTION(limits_keys, struct conf)};

static const struct schema_key log_keys[] = {
    {.name = "level", .type = SCHEMA_WORD, AT(struct conf, log.level),
     .words = log_levels, .fallback = "info"},
    {.name = "format", .type = SCHEMA_WORD, AT(struct conf, log.format),
     .words = log_formats, .fallback = "text"},
    {.name = "stats_period", .type = SCHEMA_DURATION, AT(struct conf, log.stats_period),
     .minimum = 0, .maximum = DAY, .fallback = "60s"},
};
static const struct schema_section log_section = {SECTION(log_keys, struct conf)};

static const struct schema_key file_keys[] = {
    {.name = "listen", .type = SCHEMA_LIST, MANY(struct conf, listener, listener)},
    {.name = "upstreams", .type = SCHEMA_MAP, MANY(struct conf, upstream, upstream),
     .required = true, .hint = "write upstreams: {main: {uri: \"http://127.0.0.1:19530\"}}"},
    {.name = "databases", .type = SCHEMA_MAP, MANY(struct conf, database, database),
     .required = true, .hint = "write databases: {\"*\": {upstream: main}} to serve any"},
    {.name = "access", .type = SCHEMA_LIST, MANY(struct conf, rule, rule)},
    {.name = "tokens_file", .type = SCHEMA_SECRET_FILE, AT(struct conf, tokens_file)},
    {.name = "schema_cache", .type = SCHEMA_SECTION, .section = &cache},
    {.name = "limits", .type = SCHEMA_SECTION, .section = &limits},
    {.name = "log", .type = SCHEMA_SECTION, .section = &log_section},
    {.name = "user", .type = SCHEMA_TEXT, AT(struct conf, user.name)},
    {.name = "admin", .type = SCHEMA_LATER},
    {.name = "metrics", .type = SCHEMA_LATER},
};
const struct schema_section schema_file = {SECTION(file_keys, struct conf)};
/* clang-format on */

const struct schema_key *schema_find(const struct schema_section *section, const char *name)
{
    for (size_t i = 0; i < section->count; i++) {
        if (strcmp(section->keys[i].name, name) == 0)
            return &section->keys[i];
    }
    return NULL;
}

bool schema_is_taken(const struct schema_key *key)
{
    return key->type != SCHEMA_LATER && key->type != SCHEMA_MISPLACED_SECRET;
}
