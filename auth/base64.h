/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 with padding (RFC 4648, section 4). */
#ifndef AUTH_BASE64_H
#define AUTH_BASE64_H

#include "proto/span.h"

/* The characters that `size` bytes take. */
#define BASE64_SIZE(size) (((size) + 2) / 3 * 4)

/* Writes BASE64_SIZE(bytes.length) characters, without a NUL. */
void base64_encode(struct span bytes, char *to);

#endif
