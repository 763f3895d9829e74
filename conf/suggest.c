/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/suggest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* No key is longer, and nobody mistypes a name that is. */
#define WORD_MAX 64

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* The edit distance with swaps of neighbours (optimal string alignment), row by row: `rows` holds
 * the row in work and the two above it. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][WORD_MAX + 1];
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t replaced = above[j - 1] + !same(a[i - 1], b[j - 1]);
            row[j] = least(replaced, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
                row[j] = least(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

/* The distance, or more than `limit` when it is more than that. */
static size_t distance_within(const char *a, const char *b, size_t limit)
{
    size_t a_length = strlen(a), b_length = strlen(b);
    size_t longer = a_length > b_length ? a_length : b_length;
    if (longer > WORD_MAX || longer - least(a_length, b_length) > limit)
        return limit + 1;
    size_t edits = distance(a, a_length, b, b_length);
    return edits * 3 <= longer ? edits : limit + 1;
}

const char *suggest_nearest(const char *word, const char *const *words)
{
    const char *nearest = NULL;
    size_t limit = WORD_MAX / 3;
    for (size_t i = 0; words[i]; i++) {
        size_t edits = distance_within(word, words[i], limit);
        if (edits > limit || (nearest && edits == limit))
            continue;
        nearest = words[i];
        limit = edits;
    }
    return nearest;
}
