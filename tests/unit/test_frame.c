/* SPDX-License-Identifier: Apache-2.0 */
/* The plain protocol's frames as the daemon reads and writes them, against the contract's table. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "proto/frame.h"

#define MAX_MESSAGE 100u
#define KEPT        300000u /* bytes of input and of a body that a test may have */
#define FRAMES      8

static struct frame_reader reader;
static uint8_t input[KEPT + 1000];
static size_t input_length;

/* A frame as it came out, copied. */
struct got {
    enum frame_read read;
    struct frame frame;
};
static struct got got[FRAMES];
static size_t got_count;
static size_t skipped;

static void begin(void)
{
    frame_reader_init(&reader, MAX_MESSAGE);
}

static void forget(void)
{
    for (size_t i = 0; i < got_count; i++)
        blob_unref(got[i].frame.payload);
    got_count = 0;
    skipped = 0;
}

static void end(void)
{
    forget();
    frame_reader_clear(&reader);
}

TestSuite(frame, .init = begin, .fini = end);

struct header {
    uint32_t length;
    uint8_t type;
    uint8_t code;
    uint16_t text;
    uint32_t id;
    uint32_t extra;
};

static void put(const void *bytes, size_t length)
{
    cr_assert_leq(length, sizeof(input) - input_length);
    if (length > 0)
        memcpy(input + input_length, bytes, length);
    input_length += length;
}

static void put_number(uint32_t value, unsigned bytes)
{
    while (bytes-- > 0) {
        uint8_t byte = (uint8_t)(value >> 8 * bytes);
        put(&byte, 1);
    }
}

static void put_header(struct header header)
{
    put_number(header.length, 4);
    put_number(header.type, 1);
    put_number(header.code, 1);
    put_number(header.text, 2);
    put_number(header.id, 4);
    put_number(header.extra, 4);
}

/* A request whose body is `size` bytes that count up. */
static void put_request(uint32_t id, struct span text, size_t size)
{
    put_header((struct header){.length = (uint32_t)(text.length + size),
                               .type = FRAME_REQUEST,
                               .text = (uint16_t)text.length,
                               .id = id,
                               .extra = 1500});
    put(text.at, text.length);
    for (size_t i = 0; i < size; i++)
        put_number((uint32_t)i, 1);
}

static void put_control(enum frame_type type, uint32_t id)
{
    put_header((struct header){.type = (uint8_t)type, .id = id});
}

/* Gives one piece in a block of its own, so that a read behind it is noticed. */
static enum frame_read give(const uint8_t *at, size_t length)
{
    struct blob *piece = blob_copy(span_of(at, length));
    struct span bytes = blob_span(piece);
    enum frame_read read = FRAME_READ_MORE;
    while (bytes.length > 0) {
        struct frame frame;
        read = frame_reader_take(&reader, &bytes, &frame);
        if (read == FRAME_READ_BROKEN)
            break;
        if (read == FRAME_READ_SKIPPED) {
            cr_assert_gt(got_count, 0);
            cr_expect_eq(got[got_count - 1].read, FRAME_READ_TOO_LARGE);
            cr_expect_not(frame_reader_busy(&reader));
            skipped++;
            continue;
        }
        if (read == FRAME_READ_MORE) {
            cr_assert_eq(bytes.length, 0);
            break;
        }
        cr_assert_lt(got_count, FRAMES);
        got[got_count++] = (struct got){.read = read, .frame = frame};
    }
    blob_unref(piece);
    return read;
}

/* The whole input in pieces of `step` bytes; what the last one gave. */
static enum frame_read feed(size_t step)
{
    enum frame_read read = FRAME_READ_MORE;
    for (size_t at = 0; at < input_length && read != FRAME_READ_BROKEN; at += step)
        read = give(input + at, input_length - at < step ? input_length - at : step);
    return read;
}

static void expect_body(struct span body, size_t size)
{
    cr_assert_eq(body.length, size);
    for (size_t i = 0; i < size; i++)
        cr_assert_eq(body.at[i], (uint8_t)i, "byte %zu", i);
}

static void expect_request(size_t at, uint32_t id, const char *method, const char *database)
{
    const struct frame *frame = &got[at].frame;
    cr_expect_eq(frame->type, FRAME_REQUEST);
    cr_expect_eq(frame->id, id);
    cr_expect_eq(frame->timeout, 1500);
    cr_expect(span_is(frame->method, method), "%.*s", SPAN_ARGS(frame->method));
    cr_expect(span_is(frame->database, database), "%.*s", SPAN_ARGS(frame->database));
}

static void expect_control(size_t at, enum frame_type type, uint32_t id)
{
    cr_expect_eq(got[at].read, FRAME_READ_WHOLE);
    cr_expect_eq(got[at].frame.type, type);
    cr_expect_eq(got[at].frame.id, id);
    cr_expect_null(got[at].frame.payload);
}

static const struct span search_a = {(const uint8_t *)"Search\0a", 8};

