/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/servers.h"

#include <stdlib.h>

#include "pool/clock.h"
#include "pool/servers_state.h"

#define HURRY_PAUSE 1000 /* ms at least between two hurries: each is a connection attempt */

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
        if (!server_add(servers, group, false))
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
            server_leave(server);
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

/* Of one endpoint, one connection is filled before the next is, the one that was used last: what
 * goes out on it together is one write, and one read comes back. */
static bool is_better(const struct server *server, const struct server *than)
{
    bool is_full = server->in_flight >= SERVERS_TOGETHER;
    bool than_is_full = than->in_flight >= SERVERS_TOGETHER;
    if (server->group != than->group)
        return server->group->in_flight < than->group->in_flight;
    if (server->has_refused != than->has_refused)
        return than->has_refused;
    if (is_full != than_is_full)
        return than_is_full;
    return is_full ? server->in_flight < than->in_flight : server->in_flight >= than->in_flight;
}

struct server *servers_pick(const struct servers *servers)
{
    struct server *best = NULL;
    struct server *server;
    TAILQ_FOREACH (server, &servers->in_use, link) {
        if (!server->is_up || server->in_flight >= server->upstream->capacity)
            continue;
        if (!best || is_better(server, best))
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
    server_add(servers, least, true);
}

struct upstream *server_begin(struct server *server)
{
    struct servers *servers = server->servers;
    TAILQ_REMOVE(&servers->in_use, server, link);
    TAILQ_INSERT_TAIL(&servers->in_use, server, link);
    server->group->in_flight++;
    if (server->in_flight++ > 0 && servers->missing > 0)
        open_missing(servers);
    return server->upstream;
}

void server_ended(struct server *server, bool unstarted)
{
    server->has_refused = unstarted;
    server->in_flight--;
    if (server->group)
        server->group->in_flight--;
    if (server->in_flight > 0)
        return;
    if (server->group)
        janitor_begin_idling(server);
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
    servers->events.state_changed = server_state_changed;
    servers->events.capacity_grew = server_capacity_grew;
    servers->events.warned = server_warned;
    servers->watcher = (struct endpoints_watcher){
        endpoint_added, endpoint_removed, endpoints_unknown, servers, {0}};
    TAILQ_INIT(&servers->groups);
    TAILQ_INIT(&servers->in_use);
    TAILQ_INIT(&servers->retired);
    servers->janitor = evtimer_new(setup->loop, janitor_came, servers);
    servers->closer = event_new(setup->loop, -1, 0, server_close_retired, servers);
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
        server_close(server);
    }
}

void servers_free(struct servers *servers)
{
    if (!servers)
        return;
    struct group *group;
    endpoints_unwatch(&servers->watcher);
    if (servers->successor)
        server_close(servers->successor);
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
