/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a tree into a struct conf as conf/schema.h says: known keys, right types and ranges,
 * defaults. What was a fault is reported, marked in the tree, and left zero in the struct. */
#ifndef CONF_READER_H
#define CONF_READER_H

#include "conf/tree.h"

/* `folder` is that of files_folder(). The structs stand in the order of the tree's entries. Texts
 * of the tree become those of the conf: both live in the arena. */
void reader_read(struct arena *arena, struct conf_faults *faults, const char *folder,
                 struct tree_node *root, struct conf *conf);

#endif
