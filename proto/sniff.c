/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/sniff.h"

#include "proto/frame.h"

static bool starts(struct span start, const char *with)
{
    return start.length >= SNIFF_BYTES && memcmp(start.at, with, SNIFF_BYTES) == 0;
}

enum sniff sniff(struct span start)
{
    if (start.length > 0 && start.at[0] == 0x16)
        return SNIFF_TLS;
    for (size_t i = 0; i < start.length && i < SNIFF_BYTES; i++) {
        bool capital = start.at[i] >= 'A' && start.at[i] <= 'Z';
        bool other = i > 0 && (start.at[i] == ' ' || start.at[i] == FRAME_MAGIC[3]);
        if (!capital && !other)
            return SNIFF_UNKNOWN;
    }
    if (start.length < SNIFF_BYTES)
        return SNIFF_MORE;
    if (starts(start, FRAME_MAGIC))
        return SNIFF_PLAIN;
    if (starts(start, "PRI "))
        return SNIFF_HTTP2;
    return SNIFF_HTTP1;
}
