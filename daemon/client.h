/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client's socket: it reads, finds out the protocol, hands the bytes to that protocol's front,
 * and writes what the front has to say, once a turn of the loop. An idle client holds no buffer.
 *
 *   NEW ──first bytes──▶ OPEN ──client_close()──▶ CLOSING ──written──▶ LINGERING ──▶ freed
 *
 * A client that has shut its side for writing (half-closed) stays OPEN while it has requests under
 * way. One that is gone is freed at once, from whichever state.
 */
#ifndef DAEMON_CLIENT_H
#define DAEMON_CLIENT_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/queue.h>

#include "auth/rules.h"
#include "auth/tokens.h"
#include "conf/conf.h"
#include "pool/router.h"
#include "proto/sniff.h"

/* Bytes waiting to be written at which a client is not read any more, and at which it is read
 * again. */
#define CLIENT_OUTPUT_HIGH (1u << 20)
#define CLIENT_OUTPUT_LOW  (256u << 10)

struct client;

/* What a protocol does with its clients. */
struct front {
    /* The bytes that told the protocol are input, too. */
    bool takes_start;
    /* A refused client is told so by the answers to its requests, not by goaway(). */
    bool answers_refused;
    /* The client speaks this protocol: makes the front's part of it. */
    void (*open)(struct client *client);
    /* Takes all of the bytes. May end in client_close(). */
    void (*input)(struct client *client, struct span bytes);
    /* Queues what the front itself held back until there was room. May end in client_close(). NULL:
     * it holds nothing back. */
    void (*fill)(struct client *client);
    /* Bytes that it holds back. NULL: none. */
    size_t (*held)(const struct client *client);
    /* Whether a message has begun and is not whole. */
    bool (*in_message)(const struct client *client);
    /* Whether requests are under way. */
    bool (*busy)(const struct client *client);
    /* Nothing has come for a while, and no requests are under way: gives back what it can do
     * without until something comes. NULL: it holds nothing of the kind. */
    void (*rest)(struct client *client);
    /* Something to write that does no harm, by which a half-closed client that is gone is noticed,
     * if there is such a thing. */
    void (*probe)(struct client *client);
    /* Tells the client that the daemon drains: first, when it begins; once more when requests that
     * cross with that have had their time. */
    void (*drain)(struct client *client, bool first);
    /* Tells the client that its connection ends, and why. */
    void (*goaway)(struct client *client, enum code code, const char *message);
    /* Drops the requests under way and frees the front's part. */
    void (*close)(struct client *client);
};

TAILQ_HEAD(client_list, client);

/* All clients, and what they share. Times in ms. */
struct clients {
    struct event_base *loop;
    struct router *router;
    struct logger *logger;
    const struct conf *conf;
    struct rules *rules;            /* NULL: everybody may do everything */
    struct tokens *tokens;          /* NULL: no rule asks for one */
    struct h2_counters h2_counters; /* what connections over HTTP/2 were cut off for */
    struct client_list all;
    struct client_list dirty; /* with something to write in this turn */
    struct client_list awake; /* whose fronts may have something to give back, in the order of their
                                 rest_at */
    uint32_t count;
    bool passes_authorization; /* some database has `credentials: client` */
    uint32_t max; /* max_clients, or fewer where the process may not open enough files */
    bool draining;
    struct event *flush;
    struct event *quiet;    /* runs while somebody is awake */
    uint8_t *scratch;       /* what is read, before it is handed on */
    size_t scratch_used;    /* bytes of it that something has been read into */
    bool scratch_is_secret; /* a secret is in there */
    /* A client is freed. */
    void (*left)(void *context);
    void *context;
};

/* Sets up the rest, where loop, router, logger, conf, rules, tokens, left and context are set. */
void clients_init(struct clients *clients);

/* Every client is told to go; each leaves when its requests are answered, and those that cross with
 * the telling are refused. */
void clients_drain(struct clients *clients);

/* Frees all clients at once, with their requests. */
void clients_free(struct clients *clients);

/* Takes an accepted, non-blocking socket. The listener's configuration outlives the client. */
void client_accept(struct clients *clients, int fd, const struct conf_listener *listener);

/* For the fronts. */

struct clients *client_owner(const struct client *client);

/* Something that is being handed on is a secret: what was read is wiped once that is done. */
void client_has_shown_secret(struct client *client);

/* Whether a call may have to show a token. */
bool client_asks_token(const struct client *client);

/* By which rule a call of this client may ask that shows this as authorization (empty: nothing);
 * *ret_rule is NULL where there are no rules. NULL, or a static text of why it may not, and the
 * code for that. Not for a client that is refused. */
const char *client_permit(struct client *client, struct span authorization, struct rule **ret_rule,
                          enum code *ret_code) __attribute__((warn_unused_result));

/* Whether what a call shows as authorization may go on to Milvus: it is no token of ours. */
bool client_passes_authorization(const struct client *client);

/* Who asks: this client. */
void client_sign(const struct client *client, struct request *request);

/* The database of requests that name none, by that rule. */
const char *client_database(const struct client *client, const struct rule *rule);

/* Why this client is not served, and the code for that; NULL: it is. */
const char *client_refusal(const struct client *client, enum code *ret_code);
void *client_front(const struct client *client);
void client_set_front(struct client *client, void *front);

/* A message has come whole; the time for the next one starts with its first byte. */
void client_message_ended(struct client *client);

/* The time of a message that has begun runs; of one that is whole, it does not. For a front that
 * has read on by itself. */
void client_wait_for_message(struct client *client);

/* Whether the front can take no more for now: the client is not read then. */
void client_hold(struct client *client, bool holds);

/* Queues bytes that are copied, or a blob that is referenced; written at the turn's end. */
void client_write(struct client *client, struct span bytes);
void client_write_blob(struct client *client, struct blob *blob);

/* At the turn's end the front fills in what it has, and what is queued is written. */
void client_flush_later(struct client *client);

/* Whether the front may fill more in. */
bool client_has_room(const struct client *client);

/* Queues these bytes of the blob, which is referenced. */
void client_write_part(struct client *client, struct blob *blob, struct span bytes);

/* For how many ms the client has taken nothing of what waits for it; 0: nothing waits. */
int64_t client_stuck_for(const struct client *client);

/* What is queued is still written; then the connection ends. Requests under way are dropped and the
 * front's part is freed: whoever calls this returns without touching it. */
void client_close(struct client *client);

/* Tells the client why, in its protocol and behind "milvus-bouncer: ", then client_close(). */
void client_cut(struct client *client, enum code code, const char *message);

/* A request has been answered: a client that only waited for that may leave. */
void client_answered(struct client *client);

#endif
