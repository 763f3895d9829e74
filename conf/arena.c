/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One malloc() a piece, so that the sanitizers see its bounds. */
struct piece {
    struct piece *next;
    max_align_t data[];
};

struct arena {
    struct piece *pieces;
};

struct arena *arena_new(void)
{
    struct arena *arena = calloc(1, sizeof(*arena));
    if (!arena)
        abort();
    return arena;
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    struct piece *next;
    for (struct piece *piece = arena->pieces; piece; piece = next) {
        next = piece->next;
        free(piece);
    }
    free(arena);
}

void *arena_take(struct arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) ||
        __builtin_add_overflow(bytes, sizeof(struct piece), &bytes))
        abort();
    struct piece *piece = calloc(1, bytes);
    if (!piece)
        abort();
    piece->next = arena->pieces;
    arena->pieces = piece;
    return piece->data;
}

char *arena_text(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_take(arena, length + 1, 1);
    memcpy(copy, text, length);
    return copy;
}

char *arena_print(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0)
        abort();
    char *text = arena_take(arena, (size_t)length + 1, 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}
