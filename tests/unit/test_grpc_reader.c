/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "proto/grpc_reader.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MESSAGES     8
#define LARGE        100000

static struct grpc_reader reader;
static uint8_t input[2 * LARGE];
static size_t input_length;

/* The messages that came out. */
static struct {
    struct blob *message;
    bool compressed;
} got[MESSAGES];
static size_t got_count;

static void forget(void)
{
    for (size_t i = 0; i < got_count; i++)
        blob_unref(got[i].message);
    got_count = 0;
}

static void end(void)
{
    forget();
    grpc_reader_clear(&reader);
}

TestSuite(grpc_reader, .fini = end);

static void put(const void *bytes, size_t length)
{
    cr_assert_leq(length, sizeof(input) - input_length);
    memcpy(input + input_length, bytes, length);
    input_length += length;
}

/* A message of bytes that count up from `first`. */
static void put_message(bool compressed, uint8_t first, size_t size)
{
    uint8_t prefix[GRPC_PREFIX_SIZE];
    grpc_prefix_write(prefix, compressed, size);
    put(prefix, sizeof(prefix));
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(first + i);
        put(&byte, 1);
    }
}

static void take_whole(struct blob *message)
{
    cr_assert_not_null(message);
    cr_assert_lt(got_count, MESSAGES);
    cr_expect_eq(message->size, grpc_reader_size(&reader));
    cr_expect_not(grpc_reader_busy(&reader));
    got[got_count].message = message;
    got[got_count++].compressed = grpc_reader_compressed(&reader);
}

/* Gives one piece, in a block of its own so that a read behind it is noticed. */
static enum grpc_read give(const uint8_t *at, size_t length)
{
    struct blob *piece = blob_copy(span_of(at, length));
    struct span bytes = blob_span(piece);
    enum grpc_read read;
    do {
        struct blob *message = NULL;
        read = grpc_reader_take(&reader, &bytes, &message);
        if (read == GRPC_READ_SIZED)
            cr_assert(grpc_reader_start(&reader, SIZE_MAX));
        if (read == GRPC_READ_WHOLE)
            take_whole(message);
    } while (read == GRPC_READ_SIZED || read == GRPC_READ_WHOLE);
    if (read == GRPC_READ_MORE)
        cr_expect_eq(bytes.length, 0);
    blob_unref(piece);
    return read;
}

static void feed(size_t step)
{
    for (size_t at = 0; at < input_length; at += step) {
        size_t length = input_length - at < step ? input_length - at : step;
        cr_assert_eq(give(input + at, length), GRPC_READ_MORE);
    }
}

static void expect_got(size_t at, bool compressed, uint8_t first, size_t size)
{
    cr_assert_lt(at, got_count);
    cr_expect_eq(got[at].compressed, compressed, "message %zu", at);
    cr_assert_eq(got[at].message->size, size, "message %zu", at);
    for (size_t i = 0; i < size; i++)
        cr_assert_eq(got[at].message->data[i], (uint8_t)(first + i), "message %zu, %zu", at, i);
}

static void put_five(void)
{
    put_message(false, 10, 3);
    put_message(false, 0, 0);
    put_message(true, 20, 7);
    put_message(true, 0, 0);
    put_message(false, 30, 1);
}

static void expect_five(void)
{
    cr_assert_eq(got_count, 5);
    expect_got(0, false, 10, 3);
    expect_got(1, false, 0, 0);
    expect_got(2, true, 20, 7);
    expect_got(3, true, 0, 0);
    expect_got(4, false, 30, 1);
    cr_expect_not(grpc_reader_busy(&reader));
    cr_expect_null(reader.message);
}

Test(grpc_reader, does_not_depend_on_the_size_of_pieces)
{
    put_five();
    for (size_t step = 1; step <= input_length; step++) {
        feed(step);
        expect_five();
        forget();
    }
}

Test(grpc_reader, does_not_depend_on_where_two_cuts_are)
{
    put_five();
    for (size_t a = 0; a <= input_length; a++) {
        for (size_t b = a; b <= input_length; b++) {
            give(input, a);
            give(input + a, b - a);
            give(input + b, input_length - b);
            expect_five();
            forget();
        }
    }
}

Test(grpc_reader, large_message_comes_whole)
{
    put_message(true, 0, LARGE);
    put_message(false, 5, 4);
    feed(16384);
    cr_assert_eq(got_count, 2);
    expect_got(0, true, 0, LARGE);
    expect_got(1, false, 5, 4);
}

