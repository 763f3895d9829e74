/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/grpc_field.h"

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

static bool is_of_name(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '_' ||
           byte == '-' || byte == '.';
}

bool grpc_field_name_valid(struct span name)
{
    for (size_t i = 0; i < name.length; i++) {
        if (!is_of_name(name.at[i]))
            return false;
    }
    return name.length > 0;
}

bool grpc_field_value_valid(struct span value)
{
    for (size_t i = 0; i < value.length; i++) {
        if (value.at[i] < ' ' || value.at[i] > '~')
            return false;
    }
    return true;
}
