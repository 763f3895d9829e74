/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/number.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define RANDOM_COUNT 300000

static const uint8_t *bytes(const char *text)
{
    return (const uint8_t *)text;
}

/* xorshift64, the same each time. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static bool is_number(const char *text)
{
    const uint8_t *end = bytes(text) + strlen(text);
    return number_end(bytes(text), end) == end;
}

Test(number, grammar_is_that_of_json)
{
    static const char *const good[] = {"0", "-0", "10", "1.5", "0.25", "1e5", "1E+5", "-1.5e-10"};
    static const char *const bad[] = {"",    "-",   "01",  "+1",  ".5",  "1.",   "1e",
                                      "1e+", "0x1", "inf", "NaN", "--1", "1.e5", "1 "};
    char long_one[] = "1234567890123456.1234567890123456e12345678";
    cr_expect(is_number(long_one));
    for (size_t i = 0; i < sizeof(long_one) - 1; i++) {
        char kept = long_one[i];
        for (const char *other = "/:x\xb0"; *other; other++) {
            long_one[i] = *other;
            cr_expect_not(is_number(long_one), "%s", long_one);
        }
        long_one[i] = kept;
    }
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        cr_expect(is_number(good[i]), "%s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        cr_expect_not(is_number(bad[i]), "%s", bad[i]);
}

static void reads_float(const char *text)
{
    float value;
    const uint8_t *end = number_float(bytes(text), &value);
    float wanted = strtof(text, NULL);
    cr_expect_eq(memcmp(&value, &wanted, sizeof(value)), 0, "%s: %a, not %a", text, (double)value,
                 (double)wanted);
    cr_expect_eq(end, bytes(text) + strlen(text), "%s", text);
}

static void reads_double(const char *text)
{
    double value;
    const uint8_t *end = number_double(bytes(text), &value);
    double wanted = strtod(text, NULL);
    cr_expect_eq(memcmp(&value, &wanted, sizeof(value)), 0, "%s: %a, not %a", text, value, wanted);
    cr_expect_eq(end, bytes(text) + strlen(text), "%s", text);
}

/* The halves between two floats, just below and just above, and the ends of the range. */
static const char *const hard[] = {"0",
                                   "-0",
                                   "0.0",
                                   "-0.0e5",
                                   "1",
                                   "0.1",
                                   "16777217",
                                   "16777217.0000000000000000001",
                                   "16777216.999999999999999999",
                                   "33554434.0000000000000001",
                                   "3.4028235e38",
                                   "3.4028236e38",
                                   "1e39",
                                   "-1e400",
                                   "1e-45",
                                   "7.0064923216240854e-46",
                                   "7.006492321624085e-46",
                                   "1e-46",
                                   "1e-400",
                                   "1.1754944e-38",
                                   "1.1754942e-38",
                                   "0.000000000000000000000000000000000000011754943508222875",
                                   "1.7976931348623157e308",
                                   "1.7976931348623159e308",
                                   "4.9e-324",
                                   "2.4e-324",
                                   "9007199254740993",
                                   "9007199254740992.9999",
                                   "123456789012345678901234567890",
                                   "0.123456789012345678901234567890",
                                   "1e22",
                                   "1e23",
                                   "8.5e22",
                                   "1000000000000000000000e-21",
                                   "1e99999999999",
                                   "1e-99999999999",
                                   "0e99999999999"};

Test(number, reads_what_is_hard_as_libc_does)
{
    for (size_t i = 0; i < sizeof(hard) / sizeof(*hard); i++) {
        reads_float(hard[i]);
        reads_double(hard[i]);
    }
}

/* Of any bits, in as many digits as it takes and in fewer. */
Test(number, reads_anything_as_libc_does)
{
    uint64_t state = 1;
    char text[NUMBER_MAX];
    for (int i = 0; i < RANDOM_COUNT; i++) {
        uint64_t random = next_random(&state);
        double value;
        memcpy(&value, &random, sizeof(value));
        if (i % 2 == 0)
            value = ldexp((double)(int64_t)random, -60 - (int)(random % 7));
        if (!isfinite(value))
            continue;
        snprintf(text, sizeof(text), "%.*g", 1 + (int)(random % 20), value);
        reads_float(text);
        reads_double(text);
    }
}

Test(number, reads_long_numbers)
{
    char text[4000];
    memset(text, '1', sizeof(text));
    text[sizeof(text) - 1] = 0;
    reads_double(text);
    text[1] = '.';
    reads_float(text);
    memset(text + 2, '0', 500);
    reads_float(text);
}

static void prints_float(float value, const char *wanted)
{
    char text[NUMBER_MAX + 1];
    text[number_print_float(text, value)] = 0;
    if (wanted)
        cr_expect_str_eq(text, wanted);
    float back = strtof(text, NULL);
    cr_expect_eq(memcmp(&back, &value, sizeof(back)), 0, "%s: %a, not %a", text, (double)back,
                 (double)value);
}

