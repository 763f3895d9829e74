/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/number.h"

#include <stdlib.h>

#include "proto/number_scale.h"

#define DIGITS_MAX   UINT64_C(1000000000000000000) /* below it another digit fits into 64 bits */
#define EXPONENT_MAX 100000                        /* beyond it all is zero or infinite */

/* digits * 10^exponent */
struct decimal {
    uint64_t digits;
    int exponent;
    bool negative;
    bool cut; /* there were more digits than fit, and not all zeros */
};

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* ---- the grammar ---- */

/* Of eight bytes at once: the upper half of each is 3, and still is with 6 added. */
static bool are_digits(const uint8_t *at)
{
    const uint64_t upper = 0xf0f0f0f0f0f0f0f0;
    const uint64_t threes = 0x3030303030303030;
    uint64_t bytes;
    memcpy(&bytes, at, sizeof(bytes));
    return (bytes & upper) == threes && ((bytes + 0x0606060606060606) & upper) == threes;
}

static const uint8_t *digits_end(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *start = at;
    while (end - at >= 8 && are_digits(at))
        at += 8;
    while (at < end && is_digit(*at))
        at++;
    return at > start ? at : NULL;
}

static const uint8_t *exponent_end(const uint8_t *at, const uint8_t *end)
{
    if (at < end && (*at == '+' || *at == '-'))
        at++;
    return digits_end(at, end);
}

const uint8_t *number_end(const uint8_t *at, const uint8_t *end)
{
    if (at < end && *at == '-')
        at++;
    at = at < end && *at == '0' ? at + 1 : digits_end(at, end);
    if (at && at < end && *at == '.')
        at = digits_end(at + 1, end);
    if (at && at < end && (*at == 'e' || *at == 'E'))
        at = exponent_end(at + 1, end);
    return at;
}

/* ---- reading ---- */

/* step: what each digit that is taken does to the exponent. */
static const uint8_t *take_digits(const uint8_t *at, struct decimal *decimal, int step)
{
    const uint8_t *start = at;
    uint64_t digits = decimal->digits;
    for (; is_digit(*at) && digits < DIGITS_MAX; at++)
        digits = digits * 10 + (uint64_t)(*at - '0');
    decimal->digits = digits;
    decimal->exponent += step * (int)(at - start);
    for (; is_digit(*at); at++) {
        decimal->cut = decimal->cut || *at != '0';
        decimal->exponent += step + 1;
    }
    return at;
}

static const uint8_t *take_exponent(const uint8_t *at, struct decimal *decimal)
{
    bool negative = *at == '-';
    int exponent = 0;
    if (*at == '-' || *at == '+')
        at++;
    for (; is_digit(*at); at++) {
        if (exponent < EXPONENT_MAX)
            exponent = exponent * 10 + (*at - '0');
    }
    decimal->exponent += negative ? -exponent : exponent;
    return at;
}

static const uint8_t *take_decimal(const uint8_t *at, struct decimal *ret)
{
    *ret = (struct decimal){.negative = *at == '-'};
    if (*at == '-')
        at++;
    at = take_digits(at, ret, 0);
    if (*at == '.')
        at = take_digits(at + 1, ret, -1);
    if (*at == 'e' || *at == 'E')
        at = take_exponent(at + 1, ret);
    return at;
}

const uint8_t *number_float(const uint8_t *at, float *ret_value)
{
    struct decimal decimal;
    const uint8_t *end = take_decimal(at, &decimal);
    if (!scale_float(decimal.digits, decimal.exponent, ret_value)) {
        *ret_value = strtof((const char *)at, NULL);
        return end;
    }
    if (decimal.negative)
        *ret_value = -*ret_value;
    return end;
}

/* Exact digits and an exact power: the one rounding is the right one (Clinger, 1990). */
const uint8_t *number_double(const uint8_t *at, double *ret_value)
{
    struct decimal decimal;
    const uint8_t *end = take_decimal(at, &decimal);
    bool exact = decimal.digits <= UINT64_C(1) << 53 && scale_has(decimal.exponent);
    if (!exact || decimal.cut)
        *ret_value = strtod((const char *)at, NULL);
    else
        *ret_value = (decimal.negative ? -1 : 1) * scale(decimal.digits, decimal.exponent);
    return end;
}

/* False: it is not whole, or larger than 64 bits. */
static bool make_whole(struct decimal *decimal)
{
    if (decimal->digits == 0)
        return !decimal->cut;
    for (; decimal->exponent < 0 && decimal->digits % 10 == 0; decimal->exponent++)
        decimal->digits /= 10;
    for (; decimal->exponent > 0 && decimal->digits <= UINT64_MAX / 10; decimal->exponent--)
        decimal->digits *= 10;
    return decimal->exponent == 0 && !decimal->cut;
}

bool number_int64(const uint8_t *at, int64_t *ret_value)
{
    struct decimal decimal;
    take_decimal(at, &decimal);
    uint64_t limit = (uint64_t)INT64_MAX + (decimal.negative ? 1 : 0);
    if (!make_whole(&decimal) || decimal.digits > limit)
        return false;
    *ret_value = (int64_t)(decimal.negative ? 0 - decimal.digits : decimal.digits);
    return true;
}
