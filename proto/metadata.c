/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/metadata.h"

#include <stdlib.h>

#define CAPACITY_START 512u /* bytes: the metadata of an SDK's call fits */

/* What stands before the bytes of each item, at any alignment. */
struct head {
    size_t name;  /* bytes */
    size_t value; /* bytes */
};

/* Metadata is bounded by what HTTP/2 lets in, so no memory for it is no memory for anything. */
static void make_room(struct metadata *metadata, size_t more)
{
    size_t need = metadata->length + more;
    if (need <= metadata->capacity)
        return;
    size_t capacity = metadata->capacity ? metadata->capacity * 2 : CAPACITY_START;
    if (capacity < need)
        capacity = need;
    uint8_t *bytes = realloc(metadata->bytes, capacity);
    if (!bytes)
        abort();
    metadata->bytes = bytes;
    metadata->capacity = capacity;
}

static void put(struct metadata *metadata, const void *bytes, size_t length)
{
    if (length > 0)
        memcpy(metadata->bytes + metadata->length, bytes, length);
    metadata->length += length;
}

void metadata_add(struct metadata *metadata, struct span name, struct span value)
{
    const struct head head = {.name = name.length, .value = value.length};
    make_room(metadata, sizeof(head) + name.length + value.length);
    put(metadata, &head, sizeof(head));
    put(metadata, name.at, name.length);
    put(metadata, value.at, value.length);
    metadata->count++;
}

bool metadata_next(const struct metadata *metadata, size_t *at, struct metadata_item *ret_item)
{
    if (!metadata || *at >= metadata->length)
        return false;
    struct head head;
    const uint8_t *item = metadata->bytes + *at;
    memcpy(&head, item, sizeof(head));
    ret_item->name = span_of(item + sizeof(head), head.name);
    ret_item->value = span_of(item + sizeof(head) + head.name, head.value);
    *at += sizeof(head) + head.name + head.value;
    return true;
}

struct span metadata_find(const struct metadata *metadata, const char *name)
{
    struct span wanted = span_text(name);
    struct metadata_item item;
    for (size_t at = 0; metadata_next(metadata, &at, &item);) {
        if (span_equal(item.name, wanted))
            return item.value;
    }
    return span_of(NULL, 0);
}

void metadata_clear(struct metadata *metadata)
{
    free(metadata->bytes);
    *metadata = (struct metadata){0};
}
