/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/jwriter.h"

#include <math.h>
#include <stdio.h>

#include "proto/base64.h"
#include "proto/number.h"
#include "proto/utf8.h"

#define ESCAPE_MAX  7 /* "\u001f" with a NUL */
#define REPLACEMENT "\xef\xbf\xbd"

static void put(struct jwriter *writer, const char *text)
{
    buffer_add(writer->to, span_text(text));
}

/* Before any value or key. */
static void separate(struct jwriter *writer)
{
    if (writer->comma)
        buffer_add_byte(writer->to, ',');
    writer->comma = true;
}

static void word(struct jwriter *writer, const char *text)
{
    separate(writer);
    put(writer, text);
}

static void begin(struct jwriter *writer, char bracket)
{
    separate(writer);
    buffer_add_byte(writer->to, (uint8_t)bracket);
    writer->comma = false;
}

static void end(struct jwriter *writer, char bracket)
{
    buffer_add_byte(writer->to, (uint8_t)bracket);
    writer->comma = true;
}

void jwriter_object(struct jwriter *writer)
{
    begin(writer, '{');
}

void jwriter_object_end(struct jwriter *writer)
{
    end(writer, '}');
}

void jwriter_array(struct jwriter *writer)
{
    begin(writer, '[');
}

void jwriter_array_end(struct jwriter *writer)
{
    end(writer, ']');
}

/* ---- strings ---- */

static bool is_plain(uint8_t byte)
{
    return byte >= ' ' && byte < 0x80 && byte != '"' && byte != '\\';
}

static void put_escaped(struct jwriter *writer, uint8_t byte)
{
    static const char letters[] = "\"\\bfnrt";
    static const char bytes[] = "\"\\\b\f\n\r\t";
    const char *at = byte != 0 ? strchr(bytes, byte) : NULL;
    char text[ESCAPE_MAX];
    if (at)
        snprintf(text, sizeof(text), "\\%c", letters[at - bytes]);
    else
        snprintf(text, sizeof(text), "\\u%04x", byte);
    put(writer, text);
}

/* What is no plain character; returns its bytes. */
static size_t put_other(struct jwriter *writer, struct span left)
{
    if (left.at[0] < 0x80) {
        put_escaped(writer, left.at[0]);
        return 1;
    }
    size_t length = utf8_length(left.at, left.length);
    if (length == 0) {
        put(writer, REPLACEMENT);
        return 1;
    }
    buffer_add(writer->to, span_cut(left, length));
    return length;
}

static void put_string(struct jwriter *writer, struct span text)
{
    buffer_add_byte(writer->to, '"');
    for (size_t i = 0; i < text.length;) {
        size_t start = i;
        while (i < text.length && is_plain(text.at[i]))
            i++;
        buffer_add(writer->to, span_of(text.at + start, i - start));
        if (i < text.length)
            i += put_other(writer, span_of(text.at + i, text.length - i));
    }
    buffer_add_byte(writer->to, '"');
}

void jwriter_key(struct jwriter *writer, struct span key)
{
    separate(writer);
    put_string(writer, key);
    buffer_add_byte(writer->to, ':');
    writer->comma = false;
}

void jwriter_text(struct jwriter *writer, struct span text)
{
    separate(writer);
    put_string(writer, text);
}

void jwriter_base64(struct jwriter *writer, struct span bytes)
{
    separate(writer);
    buffer_add_byte(writer->to, '"');
    size_t size = BASE64_SIZE(bytes.length);
    base64_encode(bytes, (char *)buffer_room(writer->to, size));
    buffer_grow(writer->to, size);
    buffer_add_byte(writer->to, '"');
}

/* ---- other scalars ---- */

void jwriter_bool(struct jwriter *writer, bool value)
{
    word(writer, value ? "true" : "false");
}

void jwriter_null(struct jwriter *writer)
{
    word(writer, "null");
}

void jwriter_int(struct jwriter *writer, int64_t value)
{
    separate(writer);
    char *to = (char *)buffer_room(writer->to, NUMBER_MAX);
    buffer_grow(writer->to, number_print_int64(to, value));
}

void jwriter_int_text(struct jwriter *writer, int64_t value)
{
    char text[NUMBER_MAX];
    jwriter_text(writer, span_of(text, number_print_int64(text, value)));
}

/* JSON has no such numbers. */
static void put_no_number(struct jwriter *writer, double value)
{
    put(writer, isnan(value) ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\"");
}

void jwriter_float(struct jwriter *writer, float value)
{
    separate(writer);
    if (!isfinite(value)) {
        put_no_number(writer, (double)value);
        return;
    }
    char *to = (char *)buffer_room(writer->to, NUMBER_MAX);
    buffer_grow(writer->to, number_print_float(to, value));
}

void jwriter_double(struct jwriter *writer, double value)
{
    separate(writer);
    if (!isfinite(value)) {
        put_no_number(writer, value);
        return;
    }
    char *to = (char *)buffer_room(writer->to, NUMBER_MAX);
    buffer_grow(writer->to, number_print_double(to, value));
}

void jwriter_raw_key(struct jwriter *writer, struct span key)
{
    separate(writer);
    buffer_add_byte(writer->to, '"');
    buffer_add(writer->to, key);
    put(writer, "\":");
    writer->comma = false;
}

void jwriter_raw(struct jwriter *writer, struct span json)
{
    separate(writer);
    buffer_add(writer->to, json);
}
