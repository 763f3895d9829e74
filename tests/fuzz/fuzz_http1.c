/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a client as requests over HTTP/1.1, given in pieces and at once: both ways must come to
 * the same, nothing is held beyond the limits or between requests, and what is announced is what
 * comes. The first byte says how large the pieces are. */
#include <stdlib.h>

#include "proto/http1.h"

#define PREFIX   1
#define MAX_BODY 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http1_limits limits = {.max_header = 2048, .max_pipelined = 1024};

/* What was made of the input, in short. */
struct summary {
    unsigned requests;
    uint64_t hash; /* FNV-1a over all that was read */
    unsigned status;
};

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void add(struct summary *summary, struct span bytes)
{
    for (size_t i = 0; i < bytes.length; i++)
        summary->hash = (summary->hash ^ bytes.at[i]) * 0x100000001b3;
    summary->hash = (summary->hash ^ bytes.length) * 0x100000001b3;
}

static void add_head(struct summary *summary, const struct http1_head *head)
{
    const uint8_t bits[] = {(uint8_t)head->method, head->is_chunked, head->is_old,
                            head->keeps_alive, head->expects_continue};
    size_t all = 0;
    for (size_t i = 0; i < HTTP1_FIELD_COUNT; i++) {
        all += head->fields[i].length;
        add(summary, head->fields[i]);
    }
    require(all <= limits.max_header);
    require(head->length <= MAX_BODY && head->path.length <= HTTP1_REQUEST_LINE_MAX);
    require(!head->is_chunked || (head->length == 0 && !head->is_old));
    add(summary, head->path);
    add(summary, span_of(bits, sizeof(bits)));
    http1_accepts_gzip(head->fields[HTTP1_ACCEPT_ENCODING]);
}

static void add_request(struct summary *summary, struct http1 *http)
{
    const struct http1_head *head = http1_head(http);
    struct blob *body = http1_take_body(http);
    size_t size = body ? body->size : 0;
    require(head && !http1_busy(http));
    require(size <= MAX_BODY && (head->is_chunked || size == head->length));
    add(summary, blob_span(body));
    blob_unref(body);
    http1_next(http);
    require(!http->message);
    summary->requests++;
}

/* One piece. False: the connection would be ended. */
static bool take_piece(struct http1 *http, struct span bytes, struct summary *summary)
{
    for (;;) {
        switch (http1_take(http, &bytes)) {
        case HTTP1_READ_MORE:
            require(bytes.length == 0);
            return true;
        case HTTP1_READ_HEAD:
            add_head(summary, http1_head(http));
            break;
        case HTTP1_READ_WHOLE:
            add_request(summary, http);
            break;
        case HTTP1_READ_BROKEN:
            summary->status = http1_fault(http).status;
            require(summary->status >= 400 && http1_fault(http).text);
            return false;
        }
    }
}

static struct summary read_all(const uint8_t *data, size_t size, size_t piece)
{
    struct http1 http;
    struct summary summary = {.hash = 0xcbf29ce484222325};
    http1_init(&http, &limits, MAX_BODY);
    for (size_t at = 0; at < size; at += piece) {
        size_t length = size - at < piece ? size - at : piece;
        if (!take_piece(&http, span_of(data + at, length), &summary))
            break;
    }
    http1_clear(&http);
    return summary;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size <= PREFIX)
        return 0;
    struct summary whole = read_all(data + PREFIX, size - PREFIX, size);
    struct summary parts = read_all(data + PREFIX, size - PREFIX, data[0] % 64u + 1);
    require(whole.requests == parts.requests && whole.hash == parts.hash &&
            whole.status == parts.status);
    return 0;
}
