/* SPDX-License-Identifier: Apache-2.0 */
/* What protobuf-c's descriptors say of a field, and where its value stands in the C structure. */
#ifndef PROTO_JSON_FIELD_H
#define PROTO_JSON_FIELD_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

/* Map fields are repeated messages XEntry {key = 1; value = 2} to protobuf-c, which keeps no other
 * mark of them. */
bool json_field_is_map(const ProtobufCFieldDescriptor *field);

/* Bytes that one value of the type takes in a message's structure. */
size_t json_field_size(ProtobufCType type);

/* The field of that name, as in the .proto or in lowerCamelCase; NULL: there is none. */
const ProtobufCFieldDescriptor *json_field_find(const ProtobufCMessageDescriptor *type,
                                                const char *name);

/* The field's name that is nearest to a mistyped one, or NULL. */
const char *json_field_near(const ProtobufCMessageDescriptor *type, const char *typed);

static inline void *json_field_value(const ProtobufCMessage *message,
                                     const ProtobufCFieldDescriptor *field)
{
    return (char *)(uintptr_t)message + field->offset;
}

/* The count of a repeated field. */
static inline size_t *json_field_count(const ProtobufCMessage *message,
                                       const ProtobufCFieldDescriptor *field)
{
    return (size_t *)(void *)((char *)(uintptr_t)message + field->quantifier_offset);
}

static inline bool json_field_in_oneof(const ProtobufCFieldDescriptor *field)
{
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

/* The number of the member that a oneof holds, 0 for none. */
static inline uint32_t *json_field_case(const ProtobufCMessage *message,
                                        const ProtobufCFieldDescriptor *field)
{
    return (uint32_t *)(void *)((char *)(uintptr_t)message + field->quantifier_offset);
}

/* Whether a value stands there: one of a list, a oneof's member, else another than the default. */
bool json_field_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

#endif
