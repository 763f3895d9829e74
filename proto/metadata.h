/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metadata of a call (grpc/doc/PROTOCOL-HTTP2.md, Custom-Metadata): names in lower case with their
 * values, in order, a name perhaps more than once. Values stand as on the wire, those of "-bin"
 * names in base64. All of it is one block of memory.
 */
#ifndef PROTO_METADATA_H
#define PROTO_METADATA_H

#include "proto/span.h"

struct metadata_item {
    struct span name;
    struct span value;
};

/* A struct of zeros is empty. */
struct metadata {
    uint8_t *bytes; /* the items, packed; NULL until the first */
    size_t length;
    size_t capacity;
    uint32_t count; /* items */
};

/* Adds copies of spans that are not its own. */
void metadata_add(struct metadata *metadata, struct span name, struct span value);

/* The item at *at, which starts as 0 and is moved on; false: there is none left. Spans are valid
 * until the next metadata_add(). NULL is empty. */
bool metadata_next(const struct metadata *metadata, size_t *at, struct metadata_item *ret_item);

/* The first value of that name; an empty span without one. */
struct span metadata_find(const struct metadata *metadata, const char *name);

/* Empties it and frees its memory. */
void metadata_clear(struct metadata *metadata);

#endif
