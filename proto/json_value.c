/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/json_value.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "proto/json_near.h"

/* Reals up to here can stand for integers: each is exact. */
#define EXACT_MAX 9007199254740992.0

/* Doubles from here on round to an infinite float: half a step above FLT_MAX. */
#define FLOAT_OVERFLOW 0x1.ffffffp127

struct range {
    int64_t least;
    uint64_t greatest;
};

const char *json_value_kind(const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a text";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_NULL:
        return "null";
    default:
        return "true or false";
    }
}

static int wrong_kind(const json_t *json, const char *expected, const struct json_path *path,
                      char **ret_error)
{
    return json_path_error(path, ret_error, "expected %s, got %s", expected, json_value_kind(json));
}

/* Two's complement bits of a decimal in text; false when it is none, or does not fit in 64 bits. */
static bool parse_decimal(const char *text, bool *ret_negative, uint64_t *ret_bits)
{
    bool negative = *text == '-';
    char *end;
    if (!isdigit((unsigned char)text[negative]))
        return false;
    errno = 0;
    uint64_t bits = negative ? (uint64_t)strtoll(text, &end, 10) : strtoull(text, &end, 10);
    if (errno != 0 || *end)
        return false;
    *ret_negative = negative && bits != 0;
    *ret_bits = bits;
    return true;
}

/* The same of any JSON that stands for an integer. */
static bool integer_bits(const json_t *json, bool *ret_negative, uint64_t *ret_bits)
{
    if (json_is_string(json))
        return parse_decimal(json_string_value(json), ret_negative, ret_bits);
    int64_t value;
    if (json_is_integer(json))
        value = json_integer_value(json);
    else if (json_is_real(json) && fabs(json_real_value(json)) <= EXACT_MAX &&
             (double)(int64_t)json_real_value(json) == json_real_value(json))
        value = (int64_t)json_real_value(json);
    else
        return false;
    *ret_negative = value < 0;
    *ret_bits = (uint64_t)value;
    return true;
}

static int read_integer(const json_t *json, struct range range, const struct json_path *path,
                        uint64_t *ret_bits, char **ret_error)
{
    bool negative;
    uint64_t bits;
    if (!json_is_number(json) && !json_is_string(json))
        return wrong_kind(json, "an integer", path, ret_error);
    if (!integer_bits(json, &negative, &bits))
        return json_path_error(path, ret_error, "expected an integer of 64 bits at most");
    if (negative ? (int64_t)bits < range.least : bits > range.greatest)
        return json_path_error(path, ret_error, "expected an integer from %" PRId64 " to %" PRIu64,
                               range.least, range.greatest);
    *ret_bits = bits;
    return 0;
}

static int read_32(const json_t *json, struct range range, const struct json_path *path, void *to,
                   char **ret_error)
{
    uint64_t bits;
    if (read_integer(json, range, path, &bits, ret_error) != 0)
        return -1;
    *(uint32_t *)to = (uint32_t)bits;
    return 0;
}

/* The numbers that JSON has no form for. */
static bool special_real(const char *text, double *ret_value)
{
    static const struct {
        const char *text;
        double value;
    } specials[] = {{"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}};
    for (size_t i = 0; i < sizeof(specials) / sizeof(*specials); i++) {
        if (strcmp(text, specials[i].text) == 0) {
            *ret_value = specials[i].value;
            return true;
        }
    }
    return false;
}

static bool parse_real(const char *text, double *ret_value)
{
    char *end;
    if (special_real(text, ret_value))
        return true;
    if (!isdigit((unsigned char)text[*text == '-']))
        return false;
    double value = strtod(text, &end);
    if (*end || !isfinite(value))
        return false;
    *ret_value = value;
    return true;
}

static int read_real(const json_t *json, const struct json_path *path, double *ret_value,
                     char **ret_error)
{
    if (json_is_number(json)) {
        *ret_value = json_number_value(json);
        return 0;
    }
    if (!json_is_string(json))
        return wrong_kind(json, "a number", path, ret_error);
    if (!parse_real(json_string_value(json), ret_value))
        return json_path_error(path, ret_error,
                               "expected a number, \"NaN\", \"Infinity\" or \"-Infinity\"");
    return 0;
}

int json_value_read_float(const json_t *json, const struct json_path *path, float *ret_value,
                          char **ret_error)
{
    double value = 0;
    if (read_real(json, path, &value, ret_error) != 0)
        return -1;
    if (isfinite(value) && fabs(value) >= FLOAT_OVERFLOW)
        return json_path_error(path, ret_error, "expected a number that a float can hold");
    *ret_value = (float)value;
    return 0;
}

static int read_bool(const json_t *json, const struct json_path *path, protobuf_c_boolean *to,
                     char **ret_error)
{
    if (!json_is_boolean(json))
        return wrong_kind(json, "true or false", path, ret_error);
    *to = json_is_true(json);
    return 0;
}

static const char *enum_near(const ProtobufCEnumDescriptor *type, const char *typed)
{
    const char *nearest = NULL;
    unsigned least = JSON_NEAR_NONE;
    for (unsigned i = 0; i < type->n_values; i++) {
        unsigned distance = json_near(typed, type->values[i].name);
        if (distance < least) {
            least = distance;
            nearest = type->values[i].name;
        }
    }
    return nearest;
}

static int unknown_name(const ProtobufCEnumDescriptor *type, const char *typed,
                        const struct json_path *path, char **ret_error)
{
    const char *near = enum_near(type, typed);
    if (near)
        return json_path_error(path, ret_error, "unknown %s \"%s\"; did you mean \"%s\"?",
                               type->short_name, typed, near);
    return json_path_error(path, ret_error, "unknown %s \"%s\"", type->short_name, typed);
}

static int read_enum(const json_t *json, const ProtobufCEnumDescriptor *type,
                     const struct json_path *path, void *to, char **ret_error)
{
    static const struct range numbers = {INT32_MIN, INT32_MAX};
    if (!json_is_string(json))
        return read_32(json, numbers, path, to, ret_error);
    const char *name = json_string_value(json);
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value_by_name(type, name);
    if (!value)
        return unknown_name(type, name, path, ret_error);
    *(int32_t *)to = value->value;
    return 0;
}

int json_value_read(const json_t *json, const ProtobufCFieldDescriptor *field,
                    const struct json_path *path, void *to, char **ret_error)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return read_32(json, (struct range){INT32_MIN, INT32_MAX}, path, to, ret_error);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return read_32(json, (struct range){0, UINT32_MAX}, path, to, ret_error);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return read_integer(json, (struct range){INT64_MIN, INT64_MAX}, path, to, ret_error);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return read_integer(json, (struct range){0, UINT64_MAX}, path, to, ret_error);
    case PROTOBUF_C_TYPE_FLOAT:
        return json_value_read_float(json, path, to, ret_error);
    case PROTOBUF_C_TYPE_DOUBLE:
        return read_real(json, path, to, ret_error);
    case PROTOBUF_C_TYPE_BOOL:
        return read_bool(json, path, to, ret_error);
    default:
        return read_enum(json, field->descriptor, path, to, ret_error);
    }
}
