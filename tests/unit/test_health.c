/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as grpc.health.v1's health.proto has them: service is field 1, status is field 1. */
#include <criterion/criterion.h>

#include "proto/health.h"

#define BYTES(text) span_of(text, sizeof(text) - 1)

static bool is_service(struct span message, const char *name)
{
    struct blob *copy = blob_copy(message);
    struct span service;
    bool is = health_read_request(blob_span(copy), &service) && span_is(service, name);
    blob_unref(copy);
    return is;
}

Test(health, request_names_a_service)
{
    cr_expect(is_service(BYTES("\x0a\x06milvus"), "milvus"));
    cr_expect(is_service(BYTES("\x0a\x01"
                               "a"
                               "\x0a\x01"
                               "b"),
                         "b"));
}

Test(health, request_without_a_service_is_the_server)
{
    cr_expect(is_service(span_of(NULL, 0), ""));
    cr_expect(is_service(BYTES("\x0a\x00"), ""));
    cr_expect(is_service(BYTES("\x12\x01x\x18\x07"), ""), "unknown fields");
}

Test(health, malformed_request_is_told)
{
    struct span service = span_text("as it was");
    cr_expect_not(health_read_request(BYTES("\x0a"), &service));
    cr_expect_not(health_read_request(BYTES("\x0a\x07milvus"), &service));
    cr_expect_not(health_read_request(BYTES("\x0a\x01x\xff"), &service));
    cr_expect(span_is(service, "as it was"));
}

Test(health, response_has_the_status)
{
    static const struct {
        enum health health;
        const char *bytes;
    } cases[] = {
        {HEALTH_SERVING, "\x08\x01"},
        {HEALTH_NOT_SERVING, "\x08\x02"},
        {HEALTH_SERVICE_UNKNOWN, "\x08\x03"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct blob *response = health_response(cases[i].health);
        cr_expect(span_is(blob_span(response), cases[i].bytes), "case %zu", i);
        blob_unref(response);
    }
}
