/* SPDX-License-Identifier: Apache-2.0 */
/* All addresses of the daemon: those of the configuration, and sockets from systemd. */
#ifndef DAEMON_LISTENERS_H
#define DAEMON_LISTENERS_H

#include "daemon/daemon.h"
#include "daemon/listener.h"

/* A struct of zeros has none. It stays where it is. */
struct listeners {
    struct listener **items;
    size_t count;
    struct conf_listener adopted; /* of sockets from systemd that the configuration does not name */
};

/* Binds all of them. DAEMON_DRAINED, or what the daemon is to exit with; the log says why. */
enum daemon_exit listeners_open(struct listeners *listeners, const struct conf *conf,
                                struct logger *logger) __attribute__((warn_unused_result));

/* As of each listener. */
int listeners_give(const struct listeners *listeners, uid_t uid, gid_t gid)
    __attribute__((warn_unused_result));
void listeners_warn(const struct listeners *listeners, struct logger *logger);
void listeners_start(const struct listeners *listeners, struct clients *clients);
void listeners_clients_left(const struct listeners *listeners);

/* Leaves none. */
void listeners_close(struct listeners *listeners);

#endif
