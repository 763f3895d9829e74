/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load.h"

#define WINDOW      ((1 << 30) - 1) /* replies are never kept waiting by us */
#define INPUT_SIZE  (256u << 10)
#define OUTPUT_SIZE (256u << 10)
#define EVENTS      64
#define REPLY_MAX   (16u << 10) /* of one that is looked into, with its prefix */
#define HEADERS_MAX 10

struct call {
    size_t sent;
    size_t received;
    bool is_http_ok;
    bool is_grpc_ok;
};

struct connection {
    int fd;
    nghttp2_session *session;
    size_t have; /* in output, from `written` on not yet taken by the kernel */
    size_t written;
    bool is_full;  /* the kernel took less than there was: it is to say when it takes more */
    bool is_dirty; /* may have something to send */
    uint8_t *output;
};

struct grpc {
    struct load *load;
    int poll;
    nghttp2_nv headers[HEADERS_MAX];
    size_t header_count;
    char path[256];
    struct connection *connections;
    struct connection **dirty; /* room for all; sent from at the end of a turn */
    uint32_t dirty_count;
    uint32_t ready; /* connections whose server has greeted: Milvus acknowledges nothing before a
                       request */
    struct call *calls;            /* of each slot */
    uint8_t (*replies)[REPLY_MAX]; /* of each slot, where they are looked into; else NULL */
    uint8_t input[INPUT_SIZE];
};

static nghttp2_nv header(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value),
                        NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

static void fill_headers(struct grpc *grpc)
{
    const struct load *load = grpc->load;
    snprintf(grpc->path, sizeof(grpc->path), "/milvus.proto.milvus.MilvusService/%s", load->method);
    const nghttp2_nv all[] = {
        header(":method", "POST"),
        header(":scheme", "http"),
        header(":path", grpc->path),
        header(":authority", "localhost"),
        header("te", "trailers"),
        header("content-type", "application/grpc"),
        header("user-agent", "grpc-load"),
        header("grpc-accept-encoding", "identity, deflate, gzip"),
        header("grpc-timeout", "30S"),
        header("authorization", load->authorization ? load->authorization : ""),
    };
    grpc->header_count = load->authorization ? HEADERS_MAX : HEADERS_MAX - 1;
    memcpy(grpc->headers, all, sizeof(all));
}

/* nghttp2 calls this for the bytes of a request, which its source names by call. */
static ssize_t read_body(nghttp2_session *session, int32_t stream, uint8_t *to, size_t room,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    const struct grpc *grpc = user;
    struct call *call = source->ptr;
    struct span body = grpc->load->slots[call - grpc->calls].body;
    size_t left = body.length - call->sent;
    size_t length = left < room ? left : room;
    memcpy(to, body.at + call->sent, length);
    call->sent += length;
    if (length == left)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    (void)session;
    (void)stream;
    return (ssize_t)length;
}

static void mark_dirty(struct grpc *grpc, struct connection *connection)
{
    if (!connection->is_dirty)
        grpc->dirty[grpc->dirty_count++] = connection;
    connection->is_dirty = true;
}

static int start(struct grpc *grpc, uint32_t slot)
{
    struct call *call = &grpc->calls[slot];
    struct connection *connection = &grpc->connections[load_begin(grpc->load, slot)];
    const nghttp2_data_provider body = {.source.ptr = call, .read_callback = read_body};
    *call = (struct call){0};
    mark_dirty(grpc, connection);
    int32_t stream = nghttp2_submit_request(connection->session, NULL, grpc->headers,
                                            grpc->header_count, &body, call);
    return stream > 0 ? 0 : -1;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_length, const uint8_t *value, size_t length, uint8_t flags,
                     void *user)
{
    struct call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    struct span key = span_of(name, name_length);
    if (span_is(key, ":status"))
        call->is_http_ok = span_is(span_of(value, length), "200");
    if (span_is(key, "grpc-status"))
        call->is_grpc_ok = span_is(span_of(value, length), "0");
    (void)flags;
    (void)user;
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data,
                   size_t length, void *user)
{
    const struct grpc *grpc = user;
    struct call *call = nghttp2_session_get_stream_user_data(session, stream);
    if (grpc->replies && call->received + length <= REPLY_MAX)
        memcpy(grpc->replies[call - grpc->calls] + call->received, data, length);
    call->received += length;
    (void)flags;
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct grpc *grpc = user;
    if (frame->hd.type == NGHTTP2_SETTINGS && !(frame->hd.flags & NGHTTP2_FLAG_ACK))
        grpc->ready++;
    (void)session;
    return 0;
}

