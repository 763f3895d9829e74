/* SPDX-License-Identifier: Apache-2.0 */
#include "conn.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* The preface, the header, the method, a NUL with the database, the message. */
#define PIECES_MAX 5

int64_t mvb_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void mvb_conn_init(struct mvb_conn *conn)
{
    *conn = (struct mvb_conn){.fd = -1};
}

void mvb_conn_close(struct mvb_conn *conn)
{
    if (conn->fd >= 0)
        close(conn->fd);
    free(conn->body);
    mvb_conn_init(conn);
}

/* Waits until the socket is ready or the deadline has passed. */
static enum mvb_io wait_for(int fd, short events, int64_t deadline)
{
    for (;;) {
        int64_t left = deadline - mvb_now();
        if (left <= 0)
            return MVB_IO_TIMEOUT;
        struct pollfd ready = {.fd = fd, .events = events};
        int count = poll(&ready, 1, left > INT_MAX ? INT_MAX : (int)left);
        if (count > 0)
            return MVB_IO_DONE;
        if (count < 0 && errno != EINTR)
            return MVB_IO_CLOSED;
    }
}

static enum mvb_io finish_connect(int fd, int64_t deadline)
{
    enum mvb_io waited = wait_for(fd, POLLOUT, deadline);
    if (waited != MVB_IO_DONE)
        return waited;
    int error = 0;
    socklen_t size = sizeof(error);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0)
        errno = error;
    else
        error = errno;
    return error == 0 ? MVB_IO_DONE : MVB_IO_CLOSED;
}

/* A Unix socket whose backlog is full says EAGAIN, and nothing to wait for: try until there is
 * room. */
static enum mvb_io connect_until(int fd, const struct mvb_address *address, int64_t deadline)
{
    const struct sockaddr *sockaddr = (const void *)&address->sockaddr;
    while (connect(fd, sockaddr, address->length) != 0) {
        if (errno == EINPROGRESS || errno == EINTR)
            return finish_connect(fd, deadline);
        if (errno != EAGAIN)
            return MVB_IO_CLOSED;
        if (mvb_now() >= deadline)
            return MVB_IO_TIMEOUT;
        poll(NULL, 0, 5);
    }
    return MVB_IO_DONE;
}

