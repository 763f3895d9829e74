/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/json_near.h"

#include <ctype.h>
#include <string.h>

#define LENGTH_MAX 63

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned ab = a < b ? a : b;
    return ab < c ? ab : c;
}

static int differ(char a, char b)
{
    return tolower((unsigned char)a) != tolower((unsigned char)b);
}

/* Levenshtein's distance, one row of its table at a time. */
static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    unsigned row[LENGTH_MAX + 1];
    for (unsigned j = 0; j <= b_length; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a_length; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            unsigned above = row[j];
            unsigned changed = diagonal + (unsigned)differ(a[i - 1], b[j - 1]);
            row[j] = least(above + 1, row[j - 1] + 1, changed);
            diagonal = above;
        }
    }
    return row[b_length];
}

unsigned json_near(const char *typed, const char *name)
{
    size_t typed_length = strlen(typed);
    size_t name_length = strlen(name);
    if (typed_length > LENGTH_MAX || name_length > LENGTH_MAX)
        return JSON_NEAR_NONE;
    unsigned between = distance(typed, typed_length, name, name_length);
    return between <= (name_length + 2) / 3 ? between : JSON_NEAR_NONE;
}
