/* SPDX-License-Identifier: Apache-2.0 */
/* What concerns several keys at once: references, exclusions, credentials, limits among each
 * other. Works on what conf/reader.h has read; a value that was a fault is left alone. */
#ifndef CONF_RESOLVE_H
#define CONF_RESOLVE_H

#include "conf/tree.h"

void resolve(struct arena *arena, struct conf_faults *faults, const struct tree_node *root,
             struct conf *conf);

#endif
