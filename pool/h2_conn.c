/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "pool/clock.h"
#include "pool/h2_call.h"

#define PING_TIMEOUT  10000   /* ms until a ping without an answer ends the connection, at most */
#define KEEPALIVE_MAX 7200000 /* ms; to what it slows down */
#define REASON_MAX    256
#define NOT_HTTP2     "what it says is not HTTP/2"

/* A reply of usual size comes at once; of a larger one the first part tells the size, and then it
 * is let in (RFC 9113 section 5.2). */
static const struct h2_limits limits = {
    .max_header_list = H2_CALL_HEAD_MAX,
    .max_continuations = 16,
    .stream_window = H2_CALL_WINDOW,
};

/* ---- HTTP/2's events ---- */

static void on_header(void *context, struct h2_stream *stream, struct span name, struct span value)
{
    (void)context;
    struct upstream_call *call = h2_stream_user(stream);
    grpc_response_take(&call->response, name, value);
}

static void on_headers_ended(void *context, struct h2_stream *stream)
{
    (void)context;
    h2_call_section(h2_stream_user(stream));
}

static void on_data(void *context, struct h2_stream *stream, struct span bytes)
{
    (void)context;
    h2_call_data(h2_stream_user(stream), bytes);
}

static void on_ended(void *context, struct h2_stream *stream)
{
    (void)context;
    h2_call_ended(h2_stream_user(stream));
}

static void on_closed(void *context, struct h2_stream *stream, uint32_t error)
{
    (void)context;
    h2_call_closed(h2_stream_user(stream), error);
}

static void start_timer(struct h2_conn *conn, int64_t limit)
{
    const struct timeval time = clock_wait(limit);
    event_add(&conn->timer, &time);
}

static void on_settings(void *context)
{
    struct h2_conn *conn = context;
    if (conn->state == H2_CONN_GREETING) {
        conn->state = H2_CONN_READY;
        start_timer(conn, conn->upstream->keepalive);
        h2_upstream_ready(conn->upstream);
    } else if (conn == conn->upstream->current) {
        h2_upstream_resize(conn->upstream);
    }
}

/* As gRPC's clients do (grpc/proposal, A8): pings become rarer for good. */
static void slow_down(struct h2_upstream *upstream)
{
    upstream->keepalive *= 2;
    if (upstream->keepalive > KEEPALIVE_MAX)
        upstream->keepalive = KEEPALIVE_MAX;
}

static void leave(struct h2_conn *conn)
{
    conn->state = H2_CONN_LEAVING;
    h2_upstream_leaving(conn->upstream, conn);
    h2_transport_write_later(conn->upstream->transport, conn);
}

static void on_goaway(void *context, uint32_t error, struct span text)
{
    struct h2_conn *conn = context;
    if (error == H2_ENHANCE_YOUR_CALM && span_is(text, "too_many_pings"))
        slow_down(conn->upstream);
    if (conn->state == H2_CONN_READY)
        leave(conn);
}

static bool has_room(void *context)
{
    const struct h2_conn *conn = context;
    return link_has_room(conn->link);
}

static void write_bytes(void *context, struct span bytes)
{
    const struct h2_conn *conn = context;
    link_write(conn->link, bytes);
}

static void write_blob(void *context, struct blob *blob, struct span bytes)
{
    const struct h2_conn *conn = context;
    link_write_blob(conn->link, blob, bytes);
}

static const struct h2_handler handler = {
    .header = on_header,
    .headers_ended = on_headers_ended,
    .data = on_data,
    .ended = on_ended,
    .closed = on_closed,
    .settings = on_settings,
    .goaway = on_goaway,
    .room = has_room,
    .write = write_bytes,
    .write_blob = write_blob,
};

/* ---- the link's events ---- */

static void on_up(void *context)
{
    struct h2_conn *conn = context;
    conn->state = H2_CONN_GREETING;
    conn->h2 = h2_client_new(&limits, &handler, conn);
    if (!conn->h2)
        abort();
    h2_transport_write_later(conn->upstream->transport, conn);
}

static void end_by_fault(struct h2_conn *conn)
{
    char reason[REASON_MAX];
    snprintf(reason, sizeof(reason), "%s", h2_fault(conn->h2));
    h2_conn_end(conn, reason);
}

static void on_input(void *context, struct span bytes)
{
    struct h2_conn *conn = context;
    struct h2_upstream *upstream = conn->upstream;
    h2_upstream_enter(upstream);
    conn->heard = clock_now();
    conn->pinged = 0;
    if (h2_input(conn->h2, bytes, conn->heard))
        h2_transport_write_later(upstream->transport, conn);
    else
        end_by_fault(conn);
    h2_upstream_leave(upstream);
}

