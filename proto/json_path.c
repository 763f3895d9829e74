/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/json_path.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void print_step(const struct json_path *path, FILE *to)
{
    switch (path->kind) {
    case JSON_PATH_FIELD:
        fprintf(to, "%s%s", path->up->kind == JSON_PATH_ROOT ? "" : ".", path->name);
        break;
    case JSON_PATH_ELEMENT:
        fprintf(to, "[%zu]", path->index);
        break;
    case JSON_PATH_KEY:
        fprintf(to, "[\"%s\"]", path->name);
        break;
    case JSON_PATH_ROOT:
        break;
    }
}

/* Recursion as deep as the path, which the limits on depth bound. */
static void print_path(const struct json_path *path, FILE *to)
{
    if (!path)
        return;
    print_path(path->up, to);
    print_step(path, to);
}

int json_path_error(const struct json_path *path, char **ret_error, const char *format, ...)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    *ret_error = NULL;
    if (!to)
        return -1;
    print_path(path, to);
    if (path->kind != JSON_PATH_ROOT)
        fputs(": ", to);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(to, format, arguments);
    va_end(arguments);
    fclose(to);
    *ret_error = text;
    return -1;
}
