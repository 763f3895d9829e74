/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names to addresses, on the event loop, through libevent's evdns. Each lookup reads the hosts file
 * and resolv.conf anew, and nothing stays open when it has ended. Names are asked for over UDP
 * alone; an answer that was cut to fit its 512 bytes is none.
 */
#ifndef POOL_RESOLVER_H
#define POOL_RESOLVER_H

#include <event2/event.h>
#include <netdb.h>
#include <stdint.h>

struct resolver;
struct lookup;

/* The files outlive it: "/etc/resolv.conf" and "/etc/hosts", but for tests. */
struct resolver *resolver_new(struct event_base *loop, const char *resolv_conf, const char *hosts);

/* With all lookups ended or cancelled; runs the loop until nothing of them is left there. NULL is
 * accepted. */
void resolver_free(struct resolver *resolver);

/* found: the addresses, at least one, each with the port; borrowed. NULL: `error`, a static text,
 * says why there are none. */
typedef void lookup_done(void *context, const struct addrinfo *found, const char *error);

/* Looks up the addresses of one family, AF_INET or AF_INET6, of a name that is no number. done()
 * comes once, from the loop, after `timeout` ms at the latest; a name server that is silent may be
 * given up before. */
struct lookup *resolver_look_up(struct resolver *resolver, const char *host, uint16_t port,
                                int family, int64_t timeout, lookup_done *done, void *context);

/* Drops one whose done() has not come; it does not come any more. NULL is accepted. */
void lookup_cancel(struct lookup *lookup);

#endif
