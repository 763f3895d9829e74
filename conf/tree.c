/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/tree.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct parse {
    yaml_parser_t yaml;
    yaml_event_t event; /* the one in work */
    struct arena *arena;
    struct conf_faults *faults;
    const char *input;
    size_t length;
};

struct tree_node *tree_new(struct arena *arena, struct mark mark, enum tree_kind kind)
{
    struct tree_node *node = arena_take(arena, 1, sizeof(*node));
    *node = (struct tree_node){.kind = kind, .mark = mark, .text = ""};
    return node;
}

struct tree_node *tree_text(struct arena *arena, struct mark mark, const char *text)
{
    struct tree_node *node = tree_new(arena, mark, TREE_TEXT);
    node->text = text;
    return node;
}

struct tree_node *tree_find(const struct tree_node *map, const char *key)
{
    if (!map || map->kind != TREE_MAP)
        return NULL;
    for (const struct tree_entry *entry = map->entries; entry; entry = entry->next) {
        if (strcmp(entry->key->text, key) == 0)
            return entry->value;
    }
    return NULL;
}

void tree_append(struct arena *arena, struct tree_node *to, struct tree_node *key,
                 struct tree_node *value)
{
    struct tree_entry *entry = arena_take(arena, 1, sizeof(*entry));
    entry->key = key;
    entry->value = value;
    struct tree_entry **end = to->last ? &to->last->next : &to->entries;
    *end = entry;
    to->last = entry;
    to->count++;
}

static struct mark mark_at(yaml_mark_t at)
{
    return (struct mark){.line = (unsigned)at.line + 1, .column = (unsigned)at.column + 1};
}

static struct mark event_mark(const struct parse *parse)
{
    return mark_at(parse->event.start_mark);
}

/* The place of a byte that is no UTF-8: libyaml knows its offset alone. */
static struct mark byte_mark(const struct parse *parse, size_t offset)
{
    struct mark mark = {.line = 1, .column = 1};
    for (size_t i = 0; i < offset && i < parse->length; i++) {
        mark.column++;
        if (parse->input[i] == '\n')
            mark = (struct mark){.line = mark.line + 1, .column = 1};
    }
    return mark;
}

static void report_syntax(struct parse *parse)
{
    const yaml_parser_t *yaml = &parse->yaml;
    if (yaml->error == YAML_READER_ERROR) {
        faults_add(parse->faults, byte_mark(parse, yaml->problem_offset),
                   "not a YAML file: %s; write it in UTF-8", yaml->problem);
        return;
    }
    size_t index = yaml->problem_mark.index;
    bool tab = index < parse->length && parse->input[index] == '\t';
    faults_add(parse->faults, mark_at(yaml->problem_mark), "not valid YAML: %s%s%s%s%s",
               yaml->context ? yaml->context : "", yaml->context ? ", " : "",
               yaml->problem ? yaml->problem : "it breaks off",
               tab ? "; indent with spaces, not with tabs" : "",
               tab ? "" : "; look at this line and the one before it");
}

/* Goes to the next event. -1 at a syntax error, which is reported. */
static int advance(struct parse *parse)
{
    yaml_event_delete(&parse->event);
    if (yaml_parser_parse(&parse->yaml, &parse->event))
        return 0;
    memset(&parse->event, 0, sizeof(parse->event));
    report_syntax(parse);
    return -1;
}

static void refuse(struct parse *parse, struct tree_node *node, const char *what)
{
    node->faulty = true;
    faults_add(parse->faults, node->mark, "%s", what);
}

/* What YAML lets stand before a node, and a configuration does not. */
static void check_properties(struct parse *parse, struct tree_node *node, const void *anchor,
                             const void *tag)
{
    if (anchor)
        refuse(parse, node, "anchors (&name) are not supported; write the value itself");
    if (tag)
        refuse(parse, node, "tags (!name) are not supported; write the value alone");
}

static bool has_control(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return true;
    }
    return false;
}

static struct tree_node *parse_text(struct parse *parse)
{
    struct tree_node *node = tree_new(parse->arena, event_mark(parse), TREE_TEXT);
    const char *value = (const char *)parse->event.data.scalar.value;
    size_t length = parse->event.data.scalar.length;
    node->text = arena_text(parse->arena, value, length);
    node->quoted = parse->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    check_properties(parse, node, parse->event.data.scalar.anchor, parse->event.data.scalar.tag);
    if (has_control(value, length))
        refuse(parse, node, "line ends and control characters are not supported; write one line");
    return node;
}

static struct tree_node *parse_alias(struct parse *parse)
{
    struct tree_node *node = tree_new(parse->arena, event_mark(parse), TREE_TEXT);
    refuse(parse, node, "aliases (*name) are not supported; write the value itself, or quote it");
    return node;
}

static struct tree_node *parse_node(struct parse *parse, unsigned depth);

