/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "proto/prepend.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct span written(const struct prepend *to, const uint8_t *end)
{
    return span_of(to->at, (size_t)(end - to->at));
}

Test(prepend, numbers_of_every_length)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        const uint64_t values[] = {(uint64_t)1 << bit, ((uint64_t)1 << bit) - 1, UINT64_MAX >> bit};
        for (size_t i = 0; i < COUNT(values); i++) {
            uint8_t room[15];
            uint8_t forward[15];
            struct prepend to = {.at = room + sizeof(room)};
            uint32_t number = 1 + (bit << 23);
            prepend_varint(&to, number, values[i]);
            size_t length = wire_put_varint(forward, number, values[i]);
            cr_expect(span_equal(written(&to, room + sizeof(room)), span_of(forward, length)),
                      "field %u, value %lu", number, (unsigned long)values[i]);
        }
    }
}

Test(prepend, a_message_within_a_message)
{
    uint8_t room[300];
    uint8_t *end = room + sizeof(room);
    uint8_t text[200] = "text";
    struct prepend to = {.at = end};
    prepend_varint(&to, 4, 7);
    uint8_t *inner = to.at;
    prepend_bytes(&to, span_of(text, sizeof(text)));
    prepend_head(&to, 2, inner);
    prepend_head(&to, 3, inner);
    prepend_head(&to, 5, end);

    struct span message = written(&to, end);
    struct span found;
    cr_assert(wire_find_bytes(message, (struct wire_path){.outer = 5, .number = 3}, &found));
    cr_expect_eq(message.at[0], 5 << 3 | WIRE_BYTES);
    cr_assert(wire_find_bytes(found, (struct wire_path){.number = 2}, &found));
    cr_expect(span_equal(found, span_of(text, sizeof(text))));
}

Test(prepend, nothing)
{
    uint8_t room[2];
    struct prepend to = {.at = room + 2};
    prepend_bytes(&to, span_of(NULL, 0));
    prepend_head(&to, 1, room + 2);
    cr_expect(span_equal(span_of(room, 2), span_of("\x0a\x00", 2)));
}
