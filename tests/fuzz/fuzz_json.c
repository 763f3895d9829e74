/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as a message of some type: unpacked within limits, printed, read back. What was printed
 * must be readable, and print the same again. The first byte picks the method and the side. */
#include <stdlib.h>

#include "proto/json.h"
#include "proto/method.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_t *print(const ProtobufCMessage *message)
{
    json_t *json = NULL;
    char *error = NULL;
    if (json_pb_write(message, &json, &error) != 0)
        free(error); /* a text that is no UTF-8 */
    return json;
}

static ProtobufCMessage *read_back(const json_t *json, const ProtobufCMessageDescriptor *type)
{
    char *text = json_pb_text(json, 0);
    json_t *parsed = json_loads(text, JSON_ALLOW_NUL, NULL);
    ProtobufCMessage *message;
    char *error;
    if (!parsed || json_pb_read(parsed, type, &message, &error) != 0)
        abort();
    json_decref(parsed);
    free(text);
    return message;
}

/* The JSON of what the JSON reads as. */
static json_t *print_again(const json_t *json, const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *message = read_back(json, type);
    json_t *again = print(message);
    protobuf_c_message_free_unpacked(message, NULL);
    if (!again)
        abort();
    return again;
}

static void round_trip(const ProtobufCMessage *message)
{
    json_t *first = print(message);
    if (!first)
        return;
    json_t *second = print_again(first, message->descriptor);
    json_t *third = print_again(second, message->descriptor);
    if (!json_equal(second, third))
        abort();
    json_decref(first);
    json_decref(second);
    json_decref(third);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t count;
    const struct method *methods = method_all(&count);
    if (size == 0)
        return 0;
    const struct method *method = &methods[data[0] / 2 % count];
    struct json_pb_limits limits = {.depth = JSON_PB_DEPTH, .elements = 100000};
    ProtobufCMessage *message;
    char *error;
    if (json_pb_unpack(data[0] % 2 ? method->reply : method->request, span_of(data + 1, size - 1),
                       limits, &message, &error) != 0) {
        free(error);
        return 0;
    }
    round_trip(message);
    protobuf_c_message_free_unpacked(message, NULL);
    return 0;
}
