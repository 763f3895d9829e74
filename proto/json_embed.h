/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes fields that by Milvus's convention hold something with a JSON form of its own. */
#ifndef PROTO_JSON_EMBED_H
#define PROTO_JSON_EMBED_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

/* The message that the bytes of field `name` in a message `type` hold, or NULL. */
const ProtobufCMessageDescriptor *json_embed_find(const ProtobufCMessageDescriptor *type,
                                                  const char *name);

/* Whether the field's bytes are vectors whose kind the message's own field `type` names. */
bool json_embed_is_vector(const ProtobufCMessageDescriptor *type, const char *name);

/* Whether such a message says that its vectors are float32, little endian. */
bool json_embed_is_float_vector(const ProtobufCMessage *message);

#endif
