/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/words.h"

#include <string.h>

const char *words_join(struct arena *arena, const char *const *words)
{
    const char *text = "";
    for (size_t i = 0; words[i] && i <= WORDS_SHOWN; i++)
        text = arena_print(arena, "%s%s%s", text, i > 0 ? ", " : "",
                           i < WORDS_SHOWN ? words[i] : "...");
    return text;
}

int words_place(const char *const *words, const char *word)
{
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], word) == 0)
            return i;
    }
    return -1;
}
