/* SPDX-License-Identifier: Apache-2.0 */
/* JSON to messages. What is built is at all times complete enough for
 * protobuf_c_message_free_unpacked(), which frees it where reading fails. */
#include <stdlib.h>

#include "proto/base64.h"
#include "proto/json.h"
#include "proto/json_embed.h"
#include "proto/json_field.h"
#include "proto/json_path.h"
#include "proto/json_value.h"

/* Where a value goes: a field of the message, for lists one element of it at `to`. */
struct target {
    ProtobufCMessage *message;
    const ProtobufCFieldDescriptor *field;
    void *to;
};

static int read_message(const json_t *json, const ProtobufCMessageDescriptor *type,
                        const struct json_path *path, ProtobufCMessage **ret_message,
                        char **ret_error);

static int no_memory(const struct json_path *path, char **ret_error)
{
    return json_path_error(path, ret_error, "no memory");
}

static int wrong_kind(const json_t *json, const char *expected, const struct json_path *path,
                      char **ret_error)
{
    return json_path_error(path, ret_error, "expected %s, got %s", expected, json_value_kind(json));
}

static int read_text(const json_t *json, const struct json_path *path, char **to, char **ret_error)
{
    if (!json_is_string(json))
        return wrong_kind(json, "a text", path, ret_error);
    if (strlen(json_string_value(json)) != json_string_length(json))
        return json_path_error(path, ret_error, "a text with a NUL character");
    char *copy = strdup(json_string_value(json));
    if (!copy)
        return no_memory(path, ret_error);
    *to = copy;
    return 0;
}

static int read_base64(const json_t *json, const struct json_path *path, ProtobufCBinaryData *to,
                       char **ret_error)
{
    struct span text = span_of(json_string_value(json), json_string_length(json));
    uint8_t *data = malloc(base64_bound(text.length));
    if (!data)
        return no_memory(path, ret_error);
    ptrdiff_t length = base64_decode(text, data);
    if (length < 0) {
        free(data);
        return json_path_error(path, ret_error, "expected base64");
    }
    *to = (ProtobufCBinaryData){.len = (size_t)length, .data = data};
    return 0;
}

static int read_embedded(const json_t *json, const ProtobufCMessageDescriptor *held,
                         const struct json_path *path, ProtobufCBinaryData *to, char **ret_error)
{
    ProtobufCMessage *message;
    if (read_message(json, held, path, &message, ret_error) != 0)
        return -1;
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *data = malloc(size ? size : 1);
    if (data)
        *to = (ProtobufCBinaryData){protobuf_c_message_pack(message, data), data};
    protobuf_c_message_free_unpacked(message, NULL);
    return data ? 0 : no_memory(path, ret_error);
}

static void put_little_endian(uint8_t *to, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    for (unsigned i = 0; i < 4; i++)
        to[i] = (uint8_t)(bits >> 8 * i);
}

static int read_vector(const json_t *json, const struct json_path *path, ProtobufCBinaryData *to,
                       char **ret_error)
{
    size_t count = json_array_size(json);
    uint8_t *data = malloc(count ? count * 4 : 1);
    if (!data)
        return no_memory(path, ret_error);
    for (size_t i = 0; i < count; i++) {
        struct json_path here = json_path_element(path, i);
        float value;
        if (json_value_read_float(json_array_get(json, i), &here, &value, ret_error) != 0) {
            free(data);
            return -1;
        }
        put_little_endian(data + 4 * i, value);
    }
    *to = (ProtobufCBinaryData){.len = count * 4, .data = data};
    return 0;
}

static int read_bytes(const json_t *json, const struct target *target, const struct json_path *path,
                      char **ret_error)
{
    const ProtobufCMessageDescriptor *type = target->message->descriptor;
    const ProtobufCMessageDescriptor *held = json_embed_find(type, target->field->name);
    bool vector = json_embed_is_vector(type, target->field->name);
    if (json_is_string(json))
        return read_base64(json, path, target->to, ret_error);
    if (held && json_is_object(json))
        return read_embedded(json, held, path, target->to, ret_error);
    if (vector && json_is_array(json))
        return read_vector(json, path, target->to, ret_error);
    return wrong_kind(json,
                      held     ? "an object or base64"
                      : vector ? "a list of numbers or base64"
                               : "base64",
                      path, ret_error);
}

