/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "proto/h2_limits.h"

#define START  1000000 /* ms on some clock */
#define MINUTE 60000   /* ms */

static struct h2_limits limits;
static struct h2_allowance allowance;

/* 10, 20, 30... a minute, in the table's order. */
static void begin(void)
{
    for (uint32_t i = 0; i < H2_RATE_COUNT; i++)
        limits.rates[i] = 10 * (i + 1);
    h2_allowance_init(&allowance, &limits, START);
}

TestSuite(h2_limits, .init = begin);

static bool take(enum h2_rate rate, int64_t now)
{
    return h2_allowance_take(&allowance, &limits, rate, now);
}

/* How many can be taken at once, at most `enough`. */
static uint32_t drain(enum h2_rate rate, int64_t now, uint32_t enough)
{
    uint32_t taken = 0;
    while (taken < enough && take(rate, now))
        taken++;
    return taken;
}

Test(h2_limits, allowance_is_the_limit)
{
    for (uint32_t i = 0; i < H2_RATE_COUNT; i++)
        cr_expect_eq(drain(i, START, 1000), limits.rates[i], "%s", h2_rate_key(i));
    for (uint32_t i = 0; i < H2_RATE_COUNT; i++)
        cr_expect_not(take(i, START), "%s", h2_rate_key(i));
}

Test(h2_limits, one_allowance_is_not_anothers)
{
    drain(H2_RATE_PINGS, START, 1000);
    for (uint32_t i = H2_RATE_PINGS + 1; i < H2_RATE_COUNT; i++)
        cr_expect_eq(drain(i, START, 1000), limits.rates[i], "%s", h2_rate_key(i));
}

Test(h2_limits, nothing_allowed_is_nothing)
{
    limits.rates[H2_RATE_PINGS] = 0;
    h2_allowance_init(&allowance, &limits, START);
    cr_expect_not(take(H2_RATE_PINGS, START));
    cr_expect_not(take(H2_RATE_PINGS, START + MINUTE));
    h2_allowance_renew(&allowance, &limits);
    cr_expect_not(take(H2_RATE_PINGS, START + MINUTE));
}

/* 10 a minute are one every 6 s. */
Test(h2_limits, time_refills_evenly)
{
    drain(H2_RATE_PINGS, START, 1000);
    cr_expect_not(take(H2_RATE_PINGS, START + 5999));
    cr_expect(take(H2_RATE_PINGS, START + 6001));
    cr_expect_not(take(H2_RATE_PINGS, START + 6001));
    cr_expect_eq(drain(H2_RATE_PINGS, START + 6001 + MINUTE / 2, 1000), 5);
}

/* Asking refills for all, whatever is asked for: no part of the time is lost or counted twice. */
Test(h2_limits, asking_often_changes_nothing)
{
    drain(H2_RATE_PINGS, START, 1000);
    for (int64_t now = START; now < START + 5900; now += 7) {
        cr_assert_not(take(H2_RATE_PINGS, now));
        take(H2_RATE_RESETS, now);
    }
    cr_expect_not(take(H2_RATE_PINGS, START + 5990));
    cr_expect(take(H2_RATE_PINGS, START + 6010));
}

Test(h2_limits, allowance_never_exceeds_the_limit)
{
    cr_expect_eq(drain(H2_RATE_PINGS, START + 100 * MINUTE, 1000), 10);
    cr_expect_eq(drain(H2_RATE_PINGS, START + 200 * MINUTE, 1000), 10);
    cr_expect_eq(drain(H2_RATE_PINGS, INT64_MAX, 1000), 10);
}

/* Twice the limit in the first minute at most, the limit in each that follows. */
Test(h2_limits, steady_rate_of_the_limit_passes_and_twice_of_it_does_not)
{
    int64_t now = START;
    for (int i = 0; i < 1000; i++, now += MINUTE / 10)
        cr_assert(take(H2_RATE_PINGS, now), "ping %d", i);
    int passed = 0;
    for (int i = 0; i < 1000; i++, now += MINUTE / 20)
        passed += take(H2_RATE_PINGS, now);
    cr_expect(passed >= 500 && passed <= 512, "%d of 1000", passed);
}

Test(h2_limits, clock_that_stands_or_goes_back_changes_nothing)
{
    cr_expect(take(H2_RATE_RESETS, START - MINUTE));
    drain(H2_RATE_PINGS, START, 1000);
    cr_expect_not(take(H2_RATE_PINGS, START - MINUTE));
    cr_expect_not(take(H2_RATE_PINGS, START));
    cr_expect_not(take(H2_RATE_PINGS, START + 5999));
    cr_expect(take(H2_RATE_PINGS, START + 6001));
}

/* Pings and window updates are what libraries answer our HEADERS and DATA with. */
Test(h2_limits, what_we_send_renews_some)
{
    for (uint32_t i = 0; i < H2_RATE_COUNT; i++)
        drain(i, START, 1000);
    h2_allowance_renew(&allowance, &limits);
    for (uint32_t i = 0; i < H2_RATE_COUNT; i++) {
        bool renewed = i == H2_RATE_PINGS || i == H2_RATE_WINDOW_UPDATES;
        cr_expect_eq(drain(i, START, 1000), renewed ? limits.rates[i] : 0, "%s", h2_rate_key(i));
    }
}

/* As after a reload of the configuration. */
Test(h2_limits, lowered_limit_counts_from_the_next_refill)
{
    limits.rates[H2_RATE_PINGS] = 3;
    cr_expect_eq(drain(H2_RATE_PINGS, START + 1, 1000), 3);
}

Test(h2_limits, rates_have_keys_and_descriptions)
{
    cr_expect_str_eq(h2_rate_key(H2_RATE_PINGS), "max_pings");
    cr_expect_str_eq(h2_rate_what(H2_RATE_PINGS), "PING frames");
    cr_expect_str_eq(h2_rate_key(H2_RATE_STREAM_ERRORS), "max_stream_errors");
    for (uint32_t i = 0; i < H2_RATE_COUNT; i++) {
        cr_expect_neq(h2_rate_what(i)[0], '\0');
        for (uint32_t j = 0; j < i; j++)
            cr_expect_str_neq(h2_rate_key(i), h2_rate_key(j));
    }
}
