/* SPDX-License-Identifier: Apache-2.0 */
/* A closed loop of requests: so many under way, each answered by the next, until the count is
 * reached. They go to the connections in turn, over the runs of a load as well. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdint.h>

#include "proto/span.h"

struct load {
    const struct load_kind *kind;
    void *state;        /* the kind's, from open() to close() */
    const char *target; /* HOST:PORT or unix:PATH, of an upstream or of the daemon */
    const char *method;
    const char *authorization; /* of each request, over gRPC; NULL: none */
    struct span message;
    uint32_t connections;
    uint32_t in_flight;  /* on all of them together */
    uint32_t count;      /* of a run */
    uint32_t *latencies; /* of a run's requests, in ns; room for count */
    uint32_t failed;     /* of a run's requests */
};

struct load_kind {
    const char *name;
    /* Connects. 0, or -1 when the target cannot be used, which is said on stderr. */
    int (*open)(struct load *load);
    /* 0, or -1 when the connections have broken. */
    int (*run)(struct load *load);
    void (*close)(struct load *load);
};

extern const struct load_kind load_grpc;  /* gRPC's C core, as an SDK in C++ or Python would */
extern const struct load_kind load_plain; /* the plain protocol */

uint64_t load_now(void); /* ns */

#endif
