/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/resolve.h"

#include <netinet/in.h>
#include <string.h>

#include "conf/accounts.h"
#include "conf/plaintext.h"
#include "conf/resolve_access.h"
#include "conf/resolve_credential.h"
#include "conf/resolve_process.h"
#include "conf/suggest.h"
#include "conf/words.h"

#define DEFAULT_LISTENER  "unix:/run/milvus-bouncer/milvus.sock"
#define DEFAULT_DATABASE  "default"
#define DATABASE_NAME_MAX 255 /* bytes, as Milvus limits it */
#define ANY_DATABASE      "*"
#define SUGGESTED_MAX     64

struct resolver {
    struct arena *arena;
    struct conf_faults *faults;
    struct conf *conf;
    const char *const *names; /* of the upstreams */
    const char *name_list;    /* the same for people */
};

#define report(resolver, node, key, ...)                                                           \
    faults_about((resolver)->faults, (node)->mark, key, __VA_ARGS__)

/* ---- listeners ---- */

static void resolve_group(struct resolver *resolver, const struct tree_node *node,
                          struct conf_listener *listener)
{
    const struct group *group = accounts_group(resolver->faults, node, "group");
    if (group)
        listener->gid = group->gr_gid;
}

/* Mode and group belong to a socket file. */
static void check_unix_only(struct resolver *resolver, const struct tree_node *map, const char *key,
                            const struct conf_listener *listener)
{
    const struct tree_node *node = tree_find(map, key);
    bool is_tcp = tree_sound(map, "address") && !address_is_unix(&listener->address);
    if (node && is_tcp)
        report(resolver, node, key, " is for unix: addresses alone; remove it");
}

static bool is_any_port(const struct address *address)
{
    /* The port stands at the same place in both. */
    const struct sockaddr_in *sockaddr = (const struct sockaddr_in *)&address->sockaddr;
    return !address_is_unix(address) && sockaddr->sin_port == 0;
}

static bool is_same(const struct address *a, const struct address *b)
{
    return a->length == b->length && memcmp(&a->sockaddr, &b->sockaddr, a->length) == 0;
}

static void check_duplicate(struct resolver *resolver, const struct tree_node *node, size_t index)
{
    const struct conf_listener *listeners = resolver->conf->listeners;
    const struct address *address = &listeners[index].address;
    if (!node || is_any_port(address))
        return;
    for (size_t i = 0; i < index; i++) {
        if (!is_same(&listeners[i].address, address))
            continue;
        report(resolver, node, "address", ": %s stands twice; remove one of the two",
               address->text);
        return;
    }
}

static void resolve_listener(struct resolver *resolver, const struct tree_node *map, size_t index)
{
    struct conf_listener *listener = (struct conf_listener *)&resolver->conf->listeners[index];
    listener->gid = (gid_t)-1;
    if (!tree_find(map, "mode"))
        listener->mode = CONF_MODE_UNSET;
    if (tree_sound(map, "group"))
        resolve_group(resolver, tree_sound(map, "group"), listener);
    if (!tree_find(map, "protocols"))
        listener->protocols = CONF_PROTOCOL_ALL;
    check_unix_only(resolver, map, "mode", listener);
    check_unix_only(resolver, map, "group", listener);
    check_duplicate(resolver, tree_sound(map, "address"), index);
}

static void add_default_listener(struct resolver *resolver)
{
    struct conf_listener *listener = arena_take(resolver->arena, 1, sizeof(*listener));
    const char *error;
    *listener = (struct conf_listener){.mode = CONF_MODE_UNSET,
                                       .gid = (gid_t)-1,
                                       .database = DEFAULT_DATABASE,
                                       .protocols = CONF_PROTOCOL_ALL};
    if (address_parse(DEFAULT_LISTENER, &listener->address, &error) != 0)
        faults_add(resolver->faults, (struct mark){0}, "%s", error);
    resolver->conf->listeners = listener;
    resolver->conf->listener_count = 1;
}

