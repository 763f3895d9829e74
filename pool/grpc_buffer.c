/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/grpc_buffer.h"

#include <grpc/byte_buffer_reader.h>

static void release_blob(void *blob)
{
    blob_unref(blob);
}

static grpc_slice slice_of(struct span bytes, struct blob *owner)
{
    return grpc_slice_new_with_user_data((void *)bytes.at, bytes.length, release_blob,
                                         blob_ref(owner));
}

static grpc_compression_algorithm algorithm_of(enum encoding encoding)
{
    switch (encoding) {
    case ENCODING_GZIP:
        return GRPC_COMPRESS_GZIP;
    case ENCODING_DEFLATE:
        return GRPC_COMPRESS_DEFLATE;
    default:
        return GRPC_COMPRESS_NONE;
    }
}

/* Takes the slices. */
static grpc_byte_buffer *buffer_of(grpc_slice *slices, size_t count, enum encoding encoding)
{
    grpc_byte_buffer *buffer =
        grpc_raw_compressed_byte_buffer_create(slices, count, algorithm_of(encoding));
    for (size_t i = 0; i < count; i++)
        grpc_slice_unref(slices[i]);
    return buffer;
}

grpc_byte_buffer *grpc_buffer_of_message(const struct upstream_message *message)
{
    grpc_slice slices[2];
    size_t count = 0;
    if (message->body.length > 0)
        slices[count++] = slice_of(message->body, message->owner);
    if (message->tail)
        slices[count++] = slice_of(blob_span(message->tail), message->tail);
    return buffer_of(slices, count, message->encoding);
}

grpc_byte_buffer *grpc_buffer_of_blob(struct blob *message, enum encoding encoding)
{
    grpc_slice slice = slice_of(blob_span(message), message);
    return buffer_of(&slice, 1, encoding);
}

struct blob *grpc_buffer_read(grpc_byte_buffer *buffer)
{
    grpc_byte_buffer_reader reader;
    struct blob *blob = blob_new(grpc_byte_buffer_length(buffer));
    if (!blob || !grpc_byte_buffer_reader_init(&reader, buffer)) {
        blob_unref(blob);
        return NULL;
    }
    size_t at = 0;
    grpc_slice slice;
    while (grpc_byte_buffer_reader_next(&reader, &slice)) {
        memcpy(blob->data + at, GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
        at += GRPC_SLICE_LENGTH(slice);
        grpc_slice_unref(slice);
    }
    grpc_byte_buffer_reader_destroy(&reader);
    return blob;
}
