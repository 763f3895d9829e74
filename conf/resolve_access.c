/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/resolve_access.h"

#include <string.h>

#include "conf/accounts.h"
#include "conf/resolve_credential.h"
#include "conf/suggest.h"
#include "conf/words.h"
#include "proto/rpc.h"

#define ALL_DATABASES "*"
#define SUGGESTED_MAX 64 /* names */

struct resolver {
    struct arena *arena;
    struct conf_faults *faults;
    struct conf *conf;
    bool all_match; /* a rule before this one matches everybody */
    bool wants_tokens;
};

#define report(resolver, node, key, ...)                                                           \
    faults_about((resolver)->faults, (node)->mark, key, __VA_ARGS__)

/* Says that there is none of that name among the names, the nearest first. */
static void report_no_such(struct resolver *resolver, const struct tree_node *node, const char *key,
                           const char *what, const char *const *names)
{
    const char *near = suggest_nearest(node->text, names);
    if (near)
        report(resolver, node, key, ": no %s \"%s\"; did you mean \"%s\"?", what, node->text, near);
    if (!near)
        report(resolver, node, key, ": no %s \"%s\"; there is %s", what, node->text,
               words_join(resolver->arena, names));
}

static struct conf_place place_of(const struct tree_node *node)
{
    return (struct conf_place){.line = node->mark.line, .column = node->mark.column};
}

/* ---- match ---- */

static void resolve_user(struct resolver *resolver, const struct tree_node *map,
                         struct conf_match *match)
{
    const struct tree_node *node = tree_sound(map, "user");
    const struct tree_node *number = tree_find(map, "uid");
    if (!number)
        match->uid = (uid_t)-1;
    if (!node)
        return;
    if (number)
        report(resolver, number, "uid", " says what \"user\" says; keep one of the two");
    const struct passwd *user = accounts_user(resolver->faults, node, "user");
    if (user)
        match->uid = user->pw_uid;
}

static void resolve_group(struct resolver *resolver, const struct tree_node *map,
                          struct conf_match *match)
{
    const struct tree_node *node = tree_sound(map, "group");
    const struct tree_node *number = tree_find(map, "gid");
    if (!number)
        match->gid = (gid_t)-1;
    if (!node)
        return;
    if (number)
        report(resolver, number, "gid", " says what \"group\" says; keep one of the two");
    const struct group *group = accounts_group(resolver->faults, node, "group");
    if (group)
        match->gid = group->gr_gid;
}

static const char *const *listener_names(struct resolver *resolver)
{
    const struct conf *conf = resolver->conf;
    const char **names = arena_take(resolver->arena, SUGGESTED_MAX + 1, sizeof(*names));
    for (size_t i = 0; i < conf->listener_count && i < SUGGESTED_MAX; i++)
        names[i] = conf->listeners[i].address.text;
    return names;
}

static const struct conf_listener *find_listener(const struct conf *conf, const char *text)
{
    for (size_t i = 0; i < conf->listener_count; i++) {
        if (strcmp(conf->listeners[i].address.text, text) == 0)
            return &conf->listeners[i];
    }
    return NULL;
}

/* Only the kernel's word on a Unix socket says who somebody is. */
static void check_peer(struct resolver *resolver, const struct tree_node *map,
                       const struct conf_match *match)
{
    static const char *const keys[] = {"user", "uid", "group", "gid"};
    if (!match->listener || address_is_unix(&match->listener->address))
        return;
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        const struct tree_node *node = tree_find(map, keys[i]);
        if (node)
            report(
                resolver, node, keys[i],
                " is known on unix: addresses alone, not at \"listener\"; remove one of the two");
    }
}

static void resolve_listener(struct resolver *resolver, const struct tree_node *map,
                             struct conf_match *match)
{
    const struct tree_node *node = tree_sound(map, "listener");
    if (!node)
        return;
    match->listener = find_listener(resolver->conf, node->text);
    if (!match->listener)
        report_no_such(resolver, node, "listener", "listener", listener_names(resolver));
    check_peer(resolver, map, match);
}

static void check_any(struct resolver *resolver, const struct tree_node *map,
                      const struct conf_match *match)
{
    const struct tree_node *any = tree_sound(map, "any");
    if (match->any && map->count > 1)
        report(resolver, any, "any", " matches everybody; keep it alone, or remove it");
    if (map->count == 0 || (any && !match->any && map->count == 1))
        report(resolver, map, "match",
               " says nobody; write whom it is for, such as {user: www-data}, or {any: true}");
}

static void resolve_token(struct resolver *resolver, const struct tree_node *map,
                          struct conf_rule *rule)
{
    const struct tree_node *node = tree_find(map, "token");
    if (!node)
        return;
    resolver->wants_tokens = true;
    rule->token_place = place_of(node);
}

static void resolve_match(struct resolver *resolver, const struct tree_node *map,
                          struct conf_rule *rule)
{
    if (!map || map->kind != TREE_MAP)
        return;
    resolve_user(resolver, map, &rule->match);
    resolve_group(resolver, map, &rule->match);
    resolve_listener(resolver, map, &rule->match);
    resolve_token(resolver, map, rule);
    check_any(resolver, map, &rule->match);
    if (resolver->all_match)
        report(resolver, map, "match",
               " is never reached: a rule before it matches everybody; move it up");
    resolver->all_match |= rule->match.any;
}

