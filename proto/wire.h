/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading protobuf's wire format without unpacking it: every read is checked against the message's
 * end, nothing is allocated, nesting is only followed as far as asked. Rules from
 * protobuf.dev/programming-guides/encoding.
 */
#ifndef PROTO_WIRE_H
#define PROTO_WIRE_H

#include "proto/span.h"

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct wire_field {
    uint32_t number; /* 1 to 2^29 - 1 */
    enum wire_type type;
    uint64_t value;    /* of a varint or a fixed field */
    struct span bytes; /* of a length-delimited field, within the message */
};

enum wire_read { WIRE_FIELD, WIRE_END, WIRE_MALFORMED };

/* Takes the next field from the front of *message. WIRE_END: nothing is left. WIRE_MALFORMED: what
 * is left is no protobuf (groups, which proto3 does not have, included); *message is then
 * unchanged. */
enum wire_read wire_next(struct span *message, struct wire_field *ret_field)
    __attribute__((warn_unused_result));

/* Takes the next of packed varints from the front of *packed. False: nothing is left, or no varint;
 * both are then unchanged. */
bool wire_next_varint(struct span *packed, uint64_t *ret_value) __attribute__((warn_unused_result));

/* Where a field stands: in the message itself (outer 0), or in its message field `outer`. */
struct wire_path {
    uint16_t outer;
    uint16_t number;
};

/*
 * The text or bytes at `path`; of several the last, as protobuf's parsers take it. True: the
 * message could be read to its end and *ret_bytes is set, empty where the field does not stand.
 * False: malformed.
 */
bool wire_find_bytes(struct span message, struct wire_path path, struct span *ret_bytes)
    __attribute__((warn_unused_result));

/* Bytes that wire_override() writes at most, for a value of that length. */
size_t wire_override_bound(size_t value_length);

/*
 * Writes what, put behind a message, sets the field at `path` to the value: protobuf takes the last
 * of several, and merges message fields that stand twice. So a field is replaced without touching,
 * or copying, what comes before it. Returns the bytes written to `to`, which must have room for
 * wire_override_bound().
 */
size_t wire_override(uint8_t *to, struct wire_path path, struct span value);

#define WIRE_VARINT_MAX 10 /* bytes */

/* Writes a varint alone; returns its bytes. */
size_t wire_put(uint8_t *to, uint64_t value);

#define WIRE_HEAD_MAX 15 /* bytes of a field's number with a varint */

/* Write a varint field, and what stands before the bytes of a length-delimited one: at most
 * WIRE_HEAD_MAX bytes; return how many. */
size_t wire_put_varint(uint8_t *to, uint32_t number, uint64_t value);
size_t wire_put_head(uint8_t *to, uint32_t number, size_t length);

/* How Milvus says that a call went: milvus.proto.common.Status. All zero: success. */
struct wire_status {
    uint32_t legacy;    /* error_code, field 1 */
    uint32_t code;      /* code, field 3 */
    struct span reason; /* field 2, within the message */
};

/* Reads a Status message. False: malformed. */
bool wire_read_status(struct span message, struct wire_status *ret_status)
    __attribute__((warn_unused_result));

#endif
