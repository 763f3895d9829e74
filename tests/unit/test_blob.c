/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "proto/blob.h"

Test(blob, holds_a_copy)
{
    char text[] = "message";
    struct blob *blob = blob_copy(span_text(text));
    text[0] = 'M';
    cr_assert(span_is(blob_span(blob), "message"));
    blob_unref(blob);
}

Test(blob, may_be_empty)
{
    struct blob *blob = blob_copy(span_of(NULL, 0));
    cr_assert_not_null(blob);
    cr_expect_eq(blob->size, 0);
    cr_expect_eq(blob_span(blob).length, 0);
    cr_expect_eq(blob_span(NULL).length, 0);
    blob_unref(blob);
}

Test(blob, lives_as_long_as_its_last_reference)
{
    struct blob *blob = blob_copy(span_text("kept"));
    cr_assert_eq(blob_ref(blob), blob);
    cr_assert_eq(blob->references, 2);
    blob_unref(blob);
    cr_assert_eq(blob->references, 1);
    cr_assert(span_is(blob_span(blob), "kept"));
    blob_unref(blob);
}

Test(blob, null_is_no_reference)
{
    cr_assert_null(blob_ref(NULL));
    blob_unref(NULL);
}

Test(blob, keeps_its_bytes_when_it_grows_and_shrinks)
{
    struct blob *blob = blob_resize(blob_copy(span_text("abc")), 100000);
    cr_assert_eq(blob->size, 100000);
    blob->data[99999] = 1;
    cr_assert_eq(memcmp(blob->data, "abc", 3), 0);
    blob = blob_resize(blob, 2);
    cr_assert(span_is(blob_span(blob), "ab"));
    cr_assert_eq(blob->references, 1);
    blob_unref(blob);
}

Test(blob, too_large_a_size_is_refused)
{
    struct blob *blob = blob_copy(span_text("abc"));
    cr_expect_null(blob_new(SIZE_MAX));
    cr_expect_null(blob_new(SIZE_MAX - sizeof(struct blob) + 1));
    cr_expect_null(blob_resize(blob, SIZE_MAX));
    cr_expect(span_is(blob_span(blob), "abc"));
    blob_unref(blob);
}

Test(blob, is_filled_piece_by_piece)
{
    struct blob *blob = blob_new(5);
    blob->size = 0;
    cr_expect_eq(blob_append(blob, span_text("ab")).at, blob->data);
    cr_expect_eq(blob_append(blob, span_of(NULL, 0)).length, 0);
    cr_expect(span_is(blob_append(blob, span_text("cde")), "cde"));
    cr_expect(span_is(blob_span(blob), "abcde"));
    blob_unref(blob);
}
