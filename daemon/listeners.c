/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/listeners.h"

#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "auth/peer.h"

/* The socket that systemd has bound for this address, or -1; taken out of the list. */
static int take_adopted(const struct address *address, int *fds, int count)
{
    for (int i = 0; i < count; i++) {
        if (fds[i] < 0 || !listener_matches(fds[i], address))
            continue;
        int fd = fds[i];
        fds[i] = -1;
        return fd;
    }
    return -1;
}

static int open_configured(struct listeners *listeners, const struct conf *conf, int *fds,
                           int count, struct logger *logger)
{
    for (size_t i = 0; i < conf->listener_count; i++) {
        const struct conf_listener *one = &conf->listeners[i];
        int fd = take_adopted(&one->address, fds, count);
        char *error = NULL;
        struct listener *listener = fd >= 0 ? listener_adopt(fd, one) : listener_open(one, &error);
        if (!listener) {
            log_error(logger, "%s", error);
            free(error);
            return -1;
        }
        listeners->items[listeners->count++] = listener;
    }
    return 0;
}

/* Other machines are let in by the configuration alone. */
static bool may_adopt(int fd, struct logger *logger)
{
    if (!listener_is_remote(fd))
        return true;
    char address[PEER_TEXT_MAX];
    peer_own_address(fd, address);
    log_error(logger,
              "other machines reach %s, a socket from systemd; if they are meant to, name it under "
              "\"listen\" with allow_remote: true",
              *address ? address : "an address that is not of TCP");
    return false;
}

/* Sockets from systemd whose addresses the configuration does not name serve the database "default"
 * over every protocol. */
static int adopt_rest(struct listeners *listeners, const int *fds, int count, struct logger *logger)
{
    listeners->adopted = (struct conf_listener){.database = "default",
                                                .protocols = CONF_PROTOCOL_ALL,
                                                .mode = CONF_MODE_UNSET,
                                                .gid = (gid_t)-1};
    strcpy(listeners->adopted.address.text, "a socket from systemd");
    for (int i = 0; i < count; i++) {
        if (fds[i] >= 0 && !may_adopt(fds[i], logger))
            return -1;
        if (fds[i] >= 0)
            listeners->items[listeners->count++] = listener_adopt(fds[i], &listeners->adopted);
    }
    return 0;
}

enum daemon_exit listeners_open(struct listeners *listeners, const struct conf *conf,
                                struct logger *logger)
{
    int count = sd_listen_fds(1);
    if (count < 0)
        count = 0;
    int *fds = calloc((size_t)count + 1, sizeof(*fds));
    listeners->items = calloc((size_t)count + conf->listener_count, sizeof(*listeners->items));
    if (!fds || !listeners->items)
        abort();
    for (int i = 0; i < count; i++)
        fds[i] = SD_LISTEN_FDS_START + i;
    enum daemon_exit result = DAEMON_DRAINED;
    if (open_configured(listeners, conf, fds, count, logger) != 0)
        result = DAEMON_NOT_BOUND;
    else if (adopt_rest(listeners, fds, count, logger) != 0)
        result = DAEMON_MISCONFIGURED;
    free(fds);
    return result;
}

int listeners_give(const struct listeners *listeners, uid_t uid, gid_t gid)
{
    int result = 0;
    for (size_t i = 0; result == 0 && i < listeners->count; i++)
        result = listener_give(listeners->items[i], uid, gid);
    return result;
}

void listeners_warn(const struct listeners *listeners, struct logger *logger)
{
    for (size_t i = 0; i < listeners->count; i++)
        listener_warn(listeners->items[i], logger);
}

void listeners_start(const struct listeners *listeners, struct clients *clients)
{
    for (size_t i = 0; i < listeners->count; i++)
        listener_start(listeners->items[i], clients);
}

void listeners_clients_left(const struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++)
        listener_clients_left(listeners->items[i]);
}

void listeners_close(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++)
        listener_close(listeners->items[i]);
    free(listeners->items);
    listeners->items = NULL;
    listeners->count = 0;
}
