/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "pool/seen.h"

static struct seen seen;

static void clear(void)
{
    seen_clear(&seen);
}

TestSuite(seen, .fini = clear);

Test(seen, only_a_repeat_was_seen_before)
{
    cr_expect_not(seen_before(&seen, 7));
    cr_expect(seen_before(&seen, 7));
    cr_expect_not(seen_before(&seen, 8));
    cr_expect(seen_before(&seen, 7));
}

Test(seen, takes_any_hash)
{
    cr_expect_not(seen_before(&seen, 0));
    cr_expect(seen_before(&seen, 0));
    cr_expect_not(seen_before(&seen, UINT64_MAX));
    cr_expect(seen_before(&seen, UINT64_MAX));
}

/* Hashes that all want the same place. */
Test(seen, tells_collisions_apart)
{
    for (uint64_t i = 1; i <= 100; i++)
        cr_assert_not(seen_before(&seen, i << 32));
    for (uint64_t i = 1; i <= 100; i++)
        cr_assert(seen_before(&seen, i << 32));
    cr_assert_not(seen_before(&seen, 101ull << 32));
}

Test(seen, beyond_the_limit_everything_counts_as_seen)
{
    for (uint64_t i = 1; i <= SEEN_MAX; i++)
        cr_assert_not(seen_before(&seen, i * 0x9e3779b97f4a7c15));
    cr_expect_eq(seen.count, SEEN_MAX);
    cr_expect(seen_before(&seen, 3));
    cr_expect(seen_before(&seen, 0x9e3779b97f4a7c15));
    cr_expect_eq(seen.count, SEEN_MAX);
}

Test(seen, is_empty_once_cleared)
{
    cr_assert_not(seen_before(&seen, 7));
    seen_clear(&seen);
    cr_expect_null(seen.hashes);
    cr_expect_not(seen_before(&seen, 7));
}
