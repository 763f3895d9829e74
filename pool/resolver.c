/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/resolver.h"

#include <event2/dns.h>
#include <event2/util.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "pool/clock.h"

/* A server that is silent is left out by evdns, and asked by itself whether it is there again. That
 * question must not be on its way when an evdns_base goes; none lives so long. */
#define PROBE_AFTER "3600"

struct resolver {
    struct event_base *loop;
    const char *resolv_conf;
    const char *hosts;
    LIST_HEAD(, lookup) lookups;
};

struct lookup {
    LIST_ENTRY(lookup) link;
    struct evdns_base *dns;
    struct evdns_getaddrinfo_request *request; /* NULL: evdns has answered */
    struct event *timer;                       /* until that, the time limit; then the end */
    struct evutil_addrinfo *found;
    const char *error;
    lookup_done *done; /* NULL: cancelled */
    void *context;
};

/* What it prints for itself; what matters comes as a lookup's end. */
static void discard_log(int is_warning, const char *text)
{
    (void)is_warning, (void)text;
}

struct resolver *resolver_new(struct event_base *loop, const char *resolv_conf, const char *hosts)
{
    struct resolver *resolver = calloc(1, sizeof(*resolver));
    if (!resolver)
        abort();
    *resolver = (struct resolver){.loop = loop, .resolv_conf = resolv_conf, .hosts = hosts};
    LIST_INIT(&resolver->lookups);
    evdns_set_log_fn(discard_log);
    return resolver;
}

void resolver_free(struct resolver *resolver)
{
    if (!resolver)
        return;
    while (!LIST_EMPTY(&resolver->lookups))
        event_base_loop(resolver->loop, EVLOOP_ONCE);
    free(resolver);
}

static void end(struct lookup *lookup)
{
    if (lookup->done)
        lookup->done(lookup->context, lookup->found, lookup->error);
    LIST_REMOVE(lookup, link);
    evdns_base_free(lookup->dns, 0);
    event_free(lookup->timer);
    if (lookup->found)
        evutil_freeaddrinfo(lookup->found);
    free(lookup);
}

/* evdns still uses its base when it has called back, so what follows has its own turn. */
static void answered(int result, struct evutil_addrinfo *found, void *context)
{
    struct lookup *lookup = context;
    lookup->request = NULL;
    lookup->found = found;
    if (result == EVUTIL_EAI_NONAME)
        lookup->error = "there is no such name";
    else if (result == EVUTIL_EAI_CANCEL)
        lookup->error = "no name server has answered in time";
    else if (result != 0)
        lookup->error = "no name server has answered, or the name has no address";
    else if (!found)
        lookup->error = "the hosts file has no such address of it";
    event_active(lookup->timer, EV_TIMEOUT, 0);
}

static void timer_fired(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct lookup *lookup = argument;
    if (lookup->request)
        evdns_getaddrinfo_cancel(lookup->request);
    else
        end(lookup);
}

/* evdns itself takes 127.0.0.1 for the name server if the file names none, as glibc does. */
static struct evdns_base *open_dns(const struct resolver *resolver)
{
    struct evdns_base *dns = evdns_base_new(resolver->loop, 0);
    if (!dns || evdns_base_set_option(dns, "initial-probe-timeout:", PROBE_AFTER) != 0)
        abort();
    evdns_base_load_hosts(dns, resolver->hosts);
    evdns_base_resolv_conf_parse(dns, DNS_OPTIONS_ALL & ~DNS_OPTION_HOSTSFILE,
                                 resolver->resolv_conf);
    return dns;
}

struct lookup *resolver_look_up(struct resolver *resolver, const char *host, uint16_t port,
                                int family, int64_t timeout, lookup_done *done, void *context)
{
    char service[sizeof("65535")];
    const struct evutil_addrinfo hints = {
        .ai_family = family, .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
    const struct timeval limit = clock_wait(timeout);
    struct lookup *lookup = calloc(1, sizeof(*lookup));
    if (!lookup)
        abort();
    lookup->done = done;
    lookup->context = context;
    lookup->timer = evtimer_new(resolver->loop, timer_fired, lookup);
    lookup->dns = open_dns(resolver);
    if (!lookup->timer)
        abort();
    LIST_INSERT_HEAD(&resolver->lookups, lookup, link);
    event_add(lookup->timer, &limit);
    snprintf(service, sizeof(service), "%u", port);
    /* It may have called back already. */
    struct evdns_getaddrinfo_request *request =
        evdns_getaddrinfo(lookup->dns, host, service, &hints, answered, lookup);
    lookup->request = request;
    return lookup;
}

void lookup_cancel(struct lookup *lookup)
{
    if (!lookup)
        return;
    lookup->done = NULL;
    if (lookup->request)
        evdns_getaddrinfo_cancel(lookup->request);
}
