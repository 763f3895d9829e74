/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/uris.h"

#include <string.h>

#include "conf/conf.h"
#include "conf/uri.h"

/* What is read so far. */
struct uris {
    struct conf_host *hosts;
    size_t count;
    bool secure;
    bool faulty;
};

static const char *scheme(bool secure)
{
    return secure ? "https://" : "http://";
}

/* Names of hosts are the same in upper and lower case. */
static bool stands_already(const struct uris *uris, const struct uri *uri)
{
    for (size_t i = 0; i < uris->count; i++) {
        if (uris->hosts[i].port == uri->port && strcasecmp(uris->hosts[i].host, uri->host) == 0)
            return true;
    }
    return false;
}

static void add(struct reader *reader, struct tree_node *node, const struct uri *uri,
                struct uris *uris)
{
    if (uris->count == 0)
        uris->secure = uri->secure;
    uris->hosts[uris->count++] = (struct conf_host){
        .text = node->text,
        .host = arena_text(reader->arena, uri->host, strlen(uri->host)),
        .port = uri->port,
    };
}

static void read_one(struct reader *reader, const struct schema_key *key, struct tree_node *node,
                     struct uris *uris)
{
    struct uri uri;
    const char *error;
    if (!node->faulty && scalar_expect_text(reader, key, node)) {
        if (uri_parse(node->text, &uri, &error) != 0)
            scalar_refuse(reader, node, key->name, ": %s", error);
        else if (uris->count > 0 && uri.secure != uris->secure)
            scalar_refuse(reader, node, key->name,
                          " starts with %s, the list's first with %s; write the same for all",
                          scheme(uri.secure), scheme(uris->secure));
        else if (stands_already(uris, &uri))
            scalar_refuse(reader, node, key->name, ": %s stands twice; remove one of the two",
                          node->text);
        else
            add(reader, node, &uri, uris);
    }
    uris->faulty |= node->faulty;
}

/* Whether the list has as many entries as it may; else reports it. */
static bool expect_count(struct reader *reader, const struct schema_key *key,
                         struct tree_node *node)
{
    if (node->count == 0)
        scalar_refuse(reader, node, key->name, " is an empty list; write one URI or several");
    if (node->count > CONF_HOSTS_MAX)
        scalar_refuse(reader, node, key->name, " takes a list of at most %d URIs", CONF_HOSTS_MAX);
    return !node->faulty;
}

static void read_list(struct reader *reader, const struct schema_key *key, struct tree_node *node,
                      struct uris *uris)
{
    for (struct tree_entry *entry = node->entries; entry; entry = entry->next)
        read_one(reader, key, entry->value, uris);
    node->faulty = uris->faulty;
}

/* Errors show it, and what follows must have room there. */
static const char *text_of(struct arena *arena, const struct uris *uris)
{
    const char *text = uris->hosts[0].text;
    for (size_t i = 1; i < uris->count; i++) {
        const char *longer = arena_print(arena, "%s, %s", text, uris->hosts[i].text);
        if (strlen(longer) > CONF_URI_TEXT_MAX)
            return arena_print(arena, "%s, ...", text);
        text = longer;
    }
    return text;
}

void uris_read(struct reader *reader, const struct schema_key *key, struct tree_node *node,
               void *section)
{
    struct conf_upstream *upstream = section;
    bool is_list = node->kind == TREE_LIST;
    if (is_list && !expect_count(reader, key, node))
        return;
    struct uris uris = {0};
    uris.hosts = arena_take(reader->arena, is_list ? node->count : 1, sizeof(*uris.hosts));
    if (is_list)
        read_list(reader, key, node, &uris);
    else
        read_one(reader, key, node, &uris);
    if (uris.faulty)
        return;
    upstream->uri = text_of(reader->arena, &uris);
    upstream->hosts = uris.hosts;
    upstream->host_count = uris.count;
    upstream->secure = uris.secure;
}
