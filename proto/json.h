/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Milvus's messages as JSON and back, by reflection over protobuf-c's descriptors: no code of its
 * own for any message. The mapping is protobuf's (protobuf.dev/programming-guides/json), fields
 * printed under their names in the .proto. What differs from it, or could be chosen:
 *   - int64 and uint64 are numbers up to 2^53, strings beyond; both forms are read;
 *   - fields that hold their default are not printed, members of a oneof always;
 *   - bytes that hold a message by Milvus's convention (CreateCollectionRequest.schema,
 *     SearchRequest.placeholder_group) are objects; base64 is read as well;
 *   - PlaceholderValue.values of type FloatVector are arrays of numbers; base64 is read as well.
 *
 * The prefix is json_pb_, as json_ is jansson's. Everywhere: 0, or -1 with *ret_error a text that
 * is the caller's to free(), NULL when there was no memory for it; outputs are then untouched. The
 * text starts with the path of what is wrong: schema.fields[2].nam: unknown field; did you mean
 * "name"?
 */
#ifndef PROTO_JSON_H
#define PROTO_JSON_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

#include "proto/span.h"

/* What one message may cost, as protobuf_c_message_unpack() itself knows no limit. */
struct json_pb_limits {
    unsigned depth;  /* messages within messages, the outermost included; at most JSON_PB_DEPTH */
    size_t elements; /* fields and elements of repeated fields, all depths together; an element
                        takes up to 8 bytes, or 48 where it is a text or a message */
};

/* Deepest nesting that is read or printed at all. Milvus's own messages stay under 12. */
#define JSON_PB_DEPTH 64

/* For messages of up to 64 MiB. */
#define JSON_PB_LIMITS ((struct json_pb_limits){.depth = JSON_PB_DEPTH, .elements = 1u << 24})

/* protobuf_c_message_unpack() for bytes that nobody vouches for. The message is freed with
 * protobuf_c_message_free_unpacked(message, NULL). */
int json_pb_unpack(const ProtobufCMessageDescriptor *type, struct span bytes,
                   struct json_pb_limits limits, ProtobufCMessage **ret_message, char **ret_error)
    __attribute__((warn_unused_result));

/* Builds a message from a JSON object; freed as above. */
int json_pb_read(const json_t *json, const ProtobufCMessageDescriptor *type,
                 ProtobufCMessage **ret_message, char **ret_error)
    __attribute__((warn_unused_result));

/* Builds an object, the caller's reference, from a message. A text that is no UTF-8 is an error. */
int json_pb_write(const ProtobufCMessage *message, json_t **ret_json, char **ret_error)
    __attribute__((warn_unused_result));

/*
 * The JSON as text, the caller's to free(); NULL without memory. Unlike jansson's own printing,
 * reals have as few digits as bring the same double back. indent: spaces a level, lists of scalars
 * on one line; 0: no space at all.
 */
char *json_pb_text(const json_t *json, unsigned indent);

#endif
