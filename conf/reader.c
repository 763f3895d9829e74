/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/reader.h"

#include <string.h>

#include "conf/lists.h"
#include "conf/scalar.h"
#include "conf/suggest.h"
#include "conf/uris.h"
#include "conf/words.h"
#include "proto/rpc.h"

/* The names of the keys that a section takes now, ended by NULL. */
static const char *const *key_names(struct reader *reader, const struct schema_section *section)
{
    const char **names = arena_take(reader->arena, section->count + 1, sizeof(*names));
    size_t count = 0;
    for (size_t i = 0; i < section->count; i++) {
        if (schema_is_taken(&section->keys[i]))
            names[count++] = section->keys[i].name;
    }
    return names;
}

/* The same for people. */
static const char *key_list(struct reader *reader, const struct schema_section *section)
{
    const char *names = words_join(reader->arena, key_names(reader, section));
    if (!section->methods)
        return names;
    return arena_print(reader->arena, "%s and the names of Milvus's RPCs, as Search", names);
}

/* What an unknown key may have meant. */
static const char *nearest(struct reader *reader, const struct schema_section *section,
                           const char *word)
{
    const char *near = suggest_nearest(word, key_names(reader, section));
    if (near || !section->methods)
        return near;
    const char **names = arena_take(reader->arena, rpc_count() + 1, sizeof(*names));
    for (size_t i = 0; i < rpc_count(); i++)
        names[i] = rpc_at(i)->name;
    return suggest_nearest(word, names);
}

/* ---- lists and maps ---- */

static void read_protocol(struct reader *reader, const struct schema_key *key,
                          struct tree_node *node, unsigned *bits)
{
    if (!scalar_expect_text(reader, key, node))
        return;
    int place = words_place(key->words, node->text);
    if (place < 0) {
        scalar_refuse(reader, node, key->name, " takes a list of protocols: %s",
                      words_join(reader->arena, key->words));
        return;
    }
    if (*bits & (1U << place))
        scalar_refuse(reader, node, key->name, ": %s stands twice; remove one of the two",
                      node->text);
    *bits |= 1U << place;
}

/* Whether the node is a list or map (`kind`) with entries; else says so. */
static bool expect_entries(struct reader *reader, const struct schema_key *key,
                           struct tree_node *node, enum tree_kind kind, const char *form)
{
    if (node->kind == kind && node->count > 0)
        return true;
    bool empty = node->kind == kind || (node->kind == TREE_TEXT && scalar_is_empty(node));
    scalar_refuse(reader, node, key->name, "%s; write %s",
                  empty ? " is empty" : " has the wrong type", form);
    return false;
}

static void read_protocols(struct reader *reader, const struct schema_key *key,
                           struct tree_node *node, void *section)
{
    const char *form =
        arena_print(reader->arena, "%s: [%s]", key->name, words_join(reader->arena, key->words));
    if (!expect_entries(reader, key, node, TREE_LIST, form))
        return;
    unsigned bits = 0;
    for (struct tree_entry *entry = node->entries; entry; entry = entry->next) {
        if (!entry->value->faulty)
            read_protocol(reader, key, entry->value, &bits);
    }
    memcpy(scalar_field(key, section), &bits, sizeof(bits));
}

static void read_section(struct reader *reader, const struct schema_section *section,
                         const char *name, struct mark where, struct tree_node *node, void *to);

static void read_nested(struct reader *reader, const struct schema_key *key, struct tree_node *node,
                        void *section)
{
    read_section(reader, key->section, key->name, node->mark, node, scalar_field(key, section));
}

/* Makes the array of a list or map and stores it. */
static char *make_items(struct reader *reader, const struct schema_key *key, size_t count,
                        void *section)
{
    char *items = arena_take(reader->arena, count, key->section->size);
    memcpy(scalar_field(key, section), &items, sizeof(items));
    memcpy((char *)section + key->count_offset, &count, sizeof(count));
    return items;
}