static void on_drained(void *context)
{
    struct h2_conn *conn = context;
    h2_transport_write_later(conn->upstream->transport, conn);
}

static void on_broken(void *context, const char *reason)
{
    struct h2_conn *conn = context;
    struct h2_upstream *upstream = conn->upstream;
    h2_upstream_enter(upstream);
    h2_conn_end(conn, reason);
    h2_upstream_leave(upstream);
}

static const struct link_events link_events = {
    .up = on_up,
    .input = on_input,
    .drained = on_drained,
    .broken = on_broken,
};

/* ---- time ---- */

static void end_late(struct h2_conn *conn)
{
    char reason[REASON_MAX];
    const char *stage =
        conn->state == H2_CONN_GREETING ? "waiting for it to speak HTTP/2" : link_stage(conn->link);
    snprintf(reason, sizeof(reason), "not up within connect_timeout (%lld ms): still %s",
             (long long)conn->upstream->to->connect_timeout, stage);
    h2_conn_end(conn, reason);
}

/* Rings when nothing has come for the time of keepalive, or nothing in answer to a ping. */
static void keep_alive(struct h2_conn *conn)
{
    int64_t now = clock_now();
    int64_t keepalive = conn->upstream->keepalive;
    int64_t timeout = keepalive < PING_TIMEOUT ? keepalive : PING_TIMEOUT;
    int64_t due = conn->pinged ? conn->pinged + timeout : conn->heard + keepalive;
    if (now < due) {
        start_timer(conn, due - now);
    } else if (conn->pinged) {
        h2_conn_end(conn, "it does not answer pings");
    } else {
        conn->pinged = now;
        h2_ping(conn->h2);
        h2_transport_write_later(conn->upstream->transport, conn);
        start_timer(conn, timeout);
    }
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct h2_conn *conn = argument;
    struct h2_upstream *upstream = conn->upstream;
    h2_upstream_enter(upstream);
    if (conn->state < H2_CONN_READY)
        end_late(conn);
    else
        keep_alive(conn);
    h2_upstream_leave(upstream);
}

/* ---- from its beginning to its end ---- */

struct h2_conn *h2_conn_open(struct h2_upstream *upstream)
{
    struct h2_conn *conn = calloc(1, sizeof(*conn));
    if (!conn)
        abort();
    const struct conf_upstream *to = upstream->to;
    const struct link_setup setup = {
        .loop = upstream->transport->loop,
        .events = &link_events,
        .context = conn,
        .scratch = upstream->transport->scratch,
        .tls = upstream->secrets ? upstream->secrets->tls : NULL,
        .name = to->tls.server_name ? to->tls.server_name : upstream->endpoint.host,
    };
    conn->upstream = upstream;
    TAILQ_INIT(&conn->senders);
    LIST_INSERT_HEAD(&upstream->conns, conn, link_of);
    conn->link = link_open(&setup, &upstream->endpoint);
    evtimer_assign(&conn->timer, setup.loop, on_timer, conn);
    start_timer(conn, to->connect_timeout);
    return conn;
}

/* The upstream is told first: who is told of a call's end finds it in its new state. */
void h2_conn_end(struct h2_conn *conn, const char *reason)
{
    struct h2_upstream *upstream = conn->upstream;
    conn->reason = reason;
    event_del(&conn->timer);
    LIST_REMOVE(conn, link_of);
    h2_upstream_lost(upstream, conn, reason);
    h2_free(conn->h2);
    link_close(conn->link);
    if (conn->dirty)
        TAILQ_REMOVE(&upstream->transport->dirty, conn, dirty_link);
    free(conn);
    h2_upstream_resize(upstream);
}

static void tell_sent(struct h2_conn *conn)
{
    struct upstream_call *call;
    struct upstream_call *following;
    for (call = TAILQ_FIRST(&conn->senders); call; call = following) {
        following = TAILQ_NEXT(call, sender_link);
        if (h2_stream_unsent(call->stream) == 0)
            h2_call_sent(call);
    }
}

void h2_conn_flush(struct h2_conn *conn)
{
    if (!h2_fill(conn->h2)) {
        end_by_fault(conn);
        return;
    }
    tell_sent(conn);
    if (conn->state == H2_CONN_READY && !h2_takes_requests(conn->h2))
        leave(conn);
    if (conn->state == H2_CONN_LEAVING && conn->call_count == 0)
        h2_conn_end(conn, "the server told us to go");
    else if (h2_is_over(conn->h2))
        h2_conn_end(conn, NOT_HTTP2);
    else
        link_flush(conn->link);
}
