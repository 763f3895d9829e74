/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648), as Milvus's authorization and protobuf's JSON write bytes. */
#ifndef PROTO_BASE64_H
#define PROTO_BASE64_H

#include "proto/span.h"

/* The characters that `size` bytes take. */
#define BASE64_SIZE(size) (((size) + 2) / 3 * 4)

/* Writes BASE64_SIZE(bytes.length) characters, without a NUL: the standard alphabet with padding.
 */
void base64_encode(struct span bytes, char *to);

/* At most as many bytes as base64_decode() writes for a text of that length. */
static inline size_t base64_bound(size_t text_length)
{
    return text_length / 4 * 3 + 3;
}

/* Reads the standard or the URL alphabet (sections 4, 5), padded or not, into `to`, which has room
 * for base64_bound(). The bytes written, or -1 when the text is no base64. */
ptrdiff_t base64_decode(struct span text, uint8_t *to);

#endif
