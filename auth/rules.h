/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of `access` at work: what the clients of each have now, against its limits. A rule's
 * limits are of all its clients together. Times in ms, on one clock of the caller's.
 */
#ifndef AUTH_RULES_H
#define AUTH_RULES_H

#include "auth/access.h"
#include "auth/rate.h"
#include "auth/tokens.h"

struct rule {
    const struct conf_rule *conf;
    uint32_t clients;   /* connections that are in it */
    uint32_t in_flight; /* requests */
    struct rate rate;   /* of requests, where there is a limit */
};

struct rules;

/* The configuration outlives the rules. NULL: it has none, and everybody may do everything. */
struct rules *rules_new(const struct conf *conf, int64_t now);

/* NULL is accepted. */
void rules_free(struct rules *rules);

/* Opens the tokens that the rules ask for; NULL: none of them does. -1: *ret_fault says what is
 * wrong, with the file or with a rule whose token is not in it; its text is to be freed. */
int rules_open_tokens(const struct conf *conf, int64_t now, struct tokens **ret_tokens,
                      struct conf_fault *ret_fault) __attribute__((warn_unused_result));

/* The rule of that identity, as access_find(); NULL: there is none. */
struct rule *rules_find(const struct rules *rules, const struct identity *identity);

/* As access_asks_token(). */
bool rules_ask_token(const struct rules *rules, const struct identity *identity);

/* One more connection is in it, until rule_leave(). NULL, or a static text of why not. */
const char *rule_enter(struct rule *rule) __attribute__((warn_unused_result));
void rule_leave(struct rule *rule);

/* One more request is under way, until rule_end(). False: `why` says which limit is reached. */
bool rule_begin(struct rule *rule, int64_t now, char why[ACCESS_WHY_MAX])
    __attribute__((warn_unused_result));
void rule_end(struct rule *rule);

#endif
