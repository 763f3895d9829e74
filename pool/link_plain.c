/* SPDX-License-Identifier: Apache-2.0 */
/* A link without TLS: read into the shared scratch, written as one batch. */
#include <errno.h>

#include "pool/link_state.h"

static void on_readable(evutil_socket_t fd, short what, void *argument)
{
    (void)what;
    struct link *link = argument;
    struct span scratch = link->setup.scratch;
    ssize_t length = recv(fd, (void *)scratch.at, scratch.length, 0);
    if (length > 0)
        link->setup.events->input(link->setup.context, span_of(scratch.at, (size_t)length));
    else if (length == 0)
        link_break(link, LINK_ENDED);
    else if (errno != EAGAIN && errno != EINTR)
        link_break_by(link, errno);
}

static void write_out(struct link *link)
{
    int result = output_write(&link->output, link->fd);
    if (result > 0)
        event_add(&link->writable, NULL);
    if (result < 0)
        link_break_by(link, errno);
    else
        link_tell_drained(link);
}

static void on_writable(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    write_out(argument);
}

static void plain_start(struct link *link)
{
    struct event_base *loop = link->setup.loop;
    event_assign(&link->readable, loop, link->fd, EV_READ | EV_PERSIST, on_readable, link);
    event_assign(&link->writable, loop, link->fd, EV_WRITE, on_writable, link);
    event_add(&link->readable, NULL);
    link->setup.events->up(link->setup.context);
}

static void plain_write(struct link *link, struct span bytes)
{
    output_add(&link->output, bytes);
}

static void plain_write_blob(struct link *link, struct blob *blob, struct span bytes)
{
    output_add_part(&link->output, blob, bytes);
}

static size_t plain_unwritten(const struct link *link)
{
    return link->output.size;
}

static void plain_flush(struct link *link)
{
    if (!event_pending(&link->writable, EV_WRITE, NULL))
        write_out(link);
}

static void plain_stop(struct link *link)
{
    (void)link;
}

const struct link_carrier link_plain = {
    .start = plain_start,
    .write = plain_write,
    .write_blob = plain_write_blob,
    .unwritten = plain_unwritten,
    .flush = plain_flush,
    .stop = plain_stop,
};
