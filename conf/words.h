/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays of words, ended by NULL. */
#ifndef CONF_WORDS_H
#define CONF_WORDS_H

#include "conf/arena.h"

/* "a, b, c", for people; of more than WORDS_SHOWN the rest is "...". */
#define WORDS_SHOWN 16
const char *words_join(struct arena *arena, const char *const *words);

/* The word's place, from 0 on; -1 when it is none of them. */
int words_place(const char *const *words, const char *word);

#endif
