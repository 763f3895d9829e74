/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "pool/turns.h"

#define REQUESTS 16

static struct turns turns;
static struct request requests[REQUESTS];

static void begin(void)
{
    turns_init(&turns);
}

TestSuite(turns, .init = begin);

/* "a1": asker a, connection 1; each request's number is its place in the text. */
static void add(const char *text)
{
    for (size_t i = 0; text[3 * i]; i++) {
        cr_assert_lt(i, REQUESTS);
        requests[i].asker = (uint64_t)text[3 * i];
        requests[i].connection = (void *)(uintptr_t)text[3 * i + 1];
        turns_add(&turns, &requests[i]);
        if (!text[3 * i + 2])
            return;
    }
}

/* Takes all, and writes their numbers in hexadecimal. */
static void expect_order(const char *order)
{
    char taken[REQUESTS + 1] = "";
    struct request *request;
    for (size_t i = 0; (request = turns_first(&turns)); i++) {
        taken[i] = "0123456789abcdef"[request - requests];
        turns_take(&turns, request);
        cr_expect_null(request->turn);
    }
    cr_expect_str_eq(taken, order);
    cr_expect(turns_is_empty(&turns));
}

Test(turns, none_has_one)
{
    cr_expect(turns_is_empty(&turns));
    expect_order("");
}

Test(turns, of_one_it_is_first_come_first_served)
{
    add("a1 a1 a1 a1");
    expect_order("0123");
}

Test(turns, who_asks_little_does_not_wait_for_all_of_another)
{
    add("a1 a1 a1 a1 b2 b2");
    expect_order("041523");
}

Test(turns, connections_of_one_asker_share_its_turns)
{
    add("a1 a1 a2 a2 b3 b3 b3 b3");
    expect_order("04251637");
}

Test(turns, a_connection_is_of_one_asker)
{
    add("a1 a1 b1 b1");
    expect_order("0213");
}

Test(turns, who_comes_late_comes_last_of_those_that_wait)
{
    add("a1 b1");
    turns_take(&turns, turns_first(&turns));
    requests[2].asker = 'c';
    turns_add(&turns, &requests[2]);
    requests[3].asker = 'a';
    turns_add(&turns, &requests[3]);
    expect_order("123");
}

Test(turns, who_leaves_has_no_turn)
{
    add("a1 a1 b1 b2 c1");
    turns_remove(&turns, &requests[0]);
    turns_remove(&turns, &requests[2]);
    turns_remove(&turns, &requests[4]);
    cr_expect_null(requests[0].turn);
    expect_order("13");
}

static bool is_third(struct request *request)
{
    return request == &requests[2];
}

Test(turns, are_searched)
{
    cr_expect_null(turns_find(&turns, is_third));
    add("a1 b1 b2");
    cr_expect_eq(turns_find(&turns, is_third), &requests[2]);
    turns_remove(&turns, &requests[2]);
    cr_expect_null(turns_find(&turns, is_third));
    expect_order("01");
}
