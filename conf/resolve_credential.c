/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/resolve_credential.h"

#include <string.h>

#define report(faults, node, key, ...) faults_about(faults, (node)->mark, key, __VA_ARGS__)

static void check_user(struct conf_faults *faults, const struct tree_node *user,
                       const struct tree_node *password)
{
    if (user && !password)
        report(faults, user, "user", " needs \"password_file\", the file that holds its password");
    if (password && !user)
        report(faults, password, "password_file", " needs \"user\", whose password it holds");
    /* Milvus splits what it gets at the first colon. */
    if (user && strchr(user->text, ':'))
        report(faults, user, "user", " is a name without a colon; Milvus ends it there");
}

bool resolve_credential(struct conf_faults *faults, const struct tree_node *map,
                        struct conf_credential *credential)
{
    const struct tree_node *token = tree_find(map, "token_file");
    const struct tree_node *user = tree_find(map, "user");
    const struct tree_node *password = tree_find(map, "password_file");
    const struct tree_node *file = token ? token : password;
    if (file) {
        credential->line = file->mark.line;
        credential->column = file->mark.column;
    }
    if (token && (user || password))
        report(faults, token, "token_file",
               " excludes \"user\" and \"password_file\"; keep the token or the user");
    else
        check_user(faults, user, password);
    return token || user || password;
}
