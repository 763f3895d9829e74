/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/endpoint.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static bool is_ipv6(const struct endpoint *endpoint)
{
    return endpoint->address.ss_family == AF_INET6;
}

void endpoint_number(const struct endpoint *endpoint, char to[ENDPOINT_NUMBER_MAX])
{
    const void *from =
        is_ipv6(endpoint)
            ? (const void *)&((const struct sockaddr_in6 *)&endpoint->address)->sin6_addr
            : &((const struct sockaddr_in *)&endpoint->address)->sin_addr;
    if (!inet_ntop(endpoint->address.ss_family, from, to, ENDPOINT_NUMBER_MAX))
        snprintf(to, ENDPOINT_NUMBER_MAX, "?");
}

void endpoint_text(const struct endpoint *endpoint, char to[ENDPOINT_TEXT_MAX])
{
    char number[ENDPOINT_NUMBER_MAX];
    endpoint_number(endpoint, number);
    snprintf(to, ENDPOINT_TEXT_MAX, is_ipv6(endpoint) ? "[%s]:%u" : "%s:%u", number,
             endpoint->port);
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && strcmp(a->host, b->host) == 0 && a->length == b->length &&
           memcmp(&a->address, &b->address, a->length) == 0;
}
