/* SPDX-License-Identifier: Apache-2.0 */
/* The URI of an upstream: http://HOST[:PORT] or https://HOST[:PORT], and nothing more. */
#ifndef CONF_URI_H
#define CONF_URI_H

#include <stdbool.h>
#include <stdint.h>

#define URI_HOST_MAX 255 /* bytes; a DNS name is at most 253 */

struct uri {
    bool secure;                 /* https */
    char host[URI_HOST_MAX + 1]; /* a name or a number, without brackets */
    uint16_t port;               /* 19530 for http and 443 for https unless given */
};

/* Reads a URI. 0, or -1 with *ret_error a static text that says what would be right and shows
 * nothing of the URI, which may hold a password; *ret_uri is then untouched. */
int uri_parse(const char *text, struct uri *ret_uri, const char **ret_error)
    __attribute__((warn_unused_result));

/* Whether a host is certainly this one: localhost, or a loopback number. Other names may lead
 * anywhere. */
bool uri_is_this_host(const char *host);

#endif