/* ---- what is granted ---- */

static const char *const *database_names(struct resolver *resolver)
{
    const struct conf *conf = resolver->conf;
    const char **names = arena_take(resolver->arena, SUGGESTED_MAX + 1, sizeof(*names));
    size_t count = 0;
    for (size_t i = 0; i < conf->database_count && count < SUGGESTED_MAX; i++) {
        if (conf->databases[i].name)
            names[count++] = conf->databases[i].name;
    }
    return names;
}

/* Whether requests for it are served at all. */
static bool is_served(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->database_count; i++) {
        const char *served = conf->databases[i].name;
        if (served && (strcmp(served, name) == 0 || strcmp(served, ALL_DATABASES) == 0))
            return true;
    }
    return strcmp(name, ALL_DATABASES) == 0 || conf->database_count == 0;
}

static void check_served(struct resolver *resolver, const struct tree_node *node, const char *key)
{
    if (node->kind == TREE_TEXT && !node->faulty && !is_served(resolver->conf, node->text))
        report_no_such(resolver, node, key, "database", database_names(resolver));
}

static void resolve_granted(struct resolver *resolver, const struct tree_node *node,
                            struct conf_rule *rule)
{
    if (!node)
        return;
    if (node->kind != TREE_LIST)
        check_served(resolver, node, "databases");
    const struct tree_entry *entry = node->kind == TREE_LIST ? node->entries : NULL;
    for (; entry; entry = entry->next)
        check_served(resolver, entry->value, "databases");
    for (size_t i = 0; i < rule->database_count; i++) {
        if (strcmp(rule->databases[i], ALL_DATABASES) == 0)
            rule->database_count = 0;
    }
}

/* One that is not granted would fail all requests that name none. */
static void check_default(struct resolver *resolver, const struct tree_node *map,
                          const struct conf_rule *rule)
{
    const struct tree_node *node = tree_sound(map, "database");
    const struct tree_node *granted = tree_find(map, "databases");
    if (!node || (granted && granted->faulty))
        return;
    bool is_granted = rule->database_count == 0;
    for (size_t i = 0; i < rule->database_count; i++)
        is_granted = is_granted || strcmp(rule->databases[i], rule->database) == 0;
    if (!is_granted)
        report(resolver, node, "database", ": \"%s\" is none of the rule's \"databases\"",
               rule->database);
    else
        check_served(resolver, node, "database");
}

static void resolve_rights(struct resolver *resolver, const struct tree_node *map,
                           struct conf_rule *rule)
{
    if (tree_find(map, "allow"))
        return;
    if (rule->read_only)
        rule->allow.classes = 1U << RPC_CLASS_READ;
    else
        faults_about(resolver->faults, map->mark, "access",
                     " has a rule that grants nothing: it lacks the key \"allow\"; write such as "
                     "allow: [read, write]");
}

static void resolve_limits(struct resolver *resolver, const struct tree_node *map,
                           struct conf_rule_limits *limits)
{
    const struct tree_node *burst = tree_find(map, "burst");
    if (burst && !tree_find(map, "requests_per_second"))
        report(resolver, burst, "burst", " needs \"requests_per_second\", which it may exceed");
    if (!burst)
        limits->burst = limits->requests_per_second;
}

static void resolve_rule(struct resolver *resolver, const struct tree_node *map,
                         struct conf_rule *rule)
{
    if (map->kind != TREE_MAP)
        return;
    resolve_match(resolver, tree_find(map, "match"), rule);
    resolve_granted(resolver, tree_find(map, "databases"), rule);
    check_default(resolver, map, rule);
    resolve_rights(resolver, map, rule);
    resolve_limits(resolver, tree_find(map, "limits"), &rule->limits);
    (void)resolve_credential(resolver->faults, map, &rule->credential);
}

static void resolve_tokens_file(struct resolver *resolver, const struct tree_node *root)
{
    const struct tree_node *file = tree_find(root, "tokens_file");
    const struct tree_node *access = tree_find(root, "access");
    if (file)
        resolver->conf->tokens_place = place_of(file);
    if (file && !resolver->wants_tokens)
        report(resolver, file, "tokens_file",
               " needs a rule under \"access\" that has a \"token\"; without one nobody is asked");
    if (!file && resolver->wants_tokens)
        report(resolver, access, "access",
               " has rules with \"token\", which need \"tokens_file\", the file that holds them");
}

void resolve_access(struct arena *arena, struct conf_faults *faults, const struct tree_node *root,
                    struct conf *conf)
{
    struct resolver resolver = {.arena = arena, .faults = faults, .conf = conf};
    struct conf_rule *rule = (struct conf_rule *)conf->rules;
    const struct tree_node *list = tree_find(root, "access");
    const struct tree_entry *entry = rule ? list->entries : NULL;
    for (unsigned number = 1; entry; entry = entry->next, rule++) {
        rule->number = number++;
        resolve_rule(&resolver, entry->value, rule);
    }
    if (!list || !list->faulty)
        resolve_tokens_file(&resolver, root);
}
