/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench/load.h"
#include "proto/frame.h"

#define INPUT_SIZE (2u << 20) /* more than a reply */

struct connection {
    int fd;
    size_t have;
    uint8_t *input;
};

struct plain {
    struct load *load;
    int poll; /* all connections */
    struct connection *connections;
    uint32_t ready; /* connections that have answered a ping */
};

static int start(struct plain *plain, uint32_t slot)
{
    struct load *load = plain->load;
    const struct connection *connection = &plain->connections[load_begin(load, slot)];
    struct span body = load->slots[slot].body;
    uint8_t bytes[FRAME_HEADER_SIZE];
    struct frame_head head = {
        .type = FRAME_REQUEST,
        .id = slot,
        .text_length = strlen(load->method),
        .body_length = body.length - LOAD_PREFIX,
    };
    frame_write_head(bytes, &head);
    struct iovec vectors[] = {
        {bytes, sizeof(bytes)},
        {(void *)load->method, head.text_length},
        {(void *)(body.at + LOAD_PREFIX), head.body_length},
    };
    size_t size = sizeof(bytes) + head.text_length + head.body_length;
    return writev(connection->fd, vectors, 3) == (ssize_t)size ? 0 : -1;
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The message of a reply's frame. */
static struct span message_of(const uint8_t *header)
{
    size_t text_length = (size_t)header[6] << 8 | header[7];
    return span_of(header + FRAME_HEADER_SIZE + text_length, get32(header) - text_length);
}

static int take_frame(struct plain *plain, const uint8_t *header)
{
    struct load *load = plain->load;
    uint32_t slot = get32(header + 8);
    if (header[4] == FRAME_PONG) {
        plain->ready++;
        return 0;
    }
    if (header[4] != FRAME_REPLY)
        return -1;
    load_end(load, slot, header[5] == CODE_OK && load_is_answer(load, message_of(header)));
    return load_is_left(load) ? start(plain, slot) : 0;
}

/* Takes every whole frame of the input, and starts a request for each reply. */
static int take_frames(struct plain *plain, struct connection *connection)
{
    size_t at = 0;
    while (connection->have - at >= FRAME_HEADER_SIZE) {
        const uint8_t *header = connection->input + at;
        size_t size = FRAME_HEADER_SIZE + get32(header);
        if (connection->have - at < size)
            break;
        if (take_frame(plain, header) != 0)
            return -1;
        at += size;
    }
    memmove(connection->input, connection->input + at, connection->have - at);
    connection->have -= at;
    return 0;
}

/* One alone is waited for by reading it. */
static struct connection *next_readable(struct plain *plain)
{
    struct epoll_event event = {.data.ptr = &plain->connections[0]};
    if (plain->load->connections > 1)
        epoll_wait(plain->poll, &event, 1, -1);
    return event.data.ptr;
}

static int turn(struct plain *plain)
{
    struct connection *connection = next_readable(plain);
    ssize_t length =
        read(connection->fd, connection->input + connection->have, INPUT_SIZE - connection->have);
    if (length <= 0)
        return -1;
    connection->have += (size_t)length;
    return take_frames(plain, connection);
}

static int plain_run(struct load *load)
{
    struct plain *plain = load->state;
    int result = 0;
    for (uint32_t i = 0; i < load->in_flight && load_is_left(load) && result == 0; i++)
        result = start(plain, i);
    while (result == 0 && load->ended < load->count)
        result = turn(plain);
    return result;
}

/* A ping's answer says that the connection is served. */
static int greet(int fd)
{
    uint8_t bytes[sizeof(FRAME_MAGIC) - 1 + FRAME_HEADER_SIZE] = FRAME_MAGIC;
    const struct frame_head ping = {.type = FRAME_PING, .id = 1};
    frame_write_head(bytes + sizeof(FRAME_MAGIC) - 1, &ping);
    return write(fd, bytes, sizeof(bytes)) == sizeof(bytes) ? 0 : -1;
}

static int open_connection(struct plain *plain, struct connection *connection)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    connection->fd = load_connect(plain->load->target);
    connection->input = malloc(INPUT_SIZE);
    if (!connection->input)
        abort();
    if (connection->fd < 0 || greet(connection->fd) != 0)
        return -1;
    return epoll_ctl(plain->poll, EPOLL_CTL_ADD, connection->fd, &event);
}

static int plain_open(struct load *load)
{
    struct plain *plain = calloc(1, sizeof(*plain));
    if (!plain)
        abort();
    load->state = plain;
    plain->load = load;
    plain->poll = epoll_create1(EPOLL_CLOEXEC);
    plain->connections = calloc(load->connections, sizeof(*plain->connections));
    if (!plain->connections)
        abort();
    for (uint32_t i = 0; i < load->connections; i++) {
        if (open_connection(plain, &plain->connections[i]) != 0)
            return -1;
    }
    int result = 0;
    while (result == 0 && plain->ready < load->connections)
        result = turn(plain);
    return result;
}

static void plain_close(struct load *load)
{
    struct plain *plain = load->state;
    for (uint32_t i = 0; i < load->connections; i++) {
        close(plain->connections[i].fd);
        free(plain->connections[i].input);
    }
    close(plain->poll);
    free(plain->connections);
    free(plain);
}

const struct load_kind load_plain = {
    .name = "plain", .open = plain_open, .run = plain_run, .close = plain_close};
