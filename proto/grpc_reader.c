/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/grpc_reader.h"

/* Takes at most `missing` bytes to `to`; returns how many. */
static size_t take(struct span *bytes, uint8_t *to, size_t missing)
{
    size_t length = bytes->length < missing ? bytes->length : missing;
    if (length == 0)
        return 0;
    memcpy(to, bytes->at, length);
    *bytes = span_of(bytes->at + length, bytes->length - length);
    return length;
}

static enum grpc_read take_prefix(struct grpc_reader *reader, struct span *bytes)
{
    reader->prefix_length += (uint8_t)take(bytes, reader->prefix + reader->prefix_length,
                                           GRPC_PREFIX_SIZE - reader->prefix_length);
    if (reader->prefix[0] > 1)
        return GRPC_READ_BROKEN;
    return reader->prefix_length < GRPC_PREFIX_SIZE ? GRPC_READ_MORE : GRPC_READ_SIZED;
}

enum grpc_read grpc_reader_take(struct grpc_reader *reader, struct span *bytes,
                                struct blob **ret_message)
{
    struct blob *message = reader->message;
    if (!message)
        return take_prefix(reader, bytes);
    reader->filled += take(bytes, message->data + reader->filled, message->size - reader->filled);
    if (reader->filled < grpc_reader_size(reader))
        return bytes->length > 0 ? GRPC_READ_BROKEN : GRPC_READ_MORE;
    reader->message = NULL;
    reader->filled = 0;
    reader->prefix_length = 0;
    *ret_message = message;
    return GRPC_READ_WHOLE;
}

size_t grpc_reader_size(const struct grpc_reader *reader)
{
    const uint8_t *at = reader->prefix + 1;
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

bool grpc_reader_compressed(const struct grpc_reader *reader)
{
    return reader->prefix[0] == 1;
}

bool grpc_reader_start(struct grpc_reader *reader, size_t room)
{
    size_t size = grpc_reader_size(reader);
    size_t taken = size < room ? size : room;
    struct blob *message = reader->message ? blob_resize(reader->message, taken) : blob_new(taken);
    if (message)
        reader->message = message;
    return message != NULL;
}

bool grpc_reader_busy(const struct grpc_reader *reader)
{
    return reader->prefix_length > 0;
}

void grpc_reader_clear(struct grpc_reader *reader)
{
    blob_unref(reader->message);
    *reader = (struct grpc_reader){0};
}

void grpc_prefix_write(uint8_t to[GRPC_PREFIX_SIZE], bool compressed, size_t size)
{
    to[0] = compressed;
    for (int i = 0; i < 4; i++)
        to[1 + i] = (uint8_t)(size >> (24 - 8 * i));
}
