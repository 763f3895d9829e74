/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/merge_key.h"

#include <stdlib.h>

#include "proto/grpc_field.h"

/* Who asks and what it is part of; of no concern to the answer. SDKs' own, W3C Trace Context and
 * Baggage, OpenCensus. */
static const char *const tracing[] = {
    "client-request-id", "client_request_id", "client-request-unixmsec",
    "identifier",        "traceparent",       "tracestate",
    "baggage",           "grpc-trace-bin",
};

static bool is_tracing(struct span name)
{
    for (size_t i = 0; i < sizeof(tracing) / sizeof(tracing[0]); i++) {
        if (span_is(name, tracing[i]))
            return true;
    }
    return false;
}

/* Room for so many bytes in so many parts. */
static struct blob *make(size_t bytes, size_t parts)
{
    struct blob *key = blob_new(bytes + parts * sizeof(uint64_t));
    if (!key)
        abort();
    key->size = 0;
    return key;
}

/* Its length before it, so that no two lists of parts are the same bytes. */
static void add(struct blob *key, struct span part)
{
    uint64_t length = part.length;
    blob_append(key, span_of(&length, sizeof(length)));
    blob_append(key, part);
}

struct blob *merge_key_metadata(const struct metadata *metadata)
{
    struct blob *key = NULL;
    struct metadata_item item;
    for (size_t at = 0; metadata_next(metadata, &at, &item);) {
        if (is_tracing(item.name) || !grpc_field_travels(item.name))
            continue;
        if (!key)
            key = make(metadata->length, 2 * (size_t)metadata->count);
        add(key, item.name);
        add(key, item.value);
    }
    return key;
}

struct blob *merge_key_collection(const struct request *request)
{
    struct blob *key = make(request->upstream_name.length + request->collection.length, 2);
    add(key, request->upstream_name);
    add(key, request->collection);
    return key;
}

struct blob *merge_key_read(const struct request *request)
{
    struct blob *metadata = merge_key_metadata(request->metadata);
    struct span encoding = span_of(&request->encoding, sizeof(request->encoding));
    const struct span parts[] = {
        span_text(request->path), request->upstream_name,
        blob_span(metadata),      request->body,
        blob_span(request->tail), encoding,
    };
    size_t bytes = 0;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        bytes += parts[i].length;
    struct blob *key = make(bytes, sizeof(parts) / sizeof(parts[0]));
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        add(key, parts[i]);
    blob_unref(metadata);
    return key;
}
