/* SPDX-License-Identifier: Apache-2.0 */
/* An address to listen on or to connect to: unix:/path, 127.0.0.1:19530, [::1]:19530. */
#ifndef CONF_ADDRESS_H
#define CONF_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#define ADDRESS_TEXT_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) + sizeof("unix:"))

struct address {
    struct sockaddr_storage sockaddr;
    socklen_t length;
    char text[ADDRESS_TEXT_MAX]; /* as written */
};

/* Reads an address. 0, or -1 with *ret_error a static text that says what would be right;
 * *ret_address is then untouched. Names are not resolved: a host is a number. Port 0 lets the
 * kernel choose. */
int address_parse(const char *text, struct address *ret_address, const char **ret_error)
    __attribute__((warn_unused_result));

bool address_is_unix(const struct address *address);

/* Whether only processes of this machine can connect to it: a Unix socket, 127.0.0.0/8, ::1. */
bool address_is_local(const struct address *address);

/* The socket file of a Unix address, else NULL. */
const char *address_path(const struct address *address);

#endif
