/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/endpoints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool/clock.h"

struct member {
    TAILQ_ENTRY(member) link;
    struct host *host;
    bool has_failed; /* to be looked up, and the log says so */
    bool is_kept;    /* by the change that is being made */
};

struct endpoints {
    struct endpoints_setup setup;
    char *uri;
    TAILQ_HEAD(, member) members;
    LIST_HEAD(, endpoints_watcher) watchers;
    struct event *timer;
    int64_t due;        /* when it fires, 0: not set */
    int64_t not_before; /* the next lookup that somebody needs */
    int64_t retry;      /* ms to the next one while nothing is known, 0: not failed yet */
};

static const char *name_of(const struct endpoints *endpoints)
{
    return endpoints->setup.upstream->name;
}

static void added(void *context, const struct endpoint *endpoint)
{
    struct endpoints *endpoints = context;
    struct endpoints_watcher *watcher;
    char text[ENDPOINT_TEXT_MAX];
    endpoint_text(endpoint, text);
    log_debug(endpoints->setup.logger, "upstream %s: %s is an endpoint", name_of(endpoints), text);
    LIST_FOREACH (watcher, &endpoints->watchers, link)
        watcher->added(watcher->context, endpoint);
}

static void removed(void *context, const struct endpoint *endpoint)
{
    struct endpoints *endpoints = context;
    struct endpoints_watcher *watcher;
    char text[ENDPOINT_TEXT_MAX];
    endpoint_text(endpoint, text);
    log_info(endpoints->setup.logger, "upstream %s: %s is no endpoint any more", name_of(endpoints),
             text);
    LIST_FOREACH (watcher, &endpoints->watchers, link)
        watcher->removed(watcher->context, endpoint);
}

/* ---- when names are looked up ---- */

static void set_timer(struct endpoints *endpoints, int64_t due)
{
    const struct timeval time = clock_wait(due - clock_now());
    endpoints->due = due;
    event_add(endpoints->timer, &time);
}

static void look_up_by(struct endpoints *endpoints, int64_t due)
{
    if (endpoints->due == 0 || due < endpoints->due)
        set_timer(endpoints, due);
}

/* A sixth more or less, so that many daemons do not ask all at once. */
static int64_t jittered(int64_t period)
{
    return period - period / 6 + (int64_t)arc4random_uniform((uint32_t)(period / 3 + 1));
}

static void timer_fired(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct endpoints *endpoints = argument;
    struct member *member;
    set_timer(endpoints, clock_now() + jittered(endpoints->setup.period));
    TAILQ_FOREACH (member, &endpoints->members, link)
        host_look_up(member->host);
}

static bool has_names(const struct endpoints *endpoints)
{
    const struct member *member;
    TAILQ_FOREACH (member, &endpoints->members, link) {
        if (!host_is_number(member->host))
            return true;
    }
    return false;
}

void endpoints_hurry(struct endpoints *endpoints)
{
    int64_t now = clock_now();
    int64_t due = now > endpoints->not_before ? now : endpoints->not_before;
    if (!has_names(endpoints) || endpoints->due <= due)
        return;
    endpoints->not_before = due + ENDPOINTS_PAUSE;
    look_up_by(endpoints, due);
}

/* ---- what a lookup brings ---- */

static bool is_settled(const struct endpoints *endpoints)
{
    const struct member *member;
    TAILQ_FOREACH (member, &endpoints->members, link) {
        if (host_is_looked_up(member->host) || host_next(member->host, NULL))
            return false;
    }
    return true;
}

/* Nothing is known, and nobody is being asked: tried again soon, less soon each time. */
static void tell_unknown(struct endpoints *endpoints, const char *reason)
{
    struct endpoints_watcher *watcher;
    endpoints->retry = endpoints->retry ? 2 * endpoints->retry : ENDPOINTS_PAUSE;
    if (endpoints->retry > endpoints->setup.period)
        endpoints->retry = endpoints->setup.period;
    look_up_by(endpoints, clock_now() + jittered(endpoints->retry));
    LIST_FOREACH (watcher, &endpoints->watchers, link)
        watcher->unknown(watcher->context, reason);
}

static struct member *member_of(struct endpoints *endpoints, const struct host *host)
{
    struct member *member = TAILQ_FIRST(&endpoints->members);
    while (member->host != host)
        member = TAILQ_NEXT(member, link);
    return member;
}

static void looked_up(void *context, struct host *host, const char *error)
{
    struct endpoints *endpoints = context;
    struct member *member = member_of(endpoints, host);
    char reason[URI_HOST_MAX + 128];
    if (!error) {
        member->has_failed = false;
        endpoints->retry = 0;
        return;
    }
    snprintf(reason, sizeof(reason), "cannot resolve %s: %s", host_name(host), error);
    if (!member->has_failed)
        log_warning(endpoints->setup.logger, "upstream %s: %s", name_of(endpoints), reason);
    member->has_failed = true;
    if (is_settled(endpoints))
        tell_unknown(endpoints, reason);
}

