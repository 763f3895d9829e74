/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_UTF8_H
#define PROTO_UTF8_H

#include "proto/span.h"

/* The bytes of the character that stands there, 1 to 4, of at most `left`; 0: none does (RFC 3629
 * section 4). */
size_t utf8_length(const uint8_t *at, size_t left);

#endif
