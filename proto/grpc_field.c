/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/grpc_field.h"

#include <stdlib.h>

#include "proto/base64.h"

struct name {
    const char *text;
    size_t length;
};
#define NAME(text)                                                                                 \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

/* Of one connection, or C core's own: gRPC's sources, core/lib/transport/metadata_batch.h; for some
 * of these it aborts on a value that it cannot read. */
static const struct name own[] = {
    NAME("connection"),   NAME("content-length"),
    NAME("content-type"), NAME("endpoint-load-metrics-bin"),
    NAME("host"),         NAME("grpclb_client_stats"),
    NAME("keep-alive"),   NAME("lb-cost-bin"),
    NAME("lb-token"),     NAME("proxy-connection"),
    NAME("te"),           NAME("transfer-encoding"),
    NAME("upgrade"),      NAME("user-agent"),
};

/* "grpc-" is reserved for gRPC; these go from end to end all the same. */
static const struct name passed[] = {
    NAME("grpc-retry-pushback-ms"),
    NAME("grpc-status-details-bin"),
    NAME("grpc-tags-bin"),
    NAME("grpc-trace-bin"),
};

static bool is_among(struct span name, const struct name *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (names[i].length == name.length && memcmp(names[i].text, name.at, name.length) == 0)
            return true;
    }
    return false;
}

bool grpc_field_travels(struct span name)
{
    if (is_among(name, own, sizeof(own) / sizeof(own[0])))
        return false;
    if (!span_is(span_cut(name, strlen("grpc-")), "grpc-"))
        return true;
    return is_among(name, passed, sizeof(passed) / sizeof(passed[0]));
}

bool grpc_field_is_binary(struct span name)
{
    static const size_t length = sizeof("-bin") - 1;
    return name.length >= length && memcmp(name.at + name.length - length, "-bin", length) == 0;
}

struct span grpc_field_take_part(struct span *value)
{
    const uint8_t *comma = value->length > 0 ? memchr(value->at, ',', value->length) : NULL;
    struct span part = span_cut(*value, comma ? (size_t)(comma - value->at) : value->length);
    size_t taken = part.length + (comma ? 1 : 0);
    *value = span_of(value->at + taken, value->length - taken);
    while (part.length > 0 && part.at[0] == ' ')
        part = span_of(part.at + 1, part.length - 1);
    while (part.length > 0 && part.at[part.length - 1] == ' ')
        part.length--;
    return part;
}

static bool is_of_name(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '_' ||
           byte == '-' || byte == '.';
}

static bool name_valid(struct span name)
{
    for (size_t i = 0; i < name.length; i++) {
        if (!is_of_name(name.at[i]))
            return false;
    }
    return name.length > 0;
}

static bool text_valid(struct span value)
{
    for (size_t i = 0; i < value.length; i++) {
        if (value.at[i] < ' ' || value.at[i] > '~')
            return false;
    }
    return true;
}

static bool is_base64(struct span text)
{
    uint8_t *bytes = malloc(base64_bound(text.length));
    if (!bytes)
        abort();
    ptrdiff_t length = base64_decode(text, bytes);
    free(bytes);
    return length >= 0;
}

static bool binary_valid(struct span value)
{
    do {
        if (!is_base64(grpc_field_take_part(&value)))
            return false;
    } while (value.length > 0);
    return true;
}

bool grpc_field_valid(struct span name, struct span value)
{
    if (!name_valid(name))
        return false;
    return grpc_field_is_binary(name) ? binary_valid(value) : text_valid(value);
}

size_t grpc_field_bound(const struct metadata *from)
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