enum mvb_io mvb_conn_open(struct mvb_conn *conn, const struct mvb_address *address,
                          int64_t deadline)
{
    int family = address->sockaddr.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return MVB_IO_CLOSED;
    if (family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    enum mvb_io connected = connect_until(fd, address, deadline);
    if (connected != MVB_IO_DONE) {
        int error = errno;
        close(fd);
        errno = error;
        return connected;
    }
    mvb_conn_close(conn);
    conn->fd = fd;
    conn->fresh = true;
    return MVB_IO_DONE;
}

/* recv() with the results named; *have grows by what came. */
static enum mvb_io receive_into(struct mvb_conn *conn, uint8_t *to, size_t most, size_t *have)
{
    ssize_t got;
    do {
        got = recv(conn->fd, to, most, 0);
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        *have += (size_t)got;
        return MVB_IO_DONE;
    }
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return MVB_IO_AGAIN;
    if (got == 0)
        errno = 0;
    return MVB_IO_CLOSED;
}

static bool header_valid(const struct mvb_header *header)
{
    bool known = header->type == MVB_FRAME_REPLY || header->type == MVB_FRAME_GOAWAY ||
                 header->type == MVB_FRAME_PONG;
    return known && header->length <= MVB_REPLY_MAX && header->text <= header->length;
}

static enum mvb_io take_header(struct mvb_conn *conn)
{
    while (conn->header_have < MVB_HEADER_SIZE) {
        enum mvb_io got = receive_into(conn, conn->header_bytes + conn->header_have,
                                       MVB_HEADER_SIZE - conn->header_have, &conn->header_have);
        if (got != MVB_IO_DONE)
            return got;
    }
    if (conn->body)
        return MVB_IO_DONE;
    conn->header = mvb_header_read(conn->header_bytes);
    if (!header_valid(&conn->header))
        return MVB_IO_BROKEN;
    conn->body = malloc((size_t)conn->header.length + 1);
    if (!conn->body)
        return MVB_IO_MEMORY;
    conn->body[conn->header.text] = '\0';
    return MVB_IO_DONE;
}

/* The text goes before the NUL that ends it, the message behind. */
static enum mvb_io take_body(struct mvb_conn *conn)
{
    while (conn->body_have < conn->header.length) {
        bool in_text = conn->body_have < conn->header.text;
        size_t end = in_text ? conn->header.text : conn->header.length;
        enum mvb_io got = receive_into(conn, conn->body + conn->body_have + !in_text,
                                       end - conn->body_have, &conn->body_have);
        if (got != MVB_IO_DONE)
            return got;
    }
    return MVB_IO_DONE;
}

static void note_goaway(struct mvb_conn *conn, const struct mvb_frame_in *frame)
{
    conn->leaving = true;
    conn->goaway_code = frame->header.code;
    snprintf(conn->goaway_text, sizeof(conn->goaway_text), "%s", (const char *)frame->body);
}

enum mvb_io mvb_conn_take(struct mvb_conn *conn, struct mvb_frame_in *ret_frame)
{
    for (;;) {
        enum mvb_io got = take_header(conn);
        if (got == MVB_IO_DONE)
            got = take_body(conn);
        if (got != MVB_IO_DONE)
            return got;
        struct mvb_frame_in frame = {conn->header, conn->body};
        conn->body = NULL;
        conn->body_have = 0;
        conn->header_have = 0;
        if (frame.header.type != MVB_FRAME_GOAWAY) {
            *ret_frame = frame;
            return MVB_IO_DONE;
        }
        note_goaway(conn, &frame);
        free(frame.body);
    }
}

enum mvb_io mvb_conn_receive(struct mvb_conn *conn, int64_t deadline,
                             struct mvb_frame_in *ret_frame)
{
    for (;;) {
        enum mvb_io got = mvb_conn_take(conn, ret_frame);
        if (got != MVB_IO_AGAIN)
            return got;
        got = wait_for(conn->fd, POLLIN, deadline);
        if (got != MVB_IO_DONE)
            return got;
    }
}

/* Reads what the daemon says while a frame is on its way to it: perhaps a goaway, which tells more
 * than the broken pipe that follows. Nobody waits for replies at that time. */
static enum mvb_io listen_while_sending(struct mvb_conn *conn)
{
    struct mvb_frame_in frame;
    enum mvb_io got;
    while ((got = mvb_conn_take(conn, &frame)) == MVB_IO_DONE)
        free(frame.body);
    return got;
}

/* Once a write failed: still reads why, and keeps the write's errno. */
static enum mvb_io fail_sending(struct mvb_conn *conn)
{
    int error = errno;
    enum mvb_io ignored = listen_while_sending(conn);
    (void)ignored;
    errno = error;
    return MVB_IO_CLOSED;
}

/* Takes the bytes that were sent off the front of the pieces. */
static void advance(struct msghdr *message, size_t sent)
{
    while (message->msg_iovlen > 0 && sent >= message->msg_iov->iov_len) {
        sent -= message->msg_iov->iov_len;
        message->msg_iov++;
        message->msg_iovlen--;
    }
    if (message->msg_iovlen > 0) {
        message->msg_iov->iov_base = (char *)message->msg_iov->iov_base + sent;
        message->msg_iov->iov_len -= sent;
    }
}

static enum mvb_io wait_to_send(struct mvb_conn *conn, int64_t deadline)
{
    enum mvb_io waited = wait_for(conn->fd, POLLOUT | POLLIN, deadline);
    if (waited != MVB_IO_DONE)
        return waited;
    enum mvb_io heard = listen_while_sending(conn);
    return heard == MVB_IO_AGAIN ? MVB_IO_DONE : heard;
}

static enum mvb_io send_all(struct mvb_conn *conn, struct msghdr *message, int64_t deadline)
{
    while (message->msg_iovlen > 0) {
        ssize_t sent = sendmsg(conn->fd, message, MSG_NOSIGNAL);
        if (sent >= 0) {
            advance(message, (size_t)sent);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            enum mvb_io waited = wait_to_send(conn, deadline);
            if (waited != MVB_IO_DONE)
                return waited;
        } else if (errno != EINTR) {
            return fail_sending(conn);
        }
    }
    return MVB_IO_DONE;
}

static void add_piece(struct msghdr *message, const void *at, size_t size)
{
    message->msg_iov[message->msg_iovlen++] =
        (struct iovec){.iov_base = (void *)(uintptr_t)at, .iov_len = size};
}

/* METHOD, or METHOD, a NUL and DATABASE: the method's own NUL serves. Returns their bytes. */
static size_t add_text(struct msghdr *message, const struct mvb_frame_out *frame)
{
    if (!frame->method)
        return 0;
    size_t method = strlen(frame->method) + (frame->database != NULL);
    size_t database = frame->database ? strlen(frame->database) : 0;
    add_piece(message, frame->method, method);
    add_piece(message, frame->database, database);
    return method + database;
}

enum mvb_io mvb_conn_send(struct mvb_conn *conn, const struct mvb_frame_out *frame,
                          int64_t deadline)
{
    struct iovec pieces[PIECES_MAX];
    struct msghdr message = {.msg_iov = pieces};
    uint8_t bytes[MVB_HEADER_SIZE];
    struct mvb_header header = frame->header;
    if (conn->fresh)
        add_piece(&message, MVB_PREFACE, strlen(MVB_PREFACE));
    add_piece(&message, bytes, sizeof(bytes));
    header.text = (uint16_t)add_text(&message, frame);
    header.length = (uint32_t)(header.text + frame->size);
    mvb_header_write(&header, bytes);
    add_piece(&message, frame->data, frame->size);
    conn->fresh = false;
    return send_all(conn, &message, deadline);
}
