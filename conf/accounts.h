/* SPDX-License-Identifier: Apache-2.0 */
/* Users and groups of this machine, as the configuration names them. */
#ifndef CONF_ACCOUNTS_H
#define CONF_ACCOUNTS_H

#include <grp.h>
#include <pwd.h>

#include "conf/tree.h"

/* The one that is named at the key, whose value it is. NULL: there is none, and a fault says so.
 * Valid until the next call. */
const struct passwd *accounts_user(struct conf_faults *faults, const struct tree_node *name,
                                   const char *key);
const struct group *accounts_group(struct conf_faults *faults, const struct tree_node *name,
                                   const char *key);

#endif
