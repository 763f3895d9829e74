/* SPDX-License-Identifier: Apache-2.0 */
/* How a message is compressed: the algorithms every gRPC library has (grpc/doc/compression.md),
 * which are those that HTTP calls by the same names (RFC 9110 section 8.4.1). */
#ifndef PROTO_ENCODING_H
#define PROTO_ENCODING_H

#include "proto/blob.h"

enum encoding {
    ENCODING_IDENTITY, /* not at all */
    ENCODING_GZIP,     /* RFC 1952 */
    ENCODING_DEFLATE,  /* zlib's format, RFC 1950 */
};

/* What grpc-accept-encoding says of these. */
#define ENCODING_ACCEPTED "identity, deflate, gzip"

/* Reads the value of grpc-encoding. False: another algorithm. */
bool encoding_read(struct span name, enum encoding *ret_encoding);

/* The value of grpc-encoding. Static text. */
const char *encoding_name(enum encoding encoding);

enum inflate_result {
    INFLATE_WHOLE,
    INFLATE_BROKEN,   /* not of that format, cut off, or with bytes behind its end */
    INFLATE_TOO_LARGE /* more than was allowed, or than there is memory for */
};

/* Unpacks a compressed message, of at most max bytes when unpacked. INFLATE_WHOLE: *ret_message is
 * the caller's; otherwise it is untouched. Memory is taken as it is filled. A message that is
 * flagged as compressed by ENCODING_IDENTITY is broken, as grpc/doc/compression.md has it. */
enum inflate_result encoding_inflate(struct span bytes, enum encoding encoding, size_t max,
                                     struct blob **ret_message) __attribute__((warn_unused_result));

/* Unpacking is done where everybody waits: what unpacks to more than 1 MiB, and to more than so
 * many times its own size, is no vectors. */
#define ENCODING_RATIO_MAX 200

/* Bytes that a message of `packed` bytes may become, where max_message is the limit of any. */
size_t encoding_unpacked_max(size_t packed, size_t max_message);

/* Packs as gzip, quickly rather than well. NULL: there is no memory for it. */
struct blob *encoding_gzip(struct span bytes);

#endif
