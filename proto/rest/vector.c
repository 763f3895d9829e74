/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rest/vector.h"

#include <math.h>

#include "proto/base64.h"
#include "proto/number.h"

size_t vector_size(uint32_t type, uint32_t dim)
{
    switch (type) {
    case DATA_TYPE(BinaryVector):
        return dim % 8 == 0 ? dim / 8 : 0;
    case DATA_TYPE(FloatVector):
        return 4 * (size_t)dim;
    case DATA_TYPE(Float16Vector):
    case DATA_TYPE(BFloat16Vector):
        return 2 * (size_t)dim;
    default:
        return dim;
    }
}

static uint32_t bits_of(float number)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof(bits));
    return bits;
}

/* The nearest multiple of 2^shift, to even, in units of it. */
static uint32_t round_shift(uint32_t value, unsigned shift)
{
    uint32_t half = (UINT32_C(1) << (shift - 1)) - 1;
    return (value + half + (value >> shift & 1)) >> shift;
}

/* IEEE 754 binary16; what is too large becomes infinite. */
static uint16_t float16_of(float number)
{
    uint32_t bits = bits_of(number);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    uint32_t rest = bits & 0x7fffffff;
    if (rest >= 0x47800000) /* 65536 */
        return sign | 0x7c00;
    if (rest >= 0x38800000) /* 2^-14: a normal one; the exponents' biases differ by 112 */
        return (uint16_t)(sign | round_shift(rest - (UINT32_C(112) << 23), 13));
    unsigned exponent = rest >> 23;
    if (exponent < 102) /* below half of the smallest, 2^-24 */
        return sign;
    return (uint16_t)(sign | round_shift((rest & 0x7fffff) | 0x800000, 126 - exponent));
}

static uint16_t bfloat16_of(float number)
{
    return (uint16_t)round_shift(bits_of(number), 16);
}

static void put_half(uint8_t *to, uint16_t half)
{
    to[0] = (uint8_t)half;
    to[1] = (uint8_t)(half >> 8);
}

/* Writes one number; false: it is too large. */
static bool put_number(uint8_t *to, uint32_t type, float number)
{
    uint16_t half;
    switch (type) {
    case DATA_TYPE(FloatVector):
        value_put_float(to, number);
        return !isinf(number);
    case DATA_TYPE(Float16Vector):
        half = float16_of(number);
        put_half(to, half);
        return (half & 0x7fff) != 0x7c00;
    case DATA_TYPE(BFloat16Vector):
        half = bfloat16_of(number);
        put_half(to, half);
        return (half & 0x7fff) != 0x7f80;
    default: /* Int8Vector */
        if (number < INT8_MIN || number > INT8_MAX || (float)(int8_t)number != number)
            return false;
        *to = (uint8_t)(int8_t)number;
        return true;
    }
}

static const uint8_t *skip_to_next(const uint8_t *at)
{
    while (*at == ' ' || *at == ',' || *at == '\n' || *at == '\t' || *at == '\r')
        at++;
    return at;
}

static bool is_number(const uint8_t *at)
{
    return *at == '-' || (*at >= '0' && *at <= '9');
}

static bool wrong_dim(const struct value_reader *reader, size_t dim, size_t count)
{
    return value_fault(reader, "%zu numbers where %zu are wanted, the dimension", count, dim);
}

static bool wrong_number(const struct value_reader *reader, size_t index, const uint8_t *at,
                         uint32_t type)
{
    struct value_reader element = value_element(reader, index);
    struct jvalue value = {at};
    if (!is_number(at))
        return value_wrong(&element, value, "a number");
    return value_fault(&element, "%.*s is none of %s",
                       SPAN_ARGS(span_cut(jvalue_text(value), REST_PLACE_MAX / 8)),
                       data_type_name(type));
}

/* The text has been checked, so it is walked through as it is. */
static bool add_numbers(const struct value_reader *reader, struct jvalue value, uint32_t type,
                        uint32_t dim, struct buffer *to, const uint8_t **ret_end)
{
    size_t width = vector_size(type, 1);
    uint8_t *out = buffer_room(to, width * dim);
    const uint8_t *at = skip_to_next(value.at + 1);
    size_t count = 0;
    for (; *at != ']' && count < dim; count++) {
        float number;
        const uint8_t *start = at;
        if (!is_number(at))
            return wrong_number(reader, count, at, type);
        at = skip_to_next(number_float(at, &number));
        if (!put_number(out + width * count, type, number))
            return wrong_number(reader, count, start, type);
    }
    if (*at != ']' || count < dim)
        return wrong_dim(reader, dim, jvalue_count(value));
    buffer_grow(to, width * dim);
    *ret_end = at + 1;
    return true;
}

static bool add_base64(const struct value_reader *reader, struct jvalue value, size_t size,
                       struct buffer *to, const uint8_t **ret_end)
{
    struct jstring string = jvalue_string(value);
    struct buffer *scratch = &reader->rest->scratch;
    scratch->size = 0;
    struct span text = jstring_text(string, scratch);
    ptrdiff_t length = base64_decode(text, buffer_room(to, base64_bound(text.length)));
    if (length < 0)
        return value_fault(reader, "the string is no base64");
    if ((size_t)length != size)
        return value_fault(reader, "%td bytes where %zu are wanted, by the dimension", length,
                           size);
    buffer_grow(to, size);
    *ret_end = string.raw.at + string.raw.length + 1;
    return true;
}

bool vector_add_dense(const struct value_reader *reader, struct jvalue value, uint32_t type,
                      uint32_t dim, struct buffer *to, const uint8_t **ret_end)
{
    enum jkind kind = jvalue_kind(value);
    size_t size = vector_size(type, dim);
    if (size == 0)
        return value_fault(reader, "the schema has a %s without a dimension", data_type_name(type));
    if (kind == J_ARRAY && type != DATA_TYPE(BinaryVector))
        return add_numbers(reader, value, type, dim, to, ret_end);
    if (kind == J_STRING && type != DATA_TYPE(FloatVector))
        return add_base64(reader, value, size, to, ret_end);
    return value_wrong(reader, value,
                       type == DATA_TYPE(BinaryVector) ? "a string of base64"
                                                       : "an array of numbers");
}
