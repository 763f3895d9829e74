/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/buffer.h"

#include <stdlib.h>

#include "proto/wire.h"

#define ROOM_MIN 256u /* bytes */

static void enlarge(struct buffer *buffer, size_t needed)
{
    size_t room = buffer->blob ? buffer->blob->size * 2 : ROOM_MIN;
    if (room < needed)
        room = needed;
    buffer->blob = buffer->blob ? blob_resize(buffer->blob, room) : blob_new(room);
    if (!buffer->blob)
        abort();
}

uint8_t *buffer_room(struct buffer *buffer, size_t length)
{
    size_t needed = buffer->size + length;
    if (!buffer->blob || buffer->blob->size < needed)
        enlarge(buffer, needed);
    return buffer->blob->data + buffer->size;
}

void buffer_add(struct buffer *buffer, struct span bytes)
{
    if (bytes.length == 0)
        return;
    memcpy(buffer_room(buffer, bytes.length), bytes.at, bytes.length);
    buffer_grow(buffer, bytes.length);
}

void buffer_add_byte(struct buffer *buffer, uint8_t byte)
{
    *buffer_room(buffer, 1) = byte;
    buffer_grow(buffer, 1);
}

void buffer_varint(struct buffer *buffer, uint64_t value)
{
    buffer_grow(buffer, wire_put(buffer_room(buffer, WIRE_VARINT_MAX), value));
}

void buffer_put_varint(struct buffer *buffer, uint32_t number, uint64_t value)
{
    buffer_grow(buffer, wire_put_varint(buffer_room(buffer, WIRE_HEAD_MAX), number, value));
}

void buffer_put_head(struct buffer *buffer, uint32_t number, size_t length)
{
    buffer_grow(buffer, wire_put_head(buffer_room(buffer, WIRE_HEAD_MAX), number, length));
}

void buffer_put_bytes(struct buffer *buffer, uint32_t number, struct span bytes)
{
    buffer_put_head(buffer, number, bytes.length);
    buffer_add(buffer, bytes);
}

struct blob *buffer_take(struct buffer *buffer)
{
    struct blob *blob = buffer->blob ? buffer->blob : blob_new(0);
    if (blob && blob->size != buffer->size)
        blob = blob_resize(blob, buffer->size);
    if (!blob)
        abort();
    *buffer = (struct buffer){0};
    return blob;
}

void buffer_clear(struct buffer *buffer)
{
    blob_unref(buffer->blob);
    *buffer = (struct buffer){0};
}
