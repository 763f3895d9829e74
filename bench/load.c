/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load [OPTION]... grpc|plain TARGET METHOD FILE...: sends the messages of the files in turn, again
 * and again, and prints one JSON line: latencies, its own CPU time a request, and that of other
 * processes, as the kernel accounts it (all threads).
 */
#include "bench/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PIDS_MAX 16
#define WARM_UP  10 /* a tenth of the count comes before, unmeasured */
#define USAGE                                                                                      \
    "Usage: load [OPTION]... grpc|plain TARGET METHOD FILE...\n"                                   \
    "  -a TEXT authorization, over gRPC\n"                                                         \
    "  -c N    connections (1)\n"                                                                  \
    "  -f N    requests in flight, on all connections together (1)\n"                              \
    "  -g NAME a method that is called first, once on each connection, with an empty message\n"    \
    "  -k N    replies are a search's, without an error in the body, and have that many hits\n"    \
    "  -n N    requests that are measured (1000)\n"                                                \
    "  -p PID  also measure the CPU time of this process; may be repeated\n"                       \
    "  -w      keep the connections open until the input ends\n"

struct arguments {
    struct load load;
    char **files;         /* as many as the load has bodies */
    const char *greeting; /* a method, or NULL */
    const char *pids[PIDS_MAX];
    size_t pid_count;
    bool wait;
};

/* CPU time used so far, in ns. */
struct used {
    uint64_t own;
    uint64_t other;
};

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now = {0};
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* All of a process's threads, ended ones included; 0 if it is gone. */
static uint64_t cpu_of(const char *pid)
{
    clockid_t clock;
    return clock_getcpuclockid(atoi(pid), &clock) == 0 ? read_clock(clock) : 0;
}

