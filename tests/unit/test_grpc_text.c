/* SPDX-License-Identifier: Apache-2.0 */
/* grpc/doc/PROTOCOL-HTTP2.md: Timeout and Percent-Encoded. */
#include <criterion/criterion.h>

#include "proto/blob.h"
#include "proto/grpc_text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* From a block of its own, so that a read behind it is noticed. */
static bool read_timeout(struct span text, int64_t *ret_timeout)
{
    struct blob *copy = blob_copy(text);
    bool read = grpc_timeout_read(blob_span(copy), ret_timeout);
    blob_unref(copy);
    return read;
}

Test(grpc_text, reads_timeouts_of_every_unit)
{
    static const struct {
        const char *text;
        int64_t timeout;
    } cases[] = {
        {"0n", 0},
        {"1n", 1},
        {"999999n", 1},
        {"1000000n", 1},
        {"1000001n", 2},
        {"99999999n", 100},
        {"0u", 0},
        {"1u", 1},
        {"1000u", 1},
        {"1001u", 2},
        {"99999999u", 100000},
        {"0m", 0},
        {"1m", 1},
        {"00000001m", 1},
        {"99999999m", 99999999},
        {"0S", 0},
        {"10S", 10000},
        {"99999999S", 99999999000},
        {"1M", 60000},
        {"99999999M", 5999999940000},
        {"1H", 3600000},
        {"0H", 0},
        {"00000000H", 0},
        {"99999999H", 359999996400000},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t timeout = -1;
        cr_expect(read_timeout(span_text(cases[i].text), &timeout), "\"%s\"", cases[i].text);
        cr_expect_eq(timeout, cases[i].timeout, "\"%s\": %lld", cases[i].text, (long long)timeout);
    }
}

Test(grpc_text, malformed_timeouts_are_refused)
{
    static const char *const cases[] = {
        "",    "1",         "S",    "SS",  "100000000n", "000000001H", "123456789012345678901S",
        "1s",  "1h",        "1d",   "1 S", " 1S",        "1S ",        "-1S",
        "+1S", "1.5S",      "1,",   "0x1", "1S1S",       "1SS",        "S1",
        "1\n", "\xd9\xa1S", "1e3m", "/m",  ":m",         "1%",
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t timeout = -1;
        cr_expect_not(read_timeout(span_text(cases[i]), &timeout), "\"%s\"", cases[i]);
        cr_expect_eq(timeout, -1, "\"%s\"", cases[i]);
    }
    int64_t timeout = -1;
    cr_expect_not(read_timeout(span_of("1\0", 2), &timeout));
    cr_expect_not(read_timeout(span_of("\0S", 2), &timeout));
    cr_expect_not(grpc_timeout_read(span_of(NULL, 0), &timeout));
}

