/* SPDX-License-Identifier: Apache-2.0 */
#include "h2_server.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/grpc_reader.h"

#define READ_MAX (64 << 10)

struct h2_server_conn {
    struct h2_server_conn *next;
    struct h2_server *server;
    int fd;
    struct event *readable;
    struct h2 *h2;
};

static void conn_free(struct h2_server_conn *conn)
{
    struct h2_server *server = conn->server;
    struct h2_server_conn **at = &server->conns;
    while (*at != conn)
        at = &(*at)->next;
    *at = conn->next;
    if (server->last == conn)
        server->last = NULL;
    h2_free(conn->h2);
    event_free(conn->readable);
    close(conn->fd);
    free(conn);
}

static void on_opened(void *context, struct h2_stream *stream)
{
    struct h2_server *server = ((struct h2_server_conn *)context)->server;
    cr_assert_lt(server->requests, H2_SERVER_STREAMS);
    h2_stream_set_user(stream, (void *)server->requests);
    server->streams[server->requests++] = stream;
}

static void on_header(void *context, struct h2_stream *stream, struct span name, struct span value)
{
    (void)context, (void)stream, (void)name, (void)value;
}

static void on_stream(void *context, struct h2_stream *stream)
{
    (void)context, (void)stream;
}

static void on_data(void *context, struct h2_stream *stream, struct span bytes)
{
    (void)context;
    h2_consume(stream, bytes.length);
}

static void on_closed(void *context, struct h2_stream *stream, uint32_t error)
{
    struct h2_server *server = ((struct h2_server_conn *)context)->server;
    server->streams[(size_t)h2_stream_user(stream)] = NULL;
    server->resets += error != H2_NO_ERROR;
}

static bool has_room(void *context)
{
    (void)context;
    return true;
}

/* What the socket does not take is lost: tests write little. */
static void write_bytes(void *context, struct span bytes)
{
    struct h2_server_conn *conn = context;
    cr_expect_eq(send(conn->fd, bytes.at, bytes.length, MSG_NOSIGNAL), (ssize_t)bytes.length);
}

static void write_blob(void *context, struct blob *blob, struct span bytes)
{
    (void)blob;
    write_bytes(context, bytes);
}

static const struct h2_handler handler = {
    .opened = on_opened,
    .header = on_header,
    .headers_ended = on_stream,
    .data = on_data,
    .ended = on_stream,
    .closed = on_closed,
    .room = has_room,
    .write = write_bytes,
    .write_blob = write_blob,
};

static void refuse_pings(struct h2_server_conn *conn)
{
    h2_goaway(conn->h2, H2_ENHANCE_YOUR_CALM, "too_many_pings");
    h2_fill(conn->h2);
    conn->server->pings_refused++;
    conn_free(conn);
}

static void on_readable(evutil_socket_t fd, short what, void *argument)
{
    (void)what;
    static uint8_t bytes[READ_MAX];
    struct h2_server_conn *conn = argument;
    ssize_t length = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (length <= 0)
        conn_free(conn);
    else if (conn->h2 && !h2_input(conn->h2, span_of(bytes, (size_t)length), 0))
        refuse_pings(conn);
    else if (conn->h2)
        h2_fill(conn->h2);
}

static void on_accept(evutil_socket_t fd, short what, void *argument)
{
    (void)what;
    struct h2_server *server = argument;
    struct h2_server_conn *conn = calloc(1, sizeof(*conn));
    conn->server = server;
    conn->fd = accept(fd, NULL, NULL);
    conn->readable = event_new(server->loop, conn->fd, EV_READ | EV_PERSIST, on_readable, conn);
    conn->next = server->conns;
    server->conns = conn;
    server->last = conn;
    server->connections++;
    if (!server->mute)
        event_add(conn->readable, NULL);
    if (server->greeting)
        write_bytes(conn, span_text(server->greeting));
    else if (!server->mute)
        conn->h2 = h2_server_new(&server->limits, &server->counters, &handler, conn, 0);
}

void h2_server_listen(struct h2_server *server)
{
    struct sockaddr_in *address = (struct sockaddr_in *)&server->endpoint.address;
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    cr_assert_eq(bind(fd, (struct sockaddr *)address, sizeof(*address)), 0);
    cr_assert_eq(listen(fd, 16), 0);
    server->endpoint.length = sizeof(*address);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)address, &server->endpoint.length), 0);
    server->endpoint.port = ntohs(address->sin_port);
    server->listener = event_new(server->loop, fd, EV_READ | EV_PERSIST, on_accept, server);
    event_add(server->listener, NULL);
}

void h2_server_open(struct h2_server *server, struct event_base *loop)
{
    *server = (struct h2_server){.loop = loop,
                                 .endpoint = {.host = "127.0.0.1"},
                                 .limits = {.max_streams = 100,
                                            .max_header_list = 4096,
                                            .max_continuations = 8,
                                            .stream_window = 64 << 10,
                                            .max_buffered = 1 << 20}};
    for (int i = 0; i < H2_RATE_COUNT; i++)
        server->limits.rates[i] = 1000;
    *(struct sockaddr_in *)&server->endpoint.address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    h2_server_listen(server);
}

void h2_server_shut(struct h2_server *server)
{
    while (server->conns)
        conn_free(server->conns);
    if (!server->listener)
        return;
    close(event_get_fd(server->listener));
    event_free(server->listener);
    server->listener = NULL;
}

void h2_server_goaway(struct h2_server *server)
{
    h2_goaway(server->last->h2, H2_NO_ERROR, "");
    h2_fill(server->last->h2);
}

void h2_server_cut(struct h2_server *server)
{
    conn_free(server->last);
}

void h2_server_stop_reading(struct h2_server *server)
{
    event_del(server->last->readable);
}

static void respond(struct h2_stream *stream, size_t size)
{
    uint8_t prefix[GRPC_PREFIX_SIZE];
    struct metadata head = {0};
    struct metadata trailers = {0};
    struct blob *message = blob_new(size);
    memset(message->data, 'x', size);
    metadata_add(&head, span_text(":status"), span_text("200"));
    metadata_add(&head, span_text("content-type"), span_text("application/grpc"));
    metadata_add(&trailers, span_text("grpc-status"), span_text("0"));
    grpc_prefix_write(prefix, false, size);
    h2_respond(stream, &head, false);
    h2_send(stream, span_of(prefix, sizeof(prefix)), message);
    h2_finish(stream, &trailers);
    metadata_clear(&head);
    blob_unref(message);
}

static void fill_all(struct h2_server *server)
{
    for (struct h2_server_conn *conn = server->conns; conn; conn = conn->next)
        h2_fill(conn->h2);
}

void h2_server_answer(struct h2_server *server, size_t request, size_t size)
{
    cr_assert_not_null(server->streams[request]);
    respond(server->streams[request], size);
    fill_all(server);
}

void h2_server_refuse(struct h2_server *server, size_t request, enum h2_error error)
{
    cr_assert_not_null(server->streams[request]);
    h2_reset(server->streams[request], error);
    fill_all(server);
}
