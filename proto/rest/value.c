/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rest/value.h"

#include <endian.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "proto/number.h"

#define TEXT_MAX 256 /* bytes of what is wrong, with the NUL */
#define SHOWN    40  /* bytes of a value */

bool value_fault(const struct value_reader *reader, const char *format, ...)
{
    char place[REST_PLACE_MAX];
    char text[TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    rest_fail(reader->rest, reader->code, "%s: %s", rest_place_print(&reader->place, place), text);
    return false;
}

bool value_wrong(const struct value_reader *reader, struct jvalue value, const char *wanted)
{
    return value_fault(reader, "%s where %s is wanted", jvalue_kind_name(value), wanted);
}

/* Where a number's digits stand, in a string or not. */
static bool find_number(const struct value_reader *reader, struct jvalue value, const char *wanted,
                        const uint8_t **ret_at, const uint8_t **ret_end)
{
    if (jvalue_kind(value) == J_NUMBER) {
        *ret_at = value.at;
        *ret_end = jvalue_end(value);
        return true;
    }
    if (jvalue_kind(value) != J_STRING)
        return value_wrong(reader, value, wanted);
    struct span raw = jvalue_string(value).raw;
    const uint8_t *end = raw.at + raw.length;
    if (number_end(raw.at, end) != end)
        return value_wrong(reader, value, wanted);
    *ret_at = raw.at;
    *ret_end = end + 1;
    return true;
}

static int64_t limit_of(uint32_t type)
{
    switch (type) {
    case DATA_TYPE(Int8):
        return INT8_MAX;
    case DATA_TYPE(Int16):
        return INT16_MAX;
    case DATA_TYPE(Int32):
        return INT32_MAX;
    default:
        return INT64_MAX;
    }
}

static bool does_not_fit(const struct value_reader *reader, struct jvalue value, const char *type)
{
    return value_fault(reader, "%.*s is no %s", SPAN_ARGS(span_cut(jvalue_text(value), SHOWN)),
                       type);
}

bool value_int(const struct value_reader *reader, struct jvalue value, uint32_t type,
               int64_t *ret_number, const uint8_t **ret_end)
{
    const uint8_t *at, *end;
    int64_t number;
    int64_t limit = limit_of(type);
    if (!find_number(reader, value, "a whole number", &at, &end))
        return false;
    if (!number_int64(at, &number) || number > limit || number < -limit - 1)
        return does_not_fit(reader, value, data_type_name(type));
    *ret_number = number;
    *ret_end = end;
    return true;
}

bool value_float(const struct value_reader *reader, struct jvalue value, float *ret_number,
                 const uint8_t **ret_end)
{
    const uint8_t *at, *end;
    float number;
    if (!find_number(reader, value, "a number", &at, &end))
        return false;
    number_float(at, &number);
    if (isinf(number))
        return does_not_fit(reader, value, "Float");
    *ret_number = number;
    *ret_end = end;
    return true;
}

bool value_double(const struct value_reader *reader, struct jvalue value, double *ret_number,
                  const uint8_t **ret_end)
{
    const uint8_t *at, *end;
    double number;
    if (!find_number(reader, value, "a number", &at, &end))
        return false;
    number_double(at, &number);
    if (isinf(number))
        return does_not_fit(reader, value, "Double");
    *ret_number = number;
    *ret_end = end;
    return true;
}

bool value_bool(const struct value_reader *reader, struct jvalue value, bool *ret_truth,
                const uint8_t **ret_end)
{
    enum jkind kind = jvalue_kind(value);
    bool is_string = kind == J_STRING;
    if (kind == J_TRUE || (is_string && jstring_is(jvalue_string(value), "true")))
        *ret_truth = true;
    else if (kind == J_FALSE || (is_string && jstring_is(jvalue_string(value), "false")))
        *ret_truth = false;
    else
        return value_wrong(reader, value, "true or false");
    *ret_end = jvalue_end(value);
    return true;
}

static struct span string_text(const struct value_reader *reader, struct jvalue value,
                               const uint8_t **ret_end)
{
    struct jstring string = jvalue_string(value);
    reader->rest->scratch.size = 0;
    *ret_end = string.raw.at + string.raw.length + 1;
    return jstring_text(string, &reader->rest->scratch);
}

bool value_text(const struct value_reader *reader, struct jvalue value, struct span *ret_text,
                const uint8_t **ret_end)
{
    switch (jvalue_kind(value)) {
    case J_STRING:
        *ret_text = string_text(reader, value, ret_end);
        return true;
    case J_NUMBER:
    case J_TRUE:
    case J_FALSE:
        *ret_text = jvalue_text(value);
        *ret_end = ret_text->at + ret_text->length;
        return true;
    default:
        return value_wrong(reader, value, "a string");
    }
}

/* One value of any kind: jvalue_check() takes arrays, so it stands in one. */
static bool is_json(struct buffer *scratch, struct span text)
{
    struct jvalue top;
    struct jfault fault;
    size_t before = scratch->size;
    buffer_add_byte(scratch, '[');
    buffer_add(scratch, text);
    buffer_add_byte(scratch, ']');
    struct span all = buffer_span(scratch);
    struct span boxed = span_of(all.at + before, all.length - before);
    bool is = jvalue_check(boxed, JVALUE_DEPTH, &top, &fault) && jvalue_count(top) == 1;
    scratch->size = before;
    return is;
}

bool value_json(const struct value_reader *reader, struct jvalue value, struct span *ret_json,
                const uint8_t **ret_end)
{
    struct buffer boxed = {0};
    struct span itself = jvalue_text(value);
    *ret_end = itself.at + itself.length;
    *ret_json = itself;
    if (jvalue_kind(value) != J_STRING)
        return true;
    struct span text = string_text(reader, value, ret_end);
    if (is_json(&boxed, text))
        *ret_json = text;
    buffer_clear(&boxed);
    return true;
}

void value_put_float(uint8_t *to, float number)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof(bits));
    bits = htole32(bits);
    memcpy(to, &bits, sizeof(bits));
}

void value_add_float(struct buffer *to, float number)
{
    value_put_float(buffer_room(to, sizeof(number)), number);
    buffer_grow(to, sizeof(number));
}

void value_add_double(struct buffer *to, double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof(bits));
    bits = htole64(bits);
    buffer_add(to, span_of(&bits, sizeof(bits)));
}
