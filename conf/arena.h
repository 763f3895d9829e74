/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The owner of all memory of one configuration: what is taken from it is freed with it, at once.
 * A configuration file is at most 1 MiB; a machine that has no memory for it cannot run the daemon,
 * so a failed allocation aborts, and no caller has to look for one.
 */
#ifndef CONF_ARENA_H
#define CONF_ARENA_H

#include <stddef.h>

struct arena;

/* The caller's, to be given to arena_free(). */
struct arena *arena_new(void);

/* Frees everything taken from it; NULL is accepted. */
void arena_free(struct arena *arena);

/* `count` objects of `size` bytes, zeroed; they belong to the arena. */
void *arena_take(struct arena *arena, size_t count, size_t size);

/* A copy of the first `length` bytes of the text, with a NUL behind them. */
char *arena_text(struct arena *arena, const char *text, size_t length);

/* A text made as printf() makes it. */
char *arena_print(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