static void read_list(struct reader *reader, const struct schema_key *key, struct tree_node *node,
                      void *section)
{
    if (!expect_entries(reader, key, node, TREE_LIST, "a list, each entry opened by \"- \""))
        return;
    char *item = make_items(reader, key, node->count, section);
    for (struct tree_entry *entry = node->entries; entry; entry = entry->next) {
        read_section(reader, key->section, key->name, entry->value->mark, entry->value, item);
        item += key->section->size;
    }
}

/* The name that a map's entry goes by, its struct's first field. */
static void read_name(struct reader *reader, struct tree_node *key, char *item)
{
    if (key->faulty)
        return;
    if (*key->text == '\0' || strlen(key->text) > SCALAR_TEXT_MAX) {
        key->faulty = true;
        faults_add(reader->faults, key->mark, "a name has 1 to %d bytes", SCALAR_TEXT_MAX);
        return;
    }
    memcpy(item, &key->text, sizeof(key->text));
}

static void read_map(struct reader *reader, const struct schema_key *key, struct tree_node *node,
                     void *section)
{
    if (!expect_entries(reader, key, node, TREE_MAP, "names with keys of their own below it"))
        return;
    char *item = make_items(reader, key, node->count, section);
    for (struct tree_entry *entry = node->entries; entry; entry = entry->next) {
        read_name(reader, entry->key, item);
        read_section(reader, key->section, entry->key->text, entry->key->mark, entry->value, item);
        item += key->section->size;
    }
}

/* ---- keys ---- */

static read_function *const readers[] = {
    [SCHEMA_DURATION] = scalar_number,
    [SCHEMA_SIZE] = scalar_number,
    [SCHEMA_COUNT] = scalar_number,
    [SCHEMA_MODE] = scalar_mode,
    [SCHEMA_WORD] = scalar_word,
    [SCHEMA_FLAG] = scalar_flag,
    [SCHEMA_TEXT] = scalar_text,
    [SCHEMA_TEXTS] = lists_texts,
    [SCHEMA_REFERENCE] = scalar_reference,
    [SCHEMA_FILE] = scalar_file,
    [SCHEMA_SECRET_FILE] = scalar_file,
    [SCHEMA_ADDRESS] = scalar_address,
    [SCHEMA_URIS] = uris_read,
    [SCHEMA_PROTOCOLS] = read_protocols,
    [SCHEMA_RIGHTS] = lists_rights,
    [SCHEMA_SECTION] = read_nested,
    [SCHEMA_LIST] = read_list,
    [SCHEMA_MAP] = read_map,
};

/* "password:x" in {} is one key to YAML. What stands behind the colon may be a secret. */
static void report_glued(struct reader *reader, struct tree_node *key, size_t length)
{
    key->faulty = true;
    faults_add(reader->faults, key->mark,
               "\"%.*s\" is not followed by a colon and a space; write KEY: VALUE", (int)length,
               key->text);
}

static void report_unknown(struct reader *reader, const struct schema_section *section,
                           struct tree_node *key)
{
    size_t length = strcspn(key->text, ":=");
    if (key->text[length] != '\0') {
        report_glued(reader, key, length);
        return;
    }
    const char *near = nearest(reader, section, key->text);
    key->faulty = true;
    if (near) {
        faults_add(reader->faults, key->mark, "unknown key \"%s\"; did you mean \"%s\"?", key->text,
                   near);
        return;
    }
    faults_add(reader->faults, key->mark, "unknown key \"%s\"; the keys here are %s", key->text,
               key_list(reader, section));
}

static void report_not_taken(struct reader *reader, const struct schema_key *known,
                             struct tree_node *key)
{
    key->faulty = true;
    if (known->type == SCHEMA_LATER) {
        faults_add(reader->faults, key->mark,
                   "\"%s\" comes with a later version of milvus-bouncer; remove it", known->name);
        return;
    }
    faults_add(reader->faults, key->mark,
               "unknown key \"%s\"; a secret stands in a file of its own, name that by \"%s\"",
               known->name, known->hint);
}

