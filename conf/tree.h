/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A YAML document as a tree of texts, lists and maps that know where they stand. What a
 * configuration has no use for is a fault: anchors, aliases, tags, several documents, keys that are
 * no text or stand twice, control characters, deep nesting.
 *
 *     tree_node (map) ── entries ─▶ tree_entry{key, value} ─▶ tree_entry{key, value} ─▶ NULL
 *
 * All of it belongs to the arena.
 */
#ifndef CONF_TREE_H
#define CONF_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/arena.h"
#include "conf/faults.h"

#define TREE_DEPTH_MAX   8    /* lists and maps within each other; the schema needs 4 */
#define TREE_ENTRIES_MAX 4096 /* of one list or map */

enum tree_kind { TREE_TEXT, TREE_LIST, TREE_MAP };

struct tree_node {
    enum tree_kind kind;
    struct mark mark;
    bool faulty; /* a fault of it is reported; more about it would mislead */
    /* of a text */
    const char *text; /* never NULL, free of control characters unless faulty */
    bool quoted;
    /* of a list or a map */
    struct tree_entry *entries;
    struct tree_entry *last;
    size_t count;
};

struct tree_entry {
    struct tree_node *key; /* a text; NULL in a list */
    struct tree_node *value;
    struct tree_entry *next;
};

/* Reads the document. NULL when it has none or breaks off; faults say why. A tree may come along
 * with faults. */
struct tree_node *tree_parse(struct arena *arena, const char *text, size_t length,
                             struct conf_faults *faults);

/* A text, a list or a map made by hand. The text is not copied. */
struct tree_node *tree_text(struct arena *arena, struct mark mark, const char *text);
struct tree_node *tree_new(struct arena *arena, struct mark mark, enum tree_kind kind);

/* Appends; key is NULL for a list. */
void tree_append(struct arena *arena, struct tree_node *to, struct tree_node *key,
                 struct tree_node *value);

/* The value of the key; NULL when there is none, or the node is NULL or no map. */
struct tree_node *tree_find(const struct tree_node *map, const char *key);

/* The same when it is no fault, else NULL. */
const struct tree_node *tree_sound(const struct tree_node *map, const char *key);

#endif
