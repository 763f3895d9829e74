/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/access.h"

#include <stdio.h>
#include <string.h>

/* ---- whom a rule is for ---- */

/* All but the token. */
static bool fits(const struct conf_match *match, const struct identity *identity)
{
    if (match->listener && match->listener != identity->listener)
        return false;
    if (match->uid != (uid_t)-1 && (!identity->has_peer || match->uid != identity->uid))
        return false;
    return match->gid == (gid_t)-1 || identity_is_in(identity, match->gid);
}

static bool matches(const struct conf_match *match, const struct identity *identity)
{
    if (match->token && (!identity->token || strcmp(match->token, identity->token) != 0))
        return false;
    return fits(match, identity);
}

const struct conf_rule *access_find(const struct conf *conf, const struct identity *identity)
{
    for (size_t i = 0; i < conf->rule_count; i++) {
        if (matches(&conf->rules[i].match, identity))
            return &conf->rules[i];
    }
    return NULL;
}

bool access_asks_token(const struct conf *conf, const struct identity *identity)
{
    for (size_t i = 0; i < conf->rule_count; i++) {
        if (fits(&conf->rules[i].match, identity))
            return conf->rules[i].match.token != NULL;
    }
    return false;
}

/* ---- what it allows ---- */

static bool grants_database(const struct conf_rule *rule, struct span database)
{
    bool granted = rule->database_count == 0;
    for (size_t i = 0; i < rule->database_count; i++)
        granted = granted || span_is(database, rule->databases[i]);
    return granted;
}

const char *access_database(const struct conf_rule *rule, const struct conf_listener *listener)
{
    if (rule && rule->database)
        return rule->database;
    if (!rule || grants_database(rule, span_text(listener->database)))
        return listener->database;
    return rule->databases[0];
}

static bool has_entry(const struct conf *conf, const char *name)
{
    bool has = false;
    for (size_t i = 0; i < conf->database_count; i++)
        has = has || strcmp(conf->databases[i].name, name) == 0;
    return has;
}

bool access_reaches(const struct conf *conf, const struct conf_rule *rule,
                    const struct conf_database *database)
{
    bool others = false; /* that it grants, and "*" serves */
    for (size_t i = 0; i < rule->database_count; i++)
        others = others || !has_entry(conf, rule->databases[i]);
    return grants_database(rule, span_text(database->name)) ||
           (others && strcmp(database->name, "*") == 0);
}

static const char *name_of(const struct access_question *question)
{
    return question->rpc ? question->rpc->name : question->path;
}

/* A method that the table does not know may do anything. */
static enum rpc_class class_of(const struct access_question *question)
{
    if (question->forwarded)
        return question->class;
    return question->rpc ? question->rpc->class : RPC_CLASS_ADMIN;
}

static bool is_named(const struct conf_rights *rights, const char *path)
{
    bool named = false;
    for (size_t i = 0; i < rights->method_count; i++)
        named = named || strcmp(rights->methods[i], path) == 0;
    return named;
}

static const struct reach {
    const char *name;
    uint32_t field;
} reaches[] = {
#define REACH(rpc, field) {#rpc, field},
#include "proto/reaches.def"
#undef REACH
};

/* The field of the request that names a further database; 0: it has none. */
static uint32_t field_that_reaches(const struct rpc *rpc)
{
    for (size_t i = 0; rpc && i < sizeof(reaches) / sizeof(*reaches); i++) {
        if (strcmp(reaches[i].name, rpc->name) == 0)
            return reaches[i].field;
    }
    return 0;
}

/* Whether a field has something in it, wherever it stands; what cannot be read may have. */
static bool has_field(struct span message, uint32_t number)
{
    struct wire_field field;
    enum wire_read read;
    while ((read = wire_next(&message, &field)) == WIRE_FIELD) {
        if (field.number == number && (field.type != WIRE_BYTES || field.bytes.length > 0))
            return true;
    }
    return read == WIRE_MALFORMED;
}

static bool allows_database(const struct conf_rule *rule, const struct access_question *question,
                            char why[ACCESS_WHY_MAX])
{
    uint32_t field = field_that_reaches(question->rpc);
    const char *what = NULL;
    if (!grants_database(rule, question->database))
        what = "does not grant this database";
    else if (rule->database_count > 0 && !question->rpc)
        what = "grants some databases, and which one a method is for that this version of "
               "milvus-bouncer does not know cannot be told";
    else if (rule->database_count > 0 && field > 0 && has_field(question->message, field))
        what = "grants some databases, and the request names a further one";
    if (what)
        snprintf(why, ACCESS_WHY_MAX, "%s is not allowed: rule %u of \"access\" %s",
                 name_of(question), rule->number, what);
    return !what;
}

static bool allows_method(const struct conf_rule *rule, const struct access_question *question,
                          char why[ACCESS_WHY_MAX])
{
    enum rpc_class class = class_of(question);
    if (class == RPC_CLASS_SESSION)
        return true;
    if (rule->read_only && class != RPC_CLASS_READ) {
        snprintf(why, ACCESS_WHY_MAX,
                 "%s is not allowed: it does not only read, and rule %u of \"access\" is read_only",
                 name_of(question), rule->number);
        return false;
    }
    if ((rule->allow.classes & (1U << class)) || is_named(&rule->allow, question->path))
        return true;
    snprintf(why, ACCESS_WHY_MAX,
             "%s is not allowed: it needs \"%s\", which rule %u of \"access\" does not grant",
             name_of(question), rpc_class_word(class), rule->number);
    return false;
}

bool access_allows(const struct conf_rule *rule, const struct access_question *question,
                   char why[ACCESS_WHY_MAX])
{
    return !rule || (allows_method(rule, question, why) && allows_database(rule, question, why));
}
