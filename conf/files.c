/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *files_folder(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    return arena_text(arena, path, slash ? (size_t)(slash - path) + 1 : 0);
}

static const char *find_credential(struct arena *arena, const char *name)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    if (!folder || *folder == '\0')
        return NULL;
    const char *path = arena_print(arena, "%s/%s", folder, name);
    return access(path, F_OK) == 0 ? path : NULL;
}

const char *files_resolve(struct arena *arena, const char *folder, const char *name, bool secret)
{
    if (*name == '/')
        return name;
    const char *credential = secret ? find_credential(arena, name) : NULL;
    return credential ? credential : arena_print(arena, "%s%s", folder, name);
}

const char *files_check(const char *path, struct stat *ret_status)
{
    if (access(path, R_OK) != 0 || stat(path, ret_status) != 0)
        return strerrordesc_np(errno);
    return S_ISDIR(ret_status->st_mode) ? "it is a folder" : NULL;
}

const char *files_check_secret(const struct stat *status)
{
    if (!S_ISREG(status->st_mode) || (status->st_mode & S_IRWXO) == 0)
        return NULL;
    return "a secret is for its owner and group alone; take it from others by chmod o=";
}
