/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/base64.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Three bytes, or what is left of them, into four characters. */
static void encode_group(const uint8_t *bytes, size_t count, char *to)
{
    uint32_t group = (uint32_t)bytes[0] << 16;
    if (count > 1)
        group |= (uint32_t)bytes[1] << 8;
    if (count > 2)
        group |= bytes[2];
    to[0] = letters[group >> 18];
    to[1] = letters[group >> 12 & 63];
    to[2] = count > 1 ? letters[group >> 6 & 63] : '=';
    to[3] = count > 2 ? letters[group & 63] : '=';
}

void base64_encode(struct span bytes, char *to)
{
    for (size_t i = 0; i < bytes.length; i += 3, to += 4)
        encode_group(bytes.at + i, bytes.length - i, to);
}
