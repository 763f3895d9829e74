/* SPDX-License-Identifier: Apache-2.0 */
/* digits * 10^exponent in binary, by way of a double. */
#ifndef PROTO_NUMBER_SCALE_H
#define PROTO_NUMBER_SCALE_H

#include <stdbool.h>
#include <stdint.h>

#define SCALE_MAX 22 /* the largest power of ten that a double holds exactly */

/* Whether that is quick. */
static inline bool scale_has(int exponent)
{
    return exponent >= -SCALE_MAX && exponent <= SCALE_MAX;
}

/* Where it is quick. Rounded once if digits are at most 2^53, else twice. */
double scale(uint64_t digits, int exponent);

/* The nearest float. False: it is not known that way. */
bool scale_float(uint64_t digits, int exponent, float *ret_value);

#endif