static void resolve_listeners(struct resolver *resolver, const struct tree_node *list)
{
    if (!list) {
        add_default_listener(resolver);
        return;
    }
    size_t index = 0;
    const struct tree_entry *entry = resolver->conf->listener_count > 0 ? list->entries : NULL;
    for (; entry; entry = entry->next)
        resolve_listener(resolver, entry->value, index++);
}

/* ---- upstreams ---- */

static void check_tls(struct resolver *resolver, const struct tree_node *map,
                      const struct conf_upstream *upstream)
{
    const struct tree_node *tls = tree_sound(map, "tls");
    const struct tree_node *cert = tree_find(tls, "cert_file");
    const struct tree_node *key = tree_find(tls, "key_file");
    if (tls && upstream->host_count > 0 && !upstream->secure)
        report(resolver, tls, "tls", " needs an https:// \"uri\"; change that, or remove \"tls\"");
    if (cert && !key)
        report(resolver, cert, "cert_file", " needs \"key_file\", the certificate's key");
    if (key && !cert)
        report(resolver, key, "key_file", " needs \"cert_file\", the key's certificate");
}

static void resolve_upstreams(struct resolver *resolver, const struct tree_node *map)
{
    struct conf_upstream *upstream = (struct conf_upstream *)resolver->conf->upstreams;
    if (!upstream)
        return;
    for (const struct tree_entry *entry = map->entries; entry; entry = entry->next, upstream++) {
        (void)resolve_credential(resolver->faults, entry->value, &upstream->credential);
        check_tls(resolver, entry->value, upstream);
        plaintext_check(resolver->faults, entry->value, upstream);
    }
}

/* ---- databases ---- */

/* The names of the upstreams, ended by NULL, for those who look for another one. Of many the first
 * do: a fault is no index. */
static const char *const *upstream_names(struct resolver *resolver)
{
    const struct conf *conf = resolver->conf;
    const char **names = arena_take(resolver->arena, SUGGESTED_MAX + 1, sizeof(*names));
    size_t count = 0;
    for (size_t i = 0; i < conf->upstream_count && count < SUGGESTED_MAX; i++) {
        if (conf->upstreams[i].name)
            names[count++] = conf->upstreams[i].name;
    }
    return names;
}

static void resolve_upstream(struct resolver *resolver, const struct tree_node *node,
                             struct conf_database *database)
{
    const struct conf *conf = resolver->conf;
    size_t count = conf->upstream_count;
    for (size_t i = 0; i < count && !database->upstream; i++) {
        if (conf->upstreams[i].name && strcmp(conf->upstreams[i].name, node->text) == 0)
            database->upstream = &conf->upstreams[i];
    }
    if (database->upstream || count == 0)
        return;
    const char *near = suggest_nearest(node->text, resolver->names);
    if (near)
        report(resolver, node, "upstream", ": no upstream \"%s\"; did you mean \"%s\"?", node->text,
               near);
    if (!near)
        report(resolver, node, "upstream", ": no upstream \"%s\"; there is %s", node->text,
               resolver->name_list);
}

/* Names travel as HTTP/2 metadata, which is printable ASCII; blanks at its ends would be lost. */
static bool is_database_name(const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < length; i++) {
        if (name[i] <= ' ' || name[i] > '~')
            return false;
    }
    return length > 0 && length <= DATABASE_NAME_MAX;
}

static void check_name(struct resolver *resolver, const struct tree_node *node, const char *key,
                       const char *name)
{
    if (name && !is_database_name(name))
        report(resolver, node, key,
               " takes a name of 1 to %d printable ASCII characters, without blanks",
               DATABASE_NAME_MAX);
}

static void resolve_name(struct resolver *resolver, const struct tree_node *map,
                         struct conf_database *database)
{
    const struct tree_node *name = tree_find(map, "name");
    bool any = database->name && strcmp(database->name, ANY_DATABASE) == 0;
    if (any && name)
        report(resolver, name, "name", " cannot stand at \"*\", which keeps each name; remove it");
    if (name)
        check_name(resolver, name, "name", database->upstream_name);
    if (!any && !name)
        database->upstream_name = database->name;
}

