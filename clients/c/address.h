/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MVB_ADDRESS_H
#define MVB_ADDRESS_H

#include <sys/socket.h>

struct mvb_address {
    struct sockaddr_storage sockaddr;
    socklen_t length;
};

/* Reads unix:/path, 127.0.0.1:19530 or [::1]:19530. -1: *ret_error is a static text, *ret_address
 * untouched. */
int mvb_address_parse(const char *text, struct mvb_address *ret_address, const char **ret_error);

#endif
