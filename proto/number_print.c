/* SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/number.h"
#include "proto/number_scale.h"

/* As Go writes floats in JSON, and with it Milvus: with an exponent below 1e-6 and from 1e21 on. */
#define PLAIN_MIN (-6)
#define PLAIN_MAX 21

#define FLOAT_DIGITS  9  /* that always bring a float back */
#define DOUBLE_DIGITS 17 /* and a double */

/* The logarithm of two, of base ten, is LOG_OF_TWO / 2^LOG_SHIFT, from below. */
#define LOG_OF_TWO 1233
#define LOG_SHIFT  12

/* 0.DIGITS * 10^point */
struct digits {
    char text[DOUBLE_DIGITS + 1];
    int count;
    int point;
};

/* ---- finding the digits ---- */

static void strip_zeros(struct digits *digits)
{
    while (digits->count > 1 && digits->text[digits->count - 1] == '0')
        digits->count--;
}

/* Of "d.ddde+xx", with that many digits. */
static void digits_of_text(const char *text, int count, struct digits *ret)
{
    ret->text[0] = text[0];
    memcpy(ret->text + 1, text + 2, (size_t)count - 1);
    ret->count = count;
    ret->point = atoi(strchr(text, 'e') + 1) + 1;
    strip_zeros(ret);
}

/* FLT_DIG and DBL_DIG digits survive but in subnormals, so fewer need not be tried: what has fewer
 * ends in zeros then. */
static void digits_of_double(double value, struct digits *ret)
{
    char text[NUMBER_MAX];
    int count = value < DBL_MIN ? 1 : DBL_DIG;
    for (;; count++) {
        snprintf(text, sizeof(text), "%.*e", count - 1, value);
        if (count == DOUBLE_DIGITS || strtod(text, NULL) == value)
            break;
    }
    digits_of_text(text, count, ret);
}

static void digits_of_float(float value, struct digits *ret)
{
    char text[NUMBER_MAX];
    int count = value < FLT_MIN ? 1 : FLT_DIG;
    for (;; count++) {
        snprintf(text, sizeof(text), "%.*e", count - 1, (double)value);
        if (count == FLOAT_DIGITS || strtof(text, NULL) == value)
            break;
    }
    digits_of_text(text, count, ret);
}

static void digits_of_whole(uint64_t value, int point, struct digits *ret)
{
    char text[NUMBER_MAX];
    char *at = text + sizeof(text);
    for (; value > 0; value /= 10)
        *--at = (char)('0' + value % 10);
    ret->count = (int)(text + sizeof(text) - at);
    memcpy(ret->text, at, (size_t)ret->count);
    ret->point = ret->count + point;
    strip_zeros(ret);
}

static bool brings_back(uint64_t digits, int exponent, float value)
{
    char text[NUMBER_MAX];
    float back;
    if (!scale_float(digits, exponent, &back)) {
        snprintf(text, sizeof(text), "%llue%d", (unsigned long long)digits, exponent);
        back = strtof(text, NULL);
    }
    return back == value;
}

/* value * 10^shift */
static double shifted(float value, int shift)
{
    double power = scale(1, abs(shift));
    return shift < 0 ? (double)value / power : (double)value * power;
}

/* 10^exponent <= value < 10^(exponent + 1), for a normal one: from its power of two that is known
 * but for one. */
static int exponent_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    int of_two = (int)(bits >> (FLT_MANT_DIG - 1)) - (FLT_MAX_EXP - 1);
    int least = of_two * LOG_OF_TWO >> LOG_SHIFT;
    return scale_has(least + 1) && shifted(value, -least - 1) >= 1 ? least + 1 : least;
}

/* The same for most floats, without a text: a double's digits are right as far as a float's go. */
static bool quick_digits(float value, struct digits *ret)
{
    if (value < FLT_MIN)
        return false;
    int exponent = exponent_of(value);
    if (!scale_has(exponent) || !scale_has(FLOAT_DIGITS - exponent))
        return false;
    for (int count = FLT_DIG; count <= FLOAT_DIGITS; count++) {
        int shift = count - 1 - exponent;
        uint64_t rounded = (uint64_t)(shifted(value, shift) + 0.5);
        if (brings_back(rounded, -shift, value)) {
            digits_of_whole(rounded, -shift, ret);
            return true;
        }
    }
    return false;
}

/* ---- writing them ---- */

static char *put_zeros(char *to, int count)
{
    for (; count > 0; count--)
        *to++ = '0';
    return to;
}

static char *put_digits(char *to, const struct digits *digits, int from, int count)
{
    memcpy(to, digits->text + from, (size_t)count);
    return to + count;
}

static char *put_exponential(char *to, const struct digits *digits)
{
    *to++ = digits->text[0];
    if (digits->count > 1) {
        *to++ = '.';
        to = put_digits(to, digits, 1, digits->count - 1);
    }
    return to + sprintf(to, "e%+d", digits->point - 1);
}

static char *put_plain(char *to, const struct digits *digits)
{
    int whole = digits->point < digits->count ? digits->point : digits->count;
    if (digits->point <= 0) {
        *to++ = '0';
        *to++ = '.';
        to = put_zeros(to, -digits->point);
        return put_digits(to, digits, 0, digits->count);
    }
    to = put_zeros(put_digits(to, digits, 0, whole), digits->point - digits->count);
    if (digits->count > whole) {
        *to++ = '.';
        to = put_digits(to, digits, whole, digits->count - whole);
    }
    return to;
}

static char *put(char *to, const struct digits *digits)
{
    bool plain = digits->point - 1 >= PLAIN_MIN && digits->point - 1 < PLAIN_MAX;
    return plain ? put_plain(to, digits) : put_exponential(to, digits);
}

static char *put_sign(char *to, bool negative)
{
    if (negative)
        *to++ = '-';
    return to;
}

size_t number_print_double(char to[NUMBER_MAX], double value)
{
    struct digits digits = {.text = "0", .count = 1, .point = 1};
    if (value != 0)
        digits_of_double(fabs(value), &digits);
    return (size_t)(put(put_sign(to, signbit(value)), &digits) - to);
}

size_t number_print_float(char to[NUMBER_MAX], float value)
{
    struct digits digits = {.text = "0", .count = 1, .point = 1};
    if (value != 0 && !quick_digits(fabsf(value), &digits))
        digits_of_float(fabsf(value), &digits);
    return (size_t)(put(put_sign(to, signbit(value)), &digits) - to);
}

size_t number_print_int64(char to[NUMBER_MAX], int64_t value)
{
    return (size_t)snprintf(to, NUMBER_MAX, "%lld", (long long)value);
}
