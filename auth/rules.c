/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/rules.h"

#include <stdio.h>
#include <stdlib.h>

struct rules {
    const struct conf *conf;
    struct rule *items;
};

struct rules *rules_new(const struct conf *conf, int64_t now)
{
    if (conf->rule_count == 0)
        return NULL;
    struct rules *rules = calloc(1, sizeof(*rules));
    struct rule *items = calloc(conf->rule_count, sizeof(*items));
    if (!rules || !items)
        abort();
    for (size_t i = 0; i < conf->rule_count; i++) {
        const struct conf_rule_limits *limits = &conf->rules[i].limits;
        items[i].conf = &conf->rules[i];
        rate_init(&items[i].rate, limits->requests_per_second, limits->burst, now);
    }
    *rules = (struct rules){.conf = conf, .items = items};
    return rules;
}

void rules_free(struct rules *rules)
{
    if (!rules)
        return;
    free(rules->items);
    free(rules);
}

static char *unknown_token(const struct tokens *tokens, const char *name)
{
    const char *near = tokens_nearest(tokens, name);
    char *text = NULL;
    int length = asprintf(&text, "\"token\": no token \"%s\" in tokens_file; %s%s%s", name,
                          near ? "did you mean \"" : "add it by `milvus-bouncer token`",
                          near ? near : "", near ? "\"?" : "");
    return length < 0 ? NULL : text;
}

/* 0, or -1 with the fault of the first rule whose token is not there. */
static int check_names(const struct conf *conf, const struct tokens *tokens,
                       struct conf_fault *ret_fault)
{
    for (size_t i = 0; i < conf->rule_count; i++) {
        const struct conf_rule *rule = &conf->rules[i];
        const char *name = rule->match.token;
        if (!name || tokens_have(tokens, name))
            continue;
        *ret_fault = (struct conf_fault){.line = rule->token_place.line,
                                         .column = rule->token_place.column,
                                         .text = unknown_token(tokens, name)};
        return -1;
    }
    return 0;
}

int rules_open_tokens(const struct conf *conf, int64_t now, struct tokens **ret_tokens,
                      struct conf_fault *ret_fault)
{
    char *error = NULL;
    struct tokens *tokens = conf->tokens_file ? tokens_open(conf->tokens_file, now, &error) : NULL;
    if (conf->tokens_file && !tokens) {
        *ret_fault = (struct conf_fault){
            .line = conf->tokens_place.line, .column = conf->tokens_place.column, .text = error};
        return -1;
    }
    if (tokens && check_names(conf, tokens, ret_fault) != 0) {
        tokens_close(tokens);
        return -1;
    }
    *ret_tokens = tokens;
    return 0;
}

struct rule *rules_find(const struct rules *rules, const struct identity *identity)
{
    const struct conf_rule *found = access_find(rules->conf, identity);
    return found ? &rules->items[found - rules->conf->rules] : NULL;
}

bool rules_ask_token(const struct rules *rules, const struct identity *identity)
{
    return access_asks_token(rules->conf, identity);
}

const char *rule_enter(struct rule *rule)
{
    uint32_t max = rule->conf->limits.max_clients;
    if (max > 0 && rule->clients >= max)
        return "limits.max_clients of this client's rule under \"access\" are connected already";
    rule->clients++;
    return NULL;
}

void rule_leave(struct rule *rule)
{
    rule->clients--;
}

bool rule_begin(struct rule *rule, int64_t now, char why[ACCESS_WHY_MAX])
{
    const struct conf_rule_limits *limits = &rule->conf->limits;
    if (limits->max_in_flight > 0 && rule->in_flight >= limits->max_in_flight) {
        snprintf(why, ACCESS_WHY_MAX,
                 "limits.max_in_flight of rule %u of \"access\" is reached: %u requests of its "
                 "clients are under way",
                 rule->conf->number, limits->max_in_flight);
        return false;
    }
    if (limits->requests_per_second > 0 && !rate_take(&rule->rate, 1, now)) {
        snprintf(
            why, ACCESS_WHY_MAX,
            "limits.requests_per_second of rule %u of \"access\" is reached: %u, after a burst "
            "of %u",
            rule->conf->number, limits->requests_per_second, limits->burst);
        return false;
    }
    rule->in_flight++;
    return true;
}

void rule_end(struct rule *rule)
{
    rule->in_flight--;
}