static int read_value(const json_t *json, const struct target *target, const struct json_path *path,
                      char **ret_error)
{
    switch (target->field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return read_text(json, path, target->to, ret_error);
    case PROTOBUF_C_TYPE_BYTES:
        return read_bytes(json, target, path, ret_error);
    case PROTOBUF_C_TYPE_MESSAGE:
        return read_message(json, target->field->descriptor, path, target->to, ret_error);
    default:
        return json_value_read(json, target->field, path, target->to, ret_error);
    }
}

/* Room for a list's elements; its count stays 0 until they are there. */
static char *make_list(const struct target *target, size_t count)
{
    char *elements = calloc(count, json_field_size(target->field->type));
    *(char **)target->to = elements;
    return elements;
}

static int read_list(const json_t *json, const struct target *target, const struct json_path *path,
                     char **ret_error)
{
    size_t count = json_array_size(json);
    size_t *filled = json_field_count(target->message, target->field);
    if (!json_is_array(json))
        return wrong_kind(json, "a list", path, ret_error);
    if (count == 0)
        return 0;
    char *elements = make_list(target, count);
    if (!elements)
        return no_memory(path, ret_error);
    for (; *filled < count; ++*filled) {
        struct json_path here = json_path_element(path, *filled);
        struct target element = *target;
        element.to = elements + *filled * json_field_size(target->field->type);
        if (read_value(json_array_get(json, *filled), &element, &here, ret_error) != 0)
            return -1;
    }
    return 0;
}

static ProtobufCMessage *make_message(const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *message = calloc(1, type->sizeof_message);
    if (message)
        protobuf_c_message_init(type, message);
    return message;
}

static struct target target_of(ProtobufCMessage *message, unsigned index)
{
    const ProtobufCFieldDescriptor *field = &message->descriptor->fields[index];
    return (struct target){message, field, json_field_value(message, field)};
}

static int read_key(const char *key, ProtobufCMessage *entry, const struct json_path *path,
                    char **ret_error)
{
    json_t *json = json_string(key);
    struct target target = target_of(entry, 0);
    int failed = json ? read_value(json, &target, path, ret_error) : no_memory(path, ret_error);
    json_decref(json);
    return failed;
}

static int read_entry(const char *key, const json_t *value, const ProtobufCMessageDescriptor *type,
                      const struct json_path *path, ProtobufCMessage **ret_entry, char **ret_error)
{
    ProtobufCMessage *entry = make_message(type);
    if (!entry)
        return no_memory(path, ret_error);
    struct target target = target_of(entry, 1);
    if (read_key(key, entry, path, ret_error) != 0 ||
        read_value(value, &target, path, ret_error) != 0) {
        protobuf_c_message_free_unpacked(entry, NULL);
        return -1;
    }
    *ret_entry = entry;
    return 0;
}

static int read_map(const json_t *json, const struct target *target, const struct json_path *path,
                    char **ret_error)
{
    size_t *filled = json_field_count(target->message, target->field);
    const char *key;
    json_t *value;
    if (!json_is_object(json))
        return wrong_kind(json, "an object", path, ret_error);
    if (json_object_size(json) == 0)
        return 0;
    ProtobufCMessage **entries = (void *)make_list(target, json_object_size(json));
    if (!entries)
        return no_memory(path, ret_error);
    json_object_foreach((json_t *)(uintptr_t)json, key, value)
    {
        struct json_path here = json_path_key(path, key);
        if (read_entry(key, value, target->field->descriptor, &here, &entries[*filled],
                       ret_error) != 0)
            return -1;
        ++*filled;
    }
    return 0;
}

