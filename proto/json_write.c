/* SPDX-License-Identifier: Apache-2.0 */
/* Messages to JSON. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/base64.h"
#include "proto/json.h"
#include "proto/json_embed.h"
#include "proto/json_field.h"
#include "proto/json_path.h"
#include "proto/number.h"

/* Integers that a double, and so every JSON reader, holds exactly. */
#define EXACT_MAX (INT64_C(1) << 53)

static json_t *write_message(const ProtobufCMessage *message, const struct json_path *path,
                             char **ret_error);

static json_t *no_memory(const struct json_path *path, char **ret_error)
{
    json_path_error(path, ret_error, "no memory");
    return NULL;
}

static json_t *write_signed(int64_t value)
{
    char text[24];
    if (value >= -EXACT_MAX && value <= EXACT_MAX)
        return json_integer(value);
    snprintf(text, sizeof(text), "%lld", (long long)value);
    return json_string(text);
}

static json_t *write_unsigned(uint64_t value)
{
    char text[24];
    if (value <= EXACT_MAX)
        return json_integer((json_int_t)value);
    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    return json_string(text);
}

static json_t *write_real(double value)
{
    if (isnan(value))
        return json_string("NaN");
    if (isinf(value))
        return json_string(value < 0 ? "-Infinity" : "Infinity");
    return json_real(value);
}

/* The double whose text is the shortest that brings the float back: 0.1 rather than
 * 0.10000000149011612. */
static json_t *write_float(float value)
{
    char text[NUMBER_MAX + 1];
    if (!isfinite(value))
        return write_real(value);
    text[number_print_float(text, value)] = 0;
    return json_real(strtod(text, NULL));
}

static json_t *write_enum(const ProtobufCEnumDescriptor *type, int32_t number)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(type, number);
    return value ? json_string(value->name) : json_integer(number);
}

static json_t *write_text(const char *text, const struct json_path *path, char **ret_error)
{
    json_t *json = json_string(text ? text : "");
    if (!json)
        json_path_error(path, ret_error, "not UTF-8");
    return json;
}

static json_t *write_base64(struct span bytes, const struct json_path *path, char **ret_error)
{
    size_t size = BASE64_SIZE(bytes.length);
    char *text = malloc(size + 1);
    json_t *json = NULL;
    if (text) {
        base64_encode(bytes, text);
        json = json_stringn_nocheck(text, size);
    }
    free(text);
    return json ? json : no_memory(path, ret_error);
}

/* The message in the bytes; NULL, with or without *ret_error, when it is none. */
static json_t *write_embedded(const ProtobufCMessageDescriptor *held, struct span bytes,
                              const struct json_path *path, char **ret_error)
{
    struct json_pb_limits limits = JSON_PB_LIMITS;
    ProtobufCMessage *message;
    if (json_pb_unpack(held, bytes, limits, &message, ret_error) != 0)
        return NULL;
    json_t *json = write_message(message, path, ret_error);
    protobuf_c_message_free_unpacked(message, NULL);
    return json;
}

static float little_endian_float(const uint8_t *at)
{
    uint32_t bits = at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static json_t *write_vector(struct span bytes, const struct json_path *path, char **ret_error)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < bytes.length; i += 4) {
        if (json_array_append_new(array, write_float(little_endian_float(bytes.at + i))) != 0) {
            json_decref(array);
            array = NULL;
        }
    }
    return array ? array : no_memory(path, ret_error);
}

/* Bytes with a form of their own are printed so where they can be, else as base64. */
static json_t *write_bytes(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                           struct span bytes, const struct json_path *path, char **ret_error)
{
    const ProtobufCMessageDescriptor *held = json_embed_find(message->descriptor, field->name);
    if (held) {
        char *ignored = NULL;
        json_t *json = write_embedded(held, bytes, path, &ignored);
        free(ignored);
        if (json)
            return json;
    }
    if (json_embed_is_vector(message->descriptor, field->name) &&
        json_embed_is_float_vector(message) && bytes.length % 4 == 0)
        return write_vector(bytes, path, ret_error);
    return write_base64(bytes, path, ret_error);
}

static json_t *write_scalar(const ProtobufCFieldDescriptor *field, const void *at)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return json_integer(*(const int32_t *)at);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return json_integer(*(const uint32_t *)at);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return write_signed(*(const int64_t *)at);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return write_unsigned(*(const uint64_t *)at);
    case PROTOBUF_C_TYPE_FLOAT:
        return write_float(*(const float *)at);
    case PROTOBUF_C_TYPE_DOUBLE:
        return write_real(*(const double *)at);
    case PROTOBUF_C_TYPE_BOOL:
        return json_boolean(*(const protobuf_c_boolean *)at);
    default:
        return write_enum(field->descriptor, *(const int32_t *)at);
    }
}

