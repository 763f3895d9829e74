/* SPDX-License-Identifier: Apache-2.0 */
/* What pool/servers.c, pool/server.c and pool/janitor.c share. */
#ifndef POOL_SERVERS_STATE_H
#define POOL_SERVERS_STATE_H

#include "pool/servers.h"

/* The connections to one endpoint. */
struct group {
    TAILQ_ENTRY(group) link;
    const struct endpoint *endpoint;
    uint32_t count;     /* in use, without a successor; the rest are missing */
    uint32_t in_flight; /* calls on these */
    bool has_been;      /* a connection to it was up */
};

struct server {
    TAILQ_ENTRY(server) link; /* in use or retired; a successor is in neither list */
    struct servers *servers;
    struct group *group; /* NULL: retired */
    struct upstream *upstream;
    uint32_t in_flight;
    int64_t renew_at;   /* 0: never */
    int64_t idle_since; /* of one that is up and has no calls */
    bool is_up;
    bool has_refused; /* the call that ended last */
    bool is_quiet;    /* comes up unnoticed: it is opened after an idle time, or a successor */
    bool has_been;    /* it was up before */
    bool is_down;     /* and the log says so */
};

TAILQ_HEAD(server_list, server);

struct servers {
    struct servers_setup setup;
    struct upstream_events events; /* for connections */
    struct endpoints_watcher watcher;
    TAILQ_HEAD(, group) groups;
    struct server_list in_use; /* whose turn it is first */
    struct server_list retired;
    struct server *successor; /* or NULL */
    struct server *replaced;  /* by it */
    uint32_t missing;         /* connections, of all groups */
    struct event *janitor;    /* replaces and closes what is due */
    int64_t janitor_due;      /* 0: it is not set */
    struct event *closer;     /* closes what is retired, outside of its own events */
    int64_t hurried;
    int64_t open_after;
    char **open_error; /* while it is opened: what is wrong goes there */
};

/* ---- pool/server.c: one connection ---- */

/* Its events, for transports; context is the struct server. */
void server_state_changed(void *context, enum upstream_state state, const char *reason);
void server_capacity_grew(void *context);
void server_warned(void *context, const char *what);

/* Opens a connection to that endpoint that is in no list yet. NULL: what is wrong was told. */
struct server *server_open(struct servers *servers, struct group *group);

/* Opens one and puts it into use. False: what is wrong was told. */
bool server_add(struct servers *servers, struct group *group, bool is_quiet);

/* Puts one into use, and takes it out again, for ever. */
void server_enter(struct server *server);
void server_leave(struct server *server);

/* Closes one that is in no list once it has no calls, outside of its own events. */
void server_retire(struct server *server);
void server_close_retired(evutil_socket_t fd, short what, void *argument);

/* At once. */
void server_close(struct server *server);

/* One that is in use is up. was_up: another one is, or was until now. */
void server_came_up(struct server *server, bool was_up);

/* "http://HOST:PORT, ADDRESS", or without the address where the host is one. */
#define DESCRIPTION_MAX (URI_HOST_MAX + ENDPOINT_TEXT_MAX + 32)
void server_describe(const struct server *server, char to[DESCRIPTION_MAX]);

/* A line of the log; of `text` the upstream's name and the description are the first arguments. */
#define server_say(server, level, text, ...)                                                       \
    do {                                                                                           \
        const struct servers_setup *of = &(server)->servers->setup;                                \
        char at[DESCRIPTION_MAX];                                                                  \
        server_describe(server, at);                                                               \
        logger_say(of->logger, level, "%s: " text, of->title, of->database->upstream->name, at,    \
                   ##__VA_ARGS__);                                                                 \
    } while (0)

/* ---- pool/janitor.c: what is due ---- */

/* Has it come then, unless it comes before. */
void janitor_call(struct servers *servers, int64_t due);
void janitor_came(evutil_socket_t fd, short what, void *argument);

/* One has come up; one that is up has no calls. */
void janitor_set_lifetime(struct server *server);
void janitor_begin_idling(struct server *server);

/* A successor's state; and it is not wanted any more. */
void janitor_successor_changed(struct servers *servers, enum upstream_state state,
                               const char *reason);
void janitor_drop_successor(struct servers *servers);

#endif
