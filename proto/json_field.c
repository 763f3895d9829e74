/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/json_field.h"

#include <ctype.h>
#include <string.h>

#include "proto/json_near.h"

static bool is_entry_field(const ProtobufCFieldDescriptor *field, unsigned id, const char *name)
{
    return field->id == id && strcmp(field->name, name) == 0;
}

bool json_field_is_map(const ProtobufCFieldDescriptor *field)
{
    if (field->label != PROTOBUF_C_LABEL_REPEATED || field->type != PROTOBUF_C_TYPE_MESSAGE)
        return false;
    const ProtobufCMessageDescriptor *entry = field->descriptor;
    size_t length = strlen(entry->name);
    return length > 5 && strcmp(entry->name + length - 5, "Entry") == 0 && entry->n_fields == 2 &&
           is_entry_field(&entry->fields[0], 1, "key") &&
           is_entry_field(&entry->fields[1], 2, "value");
}

size_t json_field_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return 4;
    }
}

/* "dbName" for db_name: protobuf's JSON names drop underscores and raise the letter behind. */
static bool is_camel_of(const char *typed, const char *name)
{
    for (; *name; name++, typed++) {
        bool raise = false;
        while (*name == '_') {
            raise = true;
            name++;
        }
        if (*typed != (raise ? toupper((unsigned char)*name) : *name))
            return false;
        if (!*name)
            return true;
    }
    return *typed == '\0';
}

const ProtobufCFieldDescriptor *json_field_find(const ProtobufCMessageDescriptor *type,
                                                const char *name)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(type, name);
    if (field)
        return field;
    for (unsigned i = 0; i < type->n_fields; i++) {
        if (is_camel_of(name, type->fields[i].name))
            return &type->fields[i];
    }
    return NULL;
}

const char *json_field_near(const ProtobufCMessageDescriptor *type, const char *typed)
{
    const char *nearest = NULL;
    unsigned least = JSON_NEAR_NONE;
    for (unsigned i = 0; i < type->n_fields; i++) {
        unsigned distance = json_near(typed, type->fields[i].name);
        if (distance < least) {
            least = distance;
            nearest = type->fields[i].name;
        }
    }
    return nearest;
}

static bool is_zero(const void *at, size_t size)
{
    static const uint64_t zero;
    return memcmp(at, &zero, size) == 0;
}

bool json_field_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    const void *at = json_field_value(message, field);
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return *json_field_count(message, field) > 0;
    if (json_field_in_oneof(field))
        return *json_field_case(message, field) == field->id;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return *(char *const *)at && **(char *const *)at;
    case PROTOBUF_C_TYPE_BYTES:
        return ((const ProtobufCBinaryData *)at)->len > 0;
    case PROTOBUF_C_TYPE_MESSAGE:
        return *(ProtobufCMessage *const *)at;
    default:
        return !is_zero(at, json_field_size(field->type));
    }
}
