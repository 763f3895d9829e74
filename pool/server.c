/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "pool/clock.h"
#include "pool/servers_state.h"

/* ms until one is opened where another could not be: certificates may be read for it */
#define OPEN_PAUSE 1000

void server_describe(const struct server *server, char to[DESCRIPTION_MAX])
{
    const struct endpoint *endpoint = server->group->endpoint;
    bool ipv6 = strchr(endpoint->host, ':') != NULL;
    char authority[URI_HOST_MAX + 16];
    char address[ENDPOINT_TEXT_MAX];
    endpoint_text(endpoint, address);
    snprintf(authority, sizeof(authority), ipv6 ? "[%s]:%u" : "%s:%u", endpoint->host,
             endpoint->port);
    bool is_address = strcmp(authority, address) == 0;
    snprintf(to, DESCRIPTION_MAX, "http%s://%s%s%s",
             server->servers->setup.database->upstream->secure ? "s" : "", authority,
             is_address ? "" : ", ", is_address ? "" : address);
}

void server_close(struct server *server)
{
    upstream_close(server->upstream);
    free(server);
}

void server_close_retired(evutil_socket_t fd, short what, void *argument)
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
        server_close(server);
    }
}

void server_retire(struct server *server)
{
    struct servers *servers = server->servers;
    server->group = NULL;
    TAILQ_INSERT_TAIL(&servers->retired, server, link);
    if (server->in_flight == 0)
        event_active(servers->closer, EV_TIMEOUT, 0);
}

void server_leave(struct server *server)
{
    struct servers *servers = server->servers;
    if (servers->replaced == server)
        janitor_drop_successor(servers);
    TAILQ_REMOVE(&servers->in_use, server, link);
    server->group->count--;
    server->group->in_flight -= server->in_flight;
    servers->missing++;
    server_retire(server);
}

void server_enter(struct server *server)
{
    struct servers *servers = server->servers;
    TAILQ_INSERT_TAIL(&servers->in_use, server, link);
    server->group->count++;
    servers->missing--;
}

static void report_open_error(struct servers *servers, char *error)
{
    if (servers->open_error && !*servers->open_error) {
        *servers->open_error = error;
        return;
    }
    log_error(servers->setup.logger, "%s: upstream %s: %s", servers->setup.title,
              servers->setup.database->upstream->name, error);
    servers->open_after = clock_now() + OPEN_PAUSE;
    if (!servers->open_error)
        servers->setup.events->failed(servers->setup.context, error);
    free(error);
}

struct server *server_open(struct servers *servers, struct group *group)
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

bool server_add(struct servers *servers, struct group *group, bool is_quiet)
{
    struct server *server = server_open(servers, group);
    if (!server)
        return false;
    server->is_quiet = is_quiet;
    server_enter(server);
    return true;
}

/* ---- states ---- */

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
        janitor_drop_successor(servers); /* it connects anew by itself */
    servers->setup.events->changed(servers->setup.context);
}

static void went_down(struct server *server, const char *reason)
{
    struct servers *servers = server->servers;
    endpoints_down(servers->setup.endpoints, server->group->endpoint);
    if (!server->is_down)
        server_say(server, LOG_WARNING, "no connection to upstream %s (%s): %s", reason);
    server->is_down = true;
    server->is_quiet = false;
    servers->setup.events->failed(servers->setup.context, reason);
}

void server_came_up(struct server *server, bool was_up)
{
    const struct servers_setup *setup = &server->servers->setup;
    bool another = !was_up || server->has_been || !server->group->has_been;
    server_say(server, server->is_quiet || setup->is_quiet ? LOG_DEBUG : LOG_INFO,
               "connected to upstream %s (%s)");
    server->is_up = true;
    server->has_refused = false;
    server->is_down = false;
    server->has_been = true;
    server->group->has_been = true;
    endpoints_up(server->group->endpoint);
    janitor_set_lifetime(server);
    janitor_begin_idling(server);
    setup->events->changed(setup->context);
    if (another)
        setup->events->connected(setup->context);
    setup->events->has_room(setup->context);
}

void server_state_changed(void *context, enum upstream_state state, const char *reason)
{
    struct server *server = context;
    if (!server->group)
        return;
    if (server == server->servers->successor) {
        janitor_successor_changed(server->servers, state, reason);
        return;
    }
    if (state != UPSTREAM_READY)
        lost(server);
    if (state == UPSTREAM_DOWN)
        went_down(server, reason);
    if (state == UPSTREAM_READY) /* told twice, it was lost in between */
        server_came_up(server, servers_are_up(server->servers));
}

void server_capacity_grew(void *context)
{
    const struct server *server = context;
    const struct servers_setup *setup = &server->servers->setup;
    if (server->is_up && server->group)
        setup->events->has_room(setup->context);
}

/* While it is opened it is known by no other, but has its group. */
void server_warned(void *context, const char *what)
{
    const struct server *server = context;
    if (server->group)
        server_say(server, LOG_WARNING,
                   "upstream %s (%s): a file of tls cannot be used, what was read before stays: %s",
                   what);
}
