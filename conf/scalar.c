/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/scalar.h"

#include <string.h>

#include "conf/files.h"
#include "conf/suggest.h"
#include "conf/value.h"
#include "conf/words.h"

void *scalar_field(const struct schema_key *key, void *section)
{
    return (char *)section + key->offset;
}

bool scalar_is_empty(const struct tree_node *node)
{
    return !node->quoted &&
           (*node->text == '\0' || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}

bool scalar_expect_text(struct reader *reader, const struct schema_key *key, struct tree_node *node)
{
    if (node->kind != TREE_TEXT) {
        scalar_refuse(reader, node, key->name, " takes one value, not a %s",
                      node->kind == TREE_LIST ? "list" : "map of keys");
        return false;
    }
    if (*node->text == '\0' || scalar_is_empty(node)) {
        scalar_refuse(reader, node, key->name, " is empty; write its value, or remove the key");
        return false;
    }
    return true;
}

static const struct number {
    const char *noun;
    const char *units; /* as told to people */
    const struct value_unit *table;
} numbers[] = {
    [SCHEMA_DURATION] = {"a duration", ", in ms, s, m or h, such as 10s", value_durations},
    [SCHEMA_SIZE] = {"a size", ", in KiB, MiB or GiB, such as 64MiB", value_sizes},
    [SCHEMA_COUNT] = {"a whole number", "", value_counts},
};

static void store_number(const struct schema_key *key, int64_t value, void *section)
{
    uint32_t narrow = (uint32_t)value; /* the schema's ranges fit */
    if (key->type == SCHEMA_DURATION)
        memcpy(scalar_field(key, section), &value, sizeof(value));
    if (key->type != SCHEMA_DURATION)
        memcpy(scalar_field(key, section), &narrow, sizeof(narrow));
}

void scalar_number(struct reader *reader, const struct schema_key *key, struct tree_node *node,
                   void *section)
{
    const struct number *number = &numbers[key->type];
    int64_t value;
    if (!scalar_expect_text(reader, key, node))
        return;
    if (!node->quoted && value_parse(number->table, node->text, &value) == 0 &&
        value >= key->minimum && value <= key->maximum) {
        store_number(key, value, section);
        return;
    }
    char least[VALUE_TEXT_MAX], most[VALUE_TEXT_MAX];
    value_print(number->table, key->minimum, least);
    value_print(number->table, key->maximum, most);
    scalar_refuse(reader, node, key->name, " takes %s from %s to %s%s%s", number->noun, least, most,
                  number->units, node->quoted ? ", without quotes" : "");
}

void scalar_mode(struct reader *reader, const struct schema_key *key, struct tree_node *node,
                 void *section)
{
    if (!scalar_expect_text(reader, key, node))
        return;
    if (value_mode(node->text, scalar_field(key, section)) != 0)
        scalar_refuse(reader, node, key->name,
                      " takes permissions in octal, \"0000\" to \"0777\", such as \"0660\"");
}

void scalar_word(struct reader *reader, const struct schema_key *key, struct tree_node *node,
                 void *section)
{
    if (!scalar_expect_text(reader, key, node))
        return;
    int place = words_place(key->words, node->text);
    if (place >= 0) {
        memcpy(scalar_field(key, section), &place, sizeof(place));
        return;
    }
    const char *near = suggest_nearest(node->text, key->words);
    scalar_refuse(reader, node, key->name, " takes one of %s%s%s%s",
                  words_join(reader->arena, key->words), near ? "; did you mean \"" : "",
                  near ? near : "", near ? "\"?" : "");
}

void scalar_flag(struct reader *reader, const struct schema_key *key, struct tree_node *node,
                 void *section)
{
    if (!scalar_expect_text(reader, key, node))
        return;
    bool value = strcmp(node->text, "true") == 0;
    if (node->quoted || (!value && strcmp(node->text, "false") != 0)) {
        scalar_refuse(reader, node, key->name, " takes true or false%s",
                      node->quoted ? ", without quotes" : "");
        return;
    }
    memcpy(scalar_field(key, section), &value, sizeof(value));
}

void scalar_text(struct reader *reader, const struct schema_key *key, struct tree_node *node,
                 void *section)
{
    if (!scalar_expect_text(reader, key, node))
        return;
    if (strlen(node->text) > SCALAR_TEXT_MAX) {
        scalar_refuse(reader, node, key->name, " takes a text of at most %d bytes",
                      SCALAR_TEXT_MAX);
        return;
    }
    memcpy(scalar_field(key, section), &node->text, sizeof(node->text));
}

void scalar_reference(struct reader *reader, const struct schema_key *key, struct tree_node *node,
                      void *section)
{
    (void)section;
    (void)scalar_expect_text(reader, key, node);
}

void scalar_file(struct reader *reader, const struct schema_key *key, struct tree_node *node,
                 void *section)
{
    if (!scalar_expect_text(reader, key, node))
        return;
    bool secret = key->type == SCHEMA_SECRET_FILE;
    const char *path = files_resolve(reader->arena, reader->folder, node->text, secret);
    struct stat status;
    const char *error = files_check(path, &status);
    const char *exposed = !error && secret ? files_check_secret(&status) : NULL;
    if (exposed)
        scalar_refuse(reader, node, key->name, ": %s: %s", path, exposed);
    if (error) {
        scalar_refuse(reader, node, key->name,
                      ": cannot read %s: %s; it takes the name of a file that the daemon can read",
                      path, error);
        return;
    }
    memcpy(scalar_field(key, section), &path, sizeof(path));
}

void scalar_address(struct reader *reader, const struct schema_key *key, struct tree_node *node,
                    void *section)
{
    const char *error;
    if (!scalar_expect_text(reader, key, node))
        return;
    if (address_parse(node->text, scalar_field(key, section), &error) != 0)
        scalar_refuse(reader, node, key->name, ": %s", error);
}
