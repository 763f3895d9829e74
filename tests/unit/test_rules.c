/* SPDX-License-Identifier: Apache-2.0 */
/* The limits of a rule, on a clock in the test's hand. */
#include <criterion/criterion.h>

#include "auth/rules.h"

static char why[ACCESS_WHY_MAX];

/* The one rule of a configuration with these limits, which outlives it. */
static struct rule *rule_with(struct conf_rule_limits limits, struct rules **ret_rules)
{
    static const struct conf_listener listener;
    static struct conf_rule rules;
    static struct conf conf = {.rules = &rules, .rule_count = 1};
    const struct identity anybody = {.listener = &listener};
    rules = (struct conf_rule){
        .number = 1, .match = {.uid = (uid_t)-1, .gid = (gid_t)-1}, .limits = limits};
    *ret_rules = rules_new(&conf, 1000);
    return rules_find(*ret_rules, &anybody);
}

Test(rules, none_are_none)
{
    const struct conf conf = {0};
    cr_expect_null(rules_new(&conf, 0));
    rules_free(NULL);
}

Test(rules, without_limits_there_are_none)
{
    struct rules *rules;
    struct rule *rule = rule_with((struct conf_rule_limits){0}, &rules);
    for (int i = 0; i < 100000; i++)
        cr_assert(rule_begin(rule, 1000, why));
    for (int i = 0; i < 1000; i++)
        cr_assert_null(rule_enter(rule));
    rules_free(rules);
}

Test(rules, clients)
{
    struct rules *rules;
    struct rule *rule = rule_with((struct conf_rule_limits){.max_clients = 2}, &rules);
    cr_expect_null(rule_enter(rule));
    cr_expect_null(rule_enter(rule));
    cr_expect_not_null(rule_enter(rule));
    rule_leave(rule);
    cr_expect_null(rule_enter(rule));
    cr_expect_not_null(rule_enter(rule));
    rules_free(rules);
}

Test(rules, requests_under_way)
{
    struct rules *rules;
    struct rule *rule = rule_with((struct conf_rule_limits){.max_in_flight = 2}, &rules);
    cr_expect(rule_begin(rule, 1000, why));
    cr_expect(rule_begin(rule, 1000, why));
    cr_expect_not(rule_begin(rule, 9000, why));
    cr_expect_str_eq(why,
                     "limits.max_in_flight of rule 1 of \"access\" is reached: 2 requests of its "
                     "clients are under way");
    rule_end(rule);
    cr_expect(rule_begin(rule, 9000, why));
    cr_expect_not(rule_begin(rule, 9000, why));
    rules_free(rules);
}

static int begun_at(struct rule *rule, int64_t now)
{
    int count = 0;
    while (count < 1000 && rule_begin(rule, now, why))
        count++;
    return count;
}

Test(rules, rate_and_burst)
{
    struct rules *rules;
    struct rule *rule =
        rule_with((struct conf_rule_limits){.requests_per_second = 10, .burst = 25}, &rules);
    cr_expect_eq(begun_at(rule, 1000), 25);
    cr_expect_str_eq(why,
                     "limits.requests_per_second of rule 1 of \"access\" is reached: 10, after a "
                     "burst of 25");
    cr_expect_eq(begun_at(rule, 1099), 0);
    cr_expect_eq(begun_at(rule, 1100), 1);
    cr_expect_eq(begun_at(rule, 2100), 10);
    cr_expect_eq(begun_at(rule, 100000), 25);
    rules_free(rules);
}

/* Who is refused for another reason has used nothing up. */
Test(rules, what_is_refused_is_not_counted)
{
    struct rules *rules;
    struct rule *rule = rule_with(
        (struct conf_rule_limits){.max_in_flight = 1, .requests_per_second = 1, .burst = 2},
        &rules);
    cr_expect(rule_begin(rule, 1000, why));
    for (int i = 0; i < 5; i++)
        cr_expect_not(rule_begin(rule, 1000, why));
    rule_end(rule);
    cr_expect(rule_begin(rule, 1000, why));
    rule_end(rule);
    cr_expect_not(rule_begin(rule, 1000, why));
    cr_expect_eq(rule->in_flight, 0);
    rules_free(rules);
}

Test(rate, a_clock_that_stands_or_goes_back_saves_nothing)
{
    struct rate rate;
    rate_init(&rate, 1000, 1, 500);
    cr_expect(rate_take(&rate, 1, 500));
    cr_expect_not(rate_take(&rate, 1, 500));
    cr_expect_not(rate_take(&rate, 1, 100));
    cr_expect(rate_take(&rate, 1, 501));
}

Test(rate, what_was_used_already_is_waited_for)
{
    struct rate rate;
    rate_init(&rate, 10, 5, 0);
    rate_charge(&rate, 10, 0);
    cr_expect_not(rate_has(&rate, 0, 499));
    cr_expect(rate_has(&rate, 0, 500));
    cr_expect_not(rate_has(&rate, 1, 500));
    cr_expect(rate_has(&rate, 5, 1000000));
    cr_expect_not(rate_has(&rate, 6, 1000000));
}
