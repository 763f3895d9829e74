/* SPDX-License-Identifier: Apache-2.0 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/load.h"
#include "conf/address.h"
#include "proto/wire.h"

/* Fields of milvus.proto.milvus.SearchResults, and of its SearchResultData. */
enum { RESULTS_STATUS = 1, RESULTS_DATA = 2, DATA_SCORES = 4 };

uint64_t load_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

bool load_is_left(const struct load *load)
{
    return load->started < load->count;
}

uint32_t load_begin(struct load *load, uint32_t slot)
{
    struct load_slot *at = &load->slots[slot];
    uint64_t turn = slot + (uint64_t)at->asked++ * load->in_flight;
    load->started++;
    at->body = load->bodies[turn % load->body_count];
    at->began = load_now();
    return (uint32_t)(turn % load->connections);
}

bool load_is_answer(const struct load *load, struct span reply)
{
    struct wire_status status;
    struct span found;
    struct span scores;
    if (load->hits == 0)
        return true;
    return wire_find_bytes(reply, (struct wire_path){0, RESULTS_STATUS}, &found) &&
           wire_read_status(found, &status) && status.legacy == 0 && status.code == 0 &&
           wire_find_bytes(reply, (struct wire_path){RESULTS_DATA, DATA_SCORES}, &scores) &&
           scores.length == load->hits * sizeof(float);
}

void load_end(struct load *load, uint32_t slot, bool is_ok)
{
    load->latencies[load->ended++] = (uint32_t)(load_now() - load->slots[slot].began);
    if (!is_ok)
        load->failed++;
}

int load_connect(const char *target)
{
    struct address address;
    const char *error;
    const int on = 1;
    if (address_parse(target, &address, &error) != 0) {
        fprintf(stderr, "%s: %s\n", target, error);
        return -1;
    }
    int fd = socket(address.sockaddr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address.sockaddr, address.length) == 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* fails on a Unix socket */
        return fd;
    }
    perror(target);
    if (fd >= 0)
        close(fd);
    return -1;
}
