/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that grow as they are written: a message or an answer that becomes a blob. Memory doubles;
 * without any the process ends, so who writes bounds what is written.
 */
#ifndef PROTO_BUFFER_H
#define PROTO_BUFFER_H

#include "proto/blob.h"

/* Zeros: empty. */
struct buffer {
    struct blob *blob; /* its size is the room there is */
    size_t size;       /* bytes written */
};

/* Room for so many more bytes, at the end; buffer_grow() says how many of them were written. */
uint8_t *buffer_room(struct buffer *buffer, size_t length);
static inline void buffer_grow(struct buffer *buffer, size_t length)
{
    buffer->size += length;
}

void buffer_add(struct buffer *buffer, struct span bytes);
void buffer_add_byte(struct buffer *buffer, uint8_t byte);

/* Protobuf's wire format: a varint alone; a varint field; a text, bytes or message field; and its
 * head alone, with `length` bytes to follow. */
void buffer_varint(struct buffer *buffer, uint64_t value);
void buffer_put_varint(struct buffer *buffer, uint32_t number, uint64_t value);
void buffer_put_bytes(struct buffer *buffer, uint32_t number, struct span bytes);
void buffer_put_head(struct buffer *buffer, uint32_t number, size_t length);

/* What is written; good until the next write. */
static inline struct span buffer_span(const struct buffer *buffer)
{
    return buffer->blob ? span_of(buffer->blob->data, buffer->size) : span_of(NULL, 0);
}

/* What is written, as a blob of that size that is the caller's; never NULL. The buffer is empty
 * then. */
struct blob *buffer_take(struct buffer *buffer);

void buffer_clear(struct buffer *buffer);

#endif
