/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/utf8.h"

size_t utf8_length(const uint8_t *at, size_t left)
{
    static const struct {
        uint8_t first_min, first_max, second_min, second_max, length;
    } rows[] = {{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
                {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
                {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
                {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
    if (left > 0 && at[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows) && left > 0; i++) {
        if (at[0] < rows[i].first_min || at[0] > rows[i].first_max)
            continue;
        if (left < rows[i].length || at[1] < rows[i].second_min || at[1] > rows[i].second_max)
            return 0;
        for (size_t k = 2; k < rows[i].length; k++) {
            if ((at[k] & 0xc0) != 0x80)
                return 0;
        }
        return rows[i].length;
    }
    return 0;
}
