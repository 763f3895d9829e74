/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "pool/resting.h"

#define LONG 60000 /* ms, a time that does not pass in a test */

static struct resting resting;

static struct blob *shape_at(uint32_t number)
{
    return blob_copy(span_of(&number, sizeof(number)));
}

static void add(uint32_t number, int64_t time)
{
    struct blob *shape = shape_at(number);
    resting_add(&resting, shape, time);
    blob_unref(shape);
}

static bool has(uint32_t number)
{
    struct blob *shape = shape_at(number);
    bool found = resting_has(&resting, shape);
    blob_unref(shape);
    return found;
}

static void end(void)
{
    resting_clear(&resting);
    cr_expect_not(has(1));
}

TestSuite(resting, .fini = end);

Test(resting, is_for_a_time)
{
    cr_expect_not(has(1));
    add(1, LONG);
    add(2, 0);
    cr_expect(has(1));
    cr_expect(has(1));
    cr_expect_not(has(2));
    cr_expect_not(has(3));
}

Test(resting, begins_anew)
{
    add(1, 0);
    add(1, LONG);
    cr_expect(has(1));
    add(1, 0);
    cr_expect_not(has(1));
}

Test(resting, forgets_the_first_beyond_the_limit)
{
    for (uint32_t i = 0; i < RESTING_MAX; i++)
        add(i, LONG);
    cr_expect(has(0));
    add(RESTING_MAX, LONG);
    cr_expect_not(has(0));
    cr_expect(has(1));
    cr_expect(has(RESTING_MAX));
}
