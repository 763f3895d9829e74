/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request of REST on its way: the calls that proto/rest/rest.h asks for go to the router, one
 * after the other, until it has the answer.
 */
#ifndef DAEMON_EXCHANGE_H
#define DAEMON_EXCHANGE_H

#include "daemon/client.h"
#include "proto/rest/rest.h"

struct exchange;

/* Borrowed until exchange_free(). */
struct exchange_setup {
    struct client *client;
    const struct rest_route *route;
    struct blob *body;         /* unpacked; NULL: empty. Not borrowed: a reference is taken */
    bool allow_int64;          /* see struct rest_question */
    struct span database;      /* named beside the body, or of requests that name none */
    struct span authorization; /* for Milvus; empty: none */
    struct rule *rule;         /* as client_permit() */
    int64_t arrived;  /* on clock_now()'s clock; the deadline of all calls counts from it */
    uint32_t timeout; /* ms; 0: the daemon's own */
    /* Once, perhaps within exchange_start(); the body is borrowed. May free the exchange. */
    void (*answered)(void *context, const struct rest_answer *answer);
    void *context;
};

struct exchange *exchange_new(const struct exchange_setup *setup);
void exchange_start(struct exchange *exchange);

/* Drops what is under way. NULL is accepted. */
void exchange_free(struct exchange *exchange);

#endif
