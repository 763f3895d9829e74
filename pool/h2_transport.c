/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/h2_transport.h"

#include <stdlib.h>

#include "pool/h2_call.h"

#define SCRATCH_SIZE (256u << 10) /* bytes read at once */

static void activate(struct h2_transport *transport)
{
    if (TAILQ_EMPTY(&transport->dirty) && TAILQ_EMPTY(&transport->later))
        event_active(transport->flush, EV_TIMEOUT, 0);
}

void h2_transport_write_later(struct h2_transport *transport, struct h2_conn *conn)
{
    if (conn->dirty)
        return;
    activate(transport);
    conn->dirty = true;
    TAILQ_INSERT_TAIL(&transport->dirty, conn, dirty_link);
}

void h2_transport_tell_later(struct h2_transport *transport, struct upstream_call *call)
{
    if (call->is_later)
        return;
    activate(transport);
    call->is_later = true;
    TAILQ_INSERT_TAIL(&transport->later, call, later_link);
}

static void tell(struct upstream_call *call)
{
    struct h2_upstream *upstream = call->upstream;
    TAILQ_REMOVE(&upstream->transport->later, call, later_link);
    call->is_later = false;
    h2_upstream_enter(upstream);
    h2_call_go_on(call);
    h2_upstream_leave(upstream);
}

static void write_out(struct h2_conn *conn)
{
    struct h2_upstream *upstream = conn->upstream;
    TAILQ_REMOVE(&upstream->transport->dirty, conn, dirty_link);
    conn->dirty = false;
    h2_upstream_enter(upstream);
    h2_conn_flush(conn);
    h2_upstream_leave(upstream);
}

/* Telling may bring more to write, and the other way round. */
static void on_flush(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct h2_transport *transport = argument;
    while (!TAILQ_EMPTY(&transport->later) || !TAILQ_EMPTY(&transport->dirty)) {
        if (!TAILQ_EMPTY(&transport->later))
            tell(TAILQ_FIRST(&transport->later));
        else
            write_out(TAILQ_FIRST(&transport->dirty));
    }
}

static void transport_close(struct transport *base)
{
    struct h2_transport *transport = (struct h2_transport *)base;
    event_free(transport->flush);
    free((void *)transport->scratch.at);
    free(transport);
}

struct transport *h2_transport_new(struct event_base *loop)
{
    struct h2_transport *transport = calloc(1, sizeof(*transport));
    if (!transport)
        abort();
    transport->base = (struct transport){.open = h2_upstream_open, .close = transport_close};
    transport->loop = loop;
    transport->flush = event_new(loop, -1, 0, on_flush, transport);
    transport->scratch = span_of(malloc(SCRATCH_SIZE), SCRATCH_SIZE);
    if (!transport->flush || !transport->scratch.at)
        abort();
    TAILQ_INIT(&transport->dirty);
    TAILQ_INIT(&transport->later);
    LIST_INIT(&transport->secrets);
    return &transport->base;
}
