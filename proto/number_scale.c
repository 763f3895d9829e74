/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/number_scale.h"

#include <string.h>

/* A double's bits that a float has not, and halfway between two floats. */
#define BEYOND_FLOAT ((UINT64_C(1) << 29) - 1)
#define HALFWAY      (UINT64_C(1) << 28)
#define FAR_ENOUGH   8 /* from there, with what two roundings may have moved */

static const double powers[SCALE_MAX + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                             1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                             1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

double scale(uint64_t digits, int exponent)
{
    return exponent < 0 ? (double)digits / powers[-exponent] : (double)digits * powers[exponent];
}

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

/* Whether rounding a double to a float gives what rounding the number itself would: it is a normal
 * float, and not near the middle of two. */
static bool rounds_alike(double value)
{
    uint64_t beyond = bits_of(value) & BEYOND_FLOAT;
    bool is_far = beyond < HALFWAY - FAR_ENOUGH || beyond > HALFWAY + FAR_ENOUGH;
    return is_far && value > 1.2e-38 && value < 3.4e38;
}

bool scale_float(uint64_t digits, int exponent, float *ret_value)
{
    if (digits != 0 && !scale_has(exponent))
        return false;
    double value = digits != 0 ? scale(digits, exponent) : 0;
    *ret_value = (float)value;
    return digits == 0 || rounds_alike(value);
}