static void expect_all_five(void)
{
    cr_assert_eq(got_count, 5);
    expect_request(0, 0xfffefdfc, "Search", "");
    expect_body(got[0].frame.body, 5);
    expect_control(1, FRAME_CANCEL, 0xfffefdfc);
    expect_request(2, 2, "Search", "a");
    cr_expect_eq(got[2].read, FRAME_READ_TOO_LARGE);
    cr_expect_eq(got[2].frame.body.length, 0);
    cr_expect_eq(got[2].frame.body_size, MAX_MESSAGE + 1);
    expect_control(3, FRAME_PING, 0);
    expect_request(4, 3, "Insert", "");
    expect_body(got[4].frame.body, MAX_MESSAGE);
    cr_expect_not(frame_reader_busy(&reader));
}

Test(frame, does_not_depend_on_how_the_bytes_arrive)
{
    put_request(0xfffefdfc, span_text("Search"), 5);
    put_control(FRAME_CANCEL, 0xfffefdfc);
    put_request(2, search_a, MAX_MESSAGE + 1);
    put_control(FRAME_PING, 0);
    put_request(3, span_text("Insert"), MAX_MESSAGE);
    const size_t steps[] = {input_length, 1, 2, 3, 15, 16, 17, 21, 22, 23, 100};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        cr_assert_neq(feed(steps[i]), FRAME_READ_BROKEN, "%zu at a time", steps[i]);
        expect_all_five();
        forget();
    }
}

