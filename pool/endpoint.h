/* SPDX-License-Identifier: Apache-2.0 */
/* One address of an upstream. */
#ifndef POOL_ENDPOINT_H
#define POOL_ENDPOINT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "conf/uri.h"

struct endpoint {
    char host[URI_HOST_MAX + 1]; /* as the uri has it, without brackets: the name that a certificate
                                    is for, and what requests say they are for */
    uint16_t port;
    socklen_t length;
    struct sockaddr_storage address; /* of AF_INET or AF_INET6, with the port */
};

#define ENDPOINT_TEXT_MAX   64
#define ENDPOINT_NUMBER_MAX 46 /* INET6_ADDRSTRLEN */

/* Writes the address alone, "127.0.0.1" or "::1". */
void endpoint_number(const struct endpoint *endpoint, char to[ENDPOINT_NUMBER_MAX]);

/* Writes the address as "127.0.0.1:19530" or "[::1]:19530". */
void endpoint_text(const struct endpoint *endpoint, char to[ENDPOINT_TEXT_MAX]);

/* Whether connections to them would be the same: host, port and address are. */
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

#endif
