/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool of one database, with one credential: the slots that requests take while they are on the
 * wire, on one of its connections to the upstream (pool/servers.h), and those that wait, taken in
 * turn by who asks (pool/turns.h). Of those that may travel together (pool/merge.h), all that wait
 * and agree go at once, as one call with one slot; if it fails, each of them is sent alone.
 *
 * A request waits for a slot at most queue_timeout (RESOURCE_EXHAUSTED, phase queue), for a
 * connection at most the upstream's connect_timeout (UNAVAILABLE, phase connect), and for either at
 * most until its deadline (DEADLINE_EXCEEDED). One that certainly was not begun by the server is
 * sent again, a few times at most, and one whose secret was refused where another may be taken
 * (pool/login.h); any other never, and no stream. Where the secret is wrong, requests are refused
 * (UNAUTHENTICATED, phase upstream) without asking Milvus each time.
 *
 * Connect and GetVersion do not wait for an upstream that is away: no connection is up, and an
 * attempt to make one has failed. SDKs open with them, and try again by themselves.
 */
#ifndef POOL_POOL_H
#define POOL_POOL_H

#include "pool/endpoints.h"
#include "pool/request.h"
#include "pool/upstream.h"

struct pool_setup {
    struct event_base *loop;
    struct transport *transport;
    struct endpoints *endpoints; /* of the database's upstream */
    struct logger *logger;
    const struct conf_database *database; /* outlives the pool, as does what follows */
    const struct conf_rule *rule;         /* whose credential it is; NULL: the database's */
    const struct span *authorization;     /* the client's own, for the length of pool_new(), is it
                                             instead; NULL: it is not */
    uint32_t max_message;                 /* bytes */
    int64_t stats_period;                 /* ms, of reports to the log; 0: none */
    /* The upstream may be another than it was: the first connection has come up, the first one to
     * an endpoint, or one again. */
    void (*connected)(void *context, struct pool *pool);
    /* The upstream is away. */
    void (*away)(void *context, struct pool *pool);
    void *context;
};

/* Reads the credential and starts connecting. NULL: *ret_error says what is wrong, to be freed. */
struct pool *pool_new(const struct pool_setup *setup, char **ret_error);

/* With all requests ended; NULL is accepted. */
void pool_free(struct pool *pool);

const struct conf_database *pool_database(const struct pool *pool);
struct endpoints *pool_endpoints(const struct pool *pool);

/* That of its setup. */
void *pool_context(const struct pool *pool);

/* What its calls carry: valid until it is read again, which a client's own never is. */
struct span pool_authorization(const struct pool *pool);
bool pool_is_clients(const struct pool *pool);

/* Its credential's file may be another: it is read, and what it holds is tried at once. */
void pool_renew(struct pool *pool);

/* Takes a request with pool, path and deadline set; its ended() comes later or at once. */
void pool_submit(struct pool *pool, struct request *request);

/* Drops a request that is queued or on the wire: upstream it is cancelled, and ended() is not
 * called. */
void pool_cancel(struct pool *pool, struct request *request);

/* Lets the reply come, after replied(). */
void pool_take(struct request *request);

/* The messages of a stream, from opened() until its answer; the rules are those of
 * pool/upstream.h. */
void pool_send(struct request *request, struct blob *message, bool compressed);
void pool_finish(struct request *request);
void pool_receive(struct request *request);

/* The phase in which a queued or sent request is. */
enum phase pool_phase(const struct pool *pool, const struct request *request);

#endif
