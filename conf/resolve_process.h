/* SPDX-License-Identifier: Apache-2.0 */
/* Whom the process becomes, and which of its addresses other machines reach. As conf/resolve.h. */
#ifndef CONF_RESOLVE_PROCESS_H
#define CONF_RESOLVE_PROCESS_H

#include "conf/tree.h"

/* With listeners and rules resolved. */
void resolve_process(struct conf_faults *faults, const struct tree_node *root, struct conf *conf);

#endif
