/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of the transport h2: a server in the test's hand, on the same loop. It answers nothing
 * by itself.
 */
#ifndef TESTS_H2_SERVER_H
#define TESTS_H2_SERVER_H

#include <event2/event.h>

#include "pool/endpoint.h"
#include "proto/h2.h"

#define H2_SERVER_STREAMS 16

struct h2_server {
    struct event_base *loop;
    struct event *listener;
    struct endpoint endpoint;
    struct h2_limits limits; /* of connections from here on */
    struct h2_counters counters;
    const char *greeting; /* what is said to a new connection in place of HTTP/2; NULL: HTTP/2 */
    bool mute;            /* new connections are not read */
    size_t connections;
    size_t pings_refused; /* connections that were told too_many_pings */
    size_t requests;
    size_t resets;
    struct h2_stream *streams[H2_SERVER_STREAMS]; /* in the order of requests; NULL once closed */
    struct h2_server_conn *last;                  /* the newest connection, or NULL */
    struct h2_server_conn *conns;
};

void h2_server_open(struct h2_server *server, struct event_base *loop);

/* Ends all connections; a new listener on the same port may follow. */
void h2_server_shut(struct h2_server *server);
void h2_server_listen(struct h2_server *server);

/* Of the newest connection: tells the client to go, all requests that have come are served; closes
 * it at once; does not read it any more. */
void h2_server_goaway(struct h2_server *server);
void h2_server_cut(struct h2_server *server);
void h2_server_stop_reading(struct h2_server *server);

/* Answers a request with an empty message, or one of so many bytes. */
void h2_server_answer(struct h2_server *server, size_t request, size_t size);

/* The same at once, and the rest of the request is not wanted. */
void h2_server_refuse(struct h2_server *server, size_t request, enum h2_error error);

#endif