/* Whoever asks decides on the size before any memory is taken, or any byte behind the prefix. */
Test(grpc_reader, size_is_told_before_the_message)
{
    static const struct {
        uint8_t prefix[GRPC_PREFIX_SIZE];
        size_t size;
        bool compressed;
    } cases[] = {
        {{0, 0, 0, 0, 0}, 0, false},
        {{1, 0, 0, 0, 1}, 1, true},
        {{0, 1, 2, 3, 4}, 0x01020304, false},
        {{1, 0x7f, 0xff, 0xff, 0xff}, INT32_MAX, true},
        {{0, 0x80, 0, 0, 0}, 0x80000000, false},
        {{0, 0xff, 0xff, 0xff, 0xff}, UINT32_MAX, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t bytes[GRPC_PREFIX_SIZE + 1] = {[GRPC_PREFIX_SIZE] = 'x'};
        memcpy(bytes, cases[i].prefix, GRPC_PREFIX_SIZE);
        struct span left = span_of(bytes, sizeof(bytes));
        struct blob *message = NULL;
        for (int asked = 0; asked < 2; asked++) /* it stays so until it is started */
            cr_expect_eq(grpc_reader_take(&reader, &left, &message), GRPC_READ_SIZED);
        cr_expect_eq(left.length, 1);
        cr_expect_eq(grpc_reader_size(&reader), cases[i].size, "case %zu", i);
        cr_expect_eq(grpc_reader_compressed(&reader), cases[i].compressed, "case %zu", i);
        cr_expect_null(reader.message);
        cr_expect_null(message);
        grpc_reader_clear(&reader);

        uint8_t prefix[GRPC_PREFIX_SIZE];
        grpc_prefix_write(prefix, cases[i].compressed, cases[i].size);
        cr_expect_arr_eq(prefix, cases[i].prefix, sizeof(prefix), "case %zu", i);
    }
}

Test(grpc_reader, empty_message_is_whole_without_further_bytes)
{
    struct span left = span_of("\0\0\0\0", 5);
    struct blob *message = NULL;
    cr_assert_eq(grpc_reader_take(&reader, &left, &message), GRPC_READ_SIZED);
    cr_assert_eq(left.length, 0);
    cr_assert(grpc_reader_start(&reader, SIZE_MAX));
    left = span_of(NULL, 0);
    cr_assert_eq(grpc_reader_take(&reader, &left, &message), GRPC_READ_WHOLE);
    cr_assert_not_null(message);
    cr_expect_eq(message->size, 0);
    blob_unref(message);
    cr_expect_eq(grpc_reader_take(&reader, &left, &message), GRPC_READ_MORE);
}

/* The flag is a byte of which gRPC has defined 0 and 1. */
Test(grpc_reader, other_flags_are_broken)
{
    for (unsigned flag = 2; flag < 256; flag++) {
        uint8_t prefix[GRPC_PREFIX_SIZE] = {(uint8_t)flag};
        size_t length = 1 + flag % GRPC_PREFIX_SIZE;
        cr_expect_eq(give(prefix, length), GRPC_READ_BROKEN, "flag %u", flag);
        cr_expect_eq(give(prefix, 1), GRPC_READ_BROKEN, "it stays broken");
        cr_expect_eq(give(prefix, 0), GRPC_READ_BROKEN);
        grpc_reader_clear(&reader);
    }
}

Test(grpc_reader, broken_behind_a_message_is_noticed)
{
    put_message(false, 1, 3);
    put("\2\0\0\0\0", GRPC_PREFIX_SIZE);
    cr_expect_eq(give(input, input_length), GRPC_READ_BROKEN);
    cr_assert_eq(got_count, 1);
    expect_got(0, false, 1, 3);
}

Test(grpc_reader, is_busy_between_first_and_last_byte)
{
    put_message(false, 1, 6);
    cr_assert_not(grpc_reader_busy(&reader));
    for (size_t i = 0; i < input_length - 1; i++) {
        give(input + i, 1);
        cr_assert(grpc_reader_busy(&reader), "after byte %zu", i);
    }
    give(input + input_length - 1, 1);
    cr_expect_not(grpc_reader_busy(&reader));
    give(NULL, 0);
    cr_expect_not(grpc_reader_busy(&reader));
}

Test(grpc_reader, clear_drops_what_has_come)
{
    put_message(true, 1, 6);
    for (size_t cut = 0; cut < input_length; cut++) {
        give(input, cut);
        grpc_reader_clear(&reader);
        cr_expect_not(grpc_reader_busy(&reader));
        cr_expect_eq(got_count, 0);
        give(input, input_length);
        cr_assert_eq(got_count, 1);
        expect_got(0, true, 1, 6);
        forget();
    }
}
