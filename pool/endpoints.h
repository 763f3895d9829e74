/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The endpoints of one upstream: all addresses of all its hosts, kept up to date. Names are looked
 * up at the start, again in time, and soon when a connection cannot be made. A lookup that fails
 * keeps what is known.
 */
#ifndef POOL_ENDPOINTS_H
#define POOL_ENDPOINTS_H

#include <sys/queue.h>

#include "conf/logger.h"
#include "pool/host.h"

#define ENDPOINTS_PERIOD 30000 /* ms between lookups, a sixth more or less */
#define ENDPOINTS_PAUSE  1000  /* ms at least between lookups that somebody needs */

struct endpoints;

struct endpoints_setup {
    struct event_base *loop;
    struct resolver *resolver;
    struct logger *logger;
    const struct conf_upstream *upstream; /* outlives them */
    int64_t period;                       /* ms; ENDPOINTS_PERIOD */
};

/* Who wants to know; the events come from the loop, or from within endpoints_set(). */
struct endpoints_watcher {
    /* The endpoint is valid until removed() returns. */
    void (*added)(void *context, const struct endpoint *endpoint);
    void (*removed)(void *context, const struct endpoint *endpoint);
    /* No endpoint is known, and a lookup has failed. */
    void (*unknown)(void *context, const char *reason);
    void *context;
    LIST_ENTRY(endpoints_watcher) link;
};

struct endpoints *endpoints_new(const struct endpoints_setup *setup);

/* With no watcher left; NULL is accepted. */
void endpoints_free(struct endpoints *endpoints);

/* Puts other hosts in place of those they have; those in both keep their endpoints. `uri`: their
 * text for people. All is copied. */
void endpoints_set(struct endpoints *endpoints, const struct conf_host *hosts, size_t count,
                   const char *uri);
const char *endpoints_uri(const struct endpoints *endpoints);

/* Calls added() for what is known, from within; from then on events come. */
void endpoints_watch(struct endpoints *endpoints, struct endpoints_watcher *watcher);
void endpoints_unwatch(struct endpoints_watcher *watcher);

/* One of them, rather one that could be reached when it was tried last; NULL: none is known. */
const struct endpoint *endpoints_any(const struct endpoints *endpoints);

/* A connection to one of them could be made, or could not. */
void endpoints_up(const struct endpoint *endpoint);
void endpoints_down(struct endpoints *endpoints, const struct endpoint *endpoint);

/* Somebody waits for an endpoint or wants the latest: looks names up, as soon as may be. */
void endpoints_hurry(struct endpoints *endpoints);

#endif