/* Whether it is whole, and what is wanted; one that is looked into must have been kept. */
static bool is_answered(const struct grpc *grpc, const struct call *call)
{
    if (!call->is_http_ok || !call->is_grpc_ok || call->received < LOAD_PREFIX)
        return false;
    if (!grpc->replies)
        return true;
    const uint8_t *reply = grpc->replies[call - grpc->calls];
    return call->received <= REPLY_MAX &&
           load_is_answer(grpc->load, span_of(reply + LOAD_PREFIX, call->received - LOAD_PREFIX));
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t error, void *user)
{
    struct grpc *grpc = user;
    const struct call *call = nghttp2_session_get_stream_user_data(session, stream);
    uint32_t slot = (uint32_t)(call - grpc->calls);
    load_end(grpc->load, slot, error == 0 && is_answered(grpc, call));
    return load_is_left(grpc->load) && start(grpc, slot) != 0 ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int watch(struct grpc *grpc, struct connection *connection, int how)
{
    uint32_t out = connection->is_full ? EPOLLOUT : 0;
    struct epoll_event event = {.events = EPOLLIN | out, .data.ptr = connection};
    return epoll_ctl(grpc->poll, how, connection->fd, &event);
}

/* Hands the kernel what is in the output. */
static int write_output(struct connection *connection)
{
    connection->is_full = false;
    while (connection->written < connection->have) {
        ssize_t length = send(connection->fd, connection->output + connection->written,
                              connection->have - connection->written, MSG_NOSIGNAL);
        connection->is_full = length < 0 && errno == EAGAIN;
        if (length < 0)
            return connection->is_full ? 0 : -1;
        connection->written += (size_t)length;
    }
    connection->have = 0;
    connection->written = 0;
    return 0;
}

/* Moves frames to the output while it has room for one of any size. */
static int gather(struct connection *connection)
{
    while (connection->have < OUTPUT_SIZE / 2) {
        const uint8_t *bytes;
        ssize_t length = nghttp2_session_mem_send(connection->session, &bytes);
        if (length <= 0)
            return (int)length;
        memcpy(connection->output + connection->have, bytes, (size_t)length);
        connection->have += (size_t)length;
    }
    return 0;
}

/* Sends all that there is, as far as the kernel takes it. */
static int flush(struct grpc *grpc, struct connection *connection)
{
    bool was_full = connection->is_full;
    connection->is_dirty = false;
    do {
        if (gather(connection) != 0 || write_output(connection) != 0)
            return -1;
    } while (!connection->is_full && nghttp2_session_want_write(connection->session));
    return connection->is_full == was_full ? 0 : watch(grpc, connection, EPOLL_CTL_MOD);
}

static int flush_dirty(struct grpc *grpc)
{
    int result = 0;
    for (uint32_t i = 0; i < grpc->dirty_count && result == 0; i++)
        result = flush(grpc, grpc->dirty[i]);
    grpc->dirty_count = 0;
    return result;
}

static int take_input(struct grpc *grpc, struct connection *connection)
{
    ssize_t length = recv(connection->fd, grpc->input, INPUT_SIZE, 0);
    if (length <= 0)
        return length < 0 && errno == EAGAIN ? 0 : -1;
    ssize_t taken = nghttp2_session_mem_recv(connection->session, grpc->input, (size_t)length);
    return taken == length ? 0 : -1;
}

static int turn(struct grpc *grpc)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(grpc->poll, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
        struct connection *connection = events[i].data.ptr;
        mark_dirty(grpc, connection);
        if (take_input(grpc, connection) != 0)
            return -1;
    }
    return flush_dirty(grpc);
}

static int grpc_run(struct load *load)
{
    struct grpc *grpc = load->state;
    fill_headers(grpc);
    for (uint32_t slot = 0; slot < load->in_flight && load_is_left(load); slot++) {
        if (start(grpc, slot) != 0)
            return -1;
    }
    int result = flush_dirty(grpc);
    while (result == 0 && load->ended < load->count)
        result = turn(grpc);
    return result;
}

static void open_session(struct grpc *grpc, struct connection *connection)
{
    nghttp2_session_callbacks *callbacks;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW},
    };
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    if (nghttp2_session_client_new(&connection->session, callbacks, grpc) != 0)
        abort();
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, settings, 2);
    nghttp2_session_set_local_window_size(connection->session, NGHTTP2_FLAG_NONE, 0, WINDOW);
}

static int open_connection(struct grpc *grpc, struct connection *connection)
{
    connection->fd = load_connect(grpc->load->target);
    if (connection->fd < 0)
        return -1;
    fcntl(connection->fd, F_SETFL, O_NONBLOCK);
    connection->output = malloc(OUTPUT_SIZE);
    if (!connection->output)
        abort();
    open_session(grpc, connection);
    mark_dirty(grpc, connection);
    return watch(grpc, connection, EPOLL_CTL_ADD);
}

static struct grpc *grpc_new(struct load *load)
{
    struct grpc *grpc = calloc(1, sizeof(*grpc));
    if (!grpc)
        abort();
    grpc->load = load;
    grpc->poll = epoll_create1(EPOLL_CLOEXEC);
    grpc->connections = calloc(load->connections, sizeof(grpc->connections[0]));
    grpc->dirty = calloc(load->connections, sizeof(struct connection *));
    grpc->calls = calloc(load->in_flight, sizeof(grpc->calls[0]));
    grpc->replies = load->hits ? calloc(load->in_flight, sizeof(grpc->replies[0])) : NULL;
    if (!grpc->connections || !grpc->dirty || !grpc->calls || (load->hits && !grpc->replies))
        abort();
    return grpc;
}

static int grpc_open(struct load *load)
{
    struct grpc *grpc = grpc_new(load);
    load->state = grpc;
    for (uint32_t i = 0; i < load->connections; i++) {
        if (open_connection(grpc, &grpc->connections[i]) != 0)
            return -1;
    }
    int result = flush_dirty(grpc);
    while (result == 0 && grpc->ready < load->connections)
        result = turn(grpc);
    return result;
}

static void grpc_close(struct load *load)
{
    struct grpc *grpc = load->state;
    for (uint32_t i = 0; i < load->connections; i++) {
        close(grpc->connections[i].fd);
        nghttp2_session_del(grpc->connections[i].session);
        free(grpc->connections[i].output);
    }
    close(grpc->poll);
    free(grpc->connections);
    free(grpc->dirty);
    free(grpc->calls);
    free(grpc->replies);
    free(grpc);
}

const struct load_kind load_grpc = {
    .name = "grpc", .open = grpc_open, .run = grpc_run, .close = grpc_close};
