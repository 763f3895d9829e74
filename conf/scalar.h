/* SPDX-License-Identifier: Apache-2.0 */
/* The reader's single values: a text of the tree into a field of a section's struct. */
#ifndef CONF_SCALAR_H
#define CONF_SCALAR_H

#include "conf/schema.h"
#include "conf/tree.h"

#define SCALAR_TEXT_MAX 255 /* bytes of a text or a name; Milvus: proxy.maxNameLength */

/* One reading of a configuration. */
struct reader {
    struct arena *arena;
    struct conf_faults *faults;
    const char *folder; /* of files with relative names, as files_folder() gives it */
};

/* Reads the value of one key into its field in the section's struct, or reports why not. */
typedef void read_function(struct reader *reader, const struct schema_key *key,
                           struct tree_node *node, void *section);

/* By the key's type; see enum schema_type for the field of each. */
read_function scalar_number; /* a duration, a size, a count */
read_function scalar_mode;
read_function scalar_word;
read_function scalar_flag;
read_function scalar_text;
read_function scalar_reference;
read_function scalar_file;
read_function scalar_address;

/* Whether the node is a text with something in it; else reports it. */
bool scalar_expect_text(struct reader *reader, const struct schema_key *key,
                        struct tree_node *node);

/* Whether nothing stands there: no text, ~ or null. */
bool scalar_is_empty(const struct tree_node *node);

/* The key's field in its section's struct. */
void *scalar_field(const struct schema_key *key, void *section);

/* Reports the value of a key, and marks it as faulty. */
#define scalar_refuse(reader, node, key, ...)                                                      \
    do {                                                                                           \
        (node)->faulty = true;                                                                     \
        faults_about((reader)->faults, (node)->mark, key, __VA_ARGS__);                            \
    } while (0)

#endif
