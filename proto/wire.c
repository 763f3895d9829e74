/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/wire.h"

static void skip(struct span *from, size_t length)
{
    from->at += length;
    from->length -= length;
}

bool wire_next_varint(struct span *packed, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (size_t i = 0; i < packed->length && i < WIRE_VARINT_MAX; i++) {
        uint8_t byte = packed->at[i];
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            skip(packed, i + 1);
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static bool take_fixed(struct span *from, size_t width, uint64_t *ret_value)
{
    if (from->length < width)
        return false;
    uint64_t value = 0;
    for (size_t i = width; i > 0; i--)
        value = value << 8 | from->at[i - 1];
    skip(from, width);
    *ret_value = value;
    return true;
}

static bool take_bytes(struct span *from, struct span *ret_bytes)
{
    uint64_t length;
    if (!wire_next_varint(from, &length) || length > from->length)
        return false;
    *ret_bytes = span_of(from->at, (size_t)length);
    skip(from, (size_t)length);
    return true;
}

static bool take_value(struct span *from, struct wire_field *field)
{
    switch (field->type) {
    case WIRE_VARINT:
        return wire_next_varint(from, &field->value);
    case WIRE_FIXED64:
        return take_fixed(from, 8, &field->value);
    case WIRE_BYTES:
        return take_bytes(from, &field->bytes);
    case WIRE_FIXED32:
        return take_fixed(from, 4, &field->value);
    }
    return false;
}

enum wire_read wire_next(struct span *message, struct wire_field *ret_field)
{
    if (message->length == 0)
        return WIRE_END;
    struct span rest = *message;
    uint64_t tag;
    if (!wire_next_varint(&rest, &tag) || tag > UINT32_MAX || tag >> 3 == 0)
        return WIRE_MALFORMED;
    struct wire_field field = {.number = (uint32_t)(tag >> 3), .type = (enum wire_type)(tag & 7)};
    if (!take_value(&rest, &field))
        return WIRE_MALFORMED;
    *message = rest;
    *ret_field = field;
    return WIRE_FIELD;
}

/* The last of the fields with that number, left as it is where there is none. */
static bool find_last(struct span message, uint32_t number, struct span *bytes)
{
    struct wire_field field;
    enum wire_read read;
    while ((read = wire_next(&message, &field)) == WIRE_FIELD) {
        if (field.number == number && field.type == WIRE_BYTES)
            *bytes = field.bytes;
    }
    return read == WIRE_END;
}

bool wire_find_bytes(struct span message, struct wire_path path, struct span *ret_bytes)
{
    struct span found = span_of(NULL, 0);
    if (path.outer == 0) {
        if (!find_last(message, path.number, &found))
            return false;
        *ret_bytes = found;
        return true;
    }
    struct wire_field field;
    enum wire_read read;
    while ((read = wire_next(&message, &field)) == WIRE_FIELD) {
        if (field.number != path.outer || field.type != WIRE_BYTES)
            continue;
        if (!find_last(field.bytes, path.number, &found))
            return false;
    }
    if (read != WIRE_END)
        return false;
    *ret_bytes = found;
    return true;
}

size_t wire_put(uint8_t *to, uint64_t value)
{
    size_t length = 0;
    for (; value >= 0x80; value >>= 7)
        to[length++] = (uint8_t)(value | 0x80);
    to[length++] = (uint8_t)value;
    return length;
}

size_t wire_put_head(uint8_t *to, uint32_t number, size_t length)
{
    size_t written = wire_put(to, (uint64_t)number << 3 | WIRE_BYTES);
    return written + wire_put(to + written, length);
}

size_t wire_override_bound(size_t value_length)
{
    return value_length + 4 * WIRE_VARINT_MAX;
}

size_t wire_override(uint8_t *to, struct wire_path path, struct span value)
{
    uint8_t head[2 * WIRE_VARINT_MAX];
    size_t head_length = wire_put_head(head, path.number, value.length);
    size_t length = 0;
    if (path.outer != 0)
        length = wire_put_head(to, path.outer, head_length + value.length);
    memcpy(to + length, head, head_length);
    length += head_length;
    if (value.length > 0)
        memcpy(to + length, value.at, value.length);
    return length + value.length;
}

size_t wire_put_varint(uint8_t *to, uint32_t number, uint64_t value)
{
    size_t length = wire_put(to, (uint64_t)number << 3 | WIRE_VARINT);
    return length + wire_put(to + length, value);
}

bool wire_read_status(struct span message, struct wire_status *ret_status)
{
    struct wire_status status = {0};
    struct wire_field field;
    enum wire_read read;
    while ((read = wire_next(&message, &field)) == WIRE_FIELD) {
        if (field.number == 1 && field.type == WIRE_VARINT)
            status.legacy = (uint32_t)field.value;
        if (field.number == 2 && field.type == WIRE_BYTES)
            status.reason = field.bytes;
        if (field.number == 3 && field.type == WIRE_VARINT)
            status.code = (uint32_t)field.value;
    }
    if (read != WIRE_END)
        return false;
    *ret_status = status;
    return true;
}