Test(frame, text_may_name_a_database)
{
    static const struct {
        struct span text;
        const char *method;
        const char *database;
    } cases[] = {
        {{(const uint8_t *)"Search", 6}, "Search", ""},
        {{(const uint8_t *)"Search\0", 7}, "Search", ""},
        {{(const uint8_t *)"Search\0b", 8}, "Search", "b"},
        {{(const uint8_t *)"\0b", 2}, "", "b"},
        {{(const uint8_t *)"\0", 1}, "", ""},
        {{(const uint8_t *)"a.B/C\0db", 8}, "a.B/C", "db"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        input_length = 0;
        put_request(1, cases[i].text, i % 2);
        feed(input_length);
        cr_assert_eq(got_count, 1);
        expect_request(0, 1, cases[i].method, cases[i].database);
        forget();
    }
}

Test(frame, second_nul_belongs_to_the_database)
{
    put_request(1, span_of("S\0a\0b", 5), 0);
    feed(input_length);
    cr_expect(span_is(got[0].frame.method, "S"));
    cr_expect(span_equal(got[0].frame.database, span_of("a\0b", 3)));
}

Test(frame, body_may_be_empty)
{
    put_request(1, span_text("GetVersion"), 0);
    feed(1);
    cr_assert_eq(got_count, 1);
    cr_expect_eq(got[0].read, FRAME_READ_WHOLE);
    cr_expect_eq(got[0].frame.body.length, 0);
    cr_expect_eq(got[0].frame.body_size, 0);
}

Test(frame, body_of_max_message_is_taken_and_one_above_is_not)
{
    put_request(1, span_text("Search"), MAX_MESSAGE);
    put_request(2, span_text("Search"), MAX_MESSAGE + 1);
    feed(input_length);
    cr_assert_eq(got_count, 2);
    cr_expect_eq(got[0].read, FRAME_READ_WHOLE);
    expect_body(got[0].frame.body, MAX_MESSAGE);
    cr_expect_eq(skipped, 1);
    cr_expect_eq(got[1].read, FRAME_READ_TOO_LARGE);
    cr_expect_eq(got[1].frame.payload->size, strlen("Search"));
}

Test(frame, max_message_does_not_count_the_text)
{
    char text[MAX_MESSAGE * 3];
    memset(text, 'm', sizeof(text));
    put_request(1, span_of(text, sizeof(text)), MAX_MESSAGE);
    cr_expect_eq(feed(7), FRAME_READ_WHOLE);
    cr_expect_eq(got[0].frame.method.length, sizeof(text));
}

/* More than one growth of the payload's block. */
Test(frame, large_body_comes_whole)
{
    frame_reader_clear(&reader);
    frame_reader_init(&reader, KEPT);
    put_request(1, search_a, KEPT);
    cr_expect_eq(feed(10007), FRAME_READ_WHOLE);
    cr_assert_eq(got_count, 1);
    expect_request(0, 1, "Search", "a");
    expect_body(got[0].frame.body, KEPT);
    cr_expect_eq(got[0].frame.payload->size, KEPT + search_a.length);
}

/* An announcement alone costs no memory. */
Test(frame, payload_is_allocated_as_it_comes)
{
    frame_reader_clear(&reader);
    frame_reader_init(&reader, FRAME_LENGTH_MAX);
    put_header((struct header){.length = FRAME_LENGTH_MAX, .type = FRAME_REQUEST, .text = 1});
    put("x", 1);
    cr_expect_eq(feed(input_length), FRAME_READ_MORE);
    cr_expect_leq(reader.payload->size, 1u << 16);
}

Test(frame, breaks_of_the_rules_are_told)
{
    static const struct {
        struct header header;
        const char *fault; /* NULL: none */
    } cases[] = {
        {{.length = 6, .type = 0, .text = 6}, "unknown frame type"},
        {{.length = 6, .type = 1, .text = 6}, NULL},
        {{.length = 0, .type = 2}, "unknown frame type"},
        {{.length = 0, .type = 4}, "unknown frame type"},
        {{.length = 0, .type = 6}, "unknown frame type"},
        {{.length = 0, .type = 7}, "unknown frame type"},
        {{.length = 0, .type = 255}, "unknown frame type"},
        {{.length = 6, .type = 1, .text = 6, .code = 1}, "byte 5"},
        {{.length = 6, .type = 1, .text = 6, .code = 128}, "byte 5"},
        {{.length = INT32_MAX, .type = 1, .text = 6}, NULL},
        {{.length = INT32_MAX + 1u, .type = 1, .text = 6}, "at most 2147483647"},
        {{.length = UINT32_MAX, .type = 1, .text = 6}, "at most 2147483647"},
        {{.length = 6, .type = 1, .text = 7}, "M is at most the length"},
        {{.length = 0, .type = 1, .text = 1}, "M is at most the length"},
        {{.length = 65535, .type = 1, .text = 65535}, NULL},
        {{.length = 6, .type = 1, .text = 0}, "M is at least 1"},
        {{.length = 0, .type = 1, .text = 0}, "M is at least 1"},
        {{.length = 1, .type = 1, .text = 1}, NULL},
        {{.length = 1, .type = 3}, "no payload"},
        {{.length = 1, .type = 5}, "no payload"},
        {{.length = 1, .type = 3, .text = 1}, "no payload"},
        {{.length = 0, .type = 3, .text = 1}, "no payload"},
        {{.length = 0, .type = 5, .text = 65535}, "no payload"},
        {{.length = 0, .type = 3, .code = 1}, "byte 5"},
        {{.length = 0, .type = 5, .code = 1}, "byte 5"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        frame_reader_clear(&reader);
        input_length = 0;
        put_header(cases[i].header);
        enum frame_read read = feed(i % 2 ? 1 : input_length);
        cr_expect_eq(read, cases[i].fault ? FRAME_READ_BROKEN : FRAME_READ_MORE, "case %zu", i);
        if (cases[i].fault && read == FRAME_READ_BROKEN)
            cr_expect(strstr(frame_reader_fault(&reader), cases[i].fault), "case %zu: %s", i,
                      frame_reader_fault(&reader));
    }
}

Test(frame, reader_is_busy_between_first_and_last_byte)
{
    put_request(1, span_text("Search"), 10);
    cr_assert_not(frame_reader_busy(&reader));
    for (size_t i = 0; i < input_length - 1; i++) {
        give(input + i, 1);
        cr_assert(frame_reader_busy(&reader), "after byte %zu", i);
    }
    give(input + input_length - 1, 1);
    cr_expect_not(frame_reader_busy(&reader));
    cr_expect_null(reader.payload);
}

Test(frame, reader_is_busy_while_it_skips)
{
    put_request(1, span_text("Search"), MAX_MESSAGE + 1);
    for (size_t i = 0; i < input_length - 1; i++) {
        give(input + i, 1);
        cr_assert(frame_reader_busy(&reader), "after byte %zu", i);
    }
    cr_expect_eq(got_count, 1);
    give(input + input_length - 1, 1);
    cr_expect_not(frame_reader_busy(&reader));
}

Test(frame, clear_drops_what_has_come)
{
    put_request(1, span_text("Search"), 10);
    give(input, input_length - 1);
    frame_reader_clear(&reader);
    cr_expect_not(frame_reader_busy(&reader));
    cr_expect_eq(feed(input_length), FRAME_READ_WHOLE);
    expect_body(got[0].frame.body, 10);
}

Test(frame, head_is_written_as_the_contract_says)
{
    static const struct {
        struct frame_head head;
        uint8_t bytes[FRAME_HEADER_SIZE];
    } cases[] = {
        {{.type = FRAME_REPLY, .id = 0x01020304, .body_length = 0x0a0b0c},
         {0, 0x0a, 0x0b, 0x0c, 2, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0}},
        {{.type = FRAME_REPLY,
          .code = CODE_UNAUTHENTICATED,
          .phase = PHASE_UPSTREAM,
          .id = UINT32_MAX,
          .text_length = FRAME_TEXT_MAX},
         {0, 0, 0xff, 0xff, 2, 16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 4}},
        {{.type = FRAME_GOAWAY, .code = CODE_UNAVAILABLE, .text_length = 0x102},
         {0, 0, 1, 2, 4, 14, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0}},
        {{.type = FRAME_PONG, .id = 9}, {0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0}},
        {{.type = FRAME_REPLY, .text_length = 1, .body_length = UINT32_MAX - 1},
         {0xff, 0xff, 0xff, 0xff, 2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t bytes[FRAME_HEADER_SIZE];
        memset(bytes, 0xee, sizeof(bytes));
        frame_write_head(bytes, &cases[i].head);
        cr_expect_arr_eq(bytes, cases[i].bytes, sizeof(bytes), "case %zu", i);
    }
}
