/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/host.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct host_address {
    struct endpoint endpoint; /* first: who knows it has the address, too */
    TAILQ_ENTRY(host_address) link;
    bool is_down;
    bool is_found; /* by the lookup that is being taken over */
};

struct host {
    char name[URI_HOST_MAX + 1];
    uint16_t port;
    bool is_number;
    int family; /* of its addresses, or of the next lookup */
    TAILQ_HEAD(, host_address) addresses;
    struct resolver *resolver;
    int64_t timeout;
    const struct host_events *events;
    void *context;
    struct lookup *lookup;
    int asked;         /* the family that the lookup is for */
    const char *error; /* of the first family, once the other one is asked for */
};

static struct host_address *find(const struct host *host, const struct endpoint *endpoint)
{
    struct host_address *address;
    TAILQ_FOREACH (address, &host->addresses, link) {
        if (endpoint_equal(&address->endpoint, endpoint))
            return address;
    }
    return NULL;
}

static void make_endpoint(const struct host *host, const struct sockaddr *at, socklen_t length,
                          struct endpoint *ret_endpoint)
{
    *ret_endpoint = (struct endpoint){.port = host->port, .length = length};
    memcpy(ret_endpoint->host, host->name, sizeof(ret_endpoint->host));
    memcpy(&ret_endpoint->address, at, length);
}

static void add(struct host *host, const struct endpoint *endpoint)
{
    struct host_address *address = calloc(1, sizeof(*address));
    if (!address)
        abort();
    address->endpoint = *endpoint;
    address->is_found = true;
    TAILQ_INSERT_TAIL(&host->addresses, address, link);
    host->events->added(host->context, &address->endpoint);
}

static void drop(struct host *host, struct host_address *address)
{
    TAILQ_REMOVE(&host->addresses, address, link);
    host->events->removed(host->context, &address->endpoint);
    free(address);
}

/* The number that stands in the uri is its one address. */
static void add_number(struct host *host)
{
    struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons(host->port)};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons(host->port)};
    struct endpoint endpoint;
    if (inet_pton(AF_INET, host->name, &ipv4.sin_addr) == 1)
        make_endpoint(host, (struct sockaddr *)&ipv4, sizeof(ipv4), &endpoint);
    else if (inet_pton(AF_INET6, host->name, &ipv6.sin6_addr) == 1)
        make_endpoint(host, (struct sockaddr *)&ipv6, sizeof(ipv6), &endpoint);
    else
        return;
    host->is_number = true;
    add(host, &endpoint);
}

struct host *host_new(const struct host_setup *setup)
{
    struct host *host = calloc(1, sizeof(*host));
    if (!host)
        abort();
    snprintf(host->name, sizeof(host->name), "%s", setup->conf->host);
    host->port = setup->conf->port;
    host->family = AF_INET;
    TAILQ_INIT(&host->addresses);
    host->resolver = setup->resolver;
    host->timeout = setup->timeout;
    host->events = setup->events;
    host->context = setup->context;
    add_number(host);
    return host;
}

void host_free(struct host *host)
{
    struct host_address *address;
    lookup_cancel(host->lookup);
    while ((address = TAILQ_FIRST(&host->addresses))) {
        TAILQ_REMOVE(&host->addresses, address, link);
        free(address);
    }
    free(host);
}

const char *host_name(const struct host *host)
{
    return host->name;
}

bool host_is(const struct host *host, const struct conf_host *conf)
{
    return host->port == conf->port && strcmp(host->name, conf->host) == 0;
}

bool host_is_number(const struct host *host)
{
    return host->is_number;
}

bool host_is_looked_up(const struct host *host)
{
    return host->lookup != NULL;
}

static bool any_up(const struct host *host)
{
    const struct host_address *address;
    TAILQ_FOREACH (address, &host->addresses, link) {
        if (!address->is_down)
            return true;
    }
    return false;
}

/* The new ones come before the old ones go. Whether any did either. */
static bool take_over(struct host *host, const struct addrinfo *found)
{
    bool changed = false;
    struct host_address *address;
    TAILQ_FOREACH (address, &host->addresses, link)
        address->is_found = false;
    for (; found; found = found->ai_next) {
        struct endpoint endpoint;
        make_endpoint(host, found->ai_addr, found->ai_addrlen, &endpoint);
        address = find(host, &endpoint);
        if (address)
            address->is_found = true;
        if (!address)
            add(host, &endpoint);
        changed |= !address;
    }
    struct host_address *following;
    for (address = TAILQ_FIRST(&host->addresses); address; address = following) {
        following = TAILQ_NEXT(address, link);
        if (address->is_found)
            continue;
        drop(host, address);
        changed = true;
    }
    return changed;
}

static void ask(struct host *host, int family);

/* First the family in use is asked for, then the other one if that is of no help. */
static void looked_up(void *context, const struct addrinfo *found, const char *error)
{
    struct host *host = context;
    bool is_first = host->asked == host->family;
    bool changed = found && take_over(host, found);
    host->lookup = NULL;
    if (found)
        host->family = host->asked;
    if (is_first && !changed && !any_up(host)) {
        host->error = error;
        ask(host, host->family == AF_INET ? AF_INET6 : AF_INET);
        return;
    }
    if (!is_first && !found)
        error = host->error;
    host->events->looked_up(host->context, host, error);
}

/* Both questions together take no longer than the time limit. */
static void ask(struct host *host, int family)
{
    host->asked = family;
    host->lookup = resolver_look_up(host->resolver, host->name, host->port, family,
                                    host->timeout / 2, looked_up, host);
}

void host_look_up(struct host *host)
{
    if (!host->is_number && !host->lookup)
        ask(host, host->family);
}

const struct endpoint *host_next(const struct host *host, const struct endpoint *last)
{
    const struct host_address *address =
        last ? TAILQ_NEXT((const struct host_address *)last, link) : TAILQ_FIRST(&host->addresses);
    return address ? &address->endpoint : NULL;
}

bool host_endpoint_is_down(const struct endpoint *endpoint)
{
    return ((const struct host_address *)endpoint)->is_down;
}

void host_mark(const struct endpoint *endpoint, bool is_down)
{
    ((struct host_address *)endpoint)->is_down = is_down;
}
