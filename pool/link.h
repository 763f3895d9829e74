/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of bytes to an endpoint: TCP, or TLS over it. It connects when it is opened; what is
 * written goes out with link_flush(). Nothing is called back from within a function but
 * link_flush().
 */
#ifndef POOL_LINK_H
#define POOL_LINK_H

#include <event2/event.h>

#include "pool/endpoint.h"
#include "pool/tls.h"
#include "proto/blob.h"

/* Bytes that may wait for the socket before there is no more room. */
#define LINK_OUTPUT_MAX (1u << 20)

struct link;

struct link_events {
    /* Connected; over TLS the peer is who it should be. */
    void (*up)(void *context);
    /* Bytes that came, valid during the call. May close the link. */
    void (*input)(void *context, struct span bytes);
    /* There is room again. */
    void (*drained)(void *context);
    /* It could not connect, or is broken, or the peer has ended it; why, for the operator, valid
     * during the call. To be closed. */
    void (*broken)(void *context, const char *reason);
};

struct link_setup {
    struct event_base *loop;
    const struct link_events *events;
    void *context;
    struct span
        scratch;     /* where what is read may be put before it is handed on; many links share it */
    struct tls *tls; /* NULL: none */
    const char *name; /* that the peer's certificate is for; unused without TLS */
};

/* `setup`'s contents outlive the link. */
struct link *link_open(const struct link_setup *setup, const struct endpoint *endpoint);

/* What it is doing before it is up, for the operator: "connecting", "in the TLS handshake". */
const char *link_stage(const struct link *link);

/* Queues bytes that are copied, or those of a blob that is referenced. Once it is up. */
void link_write(struct link *link, struct span bytes);
void link_write_blob(struct link *link, struct blob *blob, struct span bytes);

/* Whether less than LINK_OUTPUT_MAX waits for the socket. */
bool link_has_room(const struct link *link);

/* Writes what is queued, as far as the socket takes it; the rest follows by itself. */
void link_flush(struct link *link);

/* What is queued and cannot be written at once is lost. NULL is accepted. */
void link_close(struct link *link);

#endif
