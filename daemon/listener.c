/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/peer.h"
#include "daemon/socket_file.h"

#define BACKLOG 1024

/* Clients above the limit that are told so at once; others wait in the kernel. */
#define REFUSED 64

/* ms until accepting is tried again, after the kernel had no descriptor for it. */
#define RETRY_TIME 100

struct listener {
    const struct conf_listener *conf;
    int fd;
    struct socket_file file; /* set when we made one */
    struct clients *clients;
    struct event readable;
    struct event retry;
    bool full;    /* not accepting: too many clients */
    bool starved; /* the kernel had no descriptor for the last client, and the log says so */
};

static char *error_text(const struct conf_listener *conf, const char *what)
{
    char *text = NULL;
    if (asprintf(&text, "%s: %s", conf->address.text, what) < 0)
        return NULL;
    return text;
}

static int open_socket(const struct conf_listener *conf)
{
    const struct address *address = &conf->address;
    int family = address->sockaddr.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    if (fd >= 0 && family != AF_UNIX)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (fd >= 0 && family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    return fd;
}

/* Nobody gets in between bind and the right mode: before listen() a connection is refused. */
static int bind_and_listen(struct listener *listener)
{
    const struct address *address = &listener->conf->address;
    if (address_is_unix(address)) {
        if (socket_file_bind(&listener->file, listener->fd, listener->conf) != 0)
            return -1;
    } else if (bind(listener->fd, (const struct sockaddr *)&address->sockaddr, address->length) !=
               0) {
        return -1;
    }
    return listen(listener->fd, BACKLOG);
}

static struct listener *listener_new(int fd, const struct conf_listener *conf)
{
    struct listener *listener = calloc(1, sizeof(*listener));
    if (!listener)
        abort();
    listener->conf = conf;
    listener->fd = fd;
    return listener;
}

struct listener *listener_open(const struct conf_listener *conf, char **ret_error)
{
    struct listener *listener = listener_new(open_socket(conf), conf);
    if (listener->fd >= 0 && bind_and_listen(listener) == 0)
        return listener;
    bool no_folder = errno == ENOENT && address_is_unix(&conf->address);
    *ret_error = error_text(conf, no_folder ? "its folder does not exist" : strerror(errno));
    listener_close(listener);
    return NULL;
}

struct listener *listener_adopt(int fd, const struct conf_listener *conf)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return listener_new(fd, conf);
}

int listener_give(const struct listener *listener, uid_t uid, gid_t gid)
{
    return socket_file_give(&listener->file, uid, gid);
}

void listener_warn(const struct listener *listener, struct logger *logger)
{
    if (!socket_file_removable(&listener->file))
        log_warning(logger, "%s stays behind at the end, as its folder cannot be changed: %s",
                    listener->conf->address.text, strerrordesc_np(errno));
}

static void retry_later(struct listener *listener)
{
    struct timeval wait = {.tv_usec = RETRY_TIME * 1000};
    if (!listener->starved)
        log_error(listener->clients->logger, "%s: cannot accept: %s", listener->conf->address.text,
                  strerror(errno));
    listener->starved = true;
    event_del(&listener->readable);
    event_add(&listener->retry, &wait);
}

static void on_retry(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct listener *listener = argument;
    event_add(&listener->readable, NULL);
}

/* One at a time: the loop turns, and others are heard, between two clients. */
static void on_client(evutil_socket_t fd, short what, void *argument)
{
    (void)what;
    struct listener *listener = argument;
    struct clients *clients = listener->clients;
    int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS))
        retry_later(listener);
    if (client < 0)
        return;
    listener->starved = false;
    client_accept(clients, client, listener->conf);
    if (clients->count < clients->max + REFUSED)
        return;
    listener->full = true;
    event_del(&listener->readable);
}

/* Replies leave at once; a client whose host is gone does not hold its place for ever. Accepted
 * sockets inherit both. */
static void set_tcp_options(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

void listener_start(struct listener *listener, struct clients *clients)
{
    if (peer_is_tcp(listener->fd))
        set_tcp_options(listener->fd);
    listener->clients = clients;
    event_assign(&listener->readable, clients->loop, listener->fd, EV_READ | EV_PERSIST, on_client,
                 listener);
    event_assign(&listener->retry, clients->loop, -1, 0, on_retry, listener);
    event_add(&listener->readable, NULL);
    char own[PEER_TEXT_MAX]; /* with the port that the kernel chose for 0 */
    peer_own_address(listener->fd, own);
    log_info(clients->logger, "listening on %s", *own ? own : listener->conf->address.text);
}

void listener_clients_left(struct listener *listener)
{
    const struct clients *clients = listener->clients;
    if (!listener->full || clients->count >= clients->max + REFUSED)
        return;
    listener->full = false;
    event_add(&listener->readable, NULL);
}

void listener_close(struct listener *listener)
{
    if (!listener)
        return;
    if (listener->clients) {
        event_del(&listener->readable);
        event_del(&listener->retry);
    }
    if (listener->fd >= 0)
        close(listener->fd);
    socket_file_remove(&listener->file);
    free(listener);
}

bool listener_matches(int fd, const struct address *address)
{
    struct sockaddr_storage bound = {0};
    socklen_t length = sizeof(bound);
    if (getsockname(fd, (struct sockaddr *)&bound, &length) != 0)
        return false;
    if (bound.ss_family != address->sockaddr.ss_family)
        return false;
    if (bound.ss_family == AF_UNIX)
        return strcmp(((struct sockaddr_un *)&bound)->sun_path, address_path(address)) == 0;
    return length == address->length && memcmp(&bound, &address->sockaddr, length) == 0;
}

bool listener_is_remote(int fd)
{
    struct address bound = {.length = sizeof(bound.sockaddr)};
    return getsockname(fd, (struct sockaddr *)&bound.sockaddr, &bound.length) != 0 ||
           !address_is_local(&bound);
}
