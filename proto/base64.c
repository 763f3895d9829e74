/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Writes 1 to 3 bytes as 4 letters. */
static void encode_group(const uint8_t *from, size_t count, char *to)
{
    uint32_t bits = (uint32_t)from[0] << 16;
    if (count > 1)
        bits |= (uint32_t)from[1] << 8;
    if (count > 2)
        bits |= from[2];
    to[0] = alphabet[bits >> 18];
    to[1] = alphabet[bits >> 12 & 63];
    to[2] = count > 1 ? alphabet[bits >> 6 & 63] : '=';
    to[3] = count > 2 ? alphabet[bits & 63] : '=';
}

void base64_encode(struct span bytes, char *to)
{
    for (size_t i = 0; i < bytes.length; i += 3, to += 4)
        encode_group(bytes.at + i, bytes.length - i, to);
}

static int letter_value(uint8_t letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return letter - 'A';
    if (letter >= 'a' && letter <= 'z')
        return letter - 'a' + 26;
    if (letter >= '0' && letter <= '9')
        return letter - '0' + 52;
    if (letter == '+' || letter == '-')
        return 62;
    if (letter == '/' || letter == '_')
        return 63;
    return -1;
}

/* The letters without their padding; false when the padding does not fit them. */
static bool strip_padding(struct span *text)
{
    size_t full = text->length;
    while (text->length > 0 && text->at[text->length - 1] == '=')
        text->length--;
    size_t padding = full - text->length;
    return padding == 0 || (padding <= 2 && full % 4 == 0);
}

ptrdiff_t base64_decode(struct span text, uint8_t *to)
{
    if (!strip_padding(&text) || text.length % 4 == 1)
        return -1;
    uint8_t *at = to;
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < text.length; i++) {
        int value = letter_value(text.at[i]);
        if (value < 0)
            return -1;
        bits = bits << 6 | (uint32_t)value;
        have += 6;
        if (have >= 8) {
            have -= 8;
            *at++ = (uint8_t)(bits >> have);
        }
    }
    return at - to;
}
