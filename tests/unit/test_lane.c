/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "pool/lane.h"

static struct lanes lanes;
static struct conf_merge conf = {.calls = 2, .max_calls = 8};

static void begin(void)
{
    lanes_init(&lanes, &conf);
}

static void end(void)
{
    lanes_clear(&lanes);
    cr_expect_null(lanes.searches);
    cr_expect_null(lanes.reads);
}

TestSuite(lane, .init = begin, .fini = end);

static struct lane *lane_at(enum merge_kind kind, uint32_t number)
{
    return lane_of(&lanes, kind, blob_copy(span_of(&number, sizeof(number))));
}

/* A call of it begins and ends. */
static void use(struct lane *lane)
{
    lane->calls++;
    lane_settle(&lanes, lane);
    lane->calls--;
    lane_settle(&lanes, lane);
}

Test(lane, is_remembered_while_it_is_idle)
{
    struct lane *lane = lane_at(MERGE_SEARCHES, 1);
    use(lane);
    cr_expect_eq(lanes.idle_count, 1);
    cr_expect_eq(lane_at(MERGE_SEARCHES, 1), lane);
    cr_expect_eq(lanes.idle_count, 0);
    use(lane);
}

Test(lane, of_reads_is_not)
{
    use(lane_at(MERGE_READS, 1));
    cr_expect_null(lanes.reads);
    cr_expect_eq(lanes.idle_count, 0);
}

Test(lane, that_was_idle_longest_is_forgotten_beyond_the_limit)
{
    for (uint32_t i = 0; i < LANES_IDLE_MAX; i++)
        use(lane_at(MERGE_SEARCHES, i));
    use(lane_at(MERGE_SEARCHES, 0));
    cr_expect_eq(lanes.idle_count, LANES_IDLE_MAX);
    cr_expect_eq(HASH_COUNT(lanes.searches), LANES_IDLE_MAX);
    use(lane_at(MERGE_SEARCHES, LANES_IDLE_MAX));
    cr_expect_eq(lanes.idle_count, LANES_IDLE_MAX);
    struct lane *found;
    uint32_t number = 1; /* 0 was used again */
    HASH_FIND(hh, lanes.searches, &number, sizeof(number), found);
    cr_expect_null(found);
    number = 0;
    HASH_FIND(hh, lanes.searches, &number, sizeof(number), found);
    cr_expect_not_null(found);
}

Test(lane, is_ready_while_something_waits_and_has_a_place)
{
    struct request request = {0};
    struct blob *key = blob_copy(span_text("key"));
    struct lane *lane = lane_at(MERGE_SEARCHES, 1);
    struct shape *shape = shape_of(lane, key, NULL);
    turns_add(&shape->waiting, &request);
    lane_settle(&lanes, lane);
    cr_expect(lane->ready);
    cr_expect_eq(shape_of(lane, key, NULL), shape);
    lane->calls = 2;
    lane_settle(&lanes, lane);
    cr_expect_not(lane->ready);
    lane->calls = 1;
    lane_settle(&lanes, lane);
    cr_expect(lane->ready);
    shape_free_empty(shape);
    turns_remove(&shape->waiting, &request);
    shape_free_empty(shape);
    lane_settle(&lanes, lane);
    cr_expect_not(lane->ready);
    lane->calls = 0;
    lane_settle(&lanes, lane);
    blob_unref(key);
}

Test(lane, of_reads_has_one_place)
{
    struct lane *lane = lane_at(MERGE_READS, 1);
    cr_expect_eq(limiter_limit(&lane->limiter), 1);
    use(lane);
}
