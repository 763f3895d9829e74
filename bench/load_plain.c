/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench/load.h"
#include "conf/address.h"
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
    uint64_t asked;   /* requests of all runs */
    uint64_t *began;  /* by id: a closed loop reuses the place of what has ended */
    uint32_t started; /* in this run */
    uint32_t ended;
};

static int connect_to(const char *target)
{
    struct address address;
    const char *error;
    if (address_parse(target, &address, &error) != 0) {
        fprintf(stderr, "%s: %s\n", target, error);
        return -1;
    }
    int fd = socket(address.sockaddr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address.sockaddr, address.length) != 0 ||
        write(fd, FRAME_MAGIC, 4) != 4) {
        perror(target);
        close(fd);
        return -1;
    }
    return fd;
}

static int start(struct plain *plain, uint32_t slot)
{
    const struct load *load = plain->load;
    const struct connection *connection = &plain->connections[plain->asked++ % load->connections];
    uint8_t bytes[FRAME_HEADER_SIZE];
    struct frame_head head = {
        .type = FRAME_REQUEST,
        .id = slot,
        .text_length = strlen(load->method),
        .body_length = load->message.length,
    };
    frame_write_head(bytes, &head);
    struct iovec vectors[] = {
        {bytes, sizeof(bytes)},
        {(void *)load->method, head.text_length},
        {(void *)load->message.at, load->message.length},
    };
    plain->began[slot] = load_now();
    plain->started++;
    size_t size = sizeof(bytes) + head.text_length + head.body_length;
    return writev(connection->fd, vectors, 3) == (ssize_t)size ? 0 : -1;
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Takes every whole reply of the input, and starts a request for each. */
static int take_replies(struct plain *plain, struct connection *connection)
{
    struct load *load = plain->load;
    size_t at = 0;
    while (connection->have - at >= FRAME_HEADER_SIZE) {
        const uint8_t *header = connection->input + at;
        size_t size = FRAME_HEADER_SIZE + get32(header);
        if (connection->have - at < size)
            break;
        uint32_t slot = get32(header + 8);
        load->latencies[plain->ended++] = (uint32_t)(load_now() - plain->began[slot]);
        if (header[4] != FRAME_REPLY || header[5] != CODE_OK)
            load->failed++;
        if (plain->started < load->count && start(plain, slot) != 0)
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

static int plain_run(struct load *load)
{
    struct plain *plain = load->state;
    plain->started = 0;
    plain->ended = 0;
    for (uint32_t i = 0; i < load->in_flight && plain->started < load->count; i++) {
        if (start(plain, i) != 0)
            return -1;
    }
    while (plain->ended < load->count) {
        struct connection *connection = next_readable(plain);
        ssize_t length = read(connection->fd, connection->input + connection->have,
                              INPUT_SIZE - connection->have);
        if (length <= 0)
            return -1;
        connection->have += (size_t)length;
        if (take_replies(plain, connection) != 0)
            return -1;
    }
    return 0;
}

static int open_connection(struct plain *plain, struct connection *connection)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    connection->fd = connect_to(plain->load->target);
    connection->input = malloc(INPUT_SIZE);
    if (!connection->input)
        abort();
    if (connection->fd < 0)
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
    plain->began = calloc(load->in_flight, sizeof(plain->began[0]));
    if (!plain->connections || !plain->began)
        abort();
    for (uint32_t i = 0; i < load->connections; i++) {
        if (open_connection(plain, &plain->connections[i]) != 0)
            return -1;
    }
    return 0;
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
    free(plain->began);
    free(plain);
}

const struct load_kind load_plain = {
    .name = "plain", .open = plain_open, .run = plain_run, .close = plain_close};
