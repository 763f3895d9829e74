/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/h2_call.h"

#include <stdio.h>
#include <stdlib.h>

#include "pool/clock.h"

/* Pauses between tries, as grpc/doc/connection-backoff.md has them, with a shorter first and last
 * one. */
#define PAUSE_FIRST  200   /* ms */
#define PAUSE_MAX    10000 /* ms */
#define PAUSE_GROWTH 1.6
#define PAUSE_JITTER 20 /* in a hundred, either way */

/* A connection that ends sooner, and has answered nothing, counts as one that could not be made. */
#define LIFE_MIN 1000 /* ms */

/* ---- TLS, once for each upstream of the configuration ---- */

static struct h2_secrets *find_secrets(struct h2_transport *transport,
                                       const struct conf_upstream *of)
{
    struct h2_secrets *secrets;
    LIST_FOREACH (secrets, &transport->secrets, link) {
        if (secrets->of == of)
            return secrets;
    }
    return NULL;
}

static struct h2_secrets *secrets_new(struct h2_transport *transport,
                                      const struct conf_upstream *of, char **ret_error)
{
    struct tls *tls = tls_new(&of->tls, ret_error);
    if (!tls)
        return NULL;
    struct h2_secrets *secrets = calloc(1, sizeof(*secrets));
    if (!secrets)
        abort();
    secrets->of = of;
    secrets->tls = tls;
    LIST_INSERT_HEAD(&transport->secrets, secrets, link);
    return secrets;
}

static void secrets_unref(struct h2_secrets *secrets)
{
    if (!secrets || --secrets->users > 0)
        return;
    LIST_REMOVE(secrets, link);
    tls_free(secrets->tls);
    free(secrets);
}

/* False: *ret_error says why. */
static bool take_secrets(struct h2_upstream *upstream, char **ret_error)
{
    struct h2_secrets *secrets = find_secrets(upstream->transport, upstream->to);
    if (!secrets)
        secrets = secrets_new(upstream->transport, upstream->to, ret_error);
    if (!secrets)
        return false;
    secrets->users++;
    upstream->secrets = secrets;
    return true;
}

/* ---- freeing ---- */

static void release(struct h2_upstream *upstream)
{
    struct h2_conn *conn;
    while ((conn = LIST_FIRST(&upstream->conns)))
        h2_conn_end(conn, "closed");
    struct upstream_call *call;
    while ((call = TAILQ_FIRST(&upstream->calls)))
        h2_call_free(call);
    event_del(&upstream->pause);
    secrets_unref(upstream->secrets);
    free(upstream);
}

void h2_upstream_enter(struct h2_upstream *upstream)
{
    upstream->inside++;
}

void h2_upstream_leave(struct h2_upstream *upstream)
{
    if (upstream->inside == 1 && !upstream->events)
        release(upstream);
    else
        upstream->inside--;
}

/* ---- states ---- */

static void set_state(struct h2_upstream *upstream, enum upstream_state state, const char *reason)
{
    upstream->base.state = state;
    if (upstream->events)
        upstream->events->state_changed(upstream->context, state, reason);
}

/* Calls on connections that leave are the pool's, too, and count for it. */
static uint32_t capacity_of(const struct h2_upstream *upstream)
{
    uint32_t leaving = 0;
    const struct h2_conn *conn;
    LIST_FOREACH (conn, &upstream->conns, link_of)
        leaving += conn == upstream->current ? 0 : conn->call_count;
    uint32_t current = h2_capacity(upstream->current->h2);
    return current > UINT32_MAX - leaving ? UINT32_MAX : current + leaving;
}

void h2_upstream_resize(struct h2_upstream *upstream)
{
    if (upstream->base.state != UPSTREAM_READY || !upstream->current)
        return;
    uint32_t before = upstream->base.capacity;
    upstream->base.capacity = capacity_of(upstream);
    if (upstream->base.capacity > before && upstream->events)
        upstream->events->capacity_grew(upstream->context);
}

void h2_upstream_ready(struct h2_upstream *upstream)
{
    upstream->base.capacity = capacity_of(upstream);
    set_state(upstream, UPSTREAM_READY, NULL);
}

/* ---- connecting, again and again ---- */

/* Each connection is made with what the files hold by then, if they can be used. */
static void refresh_secrets(struct h2_upstream *upstream)
{
    struct h2_secrets *secrets = upstream->secrets;
    char *error = NULL;
    bool was_stale = secrets->are_stale;
    secrets->are_stale = !tls_refresh(secrets->tls, &error);
    if (secrets->are_stale && !was_stale)
        upstream->events->warned(upstream->context, error);
    free(error);
}

static void connect_now(struct h2_upstream *upstream)
{
    if (upstream->secrets)
        refresh_secrets(upstream);
    event_del(&upstream->pause);
    upstream->tried = clock_now();
    upstream->current = h2_conn_open(upstream);
}

static void on_pause_over(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    connect_now(argument);
}

static void pause_until(struct h2_upstream *upstream, int64_t at)
{
    const struct timeval time = clock_wait(at - clock_now());
    event_add(&upstream->pause, &time);
}

