/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "pool/clock.h"
#include "pool/servers_state.h"

#define RETRY_LEAST 1000 /* ms at least between two attempts at replacing a connection */

void janitor_call(struct servers *servers, int64_t due)
{
    if (servers->janitor_due != 0 && servers->janitor_due <= due)
        return;
    const struct timeval time = clock_wait(due - clock_now());
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
void janitor_set_lifetime(struct server *server)
{
    int64_t limit = lifetime(server->servers);
    if (limit == 0)
        return;
    server->renew_at = clock_now() + limit - arc4random_uniform((uint32_t)(limit / 10 + 1));
    janitor_call(server->servers, server->renew_at);
}

void janitor_begin_idling(struct server *server)
{
    int64_t limit = idle_timeout(server->servers);
    if (limit == 0 || !server->is_up)
        return;
    server->idle_since = clock_now();
    janitor_call(server->servers, server->idle_since + limit);
}

/* ---- successors ---- */

void janitor_drop_successor(struct servers *servers)
{
    server_retire(servers->successor);
    servers->successor = NULL;
    servers->replaced = NULL;
    janitor_call(servers, clock_now()); /* another one may be due */
}

void janitor_successor_changed(struct servers *servers, enum upstream_state state,
                               const char *reason)
{
    struct server *successor = servers->successor;
    struct server *replaced = servers->replaced;
    if (state == UPSTREAM_READY) {
        servers->successor = NULL;
        servers->replaced = NULL;
        server_leave(replaced);
        server_enter(successor);
        server_came_up(successor, true);
        janitor_call(servers, clock_now());
    }
    if (state != UPSTREAM_DOWN)
        return;
    int64_t pause = lifetime(servers) / 10;
    replaced->renew_at = clock_now() + (pause < RETRY_LEAST ? RETRY_LEAST : pause);
    server_say(successor, LOG_WARNING,
               "cannot replace the connection to upstream %s (%s), it stays: %s", reason);
    janitor_drop_successor(servers);
}

static void replace(struct server *server)
{
    struct servers *servers = server->servers;
    servers->successor = server_open(servers, server->group);
    servers->replaced = servers->successor ? server : NULL;
    if (servers->successor)
        servers->successor->is_quiet = true;
    else
        janitor_set_lifetime(server);
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
            server_say(server, LOG_DEBUG, "closed an idle connection to upstream %s (%s)");
            server_leave(server);
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

void janitor_came(evutil_socket_t fd, short what, void *argument)
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
        janitor_call(servers, next);
    servers->setup.events->changed(servers->setup.context);
}
