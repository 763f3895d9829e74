/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/grpc_metadata.h"

#include <stdlib.h>

#include "proto/base64.h"

/* Of one connection, or C core's own: gRPC's sources, core/lib/transport/metadata_batch.h; for some
 * of these it aborts on a value that it cannot read. */
static const char *const own[] = {
    "connection", "content-length",      "content-type", "endpoint-load-metrics-bin",
    "host",       "grpclb_client_stats", "keep-alive",   "lb-cost-bin",
    "lb-token",   "proxy-connection",    "te",           "transfer-encoding",
    "upgrade",    "user-agent",
};

/* "grpc-" is reserved for gRPC; these go from end to end all the same. */
static const char *const passed[] = {
    "grpc-retry-pushback-ms",
    "grpc-status-details-bin",
    "grpc-tags-bin",
    "grpc-trace-bin",
};

static bool is_among(struct span name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (span_is(name, names[i]))
            return true;
    }
    return false;
}

static bool travels(struct span name)
{
    if (is_among(name, own, sizeof(own) / sizeof(own[0])))
        return false;
    if (!span_is(span_cut(name, strlen("grpc-")), "grpc-"))
        return true;
    return is_among(name, passed, sizeof(passed) / sizeof(passed[0]));
}

/* Refers to the bytes, for as long as they stay. */
static grpc_slice borrow(struct span text)
{
    return grpc_slice_from_static_buffer(text.at, text.length);
}

static struct span span_of_slice(const grpc_slice *slice)
{
    return span_of(GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice));
}

static bool is_binary(struct span name)
{
    static const size_t length = sizeof("-bin") - 1;
    return name.length >= length && memcmp(name.at + name.length - length, "-bin", length) == 0;
}

size_t grpc_metadata_bound(const struct metadata *from)
{
    size_t bound = 0;
    struct metadata_item item;
    for (size_t at = 0; metadata_next(from, &at, &item);) {
        bound++;
        for (size_t i = 0; is_binary(item.name) && i < item.value.length; i++)
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
        if (!travels(item.name) || !grpc_header_key_is_legal(borrow(item.name)) ||
            span_is(item.name, "authorization") || span_is(item.name, "dbname"))
            continue;
        if (is_binary(item.name))
            count += decode_all(&item, to + count);
        else if (grpc_header_nonbin_value_is_legal(borrow(item.value)))
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
        if (!travels(name) || !grpc_header_key_is_legal(item->key))
            continue;
        if (is_binary(name))
            add_encoded(to, name, span_of_slice(&item->value));
        else if (grpc_header_nonbin_value_is_legal(item->value))
            metadata_add(to, name, span_of_slice(&item->value));
    }
}