static void check_timeout(struct resolver *resolver, const struct tree_node *node, const char *key,
                          int64_t timeout, const struct conf_database *database)
{
    if (timeout > database->max_timeout)
        report(resolver, node, key, " is more than \"max_timeout\"; lower it, or raise that");
}

static void resolve_timeouts(struct resolver *resolver, const struct tree_node *map,
                             struct conf_database *database)
{
    const struct tree_node *timeouts = tree_find(map, "timeouts");
    const struct tree_node *max = tree_find(map, "max_timeout");
    if (max && max->faulty)
        return;
    const struct tree_node *given = tree_find(timeouts, "default");
    if (!given && database->default_timeout > database->max_timeout)
        database->default_timeout = database->max_timeout;
    if (given)
        check_timeout(resolver, given, "default", database->default_timeout, database);
    for (size_t i = 0; i < database->method_timeout_count; i++) {
        const struct conf_method_timeout *method = &database->method_timeouts[i];
        const struct tree_node *node = tree_find(timeouts, method->method);
        check_timeout(resolver, node, method->method, method->timeout, database);
    }
}

static void resolve_own_credential(struct resolver *resolver, const struct tree_node *map,
                                   struct conf_database *database)
{
    const struct tree_node *whose = tree_find(map, "credentials");
    const struct tree_node *max = tree_find(map, "max_credentials");
    bool is_clients = database->credentials == CONF_CREDENTIALS_CLIENT;
    database->own_credential = resolve_credential(resolver->faults, map, &database->credential);
    if (is_clients && database->own_credential)
        report(resolver, whose, "credentials",
               ": client has each client's own travel, and another is given here; keep one of the "
               "two");
    if (max && !is_clients && !(whose && whose->faulty))
        report(resolver, max, "max_credentials", " needs \"credentials: client\", which it bounds");
    if (!database->own_credential && !is_clients && database->upstream)
        database->credential = database->upstream->credential;
}

static void resolve_database(struct resolver *resolver, const struct tree_node *map,
                             struct conf_database *database)
{
    const struct tree_node *upstream = tree_sound(map, "upstream");
    if (upstream)
        resolve_upstream(resolver, upstream, database);
    resolve_name(resolver, map, database);
    resolve_timeouts(resolver, map, database);
    resolve_own_credential(resolver, map, database);
}

static void resolve_databases(struct resolver *resolver, const struct tree_node *map)
{
    struct conf_database *database = (struct conf_database *)resolver->conf->databases;
    if (!database)
        return;
    for (const struct tree_entry *entry = map->entries; entry; entry = entry->next) {
        check_name(resolver, entry->key, "databases", database->name);
        resolve_database(resolver, entry->value, database++);
    }
}

/* ---- limits ---- */

/* A message that is let in has room, and none that is made of several is larger. */
static void resolve_limits(struct conf *conf)
{
    uint32_t max = conf->limits.max_message;
    if (conf->limits.http2.max_buffered < max)
        conf->limits.http2.max_buffered = max;
    for (size_t i = 0; i < conf->database_count; i++) {
        struct conf_database *database = (struct conf_database *)&conf->databases[i];
        if (database->merge.max_bytes > max / 2)
            database->merge.max_bytes = max / 2;
    }
}

void resolve(struct arena *arena, struct conf_faults *faults, const struct tree_node *root,
             struct conf *conf)
{
    struct resolver resolver = {.arena = arena, .faults = faults, .conf = conf};
    resolver.names = upstream_names(&resolver);
    resolver.name_list = words_join(arena, resolver.names);
    resolve_listeners(&resolver, tree_find(root, "listen"));
    resolve_upstreams(&resolver, tree_find(root, "upstreams"));
    resolve_databases(&resolver, tree_find(root, "databases"));
    resolve_access(arena, faults, root, conf);
    resolve_process(faults, root, conf);
    resolve_limits(conf);
}
