/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/grpc_metadata.h"

#include <stdlib.h>

#include "proto/base64.h"
#include "proto/grpc_field.h"

static struct span span_of_slice(const grpc_slice *slice)
{
    return span_of(GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice));
}

static grpc_slice copy(struct span bytes)
{
    return grpc_slice_from_copied_buffer((const char *)bytes.at, bytes.length);
}

static grpc_slice decode(struct span text)
{
    grpc_slice slice = grpc_slice_malloc(base64_bound(text.length));
    ptrdiff_t length = base64_decode(text, GRPC_SLICE_START_PTR(slice));
    GRPC_SLICE_SET_LENGTH(slice, (size_t)length);
    return slice;
}

/* The values of one header may be joined with commas (grpc/doc/PROTOCOL-HTTP2.md). */
static size_t decode_all(const struct metadata_item *item, grpc_metadata *to)
{
    size_t count = 0;
    struct span rest = item->value;
    do {
        struct span part = grpc_field_take_part(&rest);
        to[count++] = (grpc_metadata){.key = copy(item->name), .value = decode(part)};
    } while (rest.length > 0);
    return count;
}

size_t grpc_metadata_to_core(const struct metadata *from, grpc_metadata *to)
{
    size_t count = 0;
    struct metadata_item item;
    for (size_t at = 0; metadata_next(from, &at, &item);) {
        if (!grpc_field_travels(item.name) || !grpc_field_valid(item.name, item.value) ||
            span_is(item.name, "authorization") || span_is(item.name, "dbname"))
            continue;
        if (grpc_field_is_binary(item.name))
            count += decode_all(&item, to + count);
        else
            to[count++] = (grpc_metadata){.key = copy(item.name), .value = copy(item.value)};
    }
    return count;
}

/* Without padding, as gRPC's rules have it. */
static void add_encoded(struct metadata *to, struct span name, struct span bytes)
{
    char *text = malloc(BASE64_SIZE(bytes.length) + 1);
    if (!text)
        abort();
    base64_encode(bytes, text);
    size_t padding = (3 - bytes.length % 3) % 3;
    metadata_add(to, name, span_of(text, BASE64_SIZE(bytes.length) - padding));
    free(text);
}

void grpc_metadata_from_core(const grpc_metadata_array *from, struct metadata *to)
{
    for (size_t i = 0; i < from->count; i++) {
        const grpc_metadata *item = &from->metadata[i];
        struct span name = span_of_slice(&item->key);
        if (!grpc_field_travels(name) || !grpc_header_key_is_legal(item->key))
            continue;
        if (grpc_field_is_binary(name))
            add_encoded(to, name, span_of_slice(&item->value));
        else if (grpc_header_nonbin_value_is_legal(item->value))
            metadata_add(to, name, span_of_slice(&item->value));
    }
}
