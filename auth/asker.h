/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks, as a number: equal for the connections of one, and unlike that of another. What waits
 * is taken in turn by it (pool/turns.h). */
#ifndef AUTH_ASKER_H
#define AUTH_ASKER_H

#include <stdint.h>

/* The user at the other end of a Unix socket; of TCP, where nobody is known, the connection itself:
 * `connection` is its address in memory. */
uint64_t asker_of_socket(int fd, const void *connection);

/* Who shows the token of that name. */
uint64_t asker_of_token(const char *name);

#endif
