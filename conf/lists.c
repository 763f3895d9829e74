/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/lists.h"

#include <string.h>

#include "conf/suggest.h"
#include "conf/words.h"
#include "proto/rpc.h"

/* What is done with each value. */
typedef void each_function(struct reader *reader, const struct schema_key *key,
                           struct tree_node *node, void *to);

/* Whether there is something to read; else says so. */
static bool expect_values(struct reader *reader, const struct schema_key *key,
                          struct tree_node *node)
{
    if (node->kind != TREE_LIST || node->count > 0)
        return true;
    scalar_refuse(reader, node, key->name, " is an empty list; write one value or several");
    return false;
}

static void each(struct reader *reader, const struct schema_key *key, struct tree_node *node,
                 each_function *function, void *to)
{
    if (node->kind != TREE_LIST) {
        function(reader, key, node, to);
        return;
    }
    for (struct tree_entry *entry = node->entries; entry; entry = entry->next) {
        if (!entry->value->faulty)
            function(reader, key, entry->value, to);
    }
}

/* Texts as they are gathered, with room for all of them. */
struct texts {
    const char **items;
    size_t count;
};

static struct texts make_texts(struct reader *reader, const struct tree_node *node)
{
    size_t room = node->kind == TREE_LIST ? node->count : 1;
    return (struct texts){.items = arena_take(reader->arena, room + 1, sizeof(char *))};
}

static bool is_twice(const struct texts *texts, const char *text)
{
    for (size_t i = 0; i < texts->count; i++) {
        if (strcmp(texts->items[i], text) == 0)
            return true;
    }
    return false;
}

static void refuse_twice(struct reader *reader, const struct schema_key *key,
                         struct tree_node *node)
{
    scalar_refuse(reader, node, key->name, ": %s stands twice; remove one of the two", node->text);
}

static void take_text(struct reader *reader, const struct schema_key *key, struct tree_node *node,
                      void *to)
{
    struct texts *texts = to;
    const struct schema_key one = {.name = key->name, .type = SCHEMA_TEXT};
    const char *text = NULL;
    scalar_text(reader, &one, node, &text);
    if (!text)
        return;
    if (is_twice(texts, text))
        refuse_twice(reader, key, node);
    else
        texts->items[texts->count++] = text;
}

void lists_texts(struct reader *reader, const struct schema_key *key, struct tree_node *node,
                 void *section)
{
    struct texts texts = make_texts(reader, node);
    if (!expect_values(reader, key, node))
        return;
    each(reader, key, node, take_text, &texts);
    memcpy(scalar_field(key, section), &texts.items, sizeof(texts.items));
    memcpy((char *)section + key->count_offset, &texts.count, sizeof(texts.count));
}

/* ---- rights ---- */

struct rights {
    unsigned classes;
    struct texts methods;
};

/* What an unknown word may have meant: a class, or an RPC. */
static const char *nearest(struct reader *reader, const struct schema_key *key, const char *word)
{
    const char *near = suggest_nearest(word, key->words);
    if (near)
        return near;
    const char **names = arena_take(reader->arena, rpc_count() + 1, sizeof(*names));
    for (size_t i = 0; i < rpc_count(); i++)
        names[i] = rpc_at(i)->name;
    return suggest_nearest(word, names);
}

static void refuse_unknown(struct reader *reader, const struct schema_key *key,
                           struct tree_node *node)
{
    const char *near = nearest(reader, key, node->text);
    if (near) {
        scalar_refuse(reader, node, key->name, ": \"%s\" is no right; did you mean \"%s\"?",
                      node->text, near);
        return;
    }
    scalar_refuse(
        reader, node, key->name,
        ": \"%s\" is no right; there is %s, and the names of Milvus's RPCs, as Search; of "
        "one that is newer than this program write SERVICE/METHOD",
        node->text, words_join(reader->arena, key->words));
}

/* The path of a method that is named, or NULL. An unknown one is taken with its service alone: else
 * each mistyped name would be one. */
static const char *path_of(struct reader *reader, const char *name)
{
    const struct rpc *rpc = rpc_find(span_text(name));
    if (rpc)
        return rpc->path;
    if (!strchr(name, '/') || !rpc_method_valid(span_text(name)))
        return NULL;
    char path[RPC_PATH_MAX];
    rpc_method_path(span_text(name), path);
    return arena_text(reader->arena, path, strlen(path));
}

static void take_method(struct reader *reader, const struct schema_key *key, struct tree_node *node,
                        struct texts *methods)
{
    const char *path = path_of(reader, node->text);
    if (!path)
        refuse_unknown(reader, key, node);
    else if (is_twice(methods, path))
        refuse_twice(reader, key, node);
    else
        methods->items[methods->count++] = path;
}

static void take_right(struct reader *reader, const struct schema_key *key, struct tree_node *node,
                       void *to)
{
    struct rights *rights = to;
    if (!scalar_expect_text(reader, key, node))
        return;
    int class = words_place(key->words, node->text);
    if (class < 0) {
        take_method(reader, key, node, &rights->methods);
        return;
    }
    if (rights->classes & (1U << class))
        refuse_twice(reader, key, node);
    rights->classes |= 1U << class;
}

void lists_rights(struct reader *reader, const struct schema_key *key, struct tree_node *node,
                  void *section)
{
    struct rights rights = {.methods = make_texts(reader, node)};
    struct conf_rights *to = scalar_field(key, section);
    if (!expect_values(reader, key, node))
        return;
    each(reader, key, node, take_right, &rights);
    *to = (struct conf_rights){.classes = rights.classes,
                               .methods = rights.methods.items,
                               .method_count = rights.methods.count};
}
