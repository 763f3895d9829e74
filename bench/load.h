/* SPDX-License-Identifier: Apache-2.0 */
/* A closed loop of requests: so many under way, each answered by the next, until the count is
 * reached. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdint.h>

#include "proto/span.h"

struct load {
    const char *target; /* HOST:PORT to call directly, or an address of the daemon */
    const char *method;
    struct span message;
    uint32_t in_flight;
    uint32_t count;
    uint32_t *latencies; /* of every request, in ns; room for count */
    uint32_t failed;
};

uint64_t load_now(void); /* ns */

/* Each runs the whole load; 0, or -1 when the target cannot be used. */
int load_direct(struct load *load); /* gRPC's C core, as an SDK in C++ or Python would */
int load_plain(struct load *load);  /* the plain protocol on one connection */

#endif
