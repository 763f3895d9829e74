/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/prepend.h"

void prepend_bytes(struct prepend *to, struct span bytes)
{
    to->at -= bytes.length;
    if (bytes.length > 0)
        memcpy(to->at, bytes.at, bytes.length);
}

static size_t varint_size(uint64_t value)
{
    size_t size = 1;
    for (; value >= 0x80; value >>= 7)
        size++;
    return size;
}

static void put_varint(struct prepend *to, uint64_t value)
{
    to->at -= varint_size(value);
    wire_put(to->at, value);
}

void prepend_varint(struct prepend *to, uint32_t number, uint64_t value)
{
    put_varint(to, value);
    put_varint(to, (uint64_t)number << 3 | WIRE_VARINT);
}

void prepend_head(struct prepend *to, uint32_t number, const uint8_t *end)
{
    put_varint(to, (uint64_t)(end - to->at));
    put_varint(to, (uint64_t)number << 3 | WIRE_BYTES);
}
