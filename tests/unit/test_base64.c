/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "proto/base64.h"

Test(base64, encodes_the_examples_of_the_rfc)
{
    static const char *const pairs[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xff\xef\xbe", "/+++"},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        char text[16] = {0};
        base64_encode(span_text(pairs[i][0]), text);
        cr_expect_str_eq(text, pairs[i][1]);
        cr_expect_eq(BASE64_SIZE(strlen(pairs[i][0])), strlen(text));
    }
}

Test(base64, decodes_both_alphabets)
{
    uint8_t bytes[16];
    cr_assert_eq(base64_decode(span_text("-_8"), bytes), 2);
    cr_assert_arr_eq(bytes, "\xfb\xff", 2);
    cr_assert_eq(base64_decode(span_text("+/8="), bytes), 2);
    cr_assert_eq(base64_decode(span_text(""), bytes), 0);
    cr_assert_eq(base64_decode(span_text("A"), bytes), -1);
    cr_assert_eq(base64_decode(span_text("AA="), bytes), -1);
    cr_assert_eq(base64_decode(span_text("===="), bytes), -1);
    cr_assert_eq(base64_decode(span_text("A\nAA"), bytes), -1);
    for (size_t length = 0; length < 8; length++) {
        char text[BASE64_SIZE(8)];
        base64_encode(span_of("abcdefgh", length), text);
        cr_assert_eq(base64_decode(span_of(text, BASE64_SIZE(length)), bytes), (ptrdiff_t)length);
        cr_assert_eq(memcmp(bytes, "abcdefgh", length), 0);
    }
}