Test(number, prints_floats_shortest)
{
    prints_float(0.1f, "0.1");
    prints_float(0, "0");
    prints_float(-0.0f, "-0");
    prints_float(1, "1");
    prints_float(-1234.5f, "-1234.5");
    prints_float(16777216, "16777216");
    prints_float(FLT_MAX, "3.4028235e+38");
    prints_float(FLT_MIN, "1.1754944e-38");
    prints_float(FLT_TRUE_MIN, "1e-45");
    prints_float(1e-6f, "0.000001");
    prints_float(9.999999e-7f, "9.999999e-7");
    prints_float(1e20f, "100000000000000000000");
    prints_float(1e21f, "1e+21");
    prints_float(0.333333343f, "0.33333334");
    prints_float(9.999999f, "9.999999");
    prints_float(99999.99f, "99999.99");
}

/* The fewest digits by trying all. */
static int fewest_digits(float value)
{
    char text[NUMBER_MAX];
    for (int count = 1; count < 9; count++) {
        snprintf(text, sizeof(text), "%.*e", count - 1, (double)value);
        if (strtof(text, NULL) == value)
            return count;
    }
    return 9;
}

static int digits_in(const char *text)
{
    char digits[NUMBER_MAX + 1];
    size_t count = 0;
    for (; *text && *text != 'e'; text++) {
        if (*text >= '0' && *text <= '9' && (count > 0 || *text != '0'))
            digits[count++] = *text;
    }
    while (count > 1 && digits[count - 1] == '0')
        count--;
    return (int)count;
}

Test(number, prints_any_float_shortest)
{
    uint64_t state = 7;
    char text[NUMBER_MAX + 1];
    for (int i = 0; i < RANDOM_COUNT; i++) {
        uint32_t random = (uint32_t)next_random(&state);
        float value;
        memcpy(&value, &random, sizeof(value));
        if (i % 2 == 0)
            value = (float)((int32_t)random) / 2147483648.0f;
        if (!isfinite(value) || value == 0)
            continue;
        prints_float(value, NULL);
        text[number_print_float(text, value)] = 0;
        cr_expect_eq(digits_in(text), fewest_digits(value), "%s", text);
    }
}

static void prints_double(double value, const char *wanted)
{
    char text[NUMBER_MAX + 1];
    text[number_print_double(text, value)] = 0;
    cr_expect_str_eq(text, wanted);
}

Test(number, prints_doubles_shortest)
{
    prints_double(0.1, "0.1");
    prints_double(1.0 / 3, "0.3333333333333333");
    prints_double(0.1 + 0.2, "0.30000000000000004");
    prints_double(-DBL_MAX, "-1.7976931348623157e+308");
    prints_double(DBL_TRUE_MIN, "5e-324");
    prints_double(9007199254740993.0, "9007199254740992");
    prints_double(123456789012345680000.0, "123456789012345680000");
    prints_double(-0.0000012345678901234567, "-0.0000012345678901234567");
    prints_double(-0.0, "-0");
}

static bool is_int(const char *text, int64_t wanted)
{
    int64_t value;
    return number_int64(bytes(text), &value) && value == wanted;
}

static bool is_no_int(const char *text)
{
    int64_t value;
    return !number_int64(bytes(text), &value);
}

Test(number, reads_whole_numbers_that_fit)
{
    cr_expect(is_int("0", 0));
    cr_expect(is_int("-0", 0));
    cr_expect(is_int("9007199254740993", 9007199254740993));
    cr_expect(is_int("9223372036854775807", INT64_MAX));
    cr_expect(is_int("-9223372036854775808", INT64_MIN));
    cr_expect(is_int("1.0", 1));
    cr_expect(is_int("12.50e1", 125));
    cr_expect(is_int("9.223372036854775807e18", INT64_MAX));
    cr_expect(is_int("1000e-3", 1));
    cr_expect(is_int("0e99999999999", 0));
    cr_expect(is_no_int("9223372036854775808"));
    cr_expect(is_no_int("-9223372036854775809"));
    cr_expect(is_no_int("99999999999999999999"));
    cr_expect(is_no_int("1.5"));
    cr_expect(is_no_int("1e19"));
    cr_expect(is_no_int("1e-1"));
    cr_expect(is_no_int("1e99999999999"));
    cr_expect(is_no_int("0.00000000000000000000000001"));
}

Test(number, prints_whole_numbers)
{
    char text[NUMBER_MAX + 1];
    text[number_print_int64(text, INT64_MIN)] = 0;
    cr_expect_str_eq(text, "-9223372036854775808");
}
