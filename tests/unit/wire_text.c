/* SPDX-License-Identifier: Apache-2.0 */
#include "wire_text.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdlib.h>

#define MAX (1u << 20) /* bytes of a message */

struct writer {
    const char *text; /* what is left of it */
    uint8_t *bytes;
    size_t length;
};

static void put(struct writer *writer, const void *bytes, size_t length)
{
    cr_assert_leq(length, MAX - writer->length);
    memcpy(writer->bytes + writer->length, bytes, length);
    writer->length += length;
}

static void put_varint(struct writer *writer, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        put(writer, (uint8_t[]){(uint8_t)(value | 0x80)}, 1);
    put(writer, (uint8_t[]){(uint8_t)value}, 1);
}

static void skip_blanks(struct writer *writer)
{
    while (isspace((unsigned char)*writer->text))
        writer->text++;
}

static uint64_t read_integer(struct writer *writer)
{
    char *end;
    int64_t value = strtoll(writer->text, &end, 10);
    cr_assert_neq(end, writer->text, "a number at %s", writer->text);
    writer->text = end;
    return (uint64_t)value;
}

static void put_real(struct writer *writer, bool is_double)
{
    char *end;
    double value = strtod(writer->text, &end);
    float single = (float)value;
    cr_assert_neq(end, writer->text, "a number at %s", writer->text);
    writer->text = end;
    if (is_double)
        put(writer, &value, sizeof(value));
    else
        put(writer, &single, sizeof(single));
}

static void put_byte(struct writer *writer, bool is_hexadecimal)
{
    uint8_t byte = (uint8_t)*writer->text;
    if (is_hexadecimal) {
        byte = (uint8_t)strtoul((char[]){writer->text[0], writer->text[1], 0}, NULL, 16);
        writer->text++;
    }
    writer->text++;
    put(writer, &byte, 1);
}

static void put_field(struct writer *writer);

static void put_element(struct writer *writer, char kind)
{
    switch (kind) {
    case '{':
        put_field(writer);
        break;
    case '[':
        put_varint(writer, read_integer(writer));
        break;
    case '\'':
    case 'x':
        put_byte(writer, kind == 'x');
        break;
    default:
        put_real(writer, kind == '<');
    }
}

static char closing(char kind)
{
    static const char kinds[] = "{[(<'x";
    const char *at = strchr(kinds, kind);
    cr_assert(kind && at, "a field of kind %c", kind);
    return "}])>''"[at - kinds];
}

/* Puts the length of what was written since `start` before it. */
static void insert_length(struct writer *writer, size_t start)
{
    uint8_t head[10];
    struct writer length = {.bytes = head};
    size_t content = writer->length - start;
    put_varint(&length, content);
    put(writer, head, length.length); /* for the room */
    memmove(writer->bytes + start + length.length, writer->bytes + start, content);
    memcpy(writer->bytes + start, head, length.length);
}

/* What stands up to the closing character, behind its length. */
static void put_content(struct writer *writer, char kind)
{
    size_t start = writer->length;
    char close = closing(kind);
    for (;;) {
        if (close != '\'')
            skip_blanks(writer);
        if (*writer->text == close)
            break;
        cr_assert_neq(*writer->text, 0, "%c is missing", close);
        put_element(writer, kind);
    }
    writer->text++;
    insert_length(writer, start);
}

static void put_field(struct writer *writer)
{
    uint64_t number = read_integer(writer);
    char kind = *writer->text++;
    put_varint(writer, number << 3 | (kind == ':' ? 0 : 2));
    if (kind == ':')
        put_varint(writer, read_integer(writer));
    else
        put_content(writer, kind);
}

struct blob *wire_text(const char *text)
{
    struct writer writer = {.text = text, .bytes = malloc(MAX)};
    for (skip_blanks(&writer); *writer.text; skip_blanks(&writer))
        put_field(&writer);
    struct blob *message = blob_copy(span_of(writer.bytes, writer.length));
    free(writer.bytes);
    return message;
}
