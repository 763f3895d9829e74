/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const struct value_unit value_durations[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 60 * 60 * 1000}, {NULL, 0}};
const struct value_unit value_sizes[] = {
    {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {NULL, 0}};
const struct value_unit value_counts[] = {{"", 1}, {NULL, 0}};

static int parse_digits(const char *text, size_t length, int64_t *ret_value)
{
    int64_t value = 0;
    for (size_t i = 0; i < length; i++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, text[i] - '0', &value))
            return -1;
    }
    *ret_value = value;
    return length > 0 ? 0 : -1;
}

static int scale(int64_t number, int64_t factor, int64_t *ret_value)
{
    int64_t value;
    if (__builtin_mul_overflow(number, factor, &value))
        return -1;
    *ret_value = value;
    return 0;
}

int value_parse(const struct value_unit *units, const char *text, int64_t *ret_value)
{
    size_t digits = strspn(text, "0123456789");
    int64_t number;
    if (parse_digits(text, digits, &number) != 0)
        return -1;
    if (number == 0 && text[digits] == '\0') {
        *ret_value = 0;
        return 0;
    }
    for (; units->name; units++) {
        if (strcmp(units->name, text + digits) == 0)
            return scale(number, units->factor, ret_value);
    }
    return -1;
}

void value_print(const struct value_unit *units, int64_t value, char text[VALUE_TEXT_MAX])
{
    const struct value_unit *unit = units;
    for (; units->name && value > 0; units++) {
        if (value % units->factor == 0)
            unit = units;
    }
    snprintf(text, VALUE_TEXT_MAX, "%" PRId64 "%s", value / unit->factor,
             value == 0 ? "" : unit->name);
}

int value_mode(const char *text, mode_t *ret_mode)
{
    size_t length = strspn(text, "01234567");
    if (text[length] != '\0' || length < 3 || length > 4 || (length == 4 && text[0] != '0'))
        return -1;
    mode_t mode = 0;
    for (size_t i = 0; i < length; i++)
        mode = mode * 8 + (mode_t)(text[i] - '0');
    *ret_mode = mode;
    return 0;
}
