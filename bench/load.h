/* SPDX-License-Identifier: Apache-2.0 */
/* A closed loop of requests: so many under way, each answered by the next, until the count is
 * reached. Where connections divide what is in flight, each keeps its share of it; where there are
 * more, they take turns, over the runs of a load as well. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/span.h"

#define LOAD_PREFIX 5 /* bytes that gRPC has before a message */

/* One of the requests in flight, and then the next in its place. */
struct load_slot {
    uint64_t began;   /* of the one under way, ns */
    struct span body; /* of the one under way, as gRPC frames it */
    uint32_t asked;   /* in all runs */
};

struct load {
    const struct load_kind *kind;
    void *state;        /* the kind's, from open() to close() */
    const char *target; /* HOST:PORT or unix:PATH, of an upstream or of a proxy */
    const char *method;
    const char *authorization; /* of each request, over gRPC; NULL: none */
    const struct span *bodies; /* what is asked in turn, each as gRPC frames it */
    uint32_t body_count;       /* 1 or more */
    uint32_t hits;             /* of each reply, which is a search's; 0: it may be any */
    uint32_t connections;
    uint32_t in_flight; /* on all of them together */
    uint32_t count;     /* of a run */
    struct load_slot *slots;
    uint32_t *latencies; /* of a run's requests, in ns; room for count, and for connections */
    uint32_t started;    /* these three in a run */
    uint32_t ended;
    uint32_t failed;
};

struct load_kind {
    const char *name;
    /* Connects. 0, or -1 when the target cannot be used, which is said on stderr. */
    int (*open)(struct load *load);
    /* 0, or -1 when the connections have broken. */
    int (*run)(struct load *load);
    void (*close)(struct load *load);
};

extern const struct load_kind load_grpc;  /* gRPC: HTTP/2 by nghttp2, headers as an SDK has them */
extern const struct load_kind load_plain; /* the plain protocol */

uint64_t load_now(void); /* ns */

/* Whether the run has requests left to start. */
bool load_is_left(const struct load *load);

/* A request starts, with the slot's body. Returns the connection it belongs on. */
uint32_t load_begin(struct load *load, uint32_t slot);

/* Whether a reply's message is what is wanted: where hits are, it has no error in its body, and as
 * many. */
bool load_is_answer(const struct load *load, struct span reply);

void load_end(struct load *load, uint32_t slot, bool is_ok);

/* A connected socket, or -1, which is said on stderr. */
int load_connect(const char *target);

#endif
