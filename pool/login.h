/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a pool's calls log in: which secret the next one carries, and what it means when Milvus
 * refuses one (UNAUTHENTICATED; such a call was not executed).
 *
 *     OPEN ──refused, though it was taken before, or the file holds another──▶ HOLDING
 *       │                                                                        │
 *       └───────refused, and never taken──▶ CLOSED ◀──5 s, or refused anew───────┘
 *     HOLDING, CLOSED ──a call is taken──▶ OPEN; CLOSED ──the file changes──▶ HOLDING
 *
 * OPEN: calls go. The file is looked at once a second, as calls begin. Another secret in it is
 * tried with the next call, alone, and is used by all once that was taken. If it is refused, its
 * call goes again with the old one, and it is tried again after a pause: so it does not matter
 * whether Milvus or the file is changed first, nor whether the file is half-written.
 *
 * HOLDING: a change is under way. Requests wait, while the file is looked at ten times a second and
 * calls are let out one by one, to see whether they are taken: after pauses, or at once when the
 * file has changed.
 *
 * CLOSED: the secret is wrong. Requests are refused here, but for one after each pause and one when
 * the file has changed.
 *
 * A client's own secret is always OPEN: whether it is right is between the client and Milvus.
 *
 * Pauses double from LOGIN_PAUSE_LEAST to LOGIN_PAUSE_MOST, a quarter more or less.
 */
#ifndef POOL_LOGIN_H
#define POOL_LOGIN_H

#include "auth/credential.h"
#include "pool/upstream.h"

#define LOGIN_PAUSE_LEAST 100   /* ms */
#define LOGIN_PAUSE_MOST  30000 /* ms */
#define LOGIN_HOLD        5000  /* ms that requests wait, at most */
#define LOGIN_WORDS_MAX   256   /* bytes of Milvus's words that are kept */
#define LOGIN_NEVER       INT64_MAX

struct login;

/* With what a call was sent; to be kept with it. */
struct login_pass {
    uint32_t number;
    bool is_next; /* it is the first to carry what the file holds by now */
};

/* What is to be done with a call that has ended. */
enum login_verdict {
    LOGIN_TAKEN,   /* nothing: it was not refused */
    LOGIN_REPEAT,  /* send it again, once login_lets() */
    LOGIN_REFUSED, /* its end is the answer */
};

struct login_setup {
    struct logger *logger;
    const char *upstream;                     /* its name, which outlives the login, */
    const char *title;                        /* and so does the pool's, */
    const struct conf_credential *credential; /* and this */
    const struct span *authorization;         /* in its place a client's own, for the length of
                                                 login_new(); NULL: none */
};

/* Reads the credential. NULL: *ret_error says what is wrong with it, to be freed. All times are ms
 * on clock_now()'s clock. */
struct login *login_new(const struct login_setup *setup, char **ret_error);

/* NULL is accepted. */
void login_free(struct login *login);

/* Whether it is OPEN: calls may begin, and nobody waits. */
bool login_is_open(const struct login *login);

/* Whether a call may begin now. */
bool login_lets(const struct login *login, int64_t now);

/* Whether what cannot begin now is to be refused, rather than to wait: it is CLOSED. Looks at the
 * file first. */
bool login_refuses(struct login *login, int64_t now);

/* Whether requests wait for the secret to be another. */
bool login_holds(const struct login *login);

/* A call begins: its authorization, valid until the next call of this module, and its pass. Streams
 * cannot be sent again, so they are none to try a new secret with. */
struct span login_begin(struct login *login, bool is_stream, int64_t now,
                        struct login_pass *ret_pass);

/* It has ended: once for each that began. */
enum login_verdict login_ended(struct login *login, const struct login_pass *pass,
                               const struct upstream_end *end, int64_t now);

/* While requests wait: when to call login_look(), and then to let them go, or refuse them;
 * LOGIN_NEVER: nothing is to be done. */
int64_t login_due(const struct login *login, int64_t now);
void login_look(struct login *login, int64_t now);

/* Somebody says that the file is another (SIGHUP): reads it, and no pause is left. */
void login_renew(struct login *login, int64_t now);

/* A client's own. */
bool login_is_clients(const struct login *login);

/* The secret in use, valid until the next call of this module; a client's own as long as it is. */
struct span login_authorization(const struct login *login);

/* For who is refused: which credential it is, and what Milvus said when it refused it last. */
const char *login_label(const struct login *login);
const char *login_words(const struct login *login);

#endif
