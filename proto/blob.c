/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/blob.h"

#include <stdlib.h>

struct blob *blob_new(size_t size)
{
    if (size > SIZE_MAX - sizeof(struct blob))
        return NULL;
    struct blob *blob = malloc(sizeof(*blob) + size);
    if (!blob)
        return NULL;
    atomic_init(&blob->references, 1);
    blob->size = size;
    return blob;
}

struct blob *blob_copy(struct span bytes)
{
    struct blob *blob = blob_new(bytes.length);
    if (blob && bytes.length > 0)
        memcpy(blob->data, bytes.at, bytes.length);
    return blob;
}

struct blob *blob_resize(struct blob *blob, size_t size)
{
    if (size > SIZE_MAX - sizeof(struct blob))
        return NULL;
    struct blob *resized = realloc(blob, sizeof(*blob) + size);
    if (resized)
        resized->size = size;
    return resized;
}

struct blob *blob_ref(struct blob *blob)
{
    if (blob)
        atomic_fetch_add_explicit(&blob->references, 1, memory_order_relaxed);
    return blob;
}

void blob_unref(struct blob *blob)
{
    if (blob && atomic_fetch_sub_explicit(&blob->references, 1, memory_order_acq_rel) == 1)
        free(blob);
}

struct span blob_append(struct blob *blob, struct span bytes)
{
    uint8_t *to = blob->data + blob->size;
    if (bytes.length > 0)
        memcpy(to, bytes.at, bytes.length);
    blob->size += bytes.length;
    return span_of(to, bytes.length);
}
