/* SPDX-License-Identifier: Apache-2.0 */
/* A link over TLS, by libevent's buffers over OpenSSL. */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <stdlib.h>

#include "pool/link_state.h"
#include "pool/tls_reason.h"

static void on_readable(struct bufferevent *buffers, void *argument)
{
    struct link *link = argument;
    struct span scratch = link->setup.scratch;
    size_t length = bufferevent_read(buffers, (void *)scratch.at, scratch.length);
    link->setup.events->input(link->setup.context, span_of(scratch.at, length));
}

static void on_written(struct bufferevent *buffers, void *argument)
{
    (void)buffers;
    link_tell_drained(argument);
}

static void take_up(struct link *link)
{
    if (tls_speaks_h2(bufferevent_openssl_get_ssl(link->buffers)))
        link->setup.events->up(link->setup.context);
    else
        link_break(link, "it speaks TLS, but not HTTP/2 in it (ALPN h2), as gRPC needs");
}

static void tell_error(struct link *link)
{
    char why[LINK_REASON_MAX];
    int error = EVUTIL_SOCKET_ERROR();
    unsigned long of_tls = bufferevent_get_openssl_error(link->buffers);
    if (tls_reason(bufferevent_openssl_get_ssl(link->buffers), of_tls, why, sizeof(why)))
        link_break(link, "%s", why);
    else
        link_break_by(link, error);
}

static void on_event(struct bufferevent *buffers, short what, void *argument)
{
    (void)buffers;
    struct link *link = argument;
    if (what & BEV_EVENT_CONNECTED)
        take_up(link);
    else if (what & BEV_EVENT_ERROR)
        tell_error(link);
    else if (what & BEV_EVENT_EOF)
        link_break(link, LINK_ENDED);
}

static void tls_start(struct link *link)
{
    struct ssl_st *ssl = tls_connection_new(link->setup.tls, link->setup.name);
    link->buffers = bufferevent_openssl_socket_new(
        link->setup.loop, link->fd, ssl, BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
    if (!link->buffers)
        abort();
    link->fd = -1;
    bufferevent_openssl_set_allow_dirty_shutdown(link->buffers, 1);
    bufferevent_setcb(link->buffers, on_readable, on_written, on_event, link);
    bufferevent_setwatermark(link->buffers, EV_WRITE, LINK_OUTPUT_MAX / 4, 0);
    bufferevent_set_max_single_read(link->buffers, link->setup.scratch.length);
    bufferevent_set_max_single_write(link->buffers, LINK_OUTPUT_MAX);
    bufferevent_enable(link->buffers, EV_READ | EV_WRITE);
}

static void tls_write(struct link *link, struct span bytes)
{
    if (bufferevent_write(link->buffers, bytes.at, bytes.length) != 0)
        abort();
}

static void unref(const void *data, size_t length, void *blob)
{
    (void)data, (void)length;
    blob_unref(blob);
}

static void tls_write_blob(struct link *link, struct blob *blob, struct span bytes)
{
    struct evbuffer *output = bufferevent_get_output(link->buffers);
    if (bytes.length <= OUTPUT_COPY_MAX)
        tls_write(link, bytes);
    else if (evbuffer_add_reference(output, bytes.at, bytes.length, unref, blob_ref(blob)) != 0)
        abort();
}

static size_t tls_unwritten(const struct link *link)
{
    return evbuffer_get_length(bufferevent_get_output(link->buffers));
}

/* Libevent writes by itself once something is queued. */
static void tls_flush(struct link *link)
{
    (void)link;
}

static void tls_stop(struct link *link)
{
    if (!link->buffers)
        return;
    tls_say_goodbye(bufferevent_openssl_get_ssl(link->buffers));
    bufferevent_free(link->buffers);
}

const struct link_carrier link_tls = {
    .start = tls_start,
    .write = tls_write,
    .write_blob = tls_write_blob,
    .unwritten = tls_unwritten,
    .flush = tls_flush,
    .stop = tls_stop,
};
