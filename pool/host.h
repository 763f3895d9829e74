/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One host of an upstream, and its addresses: the one that stands in the uri, or those that its
 * name has, looked up when told to.
 *
 * Of a name the IPv4 addresses count, if it has any. When none of those in use can be reached, and
 * a lookup finds the same ones again, those of the other family take their place.
 */
#ifndef POOL_HOST_H
#define POOL_HOST_H

#include "conf/conf.h"
#include "pool/endpoint.h"
#include "pool/resolver.h"

struct host;

struct host_events {
    /* It has that address, or no longer. The endpoint is the host's, until removed() returns or it
     * is freed. */
    void (*added)(void *context, const struct endpoint *endpoint);
    void (*removed)(void *context, const struct endpoint *endpoint);
    /* A lookup has ended; error: why it found nothing, NULL: it has. */
    void (*looked_up)(void *context, struct host *host, const char *error);
};

struct host_setup {
    const struct conf_host *conf; /* copied */
    struct resolver *resolver;
    int64_t timeout; /* ms, of a lookup */
    const struct host_events *events;
    void *context;
};

/* Of a number added() is called from within; a name has no addresses yet. */
struct host *host_new(const struct host_setup *setup);

/* Without another event. */
void host_free(struct host *host);

const char *host_name(const struct host *host);

/* Whether it is that one of a configuration. */
bool host_is(const struct host *host, const struct conf_host *conf);

/* Whether it stands for itself, and lookups are of no use. */
bool host_is_number(const struct host *host);

/* Unless it is a number, or is being looked up: looks it up. A lookup that fails keeps what is
 * known. */
void host_look_up(struct host *host);
bool host_is_looked_up(const struct host *host);

/* The first address, or the one behind `last`; NULL: there is none. */
const struct endpoint *host_next(const struct host *host, const struct endpoint *last);

/* Whether the last connection to it could not be made. */
bool host_endpoint_is_down(const struct endpoint *endpoint);

/* Notes whether the last connection to one of its addresses could be made. */
void host_mark(const struct endpoint *endpoint, bool is_down);

#endif