/* Whether the list or map ends here, or goes on with one more entry. -1: the document is given up,
 * which is reported. */
static int next_entry(struct parse *parse, const struct tree_node *node, yaml_event_type_t end)
{
    if (advance(parse) != 0)
        return -1;
    if (parse->event.type == end)
        return 0;
    if (node->count < TREE_ENTRIES_MAX)
        return 1;
    faults_add(parse->faults, event_mark(parse),
               "a list or map has at most %d entries; remove some", TREE_ENTRIES_MAX);
    return -1;
}

static struct tree_node *parse_list(struct parse *parse, unsigned depth)
{
    struct tree_node *list = tree_new(parse->arena, event_mark(parse), TREE_LIST);
    check_properties(parse, list, parse->event.data.sequence_start.anchor,
                     parse->event.data.sequence_start.tag);
    int more;
    while ((more = next_entry(parse, list, YAML_SEQUENCE_END_EVENT)) > 0) {
        struct tree_node *value = parse_node(parse, depth);
        if (!value)
            return NULL;
        tree_append(parse->arena, list, NULL, value);
    }
    return more == 0 ? list : NULL;
}

static void check_key(struct parse *parse, const struct tree_node *map, struct tree_node *key)
{
    if (key->kind != TREE_TEXT)
        refuse(parse, key, "a key is a text, not a list or map; write NAME: VALUE");
    for (const struct tree_entry *entry = map->entries; entry && !key->faulty;
         entry = entry->next) {
        if (strcmp(entry->key->text, key->text) != 0)
            continue;
        key->faulty = true;
        faults_add(parse->faults, key->mark,
                   "duplicate key \"%.*s\"; it stands in line %u already, keep one of the two",
                   (int)strcspn(key->text, ":="), key->text, entry->key->mark.line);
    }
}

static struct tree_node *parse_map(struct parse *parse, unsigned depth)
{
    struct tree_node *map = tree_new(parse->arena, event_mark(parse), TREE_MAP);
    check_properties(parse, map, parse->event.data.mapping_start.anchor,
                     parse->event.data.mapping_start.tag);
    int more;
    while ((more = next_entry(parse, map, YAML_MAPPING_END_EVENT)) > 0) {
        struct tree_node *key = parse_node(parse, depth);
        if (!key || advance(parse) != 0)
            return NULL;
        check_key(parse, map, key);
        struct tree_node *value = parse_node(parse, depth);
        if (!value)
            return NULL;
        tree_append(parse->arena, map, key, value);
    }
    return more == 0 ? map : NULL;
}

/* Reads the node that the event in work opens, to its last event. */
static struct tree_node *parse_node(struct parse *parse, unsigned depth)
{
    if (parse->event.type == YAML_ALIAS_EVENT)
        return parse_alias(parse);
    if (parse->event.type == YAML_SCALAR_EVENT)
        return parse_text(parse);
    if (depth == TREE_DEPTH_MAX) {
        faults_add(parse->faults, event_mark(parse),
                   "lists and maps stand at most %d deep; no key needs more", TREE_DEPTH_MAX);
        return NULL;
    }
    if (parse->event.type == YAML_SEQUENCE_START_EVENT)
        return parse_list(parse, depth + 1);
    return parse_map(parse, depth + 1);
}

static void check_end(struct parse *parse)
{
    if (advance(parse) != 0 || advance(parse) != 0)
        return;
    if (parse->event.type != YAML_STREAM_END_EVENT)
        faults_add(parse->faults, event_mark(parse),
                   "a second document starts here; a configuration is one document");
}

static struct tree_node *parse_document(struct parse *parse)
{
    do {
        if (advance(parse) != 0)
            return NULL;
    } while (parse->event.type == YAML_STREAM_START_EVENT ||
             parse->event.type == YAML_DOCUMENT_START_EVENT);
    if (parse->event.type == YAML_STREAM_END_EVENT) {
        faults_add(parse->faults, (struct mark){.line = 1, .column = 1},
                   "the file is empty; it needs \"upstreams\" and \"databases\"");
        return NULL;
    }
    struct tree_node *root = parse_node(parse, 0);
    if (root)
        check_end(parse);
    return root;
}

struct tree_node *tree_parse(struct arena *arena, const char *text, size_t length,
                             struct conf_faults *faults)
{
    struct parse parse = {.arena = arena, .faults = faults, .input = text, .length = length};
    if (!yaml_parser_initialize(&parse.yaml))
        abort();
    yaml_parser_set_input_string(&parse.yaml, (const unsigned char *)text, length);
    struct tree_node *root = parse_document(&parse);
    yaml_event_delete(&parse.event);
    yaml_parser_delete(&parse.yaml);
    return root;
}

const struct tree_node *tree_sound(const struct tree_node *map, const char *key)
{
    const struct tree_node *node = tree_find(map, key);
    return node && !node->faulty ? node : NULL;
}
