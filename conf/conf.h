/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration: a YAML file read into one typed, checked object, or a list of all its faults.
 * The keys and their rules stand in one table, conf/schema.c; docs/configuration.md says what each
 * means.
 *
 * Times are milliseconds, sizes bytes. All memory belongs to the struct conf and lives until
 * conf_free(); nothing changes after conf_load().
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "conf/address.h"
#include "conf/logger.h"
#include "proto/h2_limits.h"
#include "proto/http1_limits.h"

/* The protocols that a listener may serve: name, word. */
#define CONF_PROTOCOLS(X)                                                                          \
    X(PLAIN, "plain")                                                                              \
    X(GRPC, "grpc")                                                                                \
    X(HTTP, "http")

#define X(name, word) CONF_PLACE_##name,
enum conf_protocol_place { CONF_PROTOCOLS(X) CONF_PROTOCOL_COUNT };
#undef X

/* Each is a bit: CONF_PROTOCOL_PLAIN 1, CONF_PROTOCOL_GRPC 2, CONF_PROTOCOL_HTTP 4. */
#define X(name, word) CONF_PROTOCOL_##name = 1 << CONF_PLACE_##name,
enum conf_protocol { CONF_PROTOCOLS(X) CONF_PROTOCOL_ALL = (1 << CONF_PROTOCOL_COUNT) - 1 };
#undef X

struct conf_listener {
    struct address address;
    mode_t mode;          /* of a Unix socket; CONF_MODE_UNSET: as the umask leaves it */
    const char *group;    /* of a Unix socket, or NULL */
    gid_t gid;            /* that group's id; (gid_t)-1 without one */
    const char *database; /* for requests that name none; "default" unless given */
    unsigned protocols;   /* bits of enum conf_protocol, at least one */
    bool allow_remote;    /* its address may be one that other machines reach */
};
#define CONF_MODE_UNSET ((mode_t)-1)

/* A secret's whereabouts: token_file alone, or user with password_file. All NULL: no credentials.
 */
struct conf_credential {
    const char *token_file;
    const char *user;
    const char *password_file;
    unsigned line; /* of token_file or password_file in the file; 0: no credentials, or no place */
    unsigned column;
};

static inline bool conf_credential_is_given(const struct conf_credential *credential)
{
    return credential->token_file || credential->password_file;
}

struct conf_tls {
    const char *ca_file;     /* PEM; NULL: the system's store */
    const char *cert_file;   /* PEM; both or none of cert_file and key_file */
    const char *key_file;    /* PEM */
    const char *server_name; /* the name to verify, NULL: the uri's host */
};

/* What carries the calls to an upstream: name, word. */
#define CONF_TRANSPORTS(X)                                                                         \
    X(GRPC, "grpc")                                                                                \
    X(H2, "h2")

#define X(name, word) CONF_TRANSPORT_##name,
enum conf_transport { CONF_TRANSPORTS(X) CONF_TRANSPORT_COUNT };
#undef X

/* Uris of one upstream, and bytes of their text for people; what is beyond is "...". */
#define CONF_HOSTS_MAX    64
#define CONF_URI_TEXT_MAX 400

/* One uri of an upstream. */
struct conf_host {
    const char *text; /* as written */
    const char *host; /* without brackets */
    uint16_t port;    /* 19530 for http, 443 for https unless given */
};

struct conf_upstream {
    const char *name;
    const char *uri; /* for people: the uris as written, joined by ", " */
    const struct conf_host *hosts;
    size_t host_count;    /* 1 to CONF_HOSTS_MAX */
    bool secure;          /* https, all of them */
    bool allow_plaintext; /* to hosts other than this one */
    struct conf_credential credential;
    struct conf_tls tls;
    int64_t connect_timeout; /* ms */
    int64_t keepalive; /* ms; at least 10 s, Milvus closes connections that ping more often than
                          every 5 s */
    int64_t server_lifetime;     /* ms that a connection stands until another takes its place; 0:
                                    for ever */
    int64_t server_idle_timeout; /* ms without a call until a connection is closed; 0: never */
    uint32_t http_port;          /* of its REST; 0: the one of its uri */
    enum conf_transport transport;
};

struct conf_method_timeout {
    const char *method; /* "Search" */
    int64_t timeout;    /* ms */
};

enum conf_switch { CONF_OFF, CONF_ON };

/* Requests that travel together, see docs/merging.md. */
struct conf_merge {
    enum conf_switch searches;  /* those that agree go as one with several vectors */
    enum conf_switch identical; /* reads of the same bytes share one call */
    uint32_t calls;             /* of a collection's searches under way; 0: finds itself */
    uint32_t max_calls;         /* that it finds */
    uint32_t max_vectors;       /* of one call */
    uint32_t max_results;       /* of one call: vectors times limit */
    uint32_t max_bytes;         /* of one call's vectors; at most half of max_message */
};

/* Whose credentials go upstream, where the rule has none: word. */
enum conf_credentials { CONF_CREDENTIALS_DAEMON, CONF_CREDENTIALS_CLIENT };

struct conf_database {
    const char *name;                     /* the clients' name for it, "*" for any other */
    const struct conf_upstream *upstream; /* one of conf.upstreams */
    const char *upstream_name; /* the upstream's name for it; NULL for "*": as the client says */
    struct conf_credential credential; /* its own, or else the upstream's: resolved here; none
                                          where the client's own travels */
    bool own_credential;               /* whether they were given at the database */
    enum conf_credentials credentials;
    uint32_t max_credentials; /* of clients, with pools at once */
    uint32_t pool_size;       /* connections */
    uint32_t max_in_flight;   /* requests on the wire at once */
    uint32_t queue_size;      /* requests that may wait */
    int64_t queue_timeout;    /* ms */
    int64_t default_timeout;  /* ms */
    int64_t max_timeout;      /* ms */
    const struct conf_method_timeout *method_timeouts;
    size_t method_timeout_count;
    struct conf_merge merge;
};

