/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/session.h"

#include <stdlib.h>
#include <unistd.h>

#include "proto/wire.h"

#define TEXT_MAX 255

/* milvus.proto: ConnectRequest.client_info is 2; common.proto: ClientInfo has sdk_type 1,
 * sdk_version 2, host 5. */
enum { CLIENT_INFO = 2, SDK_TYPE = 1, SDK_VERSION = 2, HOST = 5 };

struct blob *session_connect_message(void)
{
    char host[TEXT_MAX + 1] = "";
    gethostname(host, TEXT_MAX);
    const struct {
        uint16_t number;
        const char *text;
    } fields[] = {{SDK_TYPE, "milvus-bouncer"}, {SDK_VERSION, MVB_VERSION}, {HOST, host}};
    struct blob *message = blob_new(3 * wire_override_bound(TEXT_MAX));
    if (!message)
        abort();
    size_t length = 0;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        struct wire_path path = {.outer = CLIENT_INFO, .number = fields[i].number};
        length += wire_override(message->data + length, path, span_text(fields[i].text));
    }
    message->size = length;
    return message;
}
