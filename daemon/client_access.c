/* SPDX-License-Identifier: Apache-2.0 */
/* By which rule of `access` a client may ask: one for the whole connection, or, where the rules ask
 * for tokens, found anew for each call by the one it shows. */
#include <stdlib.h>

#include "auth/asker.h"
#include "auth/peer.h"
#include "daemon/client_state.h"
#include "pool/clock.h"

#define NO_RULE    "no rule under \"access\" matches this client"
#define NO_RULE_OF "no rule under \"access\" matches this client with the token it shows"
#define NO_TOKEN_PLAIN                                                                             \
    "its rule under \"access\" needs a token, which the plain protocol does not carry"
#define NEEDS_TOKEN                                                                                \
    "a token is needed: show NAME:SECRET as authorization, which SDKs call token, or user and "    \
    "password"
#define WRONG_TOKEN "the token that is shown is none that is known here"
#define LATER       "too many wrong tokens were shown of late; try again in a while"

static void leave(struct client *client)
{
    if (client->rule)
        rule_leave(client->rule);
    client->rule = NULL;
}

/* The connection is in that rule from here on, and out of the one it was in. NULL, or why not. */
static const char *enter(struct client *client, struct rule *rule)
{
    if (rule == client->rule)
        return NULL;
    const char *why = rule_enter(rule);
    if (why)
        return why;
    leave(client);
    client->rule = rule;
    return NULL;
}

/* Without a token. */
static void enter_or_refuse(struct client *client, const char *no_rule)
{
    struct rule *rule = rules_find(client->owner->rules, client->identity);
    const char *why = rule ? enter(client, rule) : NULL;
    if (!rule)
        client_refuse(client, CODE_PERMISSION_DENIED, no_rule);
    else if (why)
        client_refuse(client, CODE_RESOURCE_EXHAUSTED, why);
}

void client_identify(struct client *client)
{
    const struct rules *rules = client->owner->rules;
    client->asker = asker_of_socket(client->fd, client);
    if (!rules)
        return;
    client->identity = malloc(sizeof(*client->identity));
    if (!client->identity)
        abort();
    identity_read(client->identity, client->fd, client->listener);
    client->asks_token = rules_ask_token(rules, client->identity);
    if (!client->asks_token)
        enter_or_refuse(client, NO_RULE);
}

void client_shows_no_token(struct client *client)
{
    if (!client->asks_token)
        return;
    client->asks_token = false;
    enter_or_refuse(client, NO_TOKEN_PLAIN);
}

void client_forget_identity(struct client *client)
{
    leave(client);
    if (client->identity)
        identity_clear(client->identity);
    free(client->identity);
    client->identity = NULL;
}

bool client_asks_token(const struct client *client)
{
    return client->asks_token;
}

static void log_wrong(const struct client *client, const char *name)
{
    char peer[PEER_TEXT_MAX];
    peer_describe(client->fd, peer);
    log_warning(client->owner->logger, "a wrong secret was shown for token %s (%s)", name, peer);
}

/* NULL: what is shown is right. */
static const char *check_token(struct client *client, struct span authorization,
                               const char **ret_name, enum code *ret_code)
{
    switch (tokens_check(client->owner->tokens, authorization, clock_now(), ret_name)) {
    case TOKEN_RIGHT:
        return NULL;
    case TOKEN_LATER:
        *ret_code = CODE_RESOURCE_EXHAUSTED;
        return LATER;
    case TOKEN_WRONG:
        log_wrong(client, *ret_name);
        break;
    case TOKEN_WRONG_YET:
        break;
    }
    *ret_code = CODE_UNAUTHENTICATED;
    return WRONG_TOKEN;
}

const char *client_permit(struct client *client, struct span authorization, struct rule **ret_rule,
                          enum code *ret_code)
{
    const char *why = NULL;
    *ret_rule = client->rule;
    *ret_code = CODE_PERMISSION_DENIED;
    if (!client->asks_token)
        return client->owner->rules && !client->rule ? NO_RULE : NULL;
    struct identity identity = *client->identity;
    if (authorization.length > 0)
        why = check_token(client, authorization, &identity.token, ret_code);
    if (why)
        return why;
    struct rule *rule = rules_find(client->owner->rules, &identity);
    if (!rule) {
        *ret_code = identity.token ? CODE_PERMISSION_DENIED : CODE_UNAUTHENTICATED;
        return identity.token ? NO_RULE_OF : NEEDS_TOKEN;
    }
    if (identity.token)
        client->asker = asker_of_token(identity.token);
    *ret_rule = rule;
    *ret_code = CODE_RESOURCE_EXHAUSTED;
    return enter(client, rule);
}

bool client_passes_authorization(const struct client *client)
{
    return client->owner->passes_authorization && !client->asks_token;
}

void client_sign(const struct client *client, struct request *request)
{
    request->asker = client->asker;
    request->connection = client;
}

const char *client_database(const struct client *client, const struct rule *rule)
{
    return access_database(rule ? rule->conf : NULL, client->listener);
}
