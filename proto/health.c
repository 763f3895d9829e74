/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/health.h"

#include <stdlib.h>

#include "proto/wire.h"

bool health_read_request(struct span message, struct span *ret_service)
{
    const struct wire_path service = {.number = 1};
    return wire_find_bytes(message, service, ret_service);
}

struct blob *health_response(enum health health)
{
    uint8_t bytes[15];
    struct blob *response = blob_copy(span_of(bytes, wire_put_varint(bytes, 1, health)));
    if (!response)
        abort();
    return response;
}
