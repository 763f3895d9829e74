/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of `access`, without anything that changes: whom a rule is for, and what it allows.
 * docs/security.md says them for people.
 */
#ifndef AUTH_ACCESS_H
#define AUTH_ACCESS_H

#include "auth/identity.h"
#include "proto/rpc.h"

/* The first rule that matches; NULL: there is none. */
const struct conf_rule *access_find(const struct conf *conf, const struct identity *identity);

/* Whether a token would lead to another rule than access_find() does for this identity, which has
 * none: then one that is shown must be right. */
bool access_asks_token(const struct conf *conf, const struct identity *identity);

/* The database of requests that name none: the rule's, else the listener's where it is granted,
 * else the first that is. Without a rule (NULL) the listener's. */
const char *access_database(const struct conf_rule *rule, const struct conf_listener *listener);

/* Whether requests by the rule may go to that entry of `databases`. */
bool access_reaches(const struct conf *conf, const struct conf_rule *rule,
                    const struct conf_database *database);

/* What somebody wants to do. */
struct access_question {
    const struct rpc *rpc; /* NULL: the table does not know it */
    bool forwarded;        /* it is no method, and needs this right: */
    enum rpc_class class;
    const char *path;
    struct span database; /* as the client calls it */
    struct span message;  /* empty: none, or a stream's */
};

/* Whether the rule allows it; NULL is the rule of who may do everything. False: `why` says what it
 * lacks. */
#define ACCESS_WHY_MAX 400 /* bytes, with the NUL */
bool access_allows(const struct conf_rule *rule, const struct access_question *question,
                   char why[ACCESS_WHY_MAX]) __attribute__((warn_unused_result));

#endif
