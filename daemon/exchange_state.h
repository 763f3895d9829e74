/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of an exchange share. */
#ifndef DAEMON_EXCHANGE_STATE_H
#define DAEMON_EXCHANGE_STATE_H

#include "daemon/exchange.h"

enum exchange_wait {
    EXCHANGE_WAITS_NOT,
    EXCHANGE_WAITS_FOR_REPLY, /* the router has the request */
    EXCHANGE_WAITS_FOR_TIME,  /* its timer runs until the call may be made */
};

struct exchange {
    struct request request; /* first: the router hands it back */
    struct exchange_setup setup;
    struct rest *rest;
    struct rest_call call; /* the one that waits for its time */
    struct request_forward forward;
    enum exchange_wait wait;
    bool turning; /* go_on() runs: a reply that comes at once is seen there */
};

/* Sets its request up, with what all of them have. */
void exchange_request(struct exchange *exchange, struct blob *message,
                      void (*answer)(struct request *request, const struct outcome *outcome));

/* Ends it; the last thing that is done with it. */
void exchange_answer(struct exchange *exchange, const struct rest_answer *answer);

/* The upstream's own HTTP port is to answer. */
void exchange_forward(struct exchange *exchange, const struct rest_forward *forward);

#endif
