/* SPDX-License-Identifier: Apache-2.0 */
/* Values of JSON, as they stand in a body, to those of Milvus's fields. */
#ifndef PROTO_REST_VALUE_H
#define PROTO_REST_VALUE_H

#include "proto/rest/numbers.h"
#include "proto/rest/put.h"

/* Who reads a value: what is wrong with it ends the request, and names the place. */
struct value_reader {
    struct rest *rest;
    int32_t code; /* enum rest_code */
    struct rest_place place;
};

/* Of an element within the value. `reader` must stay. */
static inline struct value_reader value_element(const struct value_reader *reader, size_t index)
{
    return (struct value_reader){.rest = reader->rest,
                                 .code = reader->code,
                                 .place = rest_place_element(&reader->place, index)};
}

/* The same of a member. */
static inline struct value_reader value_member(const struct value_reader *reader, struct span key)
{
    return (struct value_reader){
        .rest = reader->rest, .code = reader->code, .place = {.outer = &reader->place, .key = key}};
}

/* "data[3].vector[17]: …" False. */
bool value_fault(const struct value_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "…: a string where a number is wanted". False. */
bool value_wrong(const struct value_reader *reader, struct jvalue value, const char *wanted);

/*
 * These read one value and, where it is good, set *ret_end to the character behind it; otherwise
 * they are false, and have said why.
 */

/* A whole number, or a string of its digits, within an Int8, Int16, Int32 or Int64. */
bool value_int(const struct value_reader *reader, struct jvalue value, uint32_t type,
               int64_t *ret_number, const uint8_t **ret_end);

/* A number, or a string of its digits, that is not too large. */
bool value_float(const struct value_reader *reader, struct jvalue value, float *ret_number,
                 const uint8_t **ret_end);
bool value_double(const struct value_reader *reader, struct jvalue value, double *ret_number,
                  const uint8_t **ret_end);

/* true, false, or the string of either. */
bool value_bool(const struct value_reader *reader, struct jvalue value, bool *ret_truth,
                const uint8_t **ret_end);

/* A string, or a number or a boolean as it stands. Good until the next use of the scratch. */
bool value_text(const struct value_reader *reader, struct jvalue value, struct span *ret_text,
                const uint8_t **ret_end);

/* A text's JSON: a string that holds JSON is that, as Milvus has it; any other value is itself. */
bool value_json(const struct value_reader *reader, struct jvalue value, struct span *ret_json,
                const uint8_t **ret_end);

/* Write a number little-endian, as the wire has it; to the end of a buffer. */
void value_put_float(uint8_t *to, float number);
void value_add_float(struct buffer *to, float number);
void value_add_double(struct buffer *to, double number);

#endif
