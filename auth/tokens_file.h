/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of tokens: NAME:HASH a line, as `milvus-bouncer token` writes it. Empty lines, and those
 * that begin with #, say nothing.
 */
#ifndef AUTH_TOKENS_FILE_H
#define AUTH_TOKENS_FILE_H

#include "proto/span.h"

#define TOKENS_FILE_MAX (1u << 20) /* bytes */
#define TOKEN_NAME_MAX  64         /* bytes */

/* Printable ASCII without a blank or a colon; it does not begin with #. */
bool token_name_valid(struct span name);

/* One line of the file. The texts are NUL-terminated and last as long as the call. NULL, or a
 * static text of what is wrong. */
typedef const char *tokens_file_take(void *context, const char *name, const char *hash);

/* Calls take() for each token. 0, or -1: *ret_error names the file, the line and what is wrong, and
 * shows nothing of it; to be freed. */
int tokens_file_read(const char *path, tokens_file_take *take, void *context, char **ret_error)
    __attribute__((warn_unused_result));

#endif