/* ---- hosts ---- */

static const struct host_events events = {added, removed, looked_up};

static void add_host(struct endpoints *endpoints, const struct conf_host *conf)
{
    const struct endpoints_setup *setup = &endpoints->setup;
    struct member *member = calloc(1, sizeof(*member));
    if (!member)
        abort();
    member->host = host_new(&(struct host_setup){.conf = conf,
                                                 .resolver = setup->resolver,
                                                 .timeout = setup->upstream->connect_timeout,
                                                 .events = &events,
                                                 .context = endpoints});
    member->is_kept = true;
    TAILQ_INSERT_TAIL(&endpoints->members, member, link);
    if (!host_is_number(member->host))
        look_up_by(endpoints, clock_now());
}

static void keep_or_add(struct endpoints *endpoints, const struct conf_host *conf)
{
    struct member *member;
    TAILQ_FOREACH (member, &endpoints->members, link) {
        if (host_is(member->host, conf)) {
            member->is_kept = true;
            return;
        }
    }
    add_host(endpoints, conf);
}

static void free_member(struct endpoints *endpoints, struct member *member)
{
    TAILQ_REMOVE(&endpoints->members, member, link);
    host_free(member->host);
    free(member);
}

static void drop_host(struct endpoints *endpoints, struct member *member)
{
    const struct endpoint *endpoint = NULL;
    while ((endpoint = host_next(member->host, endpoint)))
        removed(endpoints, endpoint);
    free_member(endpoints, member);
}

void endpoints_set(struct endpoints *endpoints, const struct conf_host *hosts, size_t count,
                   const char *uri)
{
    struct member *member;
    struct member *following;
    free(endpoints->uri);
    endpoints->uri = strdup(uri);
    TAILQ_FOREACH (member, &endpoints->members, link)
        member->is_kept = false;
    for (size_t i = 0; i < count; i++)
        keep_or_add(endpoints, &hosts[i]);
    for (member = TAILQ_FIRST(&endpoints->members); member; member = following) {
        following = TAILQ_NEXT(member, link);
        if (!member->is_kept)
            drop_host(endpoints, member);
    }
    if (!has_names(endpoints)) {
        event_del(endpoints->timer);
        endpoints->due = 0;
    }
}

const char *endpoints_uri(const struct endpoints *endpoints)
{
    return endpoints->uri;
}

struct endpoints *endpoints_new(const struct endpoints_setup *setup)
{
    const struct conf_upstream *upstream = setup->upstream;
    struct endpoints *endpoints = calloc(1, sizeof(*endpoints));
    if (!endpoints)
        abort();
    endpoints->setup = *setup;
    TAILQ_INIT(&endpoints->members);
    LIST_INIT(&endpoints->watchers);
    endpoints->timer = evtimer_new(setup->loop, timer_fired, endpoints);
    if (!endpoints->timer)
        abort();
    endpoints_set(endpoints, upstream->hosts, upstream->host_count, upstream->uri);
    return endpoints;
}

void endpoints_free(struct endpoints *endpoints)
{
    if (!endpoints)
        return;
    while (!TAILQ_EMPTY(&endpoints->members))
        free_member(endpoints, TAILQ_FIRST(&endpoints->members));
    event_free(endpoints->timer);
    free(endpoints->uri);
    free(endpoints);
}

/* ---- watchers ---- */

void endpoints_watch(struct endpoints *endpoints, struct endpoints_watcher *watcher)
{
    const struct member *member;
    LIST_INSERT_HEAD(&endpoints->watchers, watcher, link);
    TAILQ_FOREACH (member, &endpoints->members, link) {
        const struct endpoint *endpoint = NULL;
        while ((endpoint = host_next(member->host, endpoint)))
            watcher->added(watcher->context, endpoint);
    }
}

void endpoints_unwatch(struct endpoints_watcher *watcher)
{
    LIST_REMOVE(watcher, link);
}

const struct endpoint *endpoints_any(const struct endpoints *endpoints)
{
    const struct endpoint *any = NULL;
    const struct member *member;
    TAILQ_FOREACH (member, &endpoints->members, link) {
        const struct endpoint *endpoint = NULL;
        while ((endpoint = host_next(member->host, endpoint))) {
            if (!any || (host_endpoint_is_down(any) && !host_endpoint_is_down(endpoint)))
                any = endpoint;
        }
    }
    return any;
}

void endpoints_up(const struct endpoint *endpoint)
{
    host_mark(endpoint, false);
}

void endpoints_down(struct endpoints *endpoints, const struct endpoint *endpoint)
{
    host_mark(endpoint, true);
    endpoints_hurry(endpoints);
}
