/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "proto/sniff.h"

static const struct {
    const char *start;
    enum sniff expected;
} cases[] = {
    {"MVB1", SNIFF_PLAIN},
    {"MVB1\x01", SNIFF_PLAIN},
    {"MVB2", SNIFF_UNKNOWN},
    {"MVBX", SNIFF_HTTP1},
    {"PRI * HTTP/2.0\r\n", SNIFF_HTTP2},
    {"PRIX", SNIFF_HTTP1},
    {"GET /", SNIFF_HTTP1},
    {"PUT ", SNIFF_HTTP1},
    {"POST /v2", SNIFF_HTTP1},
    {"OPTIONS *", SNIFF_HTTP1},
    {"get ", SNIFF_UNKNOWN},
    {" GET", SNIFF_UNKNOWN},
    {"1MVB", SNIFF_UNKNOWN},
    {"\x16", SNIFF_TLS},
    {"\x16\x03\x01\x02", SNIFF_TLS},
    {"\x15\x03\x01\x02", SNIFF_UNKNOWN},
    {"M\x16", SNIFF_UNKNOWN},
    {"\x80\xff\xff\xff", SNIFF_UNKNOWN},
    {"", SNIFF_MORE},
    {"M", SNIFF_MORE},
    {"PRI", SNIFF_MORE},
    {"MVB", SNIFF_MORE},
    {"GET", SNIFF_MORE},
    {"MV@", SNIFF_UNKNOWN},
    {"MV[", SNIFF_UNKNOWN},
    {"AZAZ", SNIFF_HTTP1},
};

Test(sniff, tells_the_protocol)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_expect_eq(sniff(span_text(cases[i].start)), cases[i].expected, "case %zu: \"%s\"", i,
                     cases[i].start);
    cr_expect_eq(sniff(span_of(NULL, 0)), SNIFF_MORE);
    cr_expect_eq(sniff(span_of("\0\0\0\0", 4)), SNIFF_UNKNOWN);
}

/* More bytes never turn one protocol into another. */
Test(sniff, is_told_by_four_bytes_at_most)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct span whole = span_text(cases[i].start);
        for (size_t length = 0; length < whole.length; length++) {
            enum sniff part = sniff(span_cut(whole, length));
            cr_expect(part == SNIFF_MORE || part == cases[i].expected, "\"%s\" cut to %zu",
                      cases[i].start, length);
            cr_expect(part != SNIFF_MORE || length < SNIFF_BYTES);
        }
    }
}
