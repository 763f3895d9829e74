/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protobuf messages as text, for tests. A field is its number and one of
 *   :7  :-7      a varint
 *   {...}        a message
 *   'text'       text or bytes
 *   x0aff'       bytes in hexadecimal
 *   [1 300 -7]   packed varints
 *   (0.5 1)      packed floats
 *   <0.5 1>      packed doubles
 * Blanks mean nothing between fields.
 */
#ifndef TESTS_UNIT_WIRE_TEXT_H
#define TESTS_UNIT_WIRE_TEXT_H

#include "proto/blob.h"

/* The message, the caller's. A text that is none fails the test. */
struct blob *wire_text(const char *text);

#endif
