/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

static void put32(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 24);
    to[1] = (uint8_t)(value >> 16);
    to[2] = (uint8_t)(value >> 8);
    to[3] = (uint8_t)value;
}

static uint32_t get32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

void mvb_header_write(const struct mvb_header *header, uint8_t to[MVB_HEADER_SIZE])
{
    put32(to, header->length);
    to[4] = header->type;
    to[5] = header->code;
    to[6] = (uint8_t)(header->text >> 8);
    to[7] = (uint8_t)header->text;
    put32(to + 8, header->id);
    put32(to + 12, header->extra);
}

struct mvb_header mvb_header_read(const uint8_t from[MVB_HEADER_SIZE])
{
    return (struct mvb_header){
        .length = get32(from),
        .type = from[4],
        .code = from[5],
        .text = (uint16_t)(from[6] << 8 | from[7]),
        .id = get32(from + 8),
        .extra = get32(from + 12),
    };
}
