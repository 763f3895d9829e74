/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/grpc_text.h"

#define DIGITS_MAX  8
#define TIMEOUT_MAX 99999999 /* what that many digits can say */
#define NS_PER_MS   INT64_C(1000000)

/* From the finest on. */
static const struct {
    char letter;
    int64_t length; /* ns */
} units[] = {
    {'n', 1},
    {'u', 1000},
    {'m', NS_PER_MS},
    {'S', 1000 * NS_PER_MS},
    {'M', 60 * 1000 * NS_PER_MS},
    {'H', 60 * 60 * 1000 * NS_PER_MS},
};
#define UNITS       (sizeof(units) / sizeof(units[0]))
#define MILLISECOND 2 /* its place in there */

static int64_t divide_up(int64_t value, int64_t by)
{
    return value / by + (value % by != 0);
}

/* In ms. A whole number of hours is more ns than 64 bits hold, so units from ms on are counted in
 * it. */
static int64_t in_ms(int64_t count, int64_t unit)
{
    return unit < NS_PER_MS ? divide_up(count * unit, NS_PER_MS) : count * (unit / NS_PER_MS);
}

bool grpc_timeout_read(struct span text, int64_t *ret_timeout)
{
    if (text.length < 2 || text.length > DIGITS_MAX + 1)
        return false;
    int64_t count = 0;
    for (size_t i = 0; i < text.length - 1; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        count = count * 10 + (text.at[i] - '0');
    }
    for (size_t i = 0; i < UNITS; i++) {
        if (text.at[text.length - 1] == units[i].letter) {
            *ret_timeout = in_ms(count, units[i].length);
            return true;
        }
    }
    return false;
}

/* Every request does this, and printf takes its time. */
static void write_amount(char *to, uint32_t count, char unit)
{
    char digits[GRPC_TIMEOUT_MAX];
    size_t first = sizeof(digits);
    do {
        digits[--first] = (char)('0' + count % 10);
        count /= 10;
    } while (count > 0);
    size_t length = sizeof(digits) - first;
    memcpy(to, digits + first, length);
    to[length] = unit;
    to[length + 1] = '\0';
}

void grpc_timeout_write(int64_t timeout, char to[GRPC_TIMEOUT_MAX])
{
    int64_t count = timeout > 0 ? timeout : 0;
    size_t unit = MILLISECOND;
    while (count > TIMEOUT_MAX && unit < UNITS - 1) {
        unit++;
        count = divide_up(timeout, units[unit].length / NS_PER_MS);
    }
    if (count > TIMEOUT_MAX)
        count = TIMEOUT_MAX;
    write_amount(to, (uint32_t)count, units[unit].letter);
}

size_t grpc_percent_encode(struct span text, char *to)
{
    static const char hex[] = "0123456789ABCDEF";
    char *at = to;
    for (size_t i = 0; i < text.length; i++) {
        uint8_t byte = text.at[i];
        if (byte >= 0x20 && byte <= 0x7e && byte != '%') {
            *at++ = (char)byte;
            continue;
        }
        *at++ = '%';
        *at++ = hex[byte >> 4];
        *at++ = hex[byte & 15];
    }
    return (size_t)(at - to);
}

static int hex_value(uint8_t digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return -1;
}

/* The byte that the escape at the text's start stands for, or -1. */
static int escaped(struct span text)
{
    if (text.length < 3 || text.at[0] != '%')
        return -1;
    int high = hex_value(text.at[1]);
    int low = hex_value(text.at[2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

size_t grpc_percent_decode(struct span text, char *to)
{
    char *at = to;
    for (size_t i = 0; i < text.length;) {
        int byte = escaped(span_of(text.at + i, text.length - i));
        *at++ = (char)(byte < 0 ? text.at[i] : byte);
        i += byte < 0 ? 1 : 3;
    }
    return (size_t)(at - to);
}
