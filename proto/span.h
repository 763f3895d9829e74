/* SPDX-License-Identifier: Apache-2.0 */
/* A piece of somebody else's memory: text or bytes, without a terminator and without ownership. */
#ifndef PROTO_SPAN_H
#define PROTO_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const uint8_t *at;
    size_t length; /* bytes */
};

static inline struct span span_of(const void *at, size_t length)
{
    return (struct span){.at = at, .length = length};
}

/* The text without its NUL; an empty span for NULL. */
static inline struct span span_text(const char *text)
{
    return span_of(text, text ? strlen(text) : 0);
}

static inline bool span_equal(struct span a, struct span b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

static inline bool span_is(struct span a, const char *text)
{
    return span_equal(a, span_text(text));
}

/* FNV-1a, 64 bits. */
static inline uint64_t span_hash(struct span bytes)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < bytes.length; i++)
        hash = (hash ^ bytes.at[i]) * 0x100000001b3;
    return hash;
}

/* The span, or its start where it is longer. */
static inline struct span span_cut(struct span text, size_t length)
{
    return span_of(text.at, text.length < length ? text.length : length);
}

/* For printf("%.*s", SPAN_ARGS(s)). */
#define SPAN_ARGS(s) (int)(s).length, (const char *)(s).at

#endif
