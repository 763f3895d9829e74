/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as JSON writes them (RFC 8259 section 6), to binary ones and back, without a loss. */
#ifndef PROTO_NUMBER_H
#define PROTO_NUMBER_H

#include "proto/span.h"

#define NUMBER_MAX 32 /* characters that a number takes in print */

/* The end of the number that begins there; NULL: none does. */
const uint8_t *number_end(const uint8_t *at, const uint8_t *end);

/*
 * Read a number that number_end() has found good, with something behind it that could not be part
 * of it; return the character behind it. The value is the nearest one, ties to even, as IEEE 754
 * has it; what is too large becomes infinite.
 */
const uint8_t *number_float(const uint8_t *at, float *ret_value);
const uint8_t *number_double(const uint8_t *at, double *ret_value);

/* The same for whole numbers that fit; 1.0 and 1e3 are whole. */
bool number_int64(const uint8_t *at, int64_t *ret_value) __attribute__((warn_unused_result));

/* Print a finite value in as few digits as bring it back; return how many characters. */
size_t number_print_float(char to[NUMBER_MAX], float value);
size_t number_print_double(char to[NUMBER_MAX], double value);
size_t number_print_int64(char to[NUMBER_MAX], int64_t value);

#endif
