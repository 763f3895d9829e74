/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load direct|plain TARGET METHOD IN_FLIGHT COUNT SIZE [PID]: one JSON line with latencies, and,
 * with the daemon's PID, its CPU time a request as the kernel accounts it (all threads).
 */
#include "bench/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "proto/wire.h"

#define WARM_UP 10 /* a tenth of the count comes before, unmeasured */

uint64_t load_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* CPU time of all of a process's threads in us, ended ones included; 0 without a process. */
static uint64_t cpu_of(const char *pid)
{
    clockid_t clock;
    struct timespec used = {0};
    if (pid && clock_getcpuclockid(atoi(pid), &clock) == 0)
        clock_gettime(clock, &used);
    return (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

static int compare(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

static double quantile_us(const struct load *load, double share)
{
    return load->latencies[(size_t)(share * (load->count - 1))] / 1000.0;
}

/* A SearchRequest: collection_name is field 3, and placeholder_group, field 6, makes it as long as
 * wanted. */
static size_t make_message(uint8_t *to, size_t size)
{
    size_t length = wire_override(to, (struct wire_path){.number = 3}, span_text("bench"));
    uint8_t *vector = calloc(1, size + 1);
    if (!vector)
        abort();
    length += wire_override(to + length, (struct wire_path){.number = 6}, span_of(vector, size));
    free(vector);
    return length;
}

static int usage(void)
{
    fputs("Usage: load direct|plain TARGET METHOD IN_FLIGHT COUNT SIZE [PID]\n", stderr);
    return 2;
}

static void report(struct load *load, uint64_t taken, uint64_t cpu)
{
    qsort(load->latencies, load->count, sizeof(load->latencies[0]), compare);
    printf("{\"requests\": %u, \"failed\": %u, \"per_second\": %.0f, \"p50_us\": %.1f, "
           "\"p99_us\": %.1f, \"cpu_us\": %.2f}\n",
           load->count, load->failed, load->count * 1e9 / (double)taken, quantile_us(load, 0.5),
           quantile_us(load, 0.99), (double)cpu / load->count);
}

int main(int argc, char **argv)
{
    if (argc < 7)
        return usage();
    int (*run)(struct load *) = strcmp(argv[1], "direct") == 0  ? load_direct
                                : strcmp(argv[1], "plain") == 0 ? load_plain
                                                                : NULL;
    long in_flight = atol(argv[4]);
    long count = atol(argv[5]);
    size_t size = (size_t)atol(argv[6]);
    if (!run || in_flight < 1 || count < 1)
        return usage();
    struct load load = {
        .target = argv[2],
        .method = argv[3],
        .in_flight = (uint32_t)in_flight,
        .count = (uint32_t)(count + WARM_UP - 1) / WARM_UP,
        .latencies = calloc((size_t)count, sizeof(load.latencies[0])),
    };
    uint8_t *message = malloc(wire_override_bound(size) + wire_override_bound(sizeof("bench")));
    if (!load.latencies || !message)
        abort();
    load.message = span_of(message, make_message(message, size));
    if (run(&load) != 0)
        return 1;
    load.count = (uint32_t)count;
    uint64_t cpu = cpu_of(argv[7]);
    uint64_t began = load_now();
    int result = run(&load);
    uint64_t taken = load_now() - began;
    if (result == 0)
        report(&load, taken, cpu_of(argv[7]) - cpu);
    free(message);
    free(load.latencies);
    return result == 0 && load.failed == 0 ? 0 : 1;
}
