/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/tokens_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/token_hash.h"
#include "conf/files.h"

#define HELP "make it by `milvus-bouncer token NAME`"

bool token_name_valid(struct span name)
{
    bool valid = name.length > 0 && name.length <= TOKEN_NAME_MAX && *name.at != '#';
    for (size_t i = 0; valid && i < name.length; i++)
        valid = name.at[i] > ' ' && name.at[i] <= '~' && name.at[i] != ':';
    return valid;
}

static void cut_line_end(char *line)
{
    line[strcspn(line, "\r\n")] = '\0';
}

/* NULL, or a static text of what is wrong. */
static const char *take_line(char *line, tokens_file_take *take, void *context)
{
    cut_line_end(line);
    if (*line == '\0' || *line == '#')
        return NULL;
    char *colon = strchr(line, ':');
    if (!colon)
        return "it is not NAME:HASH; " HELP;
    *colon = '\0';
    if (!token_name_valid(span_text(line)))
        return "a name has 1 to 64 printable characters without blanks; " HELP;
    if (!token_hash_valid(colon + 1))
        return "behind the colon is no hash that is safe to use; " HELP;
    return take(context, line, colon + 1);
}
_Static_assert(TOKEN_NAME_MAX == 64, "the text above names it");

/* NULL, or a static text; *ret_line is then the number of the line, 0: the file itself. */
static const char *read_lines(FILE *file, tokens_file_take *take, void *context, unsigned *ret_line)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    size_t size = 0;
    const char *error = NULL;
    for (unsigned number = 1; !error && (length = getline(&line, &room, file)) >= 0; number++) {
        size += (size_t)length;
        *ret_line = number;
        error = strlen(line) == (size_t)length ? take_line(line, take, context)
                                               : "it holds a NUL; is it this file?";
        if (!error && size > TOKENS_FILE_MAX)
            error = "the file is longer than 1 MiB; is it this file?";
    }
    free(line);
    if (!error && ferror(file)) {
        *ret_line = 0;
        error = strerrordesc_np(errno);
    }
    return error;
}

/* Hashes can be guessed from. */
static const char *check_file(FILE *file)
{
    struct stat status;
    return fstat(fileno(file), &status) == 0 ? files_check_secret(&status) : strerrordesc_np(errno);
}

static char *error_text(const char *path, unsigned line, const char *what)
{
    char *text = NULL;
    int length = line > 0 ? asprintf(&text, "tokens_file %s: line %u: %s", path, line, what)
                          : asprintf(&text, "cannot read tokens_file %s: %s", path, what);
    return length < 0 ? NULL : text;
}

int tokens_file_read(const char *path, tokens_file_take *take, void *context, char **ret_error)
{
    unsigned line = 0;
    FILE *file = fopen(path, "re");
    const char *error = file ? check_file(file) : strerrordesc_np(errno);
    if (!error)
        error = read_lines(file, take, context, &line);
    if (file)
        fclose(file);
    if (!error)
        return 0;
    *ret_error = error_text(path, line, error);
    return -1;
}
