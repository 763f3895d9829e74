/* SPDX-License-Identifier: Apache-2.0 */
/* Where the files stand that a configuration names. */
#ifndef CONF_FILES_H
#define CONF_FILES_H

#include <stdbool.h>
#include <sys/stat.h>

#include "conf/arena.h"

/* The folder of the file, with a slash at its end; empty for the working directory. */
const char *files_folder(struct arena *arena, const char *path);

/* The name with its folder: an absolute name as it is; a secret from $CREDENTIALS_DIRECTORY if it
 * stands there (systemd.exec(5), LoadCredential=); else in `folder`. */
const char *files_resolve(struct arena *arena, const char *folder, const char *name, bool secret);

/* NULL when the file can be read, else a static text of why not. */
const char *files_check(const char *path, struct stat *ret_status);

/* NULL when nobody but a secret's owner and group may use its file, else a static text of what to
 * do. Only regular files are looked at. */
const char *files_check_secret(const struct stat *status);

#endif
