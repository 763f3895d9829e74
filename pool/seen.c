/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/seen.h"

#include <stdlib.h>

#define SIZE_FIRST 8u

static uint64_t *place(const struct seen *seen, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (seen->size - 1);
    while (seen->hashes[at] != 0 && seen->hashes[at] != hash)
        at = (at + 1) & (seen->size - 1);
    return &seen->hashes[at];
}

/* Keeps the table at most half full. */
static bool grow(struct seen *seen)
{
    if (seen->count * 2 < seen->size)
        return true;
    struct seen larger = {.size = seen->size ? seen->size * 2 : SIZE_FIRST, .count = seen->count};
    larger.hashes = calloc(larger.size, sizeof(larger.hashes[0]));
    if (!larger.hashes)
        return false;
    for (uint32_t i = 0; i < seen->size; i++) {
        if (seen->hashes[i] != 0)
            *place(&larger, seen->hashes[i]) = seen->hashes[i];
    }
    free(seen->hashes);
    *seen = larger;
    return true;
}

bool seen_before(struct seen *seen, uint64_t hash)
{
    if (hash == 0)
        hash = 1;
    if (seen->size > 0 && *place(seen, hash) == hash)
        return true;
    if (seen->count >= SEEN_MAX || !grow(seen))
        return true;
    *place(seen, hash) = hash;
    seen->count++;
    return false;
}

void seen_clear(struct seen *seen)
{
    free(seen->hashes);
    *seen = (struct seen){0};
}