/* Where something stands in the file. */
struct conf_place {
    unsigned line;
    unsigned column;
};

/* Whom a rule is for: all that is set must be so. */
struct conf_match {
    bool any;            /* everybody; then nothing else is set */
    const char *user;    /* NULL: not given by name */
    uid_t uid;           /* of the peer on a Unix socket; (uid_t)-1: whoever it is */
    const char *group;   /* NULL: not given by name */
    gid_t gid;           /* one of the peer's groups; (gid_t)-1: whichever */
    const char *address; /* of `listener`, as written; NULL: any */
    const char *token;   /* a name in tokens_file; NULL: none is needed */
    const struct conf_listener *listener; /* one of conf.listeners; NULL: any */
};

/* What may be asked: classes of RPCs, and RPCs by name. */
struct conf_rights {
    unsigned classes;           /* bits, 1 << enum rpc_class */
    const char *const *methods; /* paths, "/milvus.proto.milvus.MilvusService/Search" */
    size_t method_count;
};

/* Of all clients of a rule together; 0: no limit. */
struct conf_rule_limits {
    uint32_t max_clients;         /* connections at once */
    uint32_t max_in_flight;       /* requests under way, those that wait included */
    uint32_t requests_per_second; /* in the long run */
    uint32_t burst;               /* requests at once; 1 or more where there is a rate */
};

struct conf_rule {
    unsigned number; /* from 1, in the order of the file */
    struct conf_match match;
    const char *const *databases; /* the clients' names for them, "*" for all */
    size_t database_count;        /* 0: all */
    struct conf_rights allow;
    bool read_only;       /* of `allow`, what changes nothing */
    const char *database; /* for requests that name none; NULL: the listener's */
    struct conf_rule_limits limits;
    int64_t max_timeout;               /* ms; 0: the database's */
    struct conf_credential credential; /* its requests go upstream with it; none: the database's */
    struct conf_place token_place;     /* of match.token */
};

struct conf {
    const struct conf_listener *listeners;
    size_t listener_count;
    const struct conf_upstream *upstreams;
    size_t upstream_count;
    const struct conf_database *databases;
    size_t database_count;
    const struct conf_rule *rules; /* the first that matches a client is its rule */
    size_t rule_count;             /* 0: everybody may do everything */
    const char *tokens_file;       /* NULL: none */
    struct conf_place tokens_place;
    struct {
        const char *name; /* whom the process becomes; NULL: it stays who it is */
        uid_t uid;        /* never 0 */
        gid_t gid;        /* the user's own group */
        struct conf_place place;
    } user;
    struct {
        int64_t ttl;          /* ms; 0: nothing is kept */
        uint32_t max_entries; /* descriptions kept, least recently used leaves first; 0: nothing is
                                 kept */
    } schema_cache;
    struct {
        uint32_t max_clients;   /* connections at once */
        uint32_t max_message;   /* bytes of one message, either way */
        int64_t frame_timeout;  /* ms from a frame's first byte to its last */
        int64_t stall_timeout;  /* ms that a client may take nothing of what waits for it */
        struct h2_limits http2; /* of each connection; max_buffered is at least max_message */
        struct http1_limits http;
    } limits;
    struct {
        enum log_level level;
        enum log_format format;
        int64_t stats_period; /* ms between two reports of what has happened; 0: none */
    } log;
    struct arena *memory; /* holds all of the above, and the struct conf itself */
};

/* One fault: where, what is wrong and what would be right. line and column start at 1; 0 where a
 * fault has no place. */
struct conf_fault {
    unsigned line;
    unsigned column;
    char *text;
};

struct conf_faults {
    struct conf_fault *items;
    size_t count;
};

/*
 * Reads the file. Relative names of files in it are taken from $CREDENTIALS_DIRECTORY if they stand
 * there (secrets only), else from the file's own folder, and are stored here resolved. 0: *ret_conf
 * is the caller's, to be given to conf_free(). -1: *ret_faults holds every fault found, in the
 * file's order; *ret_conf is untouched. In both cases *ret_faults is the caller's, to be given to
 * conf_faults_free().
 */
int conf_load(const char *path, struct conf **ret_conf, struct conf_faults *ret_faults)
    __attribute__((warn_unused_result));

/* The same from memory; files with relative names are looked for beside `path`. For tests and
 * fuzzing. */
int conf_parse(const char *path, const char *text, size_t length, struct conf **ret_conf,
               struct conf_faults *ret_faults) __attribute__((warn_unused_result));

/*
 * The configuration of `serve --upstream URI [--token-file F] [--allow-plaintext] [--listen
 * ADDRESS]...`: one upstream, "main", and the database "*"; without an address,
 * unix:/run/milvus-bouncer/milvus.sock. Faults have no place (line 0).
 */
int conf_from_arguments(const char *uri, const char *token_file, bool allow_plaintext,
                        const char *const *listen, size_t listen_count, struct conf **ret_conf,
                        struct conf_faults *ret_faults) __attribute__((warn_unused_result));

/* NULL is accepted. */
void conf_free(struct conf *conf);
void conf_faults_free(struct conf_faults *faults);

/* One line a fault, "FILE:LINE:COLUMN: TEXT", or "TEXT" alone where it has no place. */
void conf_faults_print(const struct conf_faults *faults, const char *path, FILE *to);

#endif
