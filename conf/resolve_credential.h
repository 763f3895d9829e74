/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONF_RESOLVE_CREDENTIAL_H
#define CONF_RESOLVE_CREDENTIAL_H

#include "conf/conf.h"
#include "conf/tree.h"

/* What an upstream, a database or a rule says of a credential of its own: which of its keys exclude
 * or need each other, and where it stands. Whether it says anything. */
bool resolve_credential(struct conf_faults *faults, const struct tree_node *map,
                        struct conf_credential *credential);

#endif
