/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648), as protobuf's JSON writes bytes. */
#ifndef PROTO_JSON_BASE64_H
#define PROTO_JSON_BASE64_H

#include "proto/span.h"

/* The standard alphabet with padding; the caller's to free(). NULL without memory. */
char *json_base64_encode(struct span bytes);

/* At most as many bytes as json_base64_decode() writes for a text of that length. */
static inline size_t json_base64_bound(size_t text_length)
{
    return text_length / 4 * 3 + 3;
}

/* Reads the standard or the URL alphabet (sections 4, 5), padded or not, into `to`, which has room
 * for json_base64_bound(). The bytes written, or -1 when the text is no base64. */
ptrdiff_t json_base64_decode(struct span text, uint8_t *to);

#endif
