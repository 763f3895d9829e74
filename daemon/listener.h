/* SPDX-License-Identifier: Apache-2.0 */
/* An address that clients connect to. */
#ifndef DAEMON_LISTENER_H
#define DAEMON_LISTENER_H

#include "daemon/client.h"

struct listener;

/*
 * Binds the address; a socket file that nobody listens on any more is replaced. NULL: *ret_error
 * says which address and why, to be freed.
 */
struct listener *listener_open(const struct conf_listener *conf, char **ret_error);

/* Takes a socket that listens already, from systemd; its file is not ours to remove. */
struct listener *listener_adopt(int fd, const struct conf_listener *conf);

/* Gives the socket file that it made to a user, with the user's group unless it has one of its own.
 * 0, or -1 with errno. */
int listener_give(const struct listener *listener, uid_t uid, gid_t gid)
    __attribute__((warn_unused_result));

/* Says so, if the socket file cannot be removed at the end. */
void listener_warn(const struct listener *listener, struct logger *logger);

/* Begins to accept; the listener then waits for clients_left() while there are too many. */
void listener_start(struct listener *listener, struct clients *clients);

/* Accepts again if it had stopped because of too many clients. */
void listener_clients_left(struct listener *listener);

/* Stops listening and removes the socket file, if it is still the one it made; NULL is accepted. */
void listener_close(struct listener *listener);

/* Whether a socket listens at that address. */
bool listener_matches(int fd, const struct address *address);

/* Whether other machines can connect to a socket that listens. */
bool listener_is_remote(int fd);

#endif
