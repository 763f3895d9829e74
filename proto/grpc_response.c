/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/grpc_response.h"

#include <stdlib.h>

#include "proto/grpc_field.h"
#include "proto/grpc_text.h"

#define CONTENT_TYPE "application/grpc"
#define STATUS_MAX   3 /* digits of a number that is read */

/* -1: no number. */
static int read_number(struct span text)
{
    int number = 0;
    if (text.length == 0 || text.length > STATUS_MAX)
        return -1;
    for (size_t i = 0; i < text.length; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return -1;
        number = number * 10 + (text.at[i] - '0');
    }
    return number;
}

static void take_http(struct grpc_response *response, struct span value)
{
    int number = read_number(value);
    response->http = number > 0 ? (unsigned)number : 0;
}

static void take_content_type(struct grpc_response *response, struct span value)
{
    response->grpc = span_is(span_cut(value, strlen(CONTENT_TYPE)), CONTENT_TYPE);
}

/* A peer may send any number; gRPC's statuscodes.md has UNKNOWN for those it does not define. */
static void take_status(struct grpc_response *response, struct span value)
{
    int number = read_number(value);
    bool known = number >= 0 && number <= CODE_UNAUTHENTICATED;
    response->has_status = true;
    response->code = known ? (enum code)number : CODE_UNKNOWN;
}

static void take_message(struct grpc_response *response, struct span value)
{
    blob_unref(response->message);
    response->message = blob_copy(value);
    if (!response->message)
        abort();
    response->message->size = grpc_percent_decode(value, (char *)response->message->data);
}

static void take_encoding(struct grpc_response *response, struct span value)
{
    response->bad_encoding = !encoding_read(value, &response->encoding);
}

static const struct rule {
    const char *name;
    size_t length;
    void (*take)(struct grpc_response *response, struct span value);
} rules[] = {
#define RULE(name, take)                                                                           \
    {                                                                                              \
        name, sizeof(name) - 1, take                                                               \
    }
    RULE(":status", take_http),           RULE("content-type", take_content_type),
    RULE("grpc-status", take_status),     RULE("grpc-message", take_message),
    RULE("grpc-encoding", take_encoding),
#undef RULE
};

void grpc_response_take(struct grpc_response *response, struct span name, struct span value)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (rules[i].length != name.length || memcmp(rules[i].name, name.at, name.length) != 0)
            continue;
        rules[i].take(response, value);
        return;
    }
    if (response->bare || !grpc_field_travels(name) || !grpc_field_valid(name, value))
        return;
    metadata_add(response->begun ? &response->trailers : &response->headers, name, value);
}

/* What a head with a status says is trailing metadata (Trailers-Only). */
void grpc_response_section(struct grpc_response *response)
{
    if (response->begun)
        return;
    if (response->http >= 100 && response->http < 200) {
        bool bare = response->bare;
        grpc_response_clear(response);
        response->bare = bare;
        return;
    }
    response->begun = true;
    if (!response->has_status)
        return;
    response->trailers = response->headers;
    response->headers = (struct metadata){0};
}

static struct grpc_end local(enum code code, const char *message)
{
    return (struct grpc_end){.code = code, .message = span_text(message)};
}

/* grpc/doc/PROTOCOL-HTTP2.md, Errors; names of RFC 9113 section 7. */
static struct grpc_end end_of_reset(uint32_t error)
{
    static const struct {
        enum code code;
        const char *message;
    } resets[] = {
#define RESET(number, name, code) [number] = {code, "the stream was reset: " name}
        RESET(0x0, "NO_ERROR", CODE_INTERNAL),
        RESET(0x1, "PROTOCOL_ERROR", CODE_INTERNAL),
        RESET(0x2, "INTERNAL_ERROR", CODE_INTERNAL),
        RESET(0x3, "FLOW_CONTROL_ERROR", CODE_INTERNAL),
        RESET(0x4, "SETTINGS_TIMEOUT", CODE_INTERNAL),
        RESET(0x5, "STREAM_CLOSED", CODE_UNKNOWN),
        RESET(0x6, "FRAME_SIZE_ERROR", CODE_INTERNAL),
        RESET(0x7, "REFUSED_STREAM", CODE_UNAVAILABLE),
        RESET(0x8, "CANCEL", CODE_CANCELLED),
        RESET(0x9, "COMPRESSION_ERROR", CODE_INTERNAL),
        RESET(0xa, "CONNECT_ERROR", CODE_INTERNAL),
        RESET(0xb, "ENHANCE_YOUR_CALM", CODE_RESOURCE_EXHAUSTED),
        RESET(0xc, "INADEQUATE_SECURITY", CODE_PERMISSION_DENIED),
        RESET(0xd, "HTTP_1_1_REQUIRED", CODE_UNKNOWN),
#undef RESET
    };
    if (error >= sizeof(resets) / sizeof(resets[0]))
        return local(CODE_UNKNOWN, "the stream was reset: an error that HTTP/2 does not have");
    return local(resets[error].code, resets[error].message);
}

/* grpc/doc/http-grpc-status-mapping.md. */
static struct grpc_end end_of_http(unsigned status)
{
    static const struct {
        unsigned status;
        enum code code;
        const char *message;
    } answers[] = {
#define HTTP(number, name, code) {number, code, "it answers with HTTP status " #number ", " name}
        HTTP(400, "Bad Request", CODE_INTERNAL),
        HTTP(401, "Unauthorized", CODE_UNAUTHENTICATED),
        HTTP(403, "Forbidden", CODE_PERMISSION_DENIED),
        HTTP(404, "Not Found", CODE_UNIMPLEMENTED),
        HTTP(429, "Too Many Requests", CODE_UNAVAILABLE),
        HTTP(502, "Bad Gateway", CODE_UNAVAILABLE),
        HTTP(503, "Service Unavailable", CODE_UNAVAILABLE),
        HTTP(504, "Gateway Timeout", CODE_UNAVAILABLE),
#undef HTTP
    };
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        if (answers[i].status == status)
            return local(answers[i].code, answers[i].message);
    }
    return local(CODE_UNKNOWN, "it answers with an HTTP status that is not gRPC's 200");
}

/* A status counts however the stream ended then: servers reset what they need no more of (RFC 9113
 * section 8.1). */
struct grpc_end grpc_response_end(const struct grpc_response *response, uint32_t error)
{
    if (response->has_status)
        return (struct grpc_end){
            .code = response->code, .from_peer = true, .message = blob_span(response->message)};
    if (response->begun && response->http != 200)
        return end_of_http(response->http);
    if (error != 0)
        return end_of_reset(error);
    if (response->begun && !response->grpc)
        return local(CODE_UNKNOWN, "it answers something other than gRPC");
    return local(response->begun ? CODE_UNKNOWN : CODE_INTERNAL,
                 "the answer ended without a grpc-status");
}

void grpc_response_clear(struct grpc_response *response)
{
    blob_unref(response->message);
    metadata_clear(&response->headers);
    metadata_clear(&response->trailers);
    *response = (struct grpc_response){0};
}