static struct used used_by(const struct arguments *arguments)
{
    struct used used = {.own = read_clock(CLOCK_PROCESS_CPUTIME_ID)};
    for (size_t i = 0; i < arguments->pid_count; i++)
        used.other += cpu_of(arguments->pids[i]);
    return used;
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

static double us_a_request(const struct load *load, uint64_t before, uint64_t after)
{
    return (double)(after - before) / 1000 / load->count;
}

static void report(const struct arguments *arguments, uint64_t taken, const struct used *before,
                   const struct used *after)
{
    const struct load *load = &arguments->load;
    qsort(load->latencies, load->count, sizeof(load->latencies[0]), compare);
    printf("{\"requests\": %u, \"failed\": %u, \"per_second\": %.0f, \"p50_us\": %.1f, "
           "\"p99_us\": %.1f, \"own_cpu_us\": %.2f, \"cpu_us\": %.2f}\n",
           load->count, load->failed, load->count * 1e9 / (double)taken, quantile_us(load, 0.5),
           quantile_us(load, 0.99), us_a_request(load, before->own, after->own),
           us_a_request(load, before->other, after->other));
    fflush(stdout);
}

static int run(struct load *load)
{
    load->started = 0;
    load->ended = 0;
    load->failed = 0;
    return load->kind->run(load);
}

static int warm_up(struct load *load)
{
    uint32_t count = load->count;
    load->count = (count + WARM_UP - 1) / WARM_UP;
    int result = run(load);
    load->count = count;
    return result;
}

/* As an SDK introduces itself. Behind it the first connection's turn has come again. */
static int greet(struct load *load, const char *method)
{
    static const uint8_t prefix[LOAD_PREFIX];
    const struct span empty = span_of(prefix, sizeof(prefix));
    const struct load asked = *load;
    load->method = method;
    load->bodies = &empty;
    load->body_count = 1;
    load->hits = 0;
    load->count = load->connections;
    int result = run(load);
    bool is_ok = load->failed == 0;
    *load = asked;
    memset(load->slots, 0, load->in_flight * sizeof(load->slots[0]));
    return is_ok ? result : -1;
}

static int measure(struct arguments *arguments)
{
    struct load *load = &arguments->load;
    if (arguments->greeting && greet(load, arguments->greeting) != 0)
        return -1;
    if (warm_up(load) != 0)
        return -1;
    struct used before = used_by(arguments);
    uint64_t began = load_now();
    if (run(load) != 0)
        return -1;
    uint64_t taken = load_now() - began;
    struct used after = used_by(arguments);
    report(arguments, taken, &before, &after);
    return load->failed == 0 ? 0 : -1;
}

/* The message of a file, framed. Exits, and says why, if it cannot be read. */
static struct span read_body(const char *path)
{
    struct stat status;
    FILE *file = fopen(path, "rbe");
    if (!file || fstat(fileno(file), &status) != 0) {
        perror(path);
        exit(1);
    }
    size_t length = (size_t)status.st_size;
    uint8_t *body = calloc(1, LOAD_PREFIX + length);
    if (!body)
        abort();
    for (int i = 0; i < 4; i++)
        body[1 + i] = (uint8_t)(length >> (24 - 8 * i));
    if (fread(body + LOAD_PREFIX, 1, length, file) != length) {
        perror(path);
        exit(1);
    }
    fclose(file);
    return span_of(body, LOAD_PREFIX + length);
}

static struct span *read_bodies(const struct arguments *arguments)
{
    uint32_t count = arguments->load.body_count;
    struct span *bodies = calloc(count, sizeof(bodies[0]));
    if (!bodies)
        abort();
    for (uint32_t i = 0; i < count; i++)
        bodies[i] = read_body(arguments->files[i]);
    return bodies;
}

static void free_bodies(struct span *bodies, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        free((void *)bodies[i].at);
    free(bodies);
}

static bool read_number(uint32_t *ret_number)
{
    long number = atol(optarg);
    if (number < 1 || number > INT32_MAX)
        return false;
    *ret_number = (uint32_t)number;
    return true;
}

static bool read_option(struct arguments *arguments, int option)
{
    switch (option) {
    case 'a':
        arguments->load.authorization = optarg;
        return true;
    case 'c':
        return read_number(&arguments->load.connections);
    case 'f':
        return read_number(&arguments->load.in_flight);
    case 'g':
        arguments->greeting = optarg;
        return true;
    case 'k':
        return read_number(&arguments->load.hits);
    case 'n':
        return read_number(&arguments->load.count);
    case 'p':
        if (arguments->pid_count == PIDS_MAX)
            return false;
        arguments->pids[arguments->pid_count++] = optarg;
        return true;
    case 'w':
        arguments->wait = true;
        return true;
    default:
        return false;
    }
}

static const struct load_kind *kind_of(const char *name)
{
    static const struct load_kind *const kinds[] = {&load_grpc, &load_plain};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    }
    return NULL;
}

static bool read_arguments(struct arguments *arguments, int argc, char **argv)
{
    struct load *load = &arguments->load;
    int option;
    while ((option = getopt(argc, argv, "a:c:f:g:k:n:p:w")) != -1) {
        if (!read_option(arguments, option))
            return false;
    }
    if (argc - optind < 4)
        return false;
    load->kind = kind_of(argv[optind]);
    load->target = argv[optind + 1];
    load->method = argv[optind + 2];
    arguments->files = argv + optind + 3;
    load->body_count = (uint32_t)(argc - optind - 3);
    return load->kind != NULL;
}

static void wait_for_end_of_input(void)
{
    while (getchar() != EOF)
        ;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.load = {.connections = 1, .in_flight = 1, .count = 1000}};
    struct load *load = &arguments.load;
    if (!read_arguments(&arguments, argc, argv)) {
        fputs(USAGE, stderr);
        return 2;
    }
    struct span *bodies = read_bodies(&arguments);
    load->bodies = bodies;
    load->slots = calloc(load->in_flight, sizeof(load->slots[0]));
    uint32_t most = load->count > load->connections ? load->count : load->connections;
    load->latencies = calloc(most, sizeof(load->latencies[0]));
    if (!load->slots || !load->latencies)
        abort();
    if (load->kind->open(load) != 0)
        return 1;
    int result = measure(&arguments);
    if (arguments.wait)
        wait_for_end_of_input();
    load->kind->close(load);
    free(load->slots);
    free(load->latencies);
    free_bodies(bodies, load->body_count);
    return result == 0 ? 0 : 1;
}
