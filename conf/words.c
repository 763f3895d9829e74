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

bool words_have(const char *const *words, const char *word)
{
    for (; *words; words++) {
        if (strcmp(*words, word) == 0)
            return true;
    }
    return false;
}
