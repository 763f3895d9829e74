/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <sys/resource.h>
#include <zlib.h>

#include "proto/encoding.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LARGE        (1u << 20)

static const enum encoding formats[] = {ENCODING_GZIP, ENCODING_DEFLATE};

/* As zlib's windowBits asks for a format: RFC 1952, 1950 and 1951. */
enum { GZIP = 15 + 16, ZLIB = 15, RAW = -15 };

static int bits_of(enum encoding encoding)
{
    return encoding == ENCODING_GZIP ? GZIP : ZLIB;
}

/* The bytes in that format. */
static struct blob *pack_as(struct span bytes, int bits, gz_header *header)
{
    z_stream stream = {0};
    cr_assert_eq(deflateInit2(&stream, 6, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    if (header)
        cr_assert_eq(deflateSetHeader(&stream, header), Z_OK);
    struct blob *packed = blob_new(deflateBound(&stream, bytes.length) + 64);
    stream.next_in = (Bytef *)bytes.at;
    stream.avail_in = (uInt)bytes.length;
    stream.next_out = packed->data;
    stream.avail_out = (uInt)packed->size;
    cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    packed = blob_resize(packed, stream.total_out);
    deflateEnd(&stream);
    return packed;
}

static struct blob *pack(struct span bytes, enum encoding encoding)
{
    return pack_as(bytes, bits_of(encoding), NULL);
}

/* Both, behind each other, in a block of its own; they are dropped. */
static struct blob *join(struct blob *first, struct blob *second)
{
    size_t length = first->size;
    struct blob *joined = blob_resize(first, length + second->size);
    memcpy(joined->data + length, second->data, second->size);
    blob_unref(second);
    return joined;
}

static void expect_unpacked(struct blob *packed, enum encoding encoding, size_t max,
                            struct span expected)
{
    struct blob *message = NULL;
    cr_assert_eq(encoding_inflate(blob_span(packed), encoding, max, &message), INFLATE_WHOLE);
    cr_assert_not_null(message);
    cr_expect_eq(message->size, expected.length);
    cr_expect(span_equal(blob_span(message), expected));
    blob_unref(message);
}

static void expect_not(struct blob *packed, enum encoding encoding, size_t max,
                       enum inflate_result expected)
{
    struct blob *const untouched = packed;
    struct blob *message = untouched;
    cr_expect_eq(encoding_inflate(blob_span(packed), encoding, max, &message), expected);
    cr_expect_eq(message, untouched);
}

static void fill(uint8_t *bytes, size_t length, bool random)
{
    uint32_t state = 1;
    for (size_t i = 0; i < length; i++) {
        state = state * 1103515245 + 12345;
        bytes[i] = random ? (uint8_t)(state >> 16) : 0;
    }
}

Test(encoding, has_the_names_of_grpc)
{
    static const struct {
        enum encoding encoding;
        const char *name;
    } cases[] = {
        {ENCODING_IDENTITY, "identity"},
        {ENCODING_GZIP, "gzip"},
        {ENCODING_DEFLATE, "deflate"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum encoding encoding = (enum encoding)77;
        cr_expect(encoding_read(span_text(cases[i].name), &encoding));
        cr_expect_eq(encoding, cases[i].encoding);
        cr_expect_str_eq(encoding_name(cases[i].encoding), cases[i].name);
        cr_expect(strstr(ENCODING_ACCEPTED, cases[i].name));
    }
}

Test(encoding, other_names_are_not_known)
{
    static const char *const names[] = {"", "snappy", "GZIP", "gzi", "gzip ", "gzip,deflate", "br"};
    for (size_t i = 0; i < COUNT(names); i++) {
        enum encoding encoding = (enum encoding)77;
        cr_expect_not(encoding_read(span_text(names[i]), &encoding), "\"%s\"", names[i]);
        cr_expect_eq(encoding, 77);
    }
}

/* Sizes around those at which the block grows, packed well and not at all. */
Test(encoding, unpacks_and_max_is_exact)
{
    static const size_t sizes[] = {0, 1, 100, 4095, 4096, 4097, 8191, 8192, 8193, 65536, LARGE};
    static uint8_t bytes[LARGE];
    for (size_t i = 0; i < 2 * COUNT(sizes) * COUNT(formats); i++) {
        enum encoding encoding = formats[i % 2];
        struct span plain = span_of(bytes, sizes[i / 2 % COUNT(sizes)]);
        fill(bytes, plain.length, i / 2 >= COUNT(sizes));
        struct blob *packed = pack(plain, encoding);
        expect_unpacked(packed, encoding, SIZE_MAX, plain);
        expect_unpacked(packed, encoding, plain.length + 1, plain);
        expect_unpacked(packed, encoding, plain.length, plain);
        if (plain.length > 0)
            expect_not(packed, encoding, plain.length - 1, INFLATE_TOO_LARGE);
        blob_unref(packed);
    }
}

/* The most memory that this process has had at once, in bytes. */
static size_t memory_peak(void)
{
    struct rusage usage;
    cr_assert_eq(getrusage(RUSAGE_SELF, &usage), 0);
    return (size_t)usage.ru_maxrss * 1024;
}

/* 64 MiB out of 64 KiB: not unpacked first and measured then. */
Test(encoding, bomb_is_stopped_at_max)
{
    static uint8_t zeros[64 * LARGE];
    for (size_t i = 0; i < COUNT(formats); i++) {
        struct blob *packed = pack(span_of(zeros, sizeof(zeros)), formats[i]);
        cr_expect_lt(packed->size, 100000);
        size_t before = memory_peak();
        expect_not(packed, formats[i], LARGE, INFLATE_TOO_LARGE);
        expect_not(packed, formats[i], 0, INFLATE_TOO_LARGE);
        cr_expect_lt(memory_peak() - before, 16 * LARGE);
        blob_unref(packed);
    }
}

Test(encoding, whatever_is_cut_off_is_broken)
{
    uint8_t bytes[5000];
    fill(bytes, sizeof(bytes), true);
    fill(bytes, sizeof(bytes) / 2, false);
    for (size_t i = 0; i < COUNT(formats); i++) {
        struct blob *packed = pack(span_of(bytes, sizeof(bytes)), formats[i]);
        for (size_t length = 0; length < packed->size; length++) {
            struct blob *cut = blob_copy(span_cut(blob_span(packed), length));
            expect_not(cut, formats[i], SIZE_MAX, INFLATE_BROKEN);
            blob_unref(cut);
        }
        blob_unref(packed);
    }
    struct blob *message;
    cr_expect_eq(encoding_inflate(span_of(NULL, 0), ENCODING_GZIP, 100, &message), INFLATE_BROKEN);
}

/* The last bytes of both formats are a checksum; of gzip also the size, which is only compared. */
Test(encoding, what_does_not_match_its_checksum_is_broken)
{
    for (size_t i = 0; i < COUNT(formats); i++) {
        struct blob *packed = pack(span_text("message"), formats[i]);
        for (size_t back = 1; back <= (formats[i] == ENCODING_GZIP ? 8 : 4); back++) {
            packed->data[packed->size - back] ^= 0x80;
            expect_not(packed, formats[i], SIZE_MAX, INFLATE_BROKEN);
            packed->data[packed->size - back] ^= 0x80;
        }
        expect_unpacked(packed, formats[i], SIZE_MAX, span_text("message"));
        blob_unref(packed);
    }
}

Test(encoding, another_format_is_broken)
{
    static const struct {
        int bits;
        enum encoding encoding;
    } cases[] = {
        {GZIP, ENCODING_DEFLATE}, {ZLIB, ENCODING_GZIP},     {RAW, ENCODING_GZIP},
        {RAW, ENCODING_DEFLATE},  {GZIP, ENCODING_IDENTITY}, {ZLIB, ENCODING_IDENTITY},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct blob *packed = pack_as(span_text("message"), cases[i].bits, NULL);
        expect_not(packed, cases[i].encoding, SIZE_MAX, INFLATE_BROKEN);
        blob_unref(packed);
    }
    struct blob *plain = blob_copy(span_text("message"));
    for (size_t i = 0; i < COUNT(formats); i++)
        expect_not(plain, formats[i], SIZE_MAX, INFLATE_BROKEN);
    expect_not(plain, ENCODING_IDENTITY, SIZE_MAX, INFLATE_BROKEN);
    blob_unref(plain);
}

/* zlib's format may ask for a dictionary that both sides are to know. */
Test(encoding, dictionary_is_broken)
{
    uint8_t bytes[64];
    z_stream stream = {.next_in = (Bytef *)"message", .avail_in = 7};
    cr_assert_eq(deflateInit(&stream, 6), Z_OK);
    cr_assert_eq(deflateSetDictionary(&stream, (const Bytef *)"message", 7), Z_OK);
    stream.next_out = bytes;
    stream.avail_out = sizeof(bytes);
    cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    struct blob *packed = blob_copy(span_of(bytes, stream.total_out));
    deflateEnd(&stream);
    expect_not(packed, ENCODING_DEFLATE, SIZE_MAX, INFLATE_BROKEN);
    blob_unref(packed);
}

Test(encoding, bytes_behind_the_end_are_broken)
{
    static const char *const rests[] = {"x", "\x1f", "\x1f\x8b", "more than a header is long"};
    for (size_t i = 0; i < COUNT(rests) * COUNT(formats); i++) {
        enum encoding encoding = formats[i % 2];
        struct blob *packed =
            join(pack(span_text("message"), encoding), blob_copy(span_text(rests[i / 2])));
        expect_not(packed, encoding, SIZE_MAX, INFLATE_BROKEN);
        blob_unref(packed);
    }
    struct blob *packed =
        join(pack(span_text("message"), ENCODING_GZIP), blob_copy(span_of("", 1)));
    expect_not(packed, ENCODING_GZIP, SIZE_MAX, INFLATE_BROKEN);
    blob_unref(packed);
}

/* RFC 1952 section 2.2; zlib's format (RFC 1950) has no such thing. */
Test(encoding, members_of_gzip_are_one_message)
{
    struct blob *gzip =
        join(pack(span_text("one "), ENCODING_GZIP), pack(span_text(""), ENCODING_GZIP));
    gzip = join(gzip, pack(span_text("message"), ENCODING_GZIP));
    expect_unpacked(gzip, ENCODING_GZIP, 11, span_text("one message"));
    expect_not(gzip, ENCODING_GZIP, 10, INFLATE_TOO_LARGE);
    gzip->data[gzip->size - 1] ^= 1;
    expect_not(gzip, ENCODING_GZIP, 11, INFLATE_BROKEN);
    blob_unref(gzip);

    struct blob *zlib = join(pack(span_text("one "), ENCODING_DEFLATE),
                             pack(span_text("message"), ENCODING_DEFLATE));
    expect_not(zlib, ENCODING_DEFLATE, 11, INFLATE_BROKEN);
    blob_unref(zlib);
}

/* A bomb may be made of many members as well. */
Test(encoding, members_together_keep_to_max)
{
    static uint8_t zeros[10000];
    struct blob *packed = pack(span_of(zeros, sizeof(zeros)), ENCODING_GZIP);
    for (int i = 0; i < 5; i++)
        packed = join(packed, blob_copy(blob_span(packed)));
    struct blob *message = NULL;
    cr_expect_eq(encoding_inflate(blob_span(packed), ENCODING_GZIP, 320000, &message),
                 INFLATE_WHOLE);
    cr_assert_not_null(message);
    cr_expect_eq(message->size, 320000);
    blob_unref(message);
    expect_not(packed, ENCODING_GZIP, 319999, INFLATE_TOO_LARGE);
    blob_unref(packed);
}

/* The fields that RFC 1952 section 2.3 leaves to the writer. */
Test(encoding, header_of_gzip_may_have_all_its_fields)
{
    gz_header header = {
        .time = 1735689600,
        .extra = (Bytef *)"extra",
        .extra_len = 5,
        .name = (Bytef *)"name",
        .comment = (Bytef *)"comment",
        .hcrc = 1,
    };
    struct blob *packed = pack_as(span_text("message"), GZIP, &header);
    expect_unpacked(packed, ENCODING_GZIP, 7, span_text("message"));
    packed->data[12] ^= 1; /* of the extra field, against the header's checksum */
    expect_not(packed, ENCODING_GZIP, 7, INFLATE_BROKEN);
    blob_unref(packed);
}

Test(encoding, gzip_of_our_own)
{
    static const char text[] = "one message and the same message and the same message";
    struct blob *packed = encoding_gzip(span_text(text));
    cr_assert_not_null(packed);
    cr_expect_lt(packed->size, sizeof(text) + 18);
    expect_unpacked(packed, ENCODING_GZIP, sizeof(text) - 1, span_text(text));
    blob_unref(packed);
    packed = encoding_gzip(span_of(NULL, 0));
    expect_unpacked(packed, ENCODING_GZIP, 0, span_text(""));
    blob_unref(packed);
}

Test(encoding, what_a_message_may_become)
{
    cr_expect_eq(encoding_unpacked_max(10, 64 << 20), 1 << 20);
    cr_expect_eq(encoding_unpacked_max(10, 1000), 1000);
    cr_expect_eq(encoding_unpacked_max(10000, 64 << 20), 2000000);
    cr_expect_eq(encoding_unpacked_max(64 << 20, 64 << 20), 64 << 20);
}
