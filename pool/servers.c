/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/servers.h"

#include <stdio.h>
#include <stdlib.h>

#include "pool/clock.h"

#define HURRY_PAUSE 1000 /* ms at least between two hurries: each is a connection attempt */
#define RETRY_LEAST 1000 /* ms at least between two attempts at replacing a connection */
#define OPEN_PAUSE                                                                                 \
    1000 /* ms until one is opened where another could not be: certificates may be                 \
            read for it */

#define DESCRIPTION_MAX (URI_HOST_MAX + ENDPOINT_TEXT_MAX + 32)

/* The connections to one endpoint. */
struct group {
    TAILQ_ENTRY(group) link;
    const struct endpoint *endpoint;
    uint32_t count; /* in use, without a successor; the rest are missing */
    bool has_been;  /* a connection to it was up */
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
    bool is_quiet; /* comes up unnoticed: it is opened after an idle time, or a successor */
    bool has_been; /* it was up before */
    bool is_down;  /* and the log says so */
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

/* ---- what the log says ---- */

/* "http://HOST:PORT, ADDRESS", or without the address where the host is one. */
static void describe(const struct servers *servers, const struct endpoint *endpoint,
                     char to[DESCRIPTION_MAX])
{
    bool ipv6 = strchr(endpoint->host, ':') != NULL;
    char authority[URI_HOST_MAX + 16];
    char address[ENDPOINT_TEXT_MAX];
    endpoint_text(endpoint, address);
    snprintf(authority, sizeof(authority), ipv6 ? "[%s]:%u" : "%s:%u", endpoint->host,
             endpoint->port);
    bool is_address = strcmp(authority, address) == 0;
    snprintf(to, DESCRIPTION_MAX, "http%s://%s%s%s",
             servers->setup.database->upstream->secure ? "s" : "", authority,
             is_address ? "" : ", ", is_address ? "" : address);
}

#define say(server, level, text, ...)                                                              \
    do {                                                                                           \
        const struct servers_setup *of = &(server)->servers->setup;                                \
        char at[DESCRIPTION_MAX];                                                                  \
        describe((server)->servers, (server)->group->endpoint, at);                                \
        logger_say(of->logger, level, "database %s: " text, of->database->name,                    \
                   of->database->upstream->name, at, ##__VA_ARGS__);                               \
    } while (0)

/* ---- when something is due ---- */

/* Has the janitor come then, unless it comes before. */
static void call_janitor(struct servers *servers, int64_t due)
{
    if (servers->janitor_due != 0 && servers->janitor_due <= due)
        return;
    int64_t wait = due - clock_now();
    if (wait < 0)
        wait = 0;
    const struct timeval time = {.tv_sec = wait / 1000, .tv_usec = wait % 1000 * 1000};
    servers->janitor_due = due;
    event_add(servers->janitor, &time);
}

static int64_t idle_timeout(const struct servers *servers)
{
    return servers->setup.database->upstream->server_idle_timeout;
}

static int64_t lifetime(const struct servers *servers)
{
    return servers->setup.database->upstream->server_lifetime;
}

/* Connections that came up together do not end together. */
static void set_lifetime(struct server *server)
{
    int64_t limit = lifetime(server->servers);
    if (limit == 0)
        return;
    server->renew_at = clock_now() + limit - arc4random_uniform((uint32_t)(limit / 10 + 1));
    call_janitor(server->servers, server->renew_at);
}

static void begin_idling(struct server *server)
{
    int64_t limit = idle_timeout(server->servers);
    if (limit == 0 || !server->is_up)
        return;
    server->idle_since = clock_now();
    call_janitor(server->servers, server->idle_since + limit);
}

/* ---- connections ---- */

static void close_server(struct server *server)
{
    upstream_close(server->upstream);
    free(server);
}

static void close_retired(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct servers *servers = argument;
    struct server *server;
    struct server *following;
    for (server = TAILQ_FIRST(&servers->retired); server; server = following) {
        following = TAILQ_NEXT(server, link);
        if (server->in_flight > 0)
            continue;
        TAILQ_REMOVE(&servers->retired, server, link);
        close_server(server);
    }
}

/* It has left the lists. */
static void retire(struct server *server)
{
    struct servers *servers = server->servers;
    server->group = NULL;
    TAILQ_INSERT_TAIL(&servers->retired, server, link);
    if (server->in_flight == 0)
        event_active(servers->closer, EV_TIMEOUT, 0);
}

static void drop_successor(struct servers *servers)
{
    retire(servers->successor);
    servers->successor = NULL;
    servers->replaced = NULL;
    call_janitor(servers, clock_now()); /* another one may be due */
}

/* Takes it out of use; its place is missing. */
static void leave(struct server *server)
{
    struct servers *servers = server->servers;
    if (servers->replaced == server)
        drop_successor(servers);
    TAILQ_REMOVE(&servers->in_use, server, link);
    server->group->count--;
    servers->missing++;
    retire(server);
}

static void enter(struct server *server)
{
    struct servers *servers = server->servers;
    TAILQ_INSERT_TAIL(&servers->in_use, server, link);
    server->group->count++;
    servers->missing--;
}

static void report_open_error(struct servers *servers, char *error)
{
    const struct conf_database *database = servers->setup.database;
    if (servers->open_error && !*servers->open_error) {
        *servers->open_error = error;
        return;
    }
    log_error(servers->setup.logger, "database %s: upstream %s: %s", database->name,
              database->upstream->name, error);
    servers->open_after = clock_now() + OPEN_PAUSE;
    if (!servers->open_error)
        servers->setup.events->failed(servers->setup.context, error);
    free(error);
}

/* A connection to that endpoint that is in no list yet, or NULL: what is wrong was told. */
static struct server *open_server(struct servers *servers, struct group *group)
{
    const struct servers_setup *setup = &servers->setup;
    char *error = NULL;
    struct server *server = calloc(1, sizeof(*server));
    if (!server)
        abort();
    server->servers = servers;
    server->group = group;
    server->upstream =
        setup->transport->open(setup->transport, setup->database->upstream, group->endpoint,
                               setup->max_message, &servers->events, server, &error);
    if (server->upstream)
        return server;
    free(server);
    report_open_error(servers, error);
    return NULL;
}

static bool add_server(struct servers *servers, struct group *group, bool is_quiet)
{
    struct server *server = open_server(servers, group);
    if (!server)
        return false;
    server->is_quiet = is_quiet;
    enter(server);
    return true;
}

/* ---- their states ---- */

static void lost(struct server *server)
{
    struct servers *servers = server->servers;
    if (!server->is_up)
        return;
    server->is_up = false;
    server->is_quiet = false;
    server->renew_at = 0;
    server->idle_since = 0;
    if (servers->replaced == server)
        drop_successor(servers); /* it connects anew by itself */
    servers->setup.events->changed(servers->setup.context);
}

static void went_down(struct server *server, const char *reason)
{
    struct servers *servers = server->servers;
    endpoints_down(servers->setup.endpoints, server->group->endpoint);
    if (!server->is_down)
        say(server, LOG_WARNING, "no connection to upstream %s (%s): %s", reason);
    server->is_down = true;
    server->is_quiet = false;
    servers->setup.events->failed(servers->setup.context, reason);
}

/* was_up: another connection is, or was until now. */
static void came_up(struct server *server, bool was_up)
{
    const struct servers_setup *setup = &server->servers->setup;
    bool another = !was_up || server->has_been || !server->group->has_been;
    say(server, server->is_quiet ? LOG_DEBUG : LOG_INFO, "connected to upstream %s (%s)");
    server->is_up = true;
    server->is_down = false;
    server->has_been = true;
    server->group->has_been = true;
    endpoints_up(server->group->endpoint);
    set_lifetime(server);
    begin_idling(server);
    setup->events->changed(setup->context);
    if (another)
        setup->events->connected(setup->context);
    setup->events->has_room(setup->context);
}

static void successor_changed(struct servers *servers, enum upstream_state state,
                              const char *reason)
{
    struct server *successor = servers->successor;
    struct server *replaced = servers->replaced;
    if (state == UPSTREAM_READY) {
        servers->successor = NULL;
        servers->replaced = NULL;
        leave(replaced);
        enter(successor);
        came_up(successor, true);
        call_janitor(servers, clock_now());
    }
    if (state != UPSTREAM_DOWN)
        return;
    int64_t pause = lifetime(servers) / 10;
    replaced->renew_at = clock_now() + (pause < RETRY_LEAST ? RETRY_LEAST : pause);
    say(successor, LOG_WARNING, "cannot replace the connection to upstream %s (%s), it stays: %s",
        reason);
    drop_successor(servers);
}

static void state_changed(void *context, enum upstream_state state, const char *reason)
{
    struct server *server = context;
    if (!server->group)
        return;
    if (server == server->servers->successor) {
        successor_changed(server->servers, state, reason);
        return;
    }
    if (state != UPSTREAM_READY)
        lost(server);
    if (state == UPSTREAM_DOWN)
        went_down(server, reason);
    if (state == UPSTREAM_READY) /* told twice, it was lost in between */
        came_up(server, servers_are_up(server->servers));
}

static void capacity_grew(void *context)
{
    const struct server *server = context;
    const struct servers_setup *setup = &server->servers->setup;
    if (server->is_up && server->group)
        setup->events->has_room(setup->context);
}

/* ---- the janitor ---- */

static void replace(struct server *server)
{
    struct servers *servers = server->servers;
    servers->successor = open_server(servers, server->group);
    servers->replaced = servers->successor ? server : NULL;
    if (servers->successor)
        servers->successor->is_quiet = true;
    else
        set_lifetime(server);
}

/* Does what is due for one that is up. When it has to be looked at again; INT64_MAX: never. */
static int64_t look_after(struct server *server, int64_t now)
{
    struct servers *servers = server->servers;
    int64_t idle = idle_timeout(servers);
    int64_t next = INT64_MAX;
    if (idle > 0 && server->in_flight == 0) {
        next = server->idle_since + idle;
        if (next <= now) {
            say(server, LOG_DEBUG, "closed an idle connection to upstream %s (%s)");
            leave(server);
            return INT64_MAX;
        }
    }
    if (server->renew_at == 0 || servers->successor)
        return next; /* once the successor is up, the janitor comes again */
    if (server->renew_at <= now)
        replace(server);
    if (servers->replaced != server && server->renew_at < next)
        next = server->renew_at;
    return next;
}

static void janitor_came(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct servers *servers = argument;
    int64_t next = INT64_MAX;
    int64_t now = clock_now();
    struct server *server;
    struct server *following;
    servers->janitor_due = 0;
    for (server = TAILQ_FIRST(&servers->in_use); server; server = following) {
        following = TAILQ_NEXT(server, link);
        int64_t due = server->is_up ? look_after(server, now) : INT64_MAX;
        if (due < next)
            next = due;
    }
    if (next < INT64_MAX)
        call_janitor(servers, next);
    servers->setup.events->changed(servers->setup.context);
}

/* ---- endpoints ---- */

static void endpoint_added(void *context, const struct endpoint *endpoint)
{
    struct servers *servers = context;
    struct group *group = calloc(1, sizeof(*group));
    if (!group)
        abort();
    group->endpoint = endpoint;
    TAILQ_INSERT_TAIL(&servers->groups, group, link);
    servers->missing += servers->setup.database->pool_size;
    while (group->count < servers->setup.database->pool_size) {
        if (!add_server(servers, group, false))
            return;
    }
}

static struct group *group_of(struct servers *servers, const struct endpoint *endpoint)
{
    struct group *group = TAILQ_FIRST(&servers->groups);
    while (group->endpoint != endpoint)
        group = TAILQ_NEXT(group, link);
    return group;
}

static void endpoint_removed(void *context, const struct endpoint *endpoint)
{
    struct servers *servers = context;
    struct group *group = group_of(servers, endpoint);
    struct server *server;
    struct server *following;
    for (server = TAILQ_FIRST(&servers->in_use); server; server = following) {
        following = TAILQ_NEXT(server, link);
        if (server->group == group)
            leave(server);
    }
    servers->missing -= servers->setup.database->pool_size;
    TAILQ_REMOVE(&servers->groups, group, link);
    free(group);
    servers->setup.events->changed(servers->setup.context);
}

static void endpoints_unknown(void *context, const char *reason)
{
    struct servers *servers = context;
    servers->setup.events->failed(servers->setup.context, reason);
}

/* ---- calls ---- */

bool servers_are_up(const struct servers *servers)
{
    const struct server *server;
    TAILQ_FOREACH (server, &servers->in_use, link) {
        if (server->is_up)
            return true;
    }
    return false;
}

struct server *servers_pick(const struct servers *servers)
{
    struct server *best = NULL;
    struct server *server;
    TAILQ_FOREACH (server, &servers->in_use, link) {
        if (!server->is_up || server->in_flight >= server->upstream->capacity)
            continue;
        if (!best || server->in_flight < best->in_flight)
            best = server;
    }
    return best;
}

/* Where the fewest are. */
static void open_missing(struct servers *servers)
{
    struct group *least = NULL;
    struct group *group;
    if (servers->open_after && clock_now() < servers->open_after)
        return;
    TAILQ_FOREACH (group, &servers->groups, link) {
        if (!least || group->count < least->count)
            least = group;
    }
    add_server(servers, least, true);
}

struct upstream *server_begin(struct server *server)
{
    struct servers *servers = server->servers;
    TAILQ_REMOVE(&servers->in_use, server, link);
    TAILQ_INSERT_TAIL(&servers->in_use, server, link);
    if (server->in_flight++ > 0 && servers->missing > 0)
        open_missing(servers);
    return server->upstream;
}

void server_ended(struct server *server)
{
    server->in_flight--;
    if (server->in_flight > 0)
        return;
    if (server->group)
        begin_idling(server);
    else
        event_active(server->servers->closer, EV_TIMEOUT, 0);
}

struct upstream *server_upstream(const struct server *server)
{
    return server->upstream;
}

static void hurry(struct servers *servers)
{
    struct server *server;
    int64_t now = clock_now();
    if (servers->hurried && now < servers->hurried + HURRY_PAUSE)
        return;
    servers->hurried = now;
    endpoints_hurry(servers->setup.endpoints);
    TAILQ_FOREACH (server, &servers->in_use, link)
        upstream_hurry(server->upstream);
}

void servers_want(struct servers *servers)
{
    if (servers->missing > 0)
        open_missing(servers);
    if (!servers_are_up(servers))
        hurry(servers);
}

/* ---- all of them ---- */

struct servers *servers_new(const struct servers_setup *setup, char **ret_error)
{
    struct servers *servers = calloc(1, sizeof(*servers));
    char *error = NULL;
    if (!servers)
        abort();
    servers->setup = *setup;
    servers->events = *setup->calls;
    servers->events.state_changed = state_changed;
    servers->events.capacity_grew = capacity_grew;
    servers->watcher = (struct endpoints_watcher){
        endpoint_added, endpoint_removed, endpoints_unknown, servers, {0}};
    TAILQ_INIT(&servers->groups);
    TAILQ_INIT(&servers->in_use);
    TAILQ_INIT(&servers->retired);
    servers->janitor = evtimer_new(setup->loop, janitor_came, servers);
    servers->closer = event_new(setup->loop, -1, 0, close_retired, servers);
    if (!servers->janitor || !servers->closer)
        abort();
    servers->open_error = &error;
    endpoints_watch(setup->endpoints, &servers->watcher);
    servers->open_error = NULL;
    if (!error)
        return servers;
    *ret_error = error;
    servers_free(servers);
    return NULL;
}

static void close_all(struct server_list *list)
{
    struct server *server;
    while ((server = TAILQ_FIRST(list))) {
        TAILQ_REMOVE(list, server, link);
        close_server(server);
    }
}

void servers_free(struct servers *servers)
{
    if (!servers)
        return;
    struct group *group;
    endpoints_unwatch(&servers->watcher);
    if (servers->successor)
        close_server(servers->successor);
    close_all(&servers->in_use);
    close_all(&servers->retired);
    while ((group = TAILQ_FIRST(&servers->groups))) {
        TAILQ_REMOVE(&servers->groups, group, link);
        free(group);
    }
    event_free(servers->janitor);
    event_free(servers->closer);
    free(servers);
}
