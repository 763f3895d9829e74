/* SPDX-License-Identifier: Apache-2.0 */
/* nghttp2's memory of a session, and what is left of it while the session rests. That it makes no
 * difference to the protocol is what all tests of the engine show: see h2_pair_input(). */
#include <criterion/criterion.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "h2_pair.h"
#include "proto/h2_session.h"

#define BLOCK_SIZE (7u * 4096)
#define IDLE_MAX   1280 /* bytes, of what is left of a session that has served a request */

static struct h2_memory memory;
static nghttp2_mem mem;

static void begin(void)
{
    cr_assert(h2_memory_open(&memory, &mem));
}

static void end(void)
{
    h2_memory_close(&memory);
}

TestSuite(h2_memory, .init = begin, .fini = end);

static bool is_inside(const void *at)
{
    return (const uint8_t *)at >= memory.block && (const uint8_t *)at < memory.block + BLOCK_SIZE;
}

static bool all_are(const uint8_t *at, size_t length, uint8_t value)
{
    for (size_t i = 0; i < length; i++) {
        if (at[i] != value)
            return false;
    }
    return true;
}

static size_t resident_pages(void)
{
    unsigned char pages[BLOCK_SIZE / 4096];
    size_t count = 0;
    cr_assert_eq(mincore(memory.block, BLOCK_SIZE, pages), 0);
    for (size_t i = 0; i < sizeof(pages); i++)
        count += pages[i] & 1;
    return count;
}

Test(h2_memory, what_is_put_away_comes_back)
{
    uint8_t *full = mem.malloc(5000, &memory);
    uint8_t *zeros = mem.calloc(3, 3000, &memory);
    uint8_t *odd = mem.malloc(3, &memory);
    uint64_t *last = mem.realloc(NULL, 8, &memory);
    cr_assert(is_inside(full) && is_inside(zeros) && is_inside(odd) && is_inside(last));
    cr_expect_eq((uintptr_t)last % 16, 0);
    cr_expect(all_are(zeros, 9000, 0));
    memset(full, 'f', 5000);
    memcpy(odd, "odd", 3);
    *last = 1;
    for (int i = 0; i < 3; i++) {
        h2_memory_put_away(&memory);
        h2_memory_put_away(&memory); /* again is nothing */
        cr_expect_eq(resident_pages(), 0);
        h2_memory_fetch(&memory);
        h2_memory_fetch(&memory);
        cr_expect(all_are(full, 5000, 'f'));
        cr_expect(all_are(zeros, 9000, 0));
        cr_expect_arr_eq(odd, "odd", 3);
        cr_expect_eq((*last)++, 1 + (uint64_t)i);
    }
}

Test(h2_memory, block_is_used_to_its_end)
{
    uint8_t *all = mem.malloc(BLOCK_SIZE, &memory);
    cr_assert(is_inside(all));
    memset(all, 'a', BLOCK_SIZE);
    h2_memory_put_away(&memory);
    h2_memory_fetch(&memory);
    cr_expect(all_are(all, BLOCK_SIZE, 'a'));
    void *outside = mem.malloc(1, &memory);
    cr_expect_not(is_inside(outside));
    mem.free(outside, &memory);
}

Test(h2_memory, what_does_not_fit_is_elsewhere)
{
    cr_assert(is_inside(mem.malloc(BLOCK_SIZE - 100, &memory)));
    void *large = mem.calloc(2, 100, &memory);
    cr_expect_not(is_inside(large));
    mem.free(large, &memory);
    cr_expect(is_inside(mem.malloc(50, &memory)));
}

Test(h2_memory, once_settled_everything_is_elsewhere)
{
    h2_memory_settle(&memory);
    uint8_t *late = mem.realloc(NULL, 10, &memory);
    cr_assert(late && !is_inside(late));
    memset(late, 'l', 10);
    h2_memory_put_away(&memory);
    cr_expect(all_are(late, 10, 'l'));
    late = mem.realloc(late, 20, &memory);
    cr_expect(all_are(late, 10, 'l'));
    mem.free(late, &memory);
}

Test(h2_memory, what_grows_moves_out)
{
    uint8_t *small = mem.malloc(100, &memory);
    memset(small, 's', 100);
    uint8_t *large = mem.realloc(small, 2 * BLOCK_SIZE, &memory);
    cr_assert(large && !is_inside(large));
    cr_expect(all_are(large, 100, 's'));
    mem.free(small, &memory); /* nothing */
    mem.free(NULL, &memory);
    mem.free(large, &memory);
}

Test(h2_memory, closed_while_away)
{
    memset(mem.malloc(100, &memory), 'x', 100);
    h2_memory_put_away(&memory);
    h2_memory_close(&memory);
    h2_memory_close(&memory);
}

Test(h2_memory, session_at_rest_is_small)
{
    static struct h2_pair pair;
    h2_pair_open(&pair, &(struct h2_peer_options){0});
    struct h2_seen *seen = h2_pair_request(&pair, 3, true);
    h2_rest(pair.h2);
    cr_expect_null(pair.h2->memory.packed, "a stream is open");
    h2_pair_answer_all(seen, 5);
    h2_rest(pair.h2);
    cr_expect_null(pair.h2->memory.packed, "something is to be written");
    h2_pair_run(&pair);
    h2_rest(pair.h2);
    cr_assert_not_null(pair.h2->memory.packed);
    cr_expect_leq(malloc_usable_size(pair.h2->memory.packed), IDLE_MAX);
    h2_pair_close(&pair);
}
