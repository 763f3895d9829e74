/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/grpc_reply.h"

#include <stdlib.h>

#include "proto/grpc_text.h"

#define ESCAPE_SIZE 3 /* bytes of "%XX" */

static void add(struct metadata *to, const char *name, const char *value)
{
    metadata_add(to, span_text(name), span_text(value));
}

static void add_all(struct metadata *to, const struct metadata *from)
{
    size_t at = 0;
    struct metadata_item item;
    while (metadata_next(from, &at, &item))
        metadata_add(to, item.name, item.value);
}

void grpc_reply_head(struct metadata *to, const struct metadata *metadata)
{
    add(to, ":status", "200");
    add(to, "content-type", "application/grpc");
    add_all(to, metadata);
}

/* Whether a byte within a character of UTF-8 stands there, as an escape. */
static bool is_continuation(const char *at)
{
    return at[0] == '%' && (at[1] == '8' || at[1] == '9' || at[1] == 'A' || at[1] == 'B');
}

/* Cuts between characters, which may be several escapes. */
static size_t cut(const char *encoded, size_t length)
{
    if (length <= GRPC_MESSAGE_MAX)
        return length;
    size_t end = GRPC_MESSAGE_MAX;
    for (size_t i = 1; i < ESCAPE_SIZE; i++) {
        if (encoded[end - i] == '%') {
            end -= i;
            break;
        }
    }
    while (end >= ESCAPE_SIZE && is_continuation(encoded + end) &&
           encoded[end - ESCAPE_SIZE] == '%')
        end -= ESCAPE_SIZE;
    return end;
}

static void add_message(struct metadata *to, struct span message)
{
    struct span head = span_cut(message, GRPC_MESSAGE_MAX);
    char *encoded = malloc(ESCAPE_SIZE * head.length);
    if (!encoded)
        abort();
    size_t length = grpc_percent_encode(head, encoded);
    metadata_add(to, span_text("grpc-message"), span_of(encoded, cut(encoded, length)));
    free(encoded);
}

static void add_status(struct metadata *to, enum code code)
{
    const char digits[] = {(char)('0' + code / 10), (char)('0' + code % 10)};
    metadata_add(to, span_text("grpc-status"),
                 code < 10 ? span_of(digits + 1, 1) : span_of(digits, 2));
}

void grpc_reply_status(struct metadata *to, enum code code, struct span message,
                       const struct metadata *metadata)
{
    add_status(to, code);
    if (message.length > 0)
        add_message(to, message);
    add_all(to, metadata);
}

void grpc_reply_http(struct metadata *to, const char *status)
{
    add(to, ":status", status);
    add(to, "allow", "POST");
    add(to, "content-type", "text/plain");
}
