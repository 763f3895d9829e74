/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "conf/value.h"

static int64_t parsed(const struct value_unit *units, const char *text)
{
    int64_t value = -7;
    if (value_parse(units, text, &value) != 0)
        cr_expect_eq(value, -7, "%s", text);
    return value;
}

Test(value, reads_durations)
{
    static const struct {
        const char *text;
        int64_t value; /* -7: not one */
    } cases[] = {
        {"1ms", 1},
        {"30s", 30000},
        {"5m", 300000},
        {"24h", 86400000},
        {"0", 0},
        {"0s", 0},
        {"030s", 30000},
        {"30", -7},
        {"", -7},
        {"s", -7},
        {"1.5s", -7},
        {"-1s", -7},
        {"+1s", -7},
        {"1 s", -7},
        {"1S", -7},
        {"1h30m", -7},
        {"1KiB", -7},
        {"9223372036854775807ms", INT64_MAX},
        {"9223372036854775808ms", -7},
        {"9223372036854775807s", -7},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        cr_expect_eq(parsed(value_durations, cases[i].text), cases[i].value, "%s", cases[i].text);
}

Test(value, reads_sizes_and_counts)
{
    cr_expect_eq(parsed(value_sizes, "1KiB"), 1024);
    cr_expect_eq(parsed(value_sizes, "64MiB"), 64 << 20);
    cr_expect_eq(parsed(value_sizes, "1GiB"), 1 << 30);
    cr_expect_eq(parsed(value_sizes, "1"), -7);
    cr_expect_eq(parsed(value_sizes, "1KB"), -7);
    cr_expect_eq(parsed(value_counts, "256"), 256);
    cr_expect_eq(parsed(value_counts, "0"), 0);
    cr_expect_eq(parsed(value_counts, "0x10"), -7);
    cr_expect_eq(parsed(value_counts, "1_000"), -7);
    cr_expect_eq(parsed(value_counts, "256s"), -7);
}

Test(value, prints_the_greatest_unit)
{
    char text[VALUE_TEXT_MAX];
    value_print(value_durations, 1, text);
    cr_expect_str_eq(text, "1ms");
    value_print(value_durations, 90000, text);
    cr_expect_str_eq(text, "90s");
    value_print(value_durations, 86400000, text);
    cr_expect_str_eq(text, "24h");
    value_print(value_sizes, 64 << 20, text);
    cr_expect_str_eq(text, "64MiB");
    value_print(value_counts, 65536, text);
    cr_expect_str_eq(text, "65536");
    value_print(value_durations, 0, text);
    cr_expect_str_eq(text, "0");
}

Test(value, reads_modes)
{
    static const char *const wrong[] = {"", "66", "00660", "1660", "0o660", "0680", "rw-rw----"};
    mode_t mode = 7;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        cr_expect_eq(value_mode(wrong[i], &mode), -1, "%s", wrong[i]);
    cr_expect_eq(mode, 7);
    cr_expect_eq(value_mode("0660", &mode), 0);
    cr_expect_eq(mode, 0660);
    cr_expect_eq(value_mode("777", &mode), 0);
    cr_expect_eq(mode, 0777);
    cr_expect_eq(value_mode("000", &mode), 0);
    cr_expect_eq(mode, 0);
}