static json_t *write_value(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                           const void *at, const struct json_path *path, char **ret_error)
{
    const ProtobufCBinaryData *bytes = at;
    json_t *json;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return write_text(*(char *const *)at, path, ret_error);
    case PROTOBUF_C_TYPE_BYTES:
        return write_bytes(message, field, span_of(bytes->data, bytes->len), path, ret_error);
    case PROTOBUF_C_TYPE_MESSAGE:
        return write_message(*(ProtobufCMessage *const *)at, path, ret_error);
    default:
        json = write_scalar(field, at);
        return json ? json : no_memory(path, ret_error);
    }
}

static json_t *write_list(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                          const struct json_path *path, char **ret_error)
{
    json_t *list = json_array();
    const char *elements = *(char *const *)json_field_value(message, field);
    if (!list)
        return no_memory(path, ret_error);
    for (size_t i = 0; i < *json_field_count(message, field); i++) {
        struct json_path here = json_path_element(path, i);
        const void *at = elements + i * json_field_size(field->type);
        json_t *element = write_value(message, field, at, &here, ret_error);
        if (!element)
            goto failed;
        if (json_array_append_new(list, element) != 0) {
            no_memory(path, ret_error);
            goto failed;
        }
    }
    return list;
failed:
    json_decref(list);
    return NULL;
}

/* A map's key as the text that JSON needs; the caller's to free(). NULL: no memory. */
static char *key_text(const ProtobufCMessage *entry)
{
    const ProtobufCFieldDescriptor *field = &entry->descriptor->fields[0];
    const void *at = json_field_value(entry, field);
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return strdup(*(char *const *)at ? *(char *const *)at : "");
    json_t *key = write_scalar(field, at);
    char *text = !key                  ? NULL
                 : json_is_string(key) ? strdup(json_string_value(key))
                                       : json_pb_text(key, 0);
    json_decref(key);
    return text;
}

/* An entry may lack its value on the wire: that is the type's default, for messages an empty one.
 */
static json_t *write_entry_value(const ProtobufCMessage *entry, const struct json_path *path,
                                 char **ret_error)
{
    const ProtobufCFieldDescriptor *field = &entry->descriptor->fields[1];
    const void *at = json_field_value(entry, field);
    if (field->type == PROTOBUF_C_TYPE_MESSAGE && !*(ProtobufCMessage *const *)at)
        return json_object();
    return write_value(entry, field, at, path, ret_error);
}

static int write_entry(json_t *map, const ProtobufCMessage *entry, const struct json_path *path,
                       char **ret_error)
{
    char *key = key_text(entry);
    if (!key)
        return json_path_error(path, ret_error, "no memory");
    struct json_path here = json_path_key(path, key);
    json_t *value = write_entry_value(entry, &here, ret_error);
    int failed = value ? json_object_set_new(map, key, value) : -1;
    if (value && failed)
        json_path_error(path, ret_error, "a key that is not UTF-8");
    free(key);
    return failed;
}

static json_t *write_map(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                         const struct json_path *path, char **ret_error)
{
    json_t *map = json_object();
    ProtobufCMessage *const *entries =
        *(ProtobufCMessage * *const *)json_field_value(message, field);
    if (!map)
        return no_memory(path, ret_error);
    for (size_t i = 0; i < *json_field_count(message, field); i++) {
        if (write_entry(map, entries[i], path, ret_error) != 0) {
            json_decref(map);
            return NULL;
        }
    }
    return map;
}

static json_t *write_field(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                           const struct json_path *path, char **ret_error)
{
    if (json_field_is_map(field))
        return write_map(message, field, path, ret_error);
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return write_list(message, field, path, ret_error);
    return write_value(message, field, json_field_value(message, field), path, ret_error);
}

static int write_fields(json_t *object, const ProtobufCMessage *message,
                        const struct json_path *here, char **ret_error)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (!json_field_is_set(message, field))
            continue;
        struct json_path path = json_path_field(here, field->name);
        json_t *value = write_field(message, field, &path, ret_error);
        if (!value)
            return -1;
        if (json_object_set_new(object, field->name, value) != 0)
            return json_path_error(&path, ret_error, "no memory");
    }
    return 0;
}

static json_t *write_message(const ProtobufCMessage *message, const struct json_path *path,
                             char **ret_error)
{
    struct json_path here = *path;
    if (++here.depth > JSON_PB_DEPTH) {
        json_path_error(path, ret_error, "nested deeper than %d messages", JSON_PB_DEPTH);
        return NULL;
    }
    json_t *object = json_object();
    if (!object)
        return no_memory(path, ret_error);
    if (write_fields(object, message, &here, ret_error) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

int json_pb_write(const ProtobufCMessage *message, json_t **ret_json, char **ret_error)
{
    struct json_path root = {.kind = JSON_PATH_ROOT};
    json_t *json = write_message(message, &root, ret_error);
    if (!json)
        return -1;
    *ret_json = json;
    return 0;
}