Test(grpc_text, writes_timeouts_in_the_finest_unit_that_fits)
{
    static const struct {
        int64_t timeout;
        const char *text;
    } cases[] = {
        {INT64_MIN, "0m"},
        {-1, "0m"},
        {0, "0m"},
        {1, "1m"},
        {30000, "30000m"},
        {99999999, "99999999m"},
        {100000000, "100000S"},
        {100000001, "100001S"},
        {99999999000, "99999999S"},
        {99999999001, "1666667M"},
        {5999999940000, "99999999M"},
        {5999999940001, "1666667H"},
        {359999996400000, "99999999H"},
        {359999996400001, "99999999H"},
        {INT64_MAX, "99999999H"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[GRPC_TIMEOUT_MAX];
        grpc_timeout_write(cases[i].timeout, text);
        cr_expect_str_eq(text, cases[i].text);
    }
}

/* Also where a unit is too small: a deadline is never cut short. */
Test(grpc_text, written_timeout_is_read_as_no_less)
{
    for (int64_t timeout = 1; timeout < 359999996400000; timeout = timeout * 3 + 1) {
        char text[GRPC_TIMEOUT_MAX];
        int64_t read;
        grpc_timeout_write(timeout, text);
        cr_assert(read_timeout(span_text(text), &read), "%s", text);
        cr_expect_geq(read, timeout);
        cr_expect_lt(read - timeout, 3600000);
        if (timeout <= 99999999)
            cr_expect_eq(read, timeout);
    }
}

static const struct {
    struct span plain;
    const char *encoded;
} texts[] = {
    {{(const uint8_t *)"", 0}, ""},
    {{(const uint8_t *)"collection not found", 20}, "collection not found"},
    {{(const uint8_t *)" !\"#$&~", 7}, " !\"#$&~"},
    {{(const uint8_t *)"100%", 4}, "100%25"},
    {{(const uint8_t *)"%41", 3}, "%2541"},
    {{(const uint8_t *)"one\r\ntwo", 8}, "one%0D%0Atwo"},
    {{(const uint8_t *)"\0\t\x1f\x7f", 4}, "%00%09%1F%7F"},
    {{(const uint8_t *)"\x80\xfe\xff", 3}, "%80%FE%FF"},
    {{(const uint8_t *)"\xe9\x9b\x86\xe5\x90\x88", 6}, "%E9%9B%86%E5%90%88"},
};

Test(grpc_text, percent_encodes_what_is_not_printable)
{
    for (size_t i = 0; i < COUNT(texts); i++) {
        char to[64];
        size_t length = grpc_percent_encode(texts[i].plain, to);
        cr_expect(span_is(span_of(to, length), texts[i].encoded), "case %zu: %.*s", i, (int)length,
                  to);
        length = grpc_percent_decode(span_text(texts[i].encoded), to);
        cr_expect(span_equal(span_of(to, length), texts[i].plain), "case %zu", i);
    }
}

/* Every byte, into blocks of just the size that the header asks for, and back in place. */
Test(grpc_text, percent_decoding_undoes_encoding)
{
    uint8_t all[256];
    for (size_t i = 0; i < sizeof(all); i++)
        all[i] = (uint8_t)i;
    struct blob *encoded = blob_new(3 * sizeof(all));
    size_t length = grpc_percent_encode(span_of(all, sizeof(all)), (char *)encoded->data);
    for (size_t i = 0; i < length; i++)
        cr_assert(encoded->data[i] >= 0x20 && encoded->data[i] <= 0x7e);
    struct span text = span_of(encoded->data, length);
    length = grpc_percent_decode(text, (char *)encoded->data);
    cr_expect(span_equal(span_of(encoded->data, length), span_of(all, sizeof(all))));
    blob_unref(encoded);
}

Test(grpc_text, encoding_may_be_three_times_as_long)
{
    uint8_t bytes[100];
    memset(bytes, '\n', sizeof(bytes));
    struct blob *encoded = blob_new(3 * sizeof(bytes));
    cr_expect_eq(grpc_percent_encode(span_of(bytes, sizeof(bytes)), (char *)encoded->data), 300);
    blob_unref(encoded);
}

Test(grpc_text, invalid_escapes_stay)
{
    static const struct {
        const char *text;
        const char *decoded;
    } cases[] = {
        {"%", "%"},
        {"%4", "%4"},
        {"a%", "a%"},
        {"%%", "%%"},
        {"%%41", "%A"},
        {"%4g", "%4g"},
        {"%g4", "%g4"},
        {"%-1", "%-1"},
        {"%4/%4:%4@%4G%4`", "%4/%4:%4@%4G%4`"},
        {"% 41", "% 41"},
        {"%4%41", "%4A"},
        {"%e9%9B%86", "\xe9\x9b\x86"},
        {"%aF%Fa", "\xaf\xfa"},
        {"a+b", "a+b"},
        {"\xe9\x9b\x86", "\xe9\x9b\x86"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct blob *copy = blob_copy(span_text(cases[i].text));
        size_t length = grpc_percent_decode(blob_span(copy), (char *)copy->data);
        cr_expect(span_is(span_of(copy->data, length), cases[i].decoded), "\"%s\": \"%.*s\"",
                  cases[i].text, (int)length, (const char *)copy->data);
        blob_unref(copy);
    }
}
