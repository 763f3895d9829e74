/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/endpoint.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

void endpoint_text(const struct endpoint *endpoint, char to[ENDPOINT_TEXT_MAX])
{
    char number[INET6_ADDRSTRLEN] = "?";
    bool ipv6 = endpoint->address.ss_family == AF_INET6;
    const void *from =
        ipv6 ? (const void *)&((const struct sockaddr_in6 *)&endpoint->address)->sin6_addr
             : &((const struct sockaddr_in *)&endpoint->address)->sin_addr;
    inet_ntop(endpoint->address.ss_family, from, number, sizeof(number));
    snprintf(to, ENDPOINT_TEXT_MAX, ipv6 ? "[%s]:%u" : "%s:%u", number, endpoint->port);
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && strcmp(a->host, b->host) == 0 && a->length == b->length &&
           memcmp(&a->address, &b->address, a->length) == 0;
}
