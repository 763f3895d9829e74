/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/h2_memory.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE       4096u      /* bytes; where they are larger, madvise() refuses */
#define BLOCK_SIZE (7 * PAGE) /* nghttp2 1.52 takes 25,520; what does not fit is malloc's */
#define ALIGNMENT  16u        /* of malloc() */
#define GROUP      64u /* words that share a mask when they are packed; of groups, there are fewer */

typedef uint64_t word __attribute__((may_alias));

/* Back to the kernel: the pages are zeros when they are touched again. */
static bool discard(uint8_t *block)
{
    return madvise(block, BLOCK_SIZE, MADV_DONTNEED) == 0;
}

static bool is_inside(const struct h2_memory *memory, const uint8_t *at)
{
    return at >= memory->block && at < memory->block + BLOCK_SIZE;
}

/* Bytes of zeros out of the block; NULL: there are not as many. */
static void *take(struct h2_memory *memory, size_t size)
{
    if (memory->settled || size > BLOCK_SIZE - memory->used)
        return NULL;
    void *taken = memory->block + memory->used;
    memory->used += (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return taken;
}

static void *memory_malloc(size_t size, void *context)
{
    void *taken = take(context, size);
    return taken ? taken : malloc(size);
}

static void *memory_calloc(size_t count, size_t size, void *context)
{
    bool fits = size == 0 || count <= BLOCK_SIZE / size;
    void *taken = fits ? take(context, count * size) : NULL;
    return taken ? taken : calloc(count, size);
}

/* It may have been the value of `authorization`. */
static void wipe_and_free(void *at)
{
    if (at)
        explicit_bzero(at, malloc_usable_size(at));
    free(at);
}

static void memory_free(void *at, void *context)
{
    if (!is_inside(context, at))
        wipe_and_free(at);
}

/* How much there was is not known; what is copied beyond it lies in the block all the same. */
static void *memory_realloc(void *at, size_t size, void *context)
{
    const struct h2_memory *memory = context;
    if (!at)
        return memory_malloc(size, context);
    if (!is_inside(memory, at))
        return realloc(at, size);
    size_t behind = (size_t)(memory->block + BLOCK_SIZE - (uint8_t *)at);
    void *moved = malloc(size);
    if (moved)
        memcpy(moved, at, size < behind ? size : behind);
    return moved;
}

bool h2_memory_open(struct h2_memory *memory, nghttp2_mem *ret_functions)
{
    *memory = (struct h2_memory){.block = aligned_alloc(PAGE, BLOCK_SIZE)};
    if (!memory->block)
        return false;
    if (!discard(memory->block))
        memset(memory->block, 0, BLOCK_SIZE);
    *ret_functions = (nghttp2_mem){
        .mem_user_data = memory,
        .malloc = memory_malloc,
        .free = memory_free,
        .calloc = memory_calloc,
        .realloc = memory_realloc,
    };
    return true;
}

void h2_memory_settle(struct h2_memory *memory)
{
    memory->settled = true;
}

static size_t group_count(const struct h2_memory *memory)
{
    return (memory->used + GROUP * sizeof(word) - 1) / (GROUP * sizeof(word));
}

/* Which words of a group are not zero. */
static uint64_t mask_of(const word *words)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < GROUP; i++)
        mask |= (uint64_t)(words[i] != 0) << i;
    return mask;
}

/* A mask of the groups that are not all zeros; of each of them the mask of its words, and these.
 * Returns how many words that is. to: NULL, or room for them. */
static size_t pack(const struct h2_memory *memory, uint64_t *to)
{
    const word *words = (const word *)memory->block;
    uint64_t groups = 0;
    size_t count = 1;
    for (size_t group = 0; group < group_count(memory); group++, words += GROUP) {
        uint64_t mask = mask_of(words);
        if (mask == 0)
            continue;
        groups |= UINT64_C(1) << group;
        if (to)
            to[count] = mask;
        count++;
        for (; mask != 0; mask &= mask - 1, count++) {
            if (to)
                to[count] = words[__builtin_ctzll(mask)];
        }
    }
    if (to)
        to[0] = groups;
    return count;
}

static void unpack(struct h2_memory *memory, const uint64_t *from)
{
    for (uint64_t groups = *from++; groups != 0; groups &= groups - 1) {
        word *words = (word *)memory->block + GROUP * (size_t)__builtin_ctzll(groups);
        for (uint64_t mask = *from++; mask != 0; mask &= mask - 1)
            words[__builtin_ctzll(mask)] = *from++;
    }
}

void h2_memory_put_away(struct h2_memory *memory)
{
    if (memory->packed)
        return;
    uint64_t *packed = malloc(pack(memory, NULL) * sizeof(*packed));
    if (!packed)
        return;
    pack(memory, packed);
    if (discard(memory->block))
        memory->packed = packed;
    else
        free(packed);
}

void h2_memory_fetch(struct h2_memory *memory)
{
    if (!memory->packed)
        return;
    unpack(memory, memory->packed);
    free(memory->packed);
    memory->packed = NULL;
}

void h2_memory_close(struct h2_memory *memory)
{
    free(memory->packed);
    free(memory->block);
    *memory = (struct h2_memory){0};
}
