/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "proto/grpc_response.h"

static struct grpc_response response;

static void end(void)
{
    grpc_response_clear(&response);
}

TestSuite(grpc_response, .fini = end);

static void take(const char *name, const char *value)
{
    grpc_response_take(&response, span_text(name), span_text(value));
}

static void take_head(const char *status)
{
    take(":status", status);
    take("content-type", "application/grpc+proto");
}

static void expect_end(uint32_t error, enum code code, bool from_peer, const char *message)
{
    struct grpc_end ended = grpc_response_end(&response, error);
    cr_expect_eq(ended.code, code, "%s", code_name(ended.code));
    cr_expect_eq(ended.from_peer, from_peer);
    cr_expect(span_is(ended.message, message), "%.*s", SPAN_ARGS(ended.message));
}

Test(grpc_response, head_and_trailers)
{
    take_head("200");
    take("served-by", "a");
    grpc_response_section(&response);
    cr_expect(response.begun);
    take("grpc-status", "5");
    take("grpc-message", "no such %2Fthing%");
    take("cost", "3");
    grpc_response_section(&response);
    cr_expect(span_is(metadata_find(&response.headers, "served-by"), "a"));
    cr_expect(span_is(metadata_find(&response.trailers, "cost"), "3"));
    cr_expect_eq(response.headers.count + response.trailers.count, 2);
    expect_end(0, CODE_NOT_FOUND, true, "no such /thing%");
}

/* Trailers-Only. */
Test(grpc_response, head_with_a_status_is_trailers)
{
    take_head("200");
    take("grpc-status", "0");
    take("cost", "3");
    grpc_response_section(&response);
    cr_expect_eq(response.headers.count, 0);
    cr_expect(span_is(metadata_find(&response.trailers, "cost"), "3"));
    expect_end(0, CODE_OK, true, "");
}

Test(grpc_response, interim_heads_are_forgotten)
{
    take(":status", "103");
    take("link", "x");
    grpc_response_section(&response);
    cr_expect_not(response.begun);
    take_head("200");
    grpc_response_section(&response);
    cr_expect(response.begun);
    cr_expect_eq(response.headers.count, 0);
}

Test(grpc_response, metadata_may_be_left_out)
{
    response.bare = true;
    take(":status", "100");
    grpc_response_section(&response);
    take_head("200");
    take("served-by", "a");
    grpc_response_section(&response);
    take("grpc-status", "5");
    take("cost", "3");
    cr_expect_eq(response.headers.count + response.trailers.count, 0);
    expect_end(0, CODE_NOT_FOUND, true, "");
}

Test(grpc_response, status_counts_however_the_stream_ended)
{
    take_head("200");
    grpc_response_section(&response);
    take("grpc-status", "0");
    grpc_response_section(&response);
    for (uint32_t error = 0; error < 16; error++)
        expect_end(error, CODE_OK, true, "");
}

Test(grpc_response, status_that_grpc_does_not_define)
{
    static const struct {
        const char *text;
        enum code code;
    } cases[] = {{"16", CODE_UNAUTHENTICATED},
                 {"17", CODE_UNKNOWN},
                 {"", CODE_UNKNOWN},
                 {"-1", CODE_UNKNOWN},
                 {"1x", CODE_UNKNOWN},
                 {"0000", CODE_UNKNOWN},
                 {"000", CODE_OK}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        take("grpc-status", cases[i].text);
        cr_expect_eq(response.code, cases[i].code, "%s", cases[i].text);
    }
}

Test(grpc_response, http_statuses)
{
    static const struct {
        const char *status;
        enum code code;
    } cases[] = {{"400", CODE_INTERNAL},          {"401", CODE_UNAUTHENTICATED},
                 {"403", CODE_PERMISSION_DENIED}, {"404", CODE_UNIMPLEMENTED},
                 {"429", CODE_UNAVAILABLE},       {"502", CODE_UNAVAILABLE},
                 {"503", CODE_UNAVAILABLE},       {"504", CODE_UNAVAILABLE},
                 {"500", CODE_UNKNOWN},           {"204", CODE_UNKNOWN}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        take(":status", cases[i].status);
        grpc_response_section(&response);
        struct grpc_end ended = grpc_response_end(&response, 0);
        cr_expect_eq(ended.code, cases[i].code, "%s", cases[i].status);
        cr_expect_not(ended.from_peer);
        grpc_response_clear(&response);
    }
}

Test(grpc_response, ways_to_end_without_a_status)
{
    expect_end(0, CODE_INTERNAL, false, "the answer ended without a grpc-status");
    expect_end(7, CODE_UNAVAILABLE, false, "the stream was reset: REFUSED_STREAM");
    expect_end(8, CODE_CANCELLED, false, "the stream was reset: CANCEL");
    expect_end(0xb, CODE_RESOURCE_EXHAUSTED, false, "the stream was reset: ENHANCE_YOUR_CALM");
    expect_end(0xd, CODE_UNKNOWN, false, "the stream was reset: HTTP_1_1_REQUIRED");
    expect_end(0xe, CODE_UNKNOWN, false,
               "the stream was reset: an error that HTTP/2 does not have");
    take(":status", "200");
    take("content-type", "text/html");
    grpc_response_section(&response);
    expect_end(0, CODE_UNKNOWN, false, "it answers something other than gRPC");
}

Test(grpc_response, encoding_and_what_does_not_travel)
{
    take_head("200");
    take("grpc-encoding", "gzip");
    take("te", "trailers");
    take("Upper", "x");
    take("control", "\n");
    take("broken-bin", "!");
    grpc_response_section(&response);
    cr_expect_eq(response.encoding, ENCODING_GZIP);
    cr_expect_not(response.bad_encoding);
    cr_expect_eq(response.headers.count, 0);
    take("grpc-encoding", "snappy");
    cr_expect(response.bad_encoding);
}
