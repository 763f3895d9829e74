/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "proto/blob.h"
#include "proto/wire.h"

#define BYTES(text)  span_of(text, sizeof(text) - 1)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The message's first field, read from a block of its own so that a read behind it is noticed. */
static enum wire_read first(struct span bytes, struct wire_field *ret_field, size_t *ret_left)
{
    struct blob *copy = blob_copy(bytes);
    struct span message = blob_span(copy);
    enum wire_read read = wire_next(&message, ret_field);
    if (read != WIRE_FIELD)
        cr_expect(span_equal(message, bytes), "the message has been changed");
    *ret_left = message.length;
    if (read == WIRE_FIELD && ret_field->type == WIRE_BYTES) /* the same place in what stays */
        ret_field->bytes.at = bytes.at + (ret_field->bytes.at - copy->data);
    blob_unref(copy);
    return read;
}

Test(wire, takes_fields_of_every_type)
{
    static const struct {
        struct span bytes;
        uint32_t number;
        enum wire_type type;
        uint64_t value;
    } cases[] = {
        {{(const uint8_t *)"\x08\x00", 2}, 1, WIRE_VARINT, 0},
        {{(const uint8_t *)"\x08\x7f", 2}, 1, WIRE_VARINT, 127},
        {{(const uint8_t *)"\x08\x80\x01", 3}, 1, WIRE_VARINT, 128},
        {{(const uint8_t *)"\x08\xff\xff\xff\xff\x0f", 6}, 1, WIRE_VARINT, UINT32_MAX},
        {{(const uint8_t *)"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11},
         1,
         WIRE_VARINT,
         UINT64_MAX},
        {{(const uint8_t *)"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11},
         1,
         WIRE_VARINT,
         1ull << 63},
        {{(const uint8_t *)"\x08\x81\x80\x80\x80\x80\x80\x80\x80\x80\x00", 11}, 1, WIRE_VARINT, 1},
        {{(const uint8_t *)"\x09\x01\x02\x03\x04\x05\x06\x07\x08", 9},
         1,
         WIRE_FIXED64,
         0x0807060504030201},
        {{(const uint8_t *)"\x0d\x01\x02\x03\xff", 5}, 1, WIRE_FIXED32, 0xff030201},
        {{(const uint8_t *)"\x78\x01", 2}, 15, WIRE_VARINT, 1},
        {{(const uint8_t *)"\x80\x01\x01", 3}, 16, WIRE_VARINT, 1},
        {{(const uint8_t *)"\xf8\xff\xff\xff\x0f\x01", 6}, (1u << 29) - 1, WIRE_VARINT, 1},
        {{(const uint8_t *)"\x88\x80\x00\x01", 4}, 1, WIRE_VARINT, 1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct wire_field field = {0};
        size_t left;
        cr_assert_eq(first(cases[i].bytes, &field, &left), WIRE_FIELD, "case %zu", i);
        cr_expect_eq(left, 0, "case %zu", i);
        cr_expect_eq(field.number, cases[i].number, "case %zu", i);
        cr_expect_eq(field.type, cases[i].type, "case %zu", i);
        cr_expect_eq(field.value, cases[i].value, "case %zu", i);
    }
}

Test(wire, takes_bytes_up_to_the_end)
{
    struct wire_field field;
    size_t left;
    cr_assert_eq(first(BYTES("\x12\x03"
                             "abc"),
                       &field, &left),
                 WIRE_FIELD);
    cr_expect_eq(field.number, 2);
    cr_expect_eq(field.type, WIRE_BYTES);
    cr_expect(span_is(field.bytes, "abc"));
    cr_assert_eq(first(BYTES("\x12\x00"), &field, &left), WIRE_FIELD);
    cr_expect_eq(field.bytes.length, 0);
    cr_assert_eq(first(BYTES("\x12\x01"
                             "ab"),
                       &field, &left),
                 WIRE_FIELD);
    cr_expect_eq(left, 1);
}

Test(wire, packed_varints)
{
    struct span packed = BYTES("\x01\xac\x02\x00\x80");
    const uint64_t expected[] = {1, 300, 0};
    uint64_t value = 7;
    for (size_t i = 0; i < COUNT(expected); i++) {
        cr_assert(wire_next_varint(&packed, &value));
        cr_expect_eq(value, expected[i]);
    }
    cr_expect_not(wire_next_varint(&packed, &value), "cut off");
    cr_expect_eq(packed.length, 1);
    packed.length = 0;
    cr_expect_not(wire_next_varint(&packed, &value), "the end");
    cr_expect_eq(value, 0);
}

Test(wire, end_is_no_field)
{
    struct wire_field field = {.number = 7};
    struct span message = span_of(NULL, 0);
    cr_expect_eq(wire_next(&message, &field), WIRE_END);
    cr_expect_eq(field.number, 7);
}

/* Each is wrong in its first field. */
static const struct span malformed[] = {
    {(const uint8_t *)"\x08", 1},     /* no value */
    {(const uint8_t *)"\x88", 1},     /* a tag cut off */
    {(const uint8_t *)"\x08\xff", 2}, /* a varint cut off */
    {(const uint8_t *)"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10},
    {(const uint8_t *)"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12}, /* 11 bytes long */
    {(const uint8_t *)"\x09\x01\x02\x03\x04\x05\x06\x07", 8},                  /* fixed, cut off */
    {(const uint8_t *)"\x0d\x01\x02\x03", 4},
    {(const uint8_t *)"\x0a", 1},
    {(const uint8_t *)"\x0a\x01", 2}, /* bytes beyond the end */
    {(const uint8_t *)"\x0a\x03"
                      "ab",
     4},
    {(const uint8_t *)"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11},
    {(const uint8_t *)"\x0a\xff\xff\xff\xff\x0f", 6},
    {(const uint8_t *)"\x00\x01", 2}, /* field 0 */
    {(const uint8_t *)"\x02\x00", 2},
    {(const uint8_t *)"\x0b\x0c", 2}, /* groups */
    {(const uint8_t *)"\x0c", 1},
    {(const uint8_t *)"\x0e\x01", 2}, /* types that are not defined */
    {(const uint8_t *)"\x0f\x01", 2},
    {(const uint8_t *)"\x80\x80\x80\x80\x10\x01", 6}, /* number 2^29 */
};

Test(wire, malformed_is_told_and_left_alone)
{
    for (size_t i = 0; i < COUNT(malformed); i++) {
        struct wire_field field = {.number = 7};
        size_t left;
        cr_expect_eq(first(malformed[i], &field, &left), WIRE_MALFORMED, "case %zu", i);
        cr_expect_eq(field.number, 7, "case %zu", i);
    }
}

/* Behind a field that is right, and within a message field. */
Test(wire, malformed_is_noticed_anywhere)
{
    for (size_t i = 0; i < COUNT(malformed); i++) {
        const struct wire_path flat = {.number = 2};
        const struct wire_path nested = {.outer = 1, .number = 2};
        const struct wire_path other = {.outer = 3, .number = 2};
        uint8_t bytes[64] = "\x12\x01x";
        memcpy(bytes + 3, malformed[i].at, malformed[i].length);
        struct span found = span_text("as it was");
        struct wire_status status = {.code = 7};
        struct span message = span_of(bytes, 3 + malformed[i].length);
        cr_expect_not(wire_find_bytes(message, flat, &found), "case %zu", i);
        cr_expect_not(wire_find_bytes(message, nested, &found), "case %zu", i);
        cr_expect_not(wire_read_status(message, &status), "case %zu", i);

        uint8_t outer[64];
        size_t length = wire_override(outer, (struct wire_path){.number = 1}, message);
        cr_expect_not(wire_find_bytes(span_of(outer, length), nested, &found), "case %zu", i);
        cr_expect(span_is(found, "as it was"), "case %zu", i);
        cr_expect_eq(status.code, 7, "case %zu", i);
        cr_expect(wire_find_bytes(span_of(outer, length), other, &found), "case %zu", i);
        cr_expect_eq(found.length, 0, "case %zu", i);
    }
}

static void expect_found(struct span message, struct wire_path path, const char *text)
{
    struct span found;
    cr_assert(wire_find_bytes(message, path, &found), "malformed");
    cr_expect(span_is(found, text), "found \"%.*s\", not \"%s\"", SPAN_ARGS(found), text);
}

Test(wire, finds_the_last_of_several)
{
    const struct span message = BYTES("\x12\x01"
                                      "a"
                                      "\x1a\x01"
                                      "b"
                                      "\x12\x01"
                                      "c");
    expect_found(message, (struct wire_path){.number = 2}, "c");
    expect_found(message, (struct wire_path){.number = 3}, "b");
    expect_found(message, (struct wire_path){.number = 4}, "");
    expect_found(span_of(NULL, 0), (struct wire_path){.number = 2}, "");
}

Test(wire, last_may_be_empty)
{
    expect_found(BYTES("\x12\x01"
                       "a"
                       "\x12\x00"),
                 (struct wire_path){.number = 2}, "");
}

Test(wire, field_of_another_type_is_not_it)
{
    expect_found(BYTES("\x12\x01"
                       "a"
                       "\x10\x05"),
                 (struct wire_path){.number = 2}, "a");
    expect_found(BYTES("\x10\x05"), (struct wire_path){.outer = 2, .number = 1}, "");
}

/* Message fields that stand twice are merged: the last inner field counts, wherever it stands. */
Test(wire, finds_within_several_outer_messages)
{
    const struct wire_path path = {.outer = 2, .number = 5};
    expect_found(BYTES("\x12\x03\x2a\x01"
                       "a"
                       "\x12\x03\x2a\x01"
                       "b"),
                 path, "b");
    expect_found(BYTES("\x12\x03\x2a\x01"
                       "a"
                       "\x12\x00"),
                 path, "a");
    expect_found(BYTES("\x2a\x01"
                       "a"),
                 path, "");
}

static const struct wire_path paths[] = {
    {.number = 1},
    {.number = 2},
    {.number = 16},
    {.number = UINT16_MAX},
    {.outer = 2, .number = 5},
    {.outer = UINT16_MAX, .number = UINT16_MAX},
};

static void expect_overridden(struct span before, struct wire_path path, size_t length)
{
    char value[300];
    memset(value, 'v', sizeof(value));
    size_t bound = wire_override_bound(length);
    struct blob *message = blob_new(before.length + bound);
    memcpy(message->data, before.at, before.length);
    size_t written = wire_override(message->data + before.length, path, span_of(value, length));
    cr_assert_leq(written, bound);
    struct span found;
    cr_assert(wire_find_bytes(span_of(message->data, before.length + written), path, &found));
    cr_expect(span_equal(found, span_of(value, length)), "%u.%u of %zu bytes", path.outer,
              path.number, length);
    blob_unref(message);
}

Test(wire, override_is_found_again)
{
    static const size_t lengths[] = {0, 1, 125, 126, 127, 128, 255, 300};
    const struct span before = BYTES("\x0a\x01"
                                     "a"
                                     "\x12\x03\x2a\x01"
                                     "b");
    for (size_t i = 0; i < COUNT(paths); i++) {
        for (size_t j = 0; j < COUNT(lengths); j++)
            expect_overridden(before, paths[i], lengths[j]);
    }
}

Test(wire, override_writes_one_field)
{
    uint8_t bytes[64];
    size_t length = wire_override(bytes, (struct wire_path){.number = 2}, span_text("ab"));
    cr_expect(span_equal(span_of(bytes, length), BYTES("\x12\x02"
                                                       "ab")));
    length = wire_override(bytes, (struct wire_path){.outer = 2, .number = 5}, span_text("ab"));
    cr_expect(span_equal(span_of(bytes, length), BYTES("\x12\x04\x2a\x02"
                                                       "ab")));
    length = wire_override(bytes, (struct wire_path){.number = 2}, span_of(NULL, 0));
    cr_expect(span_equal(span_of(bytes, length), BYTES("\x12\x00")));
}

Test(wire, varint_is_read_as_written)
{
    static const uint64_t values[] = {0, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX};
    static const uint32_t numbers[] = {1, 15, 16, (1u << 29) - 1};
    for (size_t i = 0; i < COUNT(values) * COUNT(numbers); i++) {
        uint8_t bytes[15];
        struct wire_field field;
        size_t left;
        size_t length = wire_put_varint(bytes, numbers[i % 4], values[i / 4]);
        cr_assert_leq(length, sizeof(bytes));
        cr_assert_eq(first(span_of(bytes, length), &field, &left), WIRE_FIELD);
        cr_expect_eq(left, 0);
        cr_expect_eq(field.number, numbers[i % 4]);
        cr_expect_eq(field.value, values[i / 4]);
    }
}

Test(wire, reads_a_status)
{
    struct wire_status status = {.legacy = 1, .code = 1};
    cr_assert(wire_read_status(span_of(NULL, 0), &status));
    cr_expect_eq(status.legacy, 0);
    cr_expect_eq(status.code, 0);
    cr_expect_eq(status.reason.length, 0);
    /* error_code 1, reason "no", code 100, retriable, extra_info */
    cr_assert(wire_read_status(BYTES("\x08\x01\x12\x02no\x18\x64\x20\x01\x32\x00"), &status));
    cr_expect_eq(status.legacy, 1);
    cr_expect_eq(status.code, 100);
    cr_expect(span_is(status.reason, "no"));
}

/* A field of a type that a Status does not have there is an unknown field. */
Test(wire, status_ignores_fields_of_another_type)
{
    struct wire_status status;
    cr_assert(wire_read_status(BYTES("\x0a\x00\x10\x05\x1d\x01\x00\x00\x00"), &status));
    cr_expect_eq(status.legacy, 0);
    cr_expect_eq(status.code, 0);
    cr_expect_eq(status.reason.length, 0);
}
