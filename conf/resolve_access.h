/* SPDX-License-Identifier: Apache-2.0 */
/* What concerns several keys of `access` at once, and the names in it: users, groups, listeners,
 * databases. As conf/resolve.h. */
#ifndef CONF_RESOLVE_ACCESS_H
#define CONF_RESOLVE_ACCESS_H

#include "conf/tree.h"

/* With listeners and databases resolved. */
void resolve_access(struct arena *arena, struct conf_faults *faults, const struct tree_node *root,
                    struct conf *conf);

#endif
