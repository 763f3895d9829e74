/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/link.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "pool/link_state.h"

void link_break(struct link *link, const char *format, ...)
{
    char reason[LINK_REASON_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    link->setup.events->broken(link->setup.context, reason);
}

void link_break_by(struct link *link, int error)
{
    if (link->connected)
        link_break(link, "the connection broke: %s", strerror(error));
    else
        link_break(link, "cannot connect: %s", strerror(error));
}

void link_tell_drained(struct link *link)
{
    if (!link->full || !link_has_room(link))
        return;
    link->full = false;
    link->setup.events->drained(link->setup.context);
}

static void on_connected(evutil_socket_t fd, short what, void *argument)
{
    (void)what;
    struct link *link = argument;
    int error = link->error;
    socklen_t length = sizeof(error);
    if (error == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
        error = errno;
    if (error != 0) {
        link_break_by(link, error);
        return;
    }
    link->connected = true;
    link->carrier->start(link);
}

/* Requests are small and complete: nothing is gained by waiting for more to send. */
static void set_options(int fd)
{
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* What fails at once is kept. */
static void start_connecting(struct link *link, const struct endpoint *endpoint)
{
    int flags = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    link->fd = socket(endpoint->address.ss_family, flags, 0);
    if (link->fd < 0) {
        link->error = errno;
        return;
    }
    set_options(link->fd);
    int result = connect(link->fd, (const struct sockaddr *)&endpoint->address, endpoint->length);
    if (result != 0 && errno != EINPROGRESS)
        link->error = errno;
}

struct link *link_open(const struct link_setup *setup, const struct endpoint *endpoint)
{
    struct link *link = calloc(1, sizeof(*link));
    if (!link)
        abort();
    link->setup = *setup;
    link->carrier = setup->tls ? &link_tls : &link_plain;
    output_init(&link->output);
    start_connecting(link, endpoint);
    event_assign(&link->writable, setup->loop, link->fd, EV_WRITE, on_connected, link);
    event_assign(&link->readable, setup->loop, link->fd, EV_READ, on_connected, link);
    if (link->error != 0)
        event_active(&link->writable, EV_WRITE, 0);
    else
        event_add(&link->writable, NULL);
    return link;
}

const char *link_stage(const struct link *link)
{
    return link->connected ? "in the TLS handshake" : "connecting";
}

void link_write(struct link *link, struct span bytes)
{
    link->carrier->write(link, bytes);
}

void link_write_blob(struct link *link, struct blob *blob, struct span bytes)
{
    link->carrier->write_blob(link, blob, bytes);
}

bool link_has_room(const struct link *link)
{
    return link->carrier->unwritten(link) < LINK_OUTPUT_MAX;
}

void link_flush(struct link *link)
{
    link->full = link->full || !link_has_room(link);
    link->carrier->flush(link);
}

void link_close(struct link *link)
{
    if (!link)
        return;
    event_del(&link->readable);
    event_del(&link->writable);
    link->carrier->stop(link);
    output_clear(&link->output);
    if (link->fd >= 0)
        close(link->fd);
    free(link);
}
