/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A counted block of bytes: a message as it came or goes. Whoever holds a reference may read it;
 * only the sole holder may write. The count is atomic, as gRPC's thread drops references too.
 */
#ifndef PROTO_BLOB_H
#define PROTO_BLOB_H

#include <stdatomic.h>

#include "proto/span.h"

struct blob {
    atomic_uint references;
    size_t size; /* bytes in data */
    uint8_t data[];
};

/* A block of `size` bytes, not set, with one reference. NULL when there is no memory for it. */
struct blob *blob_new(size_t size);

/* A block that holds a copy of the bytes. NULL when there is no memory for it. */
struct blob *blob_copy(struct span bytes);

/* The sole holder's block with another size; bytes up to the smaller one stay. NULL, and the block
 * as it was, when there is no memory for it. */
struct blob *blob_resize(struct blob *blob, size_t size);

/* One reference more. NULL gives NULL. */
struct blob *blob_ref(struct blob *blob);

/* One reference less; the last one frees. NULL is accepted. */
void blob_unref(struct blob *blob);

/* Copies the bytes to the end of what a block holds, which has room for them; returns them there.
 */
struct span blob_append(struct blob *blob, struct span bytes);

static inline struct span blob_span(const struct blob *blob)
{
    return blob ? span_of(blob->data, blob->size) : span_of(NULL, 0);
}

#endif
