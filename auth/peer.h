/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at the other end of a socket, as the kernel knows it. */
#ifndef AUTH_PEER_H
#define AUTH_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PEER_TEXT_MAX 80 /* bytes, with the NUL */

/* Writes "pid 4711, uid 1000" for a Unix socket (SO_PEERCRED, unix(7)); "127.0.0.1:40000" or
 * "[::1]:40000" for TCP. */
void peer_describe(int fd, char to[PEER_TEXT_MAX]);

/* Writes where we are: "127.0.0.1:19530" or "[::1]:19530"; "" for a Unix socket. */
void peer_own_address(int fd, char to[PEER_TEXT_MAX]);

bool peer_is_tcp(int fd);

/* Who connected to a Unix socket: the process's user and group as they were then. False: it is
 * another kind of socket. */
bool peer_user(int fd, uid_t *ret_uid, gid_t *ret_gid);

/* The further groups of that process, to be freed; NULL without any. */
gid_t *peer_groups(int fd, size_t *ret_count);

#endif
