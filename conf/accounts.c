/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/accounts.h"

const struct passwd *accounts_user(struct conf_faults *faults, const struct tree_node *name,
                                   const char *key)
{
    const struct passwd *user = getpwnam(name->text);
    if (!user)
        faults_about(faults, name->mark, key,
                     ": no user \"%s\" on this machine; see `getent passwd`", name->text);
    return user;
}

const struct group *accounts_group(struct conf_faults *faults, const struct tree_node *name,
                                   const char *key)
{
    const struct group *group = getgrnam(name->text);
    if (!group)
        faults_about(faults, name->mark, key,
                     ": no group \"%s\" on this machine; see `getent group`", name->text);
    return group;
}
