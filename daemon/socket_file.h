/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a Unix socket: made with the right mode and group, replaced when stale, removed when
 * it is ours. */
#ifndef DAEMON_SOCKET_FILE_H
#define DAEMON_SOCKET_FILE_H

#include "conf/conf.h"

struct socket_file {
    const char *path; /* NULL: none was made */
    bool has_group;   /* of its own */
    dev_t device;
    ino_t inode;
};

/*
 * Binds the socket to the listener's path. A socket file on which nobody listens any more is
 * replaced; one on which somebody does, or another kind of file, is EADDRINUSE. 0, or -1 with
 * errno. The path outlives the socket_file.
 */
int socket_file_bind(struct socket_file *file, int fd, const struct conf_listener *conf)
    __attribute__((warn_unused_result));

/* Gives the file to a user, and to that group unless the listener has one of its own. 0, or -1 with
 * errno. */
int socket_file_give(const struct socket_file *file, uid_t uid, gid_t gid)
    __attribute__((warn_unused_result));

/* Whether socket_file_remove() could do so now; false: errno says why not. */
bool socket_file_removable(const struct socket_file *file);

/* Removes the file if it is still the one that was made. */
void socket_file_remove(struct socket_file *file);

#endif
