/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench/load.h"
#include "conf/address.h"
#include "proto/frame.h"

#define INPUT_SIZE (1u << 20)

struct plain {
    struct load *load;
    int fd;
    uint32_t started;
    uint32_t ended;
    uint64_t *began; /* by id modulo in_flight: a closed loop reuses the slot of what has ended */
    size_t have;
    uint8_t *input;
};

static int open_connection(const char *target)
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
    return writev(plain->fd, vectors, 3) == (ssize_t)size ? 0 : -1;
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Takes every whole reply of the input, and starts a request for each. */
static int take_replies(struct plain *plain)
{
    size_t at = 0;
    while (plain->have - at >= FRAME_HEADER_SIZE) {
        const uint8_t *header = plain->input + at;
        size_t size = FRAME_HEADER_SIZE + get32(header);
        if (plain->have - at < size)
            break;
        uint32_t slot = get32(header + 8);
        plain->load->latencies[plain->ended++] = (uint32_t)(load_now() - plain->began[slot]);
        if (header[4] != FRAME_REPLY || header[5] != CODE_OK)
            plain->load->failed++;
        if (plain->started < plain->load->count && start(plain, slot) != 0)
            return -1;
        at += size;
    }
    memmove(plain->input, plain->input + at, plain->have - at);
    plain->have -= at;
    return 0;
}

static int run(struct plain *plain)
{
    const struct load *load = plain->load;
    for (uint32_t i = 0; i < load->in_flight && plain->started < load->count; i++) {
        if (start(plain, i) != 0)
            return -1;
    }
    while (plain->ended < load->count) {
        ssize_t length = read(plain->fd, plain->input + plain->have, INPUT_SIZE - plain->have);
        if (length <= 0)
            return -1;
        plain->have += (size_t)length;
        if (take_replies(plain) != 0)
            return -1;
    }
    return 0;
}

int load_plain(struct load *load)
{
    struct plain plain = {
        .load = load,
        .fd = open_connection(load->target),
        .began = calloc(load->in_flight, sizeof(uint64_t)),
        .input = malloc(INPUT_SIZE),
    };
    if (!plain.began || !plain.input)
        abort();
    int result = plain.fd >= 0 ? run(&plain) : -1;
    close(plain.fd);
    free(plain.began);
    free(plain.input);
    return result;
}