/* A oneof's case is set once its member is read: until then there is nothing to free. */
static int read_singular(const json_t *json, const struct target *target,
                         const struct json_path *path, char **ret_error)
{
    if (read_value(json, target, path, ret_error) != 0)
        return -1;
    if (json_field_in_oneof(target->field))
        *json_field_case(target->message, target->field) = target->field->id;
    return 0;
}

/* Refuses a second value: under the field's other name, or for another member of its oneof. */
static int refuse_second(const struct target *target, const struct json_path *path,
                         char **ret_error)
{
    if (json_field_in_oneof(target->field) && *json_field_case(target->message, target->field) != 0)
        return json_path_error(path, ret_error, "excludes another key that is given");
    if (json_field_is_set(target->message, target->field))
        return json_path_error(path, ret_error, "given twice");
    return 0;
}

static int read_field(const json_t *json, const struct target *target, const struct json_path *path,
                      char **ret_error)
{
    if (json_is_null(json))
        return 0;
    if (refuse_second(target, path, ret_error) != 0)
        return -1;
    if (json_field_is_map(target->field))
        return read_map(json, target, path, ret_error);
    if (target->field->label == PROTOBUF_C_LABEL_REPEATED)
        return read_list(json, target, path, ret_error);
    return read_singular(json, target, path, ret_error);
}

static int unknown_key(const ProtobufCMessageDescriptor *type, const struct json_path *path,
                       char **ret_error)
{
    const char *near = json_field_near(type, path->name);
    if (near)
        return json_path_error(path, ret_error, "unknown field; did you mean \"%s\"?", near);
    return json_path_error(path, ret_error, "unknown field of %s", type->short_name);
}

static int read_member(const char *key, const json_t *value, ProtobufCMessage *message,
                       const struct json_path *here, char **ret_error)
{
    struct json_path path = json_path_field(here, key);
    const ProtobufCFieldDescriptor *field = json_field_find(message->descriptor, key);
    if (!field)
        return unknown_key(message->descriptor, &path, ret_error);
    struct target target = {message, field, json_field_value(message, field)};
    return read_field(value, &target, &path, ret_error);
}

/* Numbers were read before it was known what kind of vector the message says they are. */
static int check_vectors(const json_t *json, const ProtobufCMessage *message,
                         const struct json_path *here, char **ret_error)
{
    const json_t *values = json_object_get(json, "values");
    size_t i;
    const json_t *value;
    if (!json_embed_is_vector(message->descriptor, "values") || json_embed_is_float_vector(message))
        return 0;
    json_array_foreach(values, i, value)
    {
        if (json_is_array(value))
            return json_path_error(here, ret_error,
                                   "values as numbers need \"type\": \"FloatVector\"");
    }
    return 0;
}

static int read_members(const json_t *json, ProtobufCMessage *message, const struct json_path *here,
                        char **ret_error)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)json, key, value)
    {
        if (read_member(key, value, message, here, ret_error) != 0)
            return -1;
    }
    return check_vectors(json, message, here, ret_error);
}

static int read_message(const json_t *json, const ProtobufCMessageDescriptor *type,
                        const struct json_path *path, ProtobufCMessage **ret_message,
                        char **ret_error)
{
    struct json_path here = *path;
    if (!json_is_object(json))
        return wrong_kind(json, "an object", path, ret_error);
    if (++here.depth > JSON_PB_DEPTH)
        return json_path_error(path, ret_error, "nested deeper than %d messages", JSON_PB_DEPTH);
    ProtobufCMessage *message = make_message(type);
    if (!message)
        return no_memory(path, ret_error);
    if (read_members(json, message, &here, ret_error) != 0) {
        protobuf_c_message_free_unpacked(message, NULL);
        return -1;
    }
    *ret_message = message;
    return 0;
}

int json_pb_read(const json_t *json, const ProtobufCMessageDescriptor *type,
                 ProtobufCMessage **ret_message, char **ret_error)
{
    struct json_path root = {.kind = JSON_PATH_ROOT};
    return read_message(json, type, &root, ret_message, ret_error);
}
