/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/grpc_error.h"

/* What C core's own messages begin with, by the code they come with. */
static const struct {
    enum code code;
    const char *text;
} own[] = {
    {CODE_DEADLINE_EXCEEDED, "Deadline Exceeded"},
    {CODE_RESOURCE_EXHAUSTED, "Received message larger than max"},
    {CODE_RESOURCE_EXHAUSTED, "Sent message larger than max"},
    {CODE_RESOURCE_EXHAUSTED, "received trailing metadata size exceeds"},
    {CODE_RESOURCE_EXHAUSTED, "received initial metadata size exceeds"},
    {CODE_UNAVAILABLE, "failed to connect to all addresses"},
    {CODE_UNAVAILABLE, "DNS resolution failed"},
    {CODE_UNAVAILABLE, "GOAWAY received"},
    {CODE_UNAVAILABLE, "Socket closed"},
    {CODE_UNAVAILABLE, "Connection reset by peer"},
    {CODE_UNAVAILABLE, "Connection timed out"},
    {CODE_UNAVAILABLE, "Connection refused"},
    {CODE_UNAVAILABLE, "Broken pipe"},
    {CODE_UNAVAILABLE, "Too many pings"},
    {CODE_UNAVAILABLE, "Transport closed"},
    {CODE_UNAVAILABLE, "keepalive watchdog timeout"},
    {CODE_UNAVAILABLE, "Stream IDs exhausted"},
    {CODE_UNAVAILABLE, "recvmsg:"},
    {CODE_UNAVAILABLE, "sendmsg:"},
    {CODE_UNAVAILABLE, "EOF"},
    {CODE_UNAVAILABLE, "Received RST_STREAM with error code"},
    {CODE_CANCELLED, "Received RST_STREAM with error code"},
    {CODE_INTERNAL, "Received RST_STREAM with error code"},
    {CODE_RESOURCE_EXHAUSTED, "Received RST_STREAM with error code"},
    {CODE_PERMISSION_DENIED, "Received RST_STREAM with error code"},
    {CODE_UNKNOWN, "Stream removed"},
};

static bool begins(struct span message, const char *text)
{
    return span_equal(span_cut(message, strlen(text)), span_text(text));
}

bool grpc_error_local(enum code code, struct span message)
{
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (own[i].code == code && begins(message, own[i].text))
            return true;
    }
    return false;
}

bool grpc_error_unstarted(enum code code, struct span message)
{
    if (code != CODE_UNAVAILABLE)
        return false;
    return span_is(message, "GOAWAY received") ||
           span_is(message, "Received RST_STREAM with error code 7") ||
           begins(message, "failed to connect to all addresses") ||
           begins(message, "DNS resolution failed");
}
