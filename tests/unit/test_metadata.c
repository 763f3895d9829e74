/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "proto/metadata.h"

static struct metadata metadata;

static void end(void)
{
    metadata_clear(&metadata);
}

TestSuite(metadata, .fini = end);

static void add(const char *name, const char *value)
{
    metadata_add(&metadata, span_text(name), span_text(value));
}

/* The next item has to be that one. */
static void expect_next(size_t *at, struct span name, struct span value)
{
    struct metadata_item item;
    cr_assert(metadata_next(&metadata, at, &item), "none is left");
    cr_expect(span_equal(item.name, name), "name %.*s", SPAN_ARGS(item.name));
    cr_expect(span_equal(item.value, value), "value %.*s", SPAN_ARGS(item.value));
}

static void expect_end(size_t *at)
{
    struct metadata_item item = {.name = span_text("as it was")};
    cr_expect_not(metadata_next(&metadata, at, &item));
    cr_expect_not(metadata_next(&metadata, at, &item), "the end stays the end");
    cr_expect(span_is(item.name, "as it was"));
}

Test(metadata, zeros_and_null_are_empty)
{
    struct metadata_item item;
    size_t at = 0;
    expect_end(&at);
    cr_expect_eq(at, 0);
    cr_expect_not(metadata_next(NULL, &at, &item));
    cr_expect_eq(metadata_find(&metadata, "name").length, 0);
    cr_expect_eq(metadata_find(NULL, "name").length, 0);
    metadata_clear(&metadata);
}

Test(metadata, keeps_items_in_order)
{
    const struct span binary = span_of("a\0b\xff", 4);
    add("x-request-id", "7");
    metadata_add(&metadata, span_text("trace-bin"), binary);
    add("x-request-id", "8");
    add("empty", "");
    metadata_add(&metadata, span_text("null"), span_of(NULL, 0));
    add("", "without a name");
    cr_expect_eq(metadata.count, 6);
    size_t at = 0;
    expect_next(&at, span_text("x-request-id"), span_text("7"));
    expect_next(&at, span_text("trace-bin"), binary);
    expect_next(&at, span_text("x-request-id"), span_text("8"));
    expect_next(&at, span_text("empty"), span_text(""));
    expect_next(&at, span_text("null"), span_text(""));
    expect_next(&at, span_text(""), span_text("without a name"));
    expect_end(&at);
}

Test(metadata, holds_copies)
{
    char name[] = "name";
    char value[] = "value";
    metadata_add(&metadata, span_text(name), span_text(value));
    memset(name, 'x', sizeof(name));
    memset(value, 'x', sizeof(value));
    size_t at = 0;
    expect_next(&at, span_text("name"), span_text("value"));
}

Test(metadata, finds_the_first_of_that_name)
{
    add("dbname-more", "longer");
    add("dbnam", "shorter");
    add("dbname", "first");
    add("dbname", "second");
    add("empty", "");
    cr_expect(span_is(metadata_find(&metadata, "dbname"), "first"));
    cr_expect(span_is(metadata_find(&metadata, "dbnam"), "shorter"));
    cr_expect_eq(metadata_find(&metadata, "empty").length, 0);
    cr_expect_eq(metadata_find(&metadata, "DBNAME").length, 0);
    cr_expect_eq(metadata_find(&metadata, "d").length, 0);
}

Test(metadata, grows)
{
    static char large[100000];
    memset(large, 'v', sizeof(large));
    for (size_t length = 1; length <= sizeof(large); length *= 10)
        metadata_add(&metadata, span_text("name"), span_of(large, length));
    for (size_t i = 0; i < 10000; i++)
        metadata_add(&metadata, span_of(large, i % 10), span_of(&i, sizeof(i)));
    cr_expect_eq(metadata.count, 10006);
    size_t at = 0;
    for (size_t length = 1; length <= sizeof(large); length *= 10)
        expect_next(&at, span_text("name"), span_of(large, length));
    for (size_t i = 0; i < 10000; i++)
        expect_next(&at, span_of(large, i % 10), span_of(&i, sizeof(i)));
    expect_end(&at);
}

/* Items that end just before, at and behind the end of the block. */
Test(metadata, grows_at_its_end)
{
    static char value[1200];
    for (size_t length = 0; length <= sizeof(value); length++) {
        add("first", "1");
        metadata_add(&metadata, span_text("second"), span_of(value, length));
        add("third", "3");
        cr_assert_eq(metadata_find(&metadata, "second").length, length);
        cr_assert(span_is(metadata_find(&metadata, "third"), "3"), "%zu bytes", length);
        metadata_clear(&metadata);
    }
}

/* What pymilvus sends beside the fields of HTTP/2 and gRPC, with room for a few of a program. */
Test(metadata, of_a_usual_call_is_allocated_once)
{
    add("identifier", "4621687539121135617");
    size_t capacity = metadata.capacity;
    add("client_request_id", "3f0f5d0c9f2a4d8e8c6f4f0a8d1b2c3e");
    add("client-request-unixmsec", "1735689600000");
    add("dbname", "a_database_with_a_long_name");
    add("user-agent", "grpc-python/1.66.2 grpc-c/43.0.0 (linux; chttp2)");
    add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    cr_expect_eq(metadata.capacity, capacity);
}

Test(metadata, cleared_is_as_new)
{
    add("name", "before");
    metadata_clear(&metadata);
    cr_expect_null(metadata.bytes);
    cr_expect_eq(metadata.count, 0);
    size_t at = 0;
    expect_end(&at);
    add("name", "after");
    cr_expect(span_is(metadata_find(&metadata, "name"), "after"));
}
