/* SPDX-License-Identifier: Apache-2.0 */
/* Looks a message over before protobuf-c unpacks it: its depth and its count of elements bound what
 * unpacking costs. */
#include "proto/json.h"
#include "proto/json_path.h"
#include "proto/wire.h"

/* A message field that stands several times is merged, each time with copies of all its lists: a
 * few are harmless, many are quadratic. */
#define MERGES_MAX 16

struct scan {
    struct json_pb_limits limits;
    size_t elements; /* so far */
    unsigned merges;
    char **ret_error;
};

static int scan_message(struct scan *scan, const ProtobufCMessageDescriptor *type,
                        struct span bytes, const struct json_path *path);

static int scan_count(struct scan *scan, size_t count, const struct json_path *path)
{
    scan->elements += count;
    if (scan->elements <= scan->limits.elements)
        return 0;
    return json_path_error(path, scan->ret_error, "more than %zu elements in one message",
                           scan->limits.elements);
}

/* Varints end with a byte below 0x80. */
static size_t count_varints(struct span bytes)
{
    size_t count = 0;
    for (size_t i = 0; i < bytes.length; i++)
        count += bytes.at[i] < 0x80;
    return count;
}

/* How many elements one length-delimited field brings, besides itself. */
static size_t packed_count(const ProtobufCFieldDescriptor *field, struct span bytes)
{
    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return 0;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return 0;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return bytes.length / 4;
    case PROTOBUF_C_TYPE_DOUBLE:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return bytes.length / 8;
    default:
        return count_varints(bytes);
    }
}

/* *seen: a bit for each of the message's first 64 fields. */
static int note_merge(struct scan *scan, const ProtobufCMessageDescriptor *type,
                      const ProtobufCFieldDescriptor *field, uint64_t *seen,
                      const struct json_path *path)
{
    uint64_t bit = (uint64_t)1 << ((size_t)(field - type->fields) & 63);
    if (field->label != PROTOBUF_C_LABEL_REPEATED && *seen & bit && ++scan->merges > MERGES_MAX)
        return json_path_error(path, scan->ret_error, "stands more than once");
    *seen |= bit;
    return 0;
}

static int scan_field(struct scan *scan, const ProtobufCMessageDescriptor *type,
                      const struct wire_field *read, uint64_t *seen, const struct json_path *up)
{
    if (scan_count(scan, 1, up) != 0)
        return -1;
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(type, read->number);
    if (!field || read->type != WIRE_BYTES)
        return 0;
    struct json_path path = json_path_field(up, field->name);
    if (field->type != PROTOBUF_C_TYPE_MESSAGE)
        return scan_count(scan, packed_count(field, read->bytes), &path);
    if (note_merge(scan, type, field, seen, &path) != 0)
        return -1;
    return scan_message(scan, field->descriptor, read->bytes, &path);
}

static int scan_message(struct scan *scan, const ProtobufCMessageDescriptor *type,
                        struct span bytes, const struct json_path *path)
{
    struct json_path here = *path;
    uint64_t seen = 0;
    if (++here.depth > scan->limits.depth)
        return json_path_error(path, scan->ret_error, "nested deeper than %u messages",
                               scan->limits.depth);
    for (;;) {
        struct wire_field field;
        enum wire_read read = wire_next(&bytes, &field);
        if (read == WIRE_END)
            return 0;
        if (read == WIRE_MALFORMED)
            return json_path_error(path, scan->ret_error, "malformed %s", type->short_name);
        if (scan_field(scan, type, &field, &seen, &here) != 0)
            return -1;
    }
}

int json_pb_unpack(const ProtobufCMessageDescriptor *type, struct span bytes,
                   struct json_pb_limits limits, ProtobufCMessage **ret_message, char **ret_error)
{
    struct json_path root = {.kind = JSON_PATH_ROOT};
    struct scan scan = {.limits = limits, .ret_error = ret_error};
    if (limits.depth > JSON_PB_DEPTH)
        scan.limits.depth = JSON_PB_DEPTH;
    if (scan_message(&scan, type, bytes, &root) != 0)
        return -1;
    ProtobufCMessage *message = protobuf_c_message_unpack(type, NULL, bytes.length, bytes.at);
    if (!message)
        return json_path_error(&root, ret_error, "malformed %s", type->short_name);
    *ret_message = message;
    return 0;
}
