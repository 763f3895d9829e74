/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/grpc_metadata.h"

#include <stdlib.h>

#include "proto/base64.h"
#include "proto/grpc_field.h"

static struct span span_of_slice(const grpc_slice *slice)
{
    return span_of(GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice));
}

size_t grpc_metadata_bound(const struct metadata *from)
{
    size_t bound = 0;
    struct metadata_item item;
    for (size_t at = 0; metadata_next(from, &at, &item);) {
        bound++;
        for (size_t i = 0; grpc_field_is_binary(item.name) && i < item.value.length; i++)
            bound += item.value.at[i] == ',';
    }
    return bound;
}

/* Takes what stands before the next comma, or the rest, without spaces around it. */
static struct span take_part(struct span *text)
{
    const uint8_t *comma = memchr(text->at, ',', text->length);
    struct span part = span_cut(*text, comma ? (size_t)(comma - text->at) : text->length);
    size_t taken = part.length + (comma ? 1 : 0);
    *text = span_of(text->at + taken, text->length - taken);
    while (part.length > 0 && part.at[0] == ' ')
        part = span_of(part.at + 1, part.length - 1);
    while (part.length > 0 && part.at[part.length - 1] == ' ')
        part.length--;
    return part;
}

static grpc_slice copy(struct span bytes)
{
    return grpc_slice_from_copied_buffer((const char *)bytes.at, bytes.length);
}

/* False: it is no base64. */
static bool decode(struct span text, grpc_slice *ret_slice)
{
    grpc_slice slice = grpc_slice_malloc(base64_bound(text.length));
    ptrdiff_t length = base64_decode(text, GRPC_SLICE_START_PTR(slice));
    if (length < 0) {
        grpc_slice_unref(slice);
        return false;
    }
    GRPC_SLICE_SET_LENGTH(slice, (size_t)length);
    *ret_slice = slice;
    return true;
}

/* The values of one header may be joined with commas (grpc/doc/PROTOCOL-HTTP2.md). */
static size_t decode_all(const struct metadata_item *item, grpc_metadata *to)
{
    size_t count = 0;
    struct span rest = item->value;
    do {
        struct span part = take_part(&rest);
        if (decode(part, &to[count].value))
            to[count++].key = copy(item->name);
    } while (rest.length > 0);
    return count;
}

size_t grpc_metadata_to_core(const struct metadata *from, grpc_metadata *to)
{
    size_t count = 0;
    struct metadata_item item;
    for (size_t at = 0; metadata_next(from, &at, &item);) {
        if (!grpc_field_travels(item.name) || !grpc_field_name_valid(item.name) ||
            span_is(item.name, "authorization") || span_is(item.name, "dbname"))
            continue;
        if (grpc_field_is_binary(item.name))
            count += decode_all(&item, to + count);
        else if (grpc_field_value_valid(item.value))
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
        if (!grpc_field_travels(name) || !grpc_field_name_valid(name))
            continue;
        if (grpc_field_is_binary(name))
            add_encoded(to, name, span_of_slice(&item->value));
        else if (grpc_field_value_valid(span_of_slice(&item->value)))
            metadata_add(to, name, span_of_slice(&item->value));
    }
}
