/* SPDX-License-Identifier: Apache-2.0 */
/* grpc/doc/PROTOCOL-HTTP2.md, Responses. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/blob.h"
#include "proto/grpc_reply.h"
#include "proto/grpc_text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct metadata reply;
static struct metadata own;

static void begin(void)
{
    metadata_add(&own, span_text("trace"), span_text("1"));
    metadata_add(&own, span_text("token-bin"), span_text("AAEC"));
    metadata_add(&own, span_text("trace"), span_text(""));
}

static void end(void)
{
    metadata_clear(&reply);
    metadata_clear(&own);
}

TestSuite(grpc_reply, .init = begin, .fini = end);

/* All fields, as lines. */
static void expect_fields(const char *expected)
{
    char text[1024] = "";
    size_t length = 0;
    size_t at = 0;
    struct metadata_item item;
    while (metadata_next(&reply, &at, &item)) {
        int written = snprintf(text + length, sizeof(text) - length, "%.*s=%.*s\n",
                               SPAN_ARGS(item.name), SPAN_ARGS(item.value));
        length += (size_t)written;
        cr_assert_lt(length, sizeof(text));
    }
    cr_expect_str_eq(text, expected);
}

#define OWN "trace=1\ntoken-bin=AAEC\ntrace=\n"

Test(grpc_reply, head_is_http_and_metadata_behind_it)
{
    grpc_reply_head(&reply, NULL);
    expect_fields(":status=200\ncontent-type=application/grpc\n");
    metadata_clear(&reply);
    grpc_reply_head(&reply, &own);
    expect_fields(":status=200\ncontent-type=application/grpc\n" OWN);
}

Test(grpc_reply, status_is_a_number_and_metadata_behind_it)
{
    for (unsigned code = 0; code <= CODE_UNAUTHENTICATED; code++) {
        char expected[128];
        metadata_clear(&reply);
        grpc_reply_status(&reply, code, span_of(NULL, 0), &own);
        snprintf(expected, sizeof(expected), "grpc-status=%u\n" OWN, code);
        expect_fields(expected);
    }
}

Test(grpc_reply, message_is_between_status_and_metadata)
{
    grpc_reply_status(&reply, CODE_NOT_FOUND, span_text("collection not found"), &own);
    expect_fields("grpc-status=5\ngrpc-message=collection not found\n" OWN);
}

Test(grpc_reply, message_is_percent_encoded)
{
    grpc_reply_status(&reply, CODE_INTERNAL, span_text("100%\n\xe9\x9b\x86"), NULL);
    expect_fields("grpc-status=13\ngrpc-message=100%25%0A%E9%9B%86\n");
}

/* Trailers-Only. */
Test(grpc_reply, status_may_stand_in_the_head)
{
    grpc_reply_head(&reply, &own);
    grpc_reply_status(&reply, CODE_UNAVAILABLE, span_text("later"), NULL);
    expect_fields(":status=200\ncontent-type=application/grpc\n" OWN
                  "grpc-status=14\ngrpc-message=later\n");
}

Test(grpc_reply, what_is_no_grpc_is_answered_in_http)
{
    grpc_reply_http(&reply, "415");
    expect_fields(":status=415\nallow=POST\ncontent-type=text/plain\n");
}

/* Whether the field is what the message begins with, and as much of it as fits. */
static void expect_message(struct span message)
{
    metadata_clear(&reply);
    grpc_reply_status(&reply, CODE_UNKNOWN, message, NULL);
    struct span field = metadata_find(&reply, "grpc-message");
    struct blob *decoded = blob_new(field.length);
    size_t length = grpc_percent_decode(field, (char *)decoded->data);
    struct span start = span_of(decoded->data, length);
    cr_expect(span_equal(start, span_cut(message, length)), "%zu of %zu bytes", length,
              message.length);
    cr_expect_leq(field.length, GRPC_MESSAGE_MAX);
    if (length < message.length) /* the next byte would not have fitted */
        cr_expect_gt(field.length, GRPC_MESSAGE_MAX - 3);
    blob_unref(decoded);
}

Test(grpc_reply, message_of_the_limit_is_whole_and_one_byte_more_is_cut)
{
    struct blob *message = blob_new(GRPC_MESSAGE_MAX + 1);
    memset(message->data, 'm', message->size);
    for (size_t over = 0; over < 2; over++) {
        struct span text = span_of(message->data, GRPC_MESSAGE_MAX + over);
        expect_message(text);
        cr_expect_eq(metadata_find(&reply, "grpc-message").length, GRPC_MESSAGE_MAX);
    }
    blob_unref(message);
}

/* An escape at every place near the limit, and nothing but escapes. */
Test(grpc_reply, message_is_never_cut_within_an_escape)
{
    struct blob *message = blob_new(GRPC_MESSAGE_MAX + 100);
    for (size_t place = GRPC_MESSAGE_MAX - 8; place < GRPC_MESSAGE_MAX + 2; place++) {
        for (size_t escapes = 1; escapes < 5; escapes++) {
            memset(message->data, 'm', message->size);
            memset(message->data + place, '%', escapes);
            expect_message(blob_span(message));
        }
    }
    for (size_t plain = 0; plain < 4; plain++) {
        memset(message->data, '\n', message->size);
        memset(message->data, 'm', plain);
        expect_message(blob_span(message));
    }
    for (size_t length = GRPC_MESSAGE_MAX / 3 - 2; length < GRPC_MESSAGE_MAX / 3 + 3; length++) {
        memset(message->data, 0xe9, message->size);
        expect_message(span_of(message->data, length));
    }
    blob_unref(message);
}

/* As an upstream may send it. */
Test(grpc_reply, huge_message_is_cut)
{
    struct blob *message = blob_new(10 << 20);
    memset(message->data, 'm', message->size);
    expect_message(blob_span(message));
    blob_unref(message);
}
