/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as a protobuf message: read field by field, searched, overridden. What is found stands
 * within the message, and what was set is found again. The first two bytes are the path. */
#include <stdlib.h>

#include "proto/blob.h"
#include "proto/rpc.h"

#define PREFIX 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_within(struct span part, struct span whole)
{
    if (part.length == 0)
        return;
    if (part.at < whole.at || part.length > whole.length ||
        (size_t)(part.at - whole.at) > whole.length - part.length)
        abort();
}

/* Whether the message can be read to its end. */
static bool read_fields(struct span message)
{
    struct span rest = message;
    struct wire_field field;
    enum wire_read read;
    size_t left = rest.length;
    while ((read = wire_next(&rest, &field)) == WIRE_FIELD) {
        if (rest.length >= left || field.number == 0 || field.number >= 1u << 29)
            abort();
        if (field.type == WIRE_BYTES)
            check_within(field.bytes, message);
        left = rest.length;
    }
    return read == WIRE_END;
}

static void override(struct span message, struct wire_path path, struct span value)
{
    struct blob *longer = blob_new(message.length + wire_override_bound(value.length));
    if (!longer)
        abort();
    if (message.length > 0)
        memcpy(longer->data, message.at, message.length);
    size_t added = wire_override(longer->data + message.length, path, value);
    struct span found;
    if (added > wire_override_bound(value.length) ||
        !wire_find_bytes(span_of(longer->data, message.length + added), path, &found) ||
        !span_equal(found, value))
        abort();
    blob_unref(longer);
}

static void read_statuses(struct span message, bool well_formed)
{
    struct wire_status status;
    if (wire_read_status(message, &status) != well_formed)
        abort();
    if (well_formed)
        check_within(status.reason, message);
    for (enum rpc_status form = RPC_STATUS_DIRECT; form <= RPC_STATUS_STREAM; form++) {
        const struct rpc rpc = {.status = form};
        if (rpc_read_status(&rpc, message, &status))
            check_within(status.reason, message);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < PREFIX || data[1] == 0)
        return 0;
    struct wire_path path = {.outer = data[0], .number = data[1]};
    struct span message = span_of(data + PREFIX, size - PREFIX);
    struct span found;
    bool well_formed = read_fields(message);
    bool readable = wire_find_bytes(message, path, &found);
    if (path.outer == 0 ? readable != well_formed : readable && !well_formed)
        abort();
    if (readable) {
        check_within(found, message);
        override(message, path, span_cut(message, 300));
    }
    read_statuses(message, well_formed);
    return 0;
}
