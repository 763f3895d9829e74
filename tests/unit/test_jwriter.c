/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/jwriter.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>

static void is(struct buffer *buffer, const char *wanted)
{
    struct blob *blob = buffer_take(buffer);
    cr_expect(span_is(blob_span(blob), wanted), "%.*s", SPAN_ARGS(blob_span(blob)));
    blob_unref(blob);
}

Test(jwriter, commas_come_by_themselves)
{
    struct buffer buffer = {0};
    struct jwriter writer = {.to = &buffer};
    jwriter_object(&writer);
    jwriter_key(&writer, span_text("a"));
    jwriter_array(&writer);
    jwriter_int(&writer, -1);
    jwriter_array(&writer);
    jwriter_array_end(&writer);
    jwriter_bool(&writer, true);
    jwriter_bool(&writer, false);
    jwriter_null(&writer);
    jwriter_object(&writer);
    jwriter_object_end(&writer);
    jwriter_array_end(&writer);
    jwriter_key(&writer, span_text("b"));
    jwriter_raw(&writer, span_text("{\"c\":1}"));
    jwriter_raw_key(&writer, span_text("d\\n"));
    jwriter_text(&writer, span_text("e"));
    jwriter_object_end(&writer);
    is(&buffer, "{\"a\":[-1,[],true,false,null,{}],\"b\":{\"c\":1},\"d\\n\":\"e\"}");
}

static void text_is(struct span text, const char *wanted)
{
    struct buffer buffer = {0};
    struct jwriter writer = {.to = &buffer};
    jwriter_text(&writer, text);
    is(&buffer, wanted);
}

Test(jwriter, strings_are_escaped)
{
    text_is(span_text(""), "\"\"");
    text_is(span_text("a\"\\\b\f\n\r\t\x01\x1f\x7f/"),
            "\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7f/\"");
    text_is(span_of("\0x", 2), "\"\\u0000x\"");
    text_is(span_text("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
            "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

Test(jwriter, what_is_no_utf8_is_replaced)
{
    text_is(span_text("a\xff"
                      "b"),
            "\"a\xef\xbf\xbd"
            "b\"");
    text_is(span_text("\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
    text_is(span_text("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

Test(jwriter, numbers)
{
    struct buffer buffer = {0};
    struct jwriter writer = {.to = &buffer};
    jwriter_array(&writer);
    jwriter_int(&writer, INT64_MIN);
    jwriter_float(&writer, 0.1f);
    jwriter_double(&writer, 0.1);
    jwriter_float(&writer, NAN);
    jwriter_float(&writer, INFINITY);
    jwriter_double(&writer, -(double)INFINITY);
    jwriter_array_end(&writer);
    is(&buffer, "[-9223372036854775808,0.1,0.1,\"NaN\",\"Infinity\",\"-Infinity\"]");
}

Test(jwriter, bytes_are_base64)
{
    struct buffer buffer = {0};
    struct jwriter writer = {.to = &buffer};
    jwriter_array(&writer);
    jwriter_base64(&writer, span_text("foob"));
    jwriter_base64(&writer, span_text(""));
    jwriter_array_end(&writer);
    is(&buffer, "[\"Zm9vYg==\",\"\"]");
}

Test(buffer, grows_and_becomes_a_blob)
{
    struct buffer buffer = {0};
    for (int i = 0; i < 10000; i++)
        buffer_add_byte(&buffer, (uint8_t)i);
    buffer_add(&buffer, span_of(NULL, 0));
    struct blob *blob = buffer_take(&buffer);
    cr_assert_eq(blob->size, 10000);
    for (int i = 0; i < 10000; i++)
        cr_assert_eq(blob->data[i], (uint8_t)i);
    blob_unref(blob);
    blob = buffer_take(&buffer);
    cr_expect_eq(blob->size, 0);
    blob_unref(blob);
}

Test(buffer, writes_protobuf)
{
    struct buffer buffer = {0};
    buffer_put_varint(&buffer, 1, 300);
    buffer_put_bytes(&buffer, 2, span_text("ab"));
    buffer_put_head(&buffer, 16, 1);
    buffer_varint(&buffer, 7);
    cr_expect(span_equal(buffer_span(&buffer), span_text("\x08\xac\x02\x12\x02"
                                                         "ab\x82\x01\x01\x07")));
    buffer_clear(&buffer);
    cr_expect_eq(buffer_span(&buffer).length, 0);
}
