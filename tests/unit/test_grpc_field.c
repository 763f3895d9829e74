/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "proto/grpc_field.h"

Test(grpc_field, what_travels_is_the_applications)
{
    static const char *const pass[] = {"identifier",
                                       "client-request-id",
                                       "grpc-trace-bin",
                                       "grpc-tags-bin",
                                       "grpc",
                                       "grpcx",
                                       "te2",
                                       ""};
    static const char *const stay[] = {"te",    "host",       "connection",   "grpc-timeout",
                                       "grpc-", "user-agent", "content-type", "grpc-encoding"};
    for (size_t i = 0; i < sizeof(pass) / sizeof(pass[0]); i++)
        cr_expect(grpc_field_travels(span_text(pass[i])), "%s", pass[i]);
    for (size_t i = 0; i < sizeof(stay) / sizeof(stay[0]); i++)
        cr_expect_not(grpc_field_travels(span_text(stay[i])), "%s", stay[i]);
}

static bool valid(const char *name, const char *value)
{
    return grpc_field_valid(span_text(name), span_text(value));
}

Test(grpc_field, names_and_values_that_grpc_allows)
{
    cr_expect(valid("a-z_0.9", "every printable ~ and space"));
    cr_expect(valid("a", ""));
    cr_expect_not(valid("", "x"));
    cr_expect_not(valid("A", "x"));
    cr_expect_not(valid(":path", "x"));
    cr_expect_not(valid("a b", "x"));
    cr_expect_not(valid("a", "tab\t"));
    cr_expect_not(valid("a", "\x7f"));
    cr_expect_not(valid("a", "\xc3\xa4"));
}

Test(grpc_field, binary_values_are_base64)
{
    cr_expect(valid("x-bin", "AQID"));
    cr_expect(valid("x-bin", ""));
    cr_expect(valid("x-bin", "AQ,Ag , Aw=="));
    cr_expect_not(valid("x-bin", "!"));
    cr_expect_not(valid("x-bin", "AQ,!"));
    cr_expect(valid("x-binary", "!"));
}

Test(grpc_field, parts_of_a_value)
{
    struct span value = span_text(" a , b,,c");
    cr_expect(span_is(grpc_field_take_part(&value), "a"));
    cr_expect(span_is(grpc_field_take_part(&value), "b"));
    cr_expect(span_is(grpc_field_take_part(&value), ""));
    cr_expect(span_is(grpc_field_take_part(&value), "c"));
    cr_expect_eq(value.length, 0);
    cr_expect_eq(grpc_field_take_part(&value).length, 0);
}

Test(grpc_field, bound_counts_the_parts)
{
    struct metadata metadata = {0};
    cr_expect_eq(grpc_field_bound(NULL), 0);
    metadata_add(&metadata, span_text("a"), span_text("1,2,3"));
    metadata_add(&metadata, span_text("a-bin"), span_text("AQ,Ag,Aw"));
    cr_expect_eq(grpc_field_bound(&metadata), 4);
    metadata_clear(&metadata);
}
