/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/resolve_process.h"

#include "conf/accounts.h"

static void resolve_user(struct conf_faults *faults, const struct tree_node *node,
                         struct conf *conf)
{
    if (!node)
        return;
    const struct passwd *user = accounts_user(faults, node, "user");
    if (!user)
        return;
    if (user->pw_uid == 0)
        faults_about(faults, node->mark, "user",
                     ": %s may do everything; name a user who may not, or remove the key",
                     conf->user.name);
    conf->user.uid = user->pw_uid;
    conf->user.gid = user->pw_gid;
    conf->user.place = (struct conf_place){.line = node->mark.line, .column = node->mark.column};
}

/* ---- addresses that other machines reach ---- */

/* Whether somebody who connects there and shows no token can have the rule with this `match`. Over
 * TCP nobody is a user. */
static bool lets_in(const struct tree_node *map, const struct conf_match *match,
                    const struct conf_listener *listener)
{
    static const char *const others[] = {"token", "user", "uid", "group", "gid"};
    bool lets = map && map->count > 0 && (!match->address || match->listener == listener);
    for (size_t i = 0; lets && i < sizeof(others) / sizeof(*others); i++)
        lets = !tree_find(map, others[i]);
    return lets;
}

static void check_rules(struct conf_faults *faults, const struct tree_node *access,
                        const struct conf *conf, const struct conf_listener *listener)
{
    const struct conf_rule *rule = conf->rules;
    const struct tree_entry *entry = rule ? access->entries : NULL;
    for (; entry; entry = entry->next, rule++) {
        const struct tree_node *match = tree_find(entry->value, "match");
        if (lets_in(match, &rule->match, listener))
            faults_about(faults, match->mark, "match",
                         " needs a \"token\", as it lets in who connects to %s from another "
                         "machine; or write a \"listener\" or a \"user\" that it is for",
                         listener->address.text);
    }
}

static void check_remote(struct conf_faults *faults, const struct tree_node *map,
                         const struct tree_node *access, const struct conf *conf,
                         const struct conf_listener *listener)
{
    const struct tree_node *address = tree_find(map, "address");
    const struct tree_node *allowed = tree_find(map, "allow_remote");
    if (!address || address->faulty || (allowed && allowed->faulty))
        return;
    if (allowed && address_is_unix(&listener->address))
        faults_about(faults, allowed->mark, "allow_remote",
                     " is for TCP addresses alone; remove it");
    if (address_is_local(&listener->address))
        return;
    if (!listener->allow_remote)
        faults_about(faults, address->mark, "address",
                     ": other machines reach %s; %s allow_remote: true and rules with tokens",
                     listener->address.text,
                     address->mark.argument ? "that takes a configuration file, with"
                                            : "if they are meant to, write");
    else if (!access)
        faults_about(faults, allowed->mark, "allow_remote",
                     " needs \"access\", with a rule for each token that lets somebody in");
    else if (!access->faulty)
        check_rules(faults, access, conf, listener);
}

void resolve_process(struct conf_faults *faults, const struct tree_node *root, struct conf *conf)
{
    const struct tree_node *list = tree_find(root, "listen");
    const struct tree_node *access = tree_find(root, "access");
    resolve_user(faults, tree_sound(root, "user"), conf);
    const struct conf_listener *listener = conf->listeners;
    const struct tree_entry *entry = list && conf->listener_count > 0 ? list->entries : NULL;
    for (; entry; entry = entry->next)
        check_remote(faults, entry->value, access, conf, listener++);
}
