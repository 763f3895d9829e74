/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gRPC messages out of the DATA of one stream (grpc/doc/PROTOCOL-HTTP2.md,
 * Length-Prefixed-Message): a byte that says whether it is compressed, four of its length, then the
 * message. Bytes are copied once, to where the message stays.
 */
#ifndef PROTO_GRPC_READER_H
#define PROTO_GRPC_READER_H

#include "proto/blob.h"

#define GRPC_PREFIX_SIZE 5

struct grpc_reader {
    struct blob *message; /* being filled, or NULL */
    size_t filled;        /* bytes of it */
    uint8_t prefix[GRPC_PREFIX_SIZE];
    uint8_t prefix_length;
};

enum grpc_read {
    GRPC_READ_MORE,  /* all bytes are taken and no message is whole */
    GRPC_READ_SIZED, /* a prefix is whole: grpc_reader_size() is known, nothing taken behind it;
                        call grpc_reader_start() before going on */
    GRPC_READ_WHOLE, /* a message is */
    GRPC_READ_BROKEN /* the prefix is malformed: a flag other than 0 and 1 */
};

/* Takes from the front of *bytes until something happens; to be called until that is MORE or
 * BROKEN, without bytes as well: an empty message is whole when it is started. With WHOLE,
 * *ret_message is the caller's; it is never NULL, an empty message is a blob of size 0. A reader of
 * zeros is new; a broken one stays so. */
enum grpc_read grpc_reader_take(struct grpc_reader *reader, struct span *bytes,
                                struct blob **ret_message);

/* Between SIZED and the next call after WHOLE: the bytes of the message, and whether it is
 * compressed. */
size_t grpc_reader_size(const struct grpc_reader *reader);
bool grpc_reader_compressed(const struct grpc_reader *reader);

/* Takes memory for so many bytes of the sized message, for all of it where it is smaller. Called
 * again, it takes more; bytes beyond are BROKEN. False: there is no memory. */
bool grpc_reader_start(struct grpc_reader *reader, size_t room);

/* Whether a message has begun and is not whole. */
bool grpc_reader_busy(const struct grpc_reader *reader);

/* Drops what is not whole. */
void grpc_reader_clear(struct grpc_reader *reader);

/* Writes the prefix of a message of up to UINT32_MAX bytes. */
void grpc_prefix_write(uint8_t to[GRPC_PREFIX_SIZE], bool compressed, size_t size);

#endif
