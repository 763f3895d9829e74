/* SPDX-License-Identifier: Apache-2.0 */
/* Where in a message a reader stands, as a list on the stack, for errors: fields[2].name. */
#ifndef PROTO_JSON_PATH_H
#define PROTO_JSON_PATH_H

#include <stddef.h>

enum json_path_kind { JSON_PATH_ROOT, JSON_PATH_FIELD, JSON_PATH_ELEMENT, JSON_PATH_KEY };

struct json_path {
    const struct json_path *up; /* NULL at the root */
    enum json_path_kind kind;
    const char *name; /* of a field or a map's key */
    size_t index;     /* of an element */
    unsigned depth;   /* messages entered */
};

static inline struct json_path json_path_field(const struct json_path *up, const char *name)
{
    return (struct json_path){up, JSON_PATH_FIELD, name, 0, up->depth};
}

static inline struct json_path json_path_element(const struct json_path *up, size_t index)
{
    return (struct json_path){up, JSON_PATH_ELEMENT, NULL, index, up->depth};
}

static inline struct json_path json_path_key(const struct json_path *up, const char *key)
{
    return (struct json_path){up, JSON_PATH_KEY, key, 0, up->depth};
}

/* Sets *ret_error to "PATH: TEXT", or NULL without memory, and returns -1. */
int json_path_error(const struct json_path *path, char **ret_error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