/* One of `timeouts`. The array has room for all entries of the map. */
static void read_method(struct reader *reader, const struct schema_section *section,
                        const struct tree_node *map, struct tree_entry *entry,
                        struct conf_database *database)
{
    const struct schema_key *range = schema_find(section, "default");
    const struct rpc *rpc = rpc_find(span_text(entry->key->text));
    if (!rpc || strcmp(rpc->name, entry->key->text) != 0) {
        report_unknown(reader, section, entry->key);
        return;
    }
    if (!database->method_timeouts)
        database->method_timeouts =
            arena_take(reader->arena, map->count, sizeof(*database->method_timeouts));
    struct conf_method_timeout *timeout =
        (struct conf_method_timeout *)&database->method_timeouts[database->method_timeout_count++];
    timeout->method = entry->key->text;
    struct schema_key key = {.name = entry->key->text,
                             .type = SCHEMA_DURATION,
                             .offset = offsetof(struct conf_method_timeout, timeout),
                             .minimum = range->minimum,
                             .maximum = range->maximum};
    scalar_number(reader, &key, entry->value, timeout);
}

static void read_entry(struct reader *reader, const struct schema_section *section,
                       const struct tree_node *map, struct tree_entry *entry, void *to)
{
    if (entry->key->faulty) {
        entry->value->faulty = true; /* nobody has read it */
        return;
    }
    const struct schema_key *key = schema_find(section, entry->key->text);
    if (key && !schema_is_taken(key)) {
        report_not_taken(reader, key, entry->key);
        return;
    }
    if (!key && !section->methods) {
        report_unknown(reader, section, entry->key);
        return;
    }
    if (entry->value->faulty)
        return;
    if (key)
        readers[key->type](reader, key, entry->value, to);
    if (!key)
        read_method(reader, section, map, entry, to);
}

static void apply_default(struct reader *reader, const struct schema_key *key, struct mark where,
                          void *to)
{
    if (key->type == SCHEMA_SECTION) {
        struct tree_node *none = tree_new(reader->arena, where, TREE_MAP);
        read_section(reader, key->section, key->name, where, none, scalar_field(key, to));
    }
    if (key->fallback)
        readers[key->type](reader, key, tree_text(reader->arena, where, key->fallback), to);
}

static void fill_in(struct reader *reader, const struct schema_section *section, const char *name,
                    struct mark where, const struct tree_node *map, void *to)
{
    for (size_t i = 0; i < section->count; i++) {
        const struct schema_key *key = &section->keys[i];
        if (tree_find(map, key->name))
            continue;
        apply_default(reader, key, where, to);
        if (key->required)
            faults_about(reader->faults, where, name, " lacks the key \"%s\"; %s", key->name,
                         key->hint);
    }
}

/* `merge: off` is short for `merge: {searches: off}`. */
static void read_sole(struct reader *reader, const struct schema_section *section, const char *name,
                      struct tree_node *value, void *to)
{
    struct schema_key key = *schema_find(section, section->sole);
    struct tree_node *map = tree_new(reader->arena, value->mark, TREE_MAP);
    tree_append(reader->arena, map, tree_text(reader->arena, value->mark, key.name), value);
    key.name = name;
    readers[key.type](reader, &key, value, to);
    fill_in(reader, section, name, value->mark, map, to);
}

/* Reads a map of keys that goes by `name`; what it lacks is reported at `where`. */
static void read_section(struct reader *reader, const struct schema_section *section,
                         const char *name, struct mark where, struct tree_node *node, void *to)
{
    if (node->kind == TREE_TEXT && section->sole && !node->faulty) {
        read_sole(reader, section, name, node, to);
        return;
    }
    if (node->kind != TREE_MAP) {
        if (!node->faulty)
            scalar_refuse(reader, node, name, " takes keys: %s", key_list(reader, section));
        return;
    }
    for (struct tree_entry *entry = node->entries; entry; entry = entry->next)
        read_entry(reader, section, node, entry, to);
    fill_in(reader, section, name, where, node, to);
}

void reader_read(struct arena *arena, struct conf_faults *faults, const char *folder,
                 struct tree_node *root, struct conf *conf)
{
    struct reader reader = {.arena = arena, .faults = faults, .folder = folder};
    read_section(&reader, &schema_file, "the file", root->mark, root, conf);
}
