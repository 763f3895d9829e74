/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client that speaks HTTP/1.1 has: the request that is being read or answered, and what came
 * behind it.
 *
 *   bytes ─▶ http1 ──head──▶ web_head() ──whole──▶ web_whole() ─▶ exchange ─▶ web_answer()
 *              ▲                  └───an answer of our own, once the request is whole──▲
 *              └────────────behind: what came while one was under way
 */
#ifndef DAEMON_WEB_H
#define DAEMON_WEB_H

#include "daemon/client.h"
#include "daemon/exchange.h"
#include "proto/http1.h"
#include "proto/wiped.h"

#define WEB_JSON "application/json" /* the type of all that REST answers */

/* An answer; its body belongs to who has it. */
struct web_answer {
    unsigned status;      /* of HTTP; 0: none */
    const char *type;     /* of the body, NULL: there is none */
    struct blob *body;    /* NULL: empty */
    const char *allow;    /* see struct http1_response */
    const char *accepted; /* the same */
};

struct web {
    struct client *client;
    struct http1 http;
    int64_t arrived;     /* when the first byte of the request came, 0: there is none */
    struct wiped behind; /* what came while a request was under way */
    size_t behind_read;  /* bytes of it that are read by now */
    struct rule *rule;   /* as client_permit() */
    const struct rest_route *route;
    struct wiped authorization; /* what the request shows, as Milvus takes it */
    struct web_answer early;    /* what its head is answered with, once it is whole */
    struct exchange *exchange;  /* a request is under way; NULL: none is */
};

static inline const struct conf *web_conf(const struct web *web)
{
    return client_owner(web->client)->conf;
}

/* The request's head is whole: it is let in, answered, or both later. */
void web_head(struct web *web);

/* The request is whole. */
void web_whole(struct web *web);

/* Answers the request with JSON that is borrowed, or with an answer, which is taken; either may end
 * the connection, and with it the struct. */
void web_answer_json(struct web *web, unsigned status, struct blob *body);
void web_answer(struct web *web, struct web_answer *answer);

/* Writes one that the connection ends with. */
void web_last_words(struct web *web, struct web_answer *answer);

/* An error of HTTP's own. */
struct web_answer web_fault(unsigned status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The database that the request names beside its body, or that of requests that name none. */
struct span web_database(const struct web *web);

/* An error of the daemon's own that has a gRPC code, in phase admission. */
struct web_answer web_refusal(const struct web *web, enum code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
