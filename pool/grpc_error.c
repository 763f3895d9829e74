/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/grpc_error.h"

/* What C core's own messages begin with, and ours. */
static const char *const own[] = {
    "Deadline Exceeded",
    "Received message larger than max",
    "Sent message larger than max",
    "received trailing metadata size exceeds",
    "received initial metadata size exceeds",
    "failed to connect to all addresses",
    "DNS resolution failed",
    "GOAWAY received",
    "Socket closed",
    "Connection reset by peer",
    "Connection timed out",
    "Connection refused",
    "Broken pipe",
    "Too many pings",
    "Transport closed",
    "keepalive watchdog timeout",
    "Stream IDs exhausted",
    "recvmsg:",
    "sendmsg:",
    "EOF",
    "Received RST_STREAM with error code",
    "Received http2 header with status",
    "Stream removed",
    "CANCELLED",
    GRPC_STREAM_NO_MEMORY,
};

static bool begins(struct span message, const char *text)
{
    return span_equal(span_cut(message, strlen(text)), span_text(text));
}

bool grpc_error_local(enum code code, struct span message)
{
    for (size_t i = 0; code != CODE_OK && i < sizeof(own) / sizeof(own[0]); i++) {
        if (begins(message, own[i]))
            return true;
    }
    return false;
}

bool grpc_error_unstarted(enum code code, struct span message)
{
    if (code != CODE_UNAVAILABLE)
        return false;
    return span_is(message, "GOAWAY received") || span_is(message, "Transport closed") ||
           span_is(message, "Received RST_STREAM with error code 7") ||
           begins(message, "failed to connect to all addresses") ||
           begins(message, "DNS resolution failed");
}