/* It grows with each failure, and is another for each of many daemons. */
static int64_t next_pause(const struct h2_upstream *upstream)
{
    double pause = PAUSE_FIRST;
    for (unsigned i = 1; i < upstream->failures && pause < PAUSE_MAX; i++)
        pause *= PAUSE_GROWTH;
    if (pause > PAUSE_MAX)
        pause = PAUSE_MAX;
    double jitter = (double)arc4random_uniform(2 * PAUSE_JITTER + 1) - PAUSE_JITTER;
    return (int64_t)(pause * (100 + jitter) / 100);
}

static void fail(struct h2_upstream *upstream, const char *reason)
{
    upstream->failures++;
    pause_until(upstream, upstream->tried + next_pause(upstream));
    set_state(upstream, UPSTREAM_DOWN, reason);
}

void h2_upstream_leaving(struct h2_upstream *upstream, struct h2_conn *conn)
{
    if (upstream->current != conn)
        return;
    upstream->current = NULL;
    upstream->failures = 0;
    set_state(upstream, UPSTREAM_CONNECTING, NULL);
    if (upstream->events)
        connect_now(upstream);
}

static bool was_good(const struct h2_upstream *upstream, const struct h2_conn *conn)
{
    bool ready = conn->state == H2_CONN_READY;
    return ready && (conn->used || clock_now() - upstream->tried >= LIFE_MIN);
}

void h2_upstream_lost(struct h2_upstream *upstream, struct h2_conn *conn, const char *reason)
{
    if (upstream->current != conn)
        return;
    if (was_good(upstream, conn)) {
        h2_upstream_leaving(upstream, conn);
        return;
    }
    upstream->current = NULL;
    if (upstream->events)
        fail(upstream, reason);
}

/* ---- verbs ---- */

static struct upstream_call *start(struct upstream *base, const struct upstream_message *message,
                                   void *context)
{
    struct h2_upstream *upstream = (struct h2_upstream *)base;
    return h2_call_start(upstream->current, message, context);
}

static void send_message(struct upstream *base, struct upstream_call *call, struct blob *message,
                         bool compressed)
{
    (void)base;
    h2_call_send(call, message, compressed);
}

static void finish(struct upstream *base, struct upstream_call *call)
{
    (void)base;
    h2_call_finish(call);
}

static void receive(struct upstream *base, struct upstream_call *call)
{
    (void)base;
    h2_call_receive(call);
}

static void take(struct upstream *base, struct upstream_call *call)
{
    (void)base;
    h2_call_take(call);
}

static void cancel(struct upstream *base, struct upstream_call *call)
{
    (void)base;
    h2_call_cancel(call);
}

static void hurry(struct upstream *base)
{
    struct h2_upstream *upstream = (struct h2_upstream *)base;
    if (!upstream->current)
        pause_until(upstream, upstream->tried + PAUSE_FIRST);
}

static void close_upstream(struct upstream *base)
{
    struct h2_upstream *upstream = (struct h2_upstream *)base;
    h2_upstream_enter(upstream);
    upstream->events = NULL;
    h2_upstream_leave(upstream);
}

static const struct upstream_verbs verbs = {
    .start = start,
    .send = send_message,
    .finish = finish,
    .receive = receive,
    .take = take,
    .cancel = cancel,
    .hurry = hurry,
    .close = close_upstream,
};

static void set_authority(struct h2_upstream *upstream)
{
    const struct endpoint *endpoint = &upstream->endpoint;
    const char *name = upstream->to->tls.server_name;
    bool ipv6 = strchr(endpoint->host, ':') != NULL;
    if (name)
        snprintf(upstream->authority, sizeof(upstream->authority), "%s", name);
    else
        snprintf(upstream->authority, sizeof(upstream->authority), ipv6 ? "[%s]:%u" : "%s:%u",
                 endpoint->host, endpoint->port);
}

struct upstream *h2_upstream_open(struct transport *base, const struct conf_upstream *to,
                                  const struct endpoint *endpoint, uint32_t max_message,
                                  const struct upstream_events *events, void *context,
                                  char **ret_error)
{
    struct h2_upstream *upstream = calloc(1, sizeof(*upstream));
    if (!upstream)
        abort();
    upstream->base = (struct upstream){.verbs = &verbs, .state = UPSTREAM_CONNECTING};
    upstream->transport = (struct h2_transport *)base;
    upstream->to = to;
    upstream->endpoint = *endpoint;
    upstream->max_message = max_message;
    upstream->events = events;
    upstream->context = context;
    upstream->keepalive = to->keepalive;
    LIST_INIT(&upstream->conns);
    TAILQ_INIT(&upstream->calls);
    set_authority(upstream);
    evtimer_assign(&upstream->pause, upstream->transport->loop, on_pause_over, upstream);
    if (to->secure && !take_secrets(upstream, ret_error)) {
        free(upstream);
        return NULL;
    }
    connect_now(upstream);
    return &upstream->base;
}
