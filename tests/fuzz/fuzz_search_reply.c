/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as the reply to a search: cut for several callers. A part is a reply as well, which is its
 * own only part; and who cuts the part of all gets the same as who cuts the reply. The first byte
 * is the number of vectors, the bits of the second say which callers asked two of them. */
#include <stdlib.h>

#include "proto/search_reply.h"

#define PREFIX 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct search_reply *read_again(const struct blob *part, uint32_t vectors)
{
    const char *why;
    struct search_reply *reply = search_reply_read(blob_span(part), vectors, &why);
    if (!reply)
        abort();
    return reply;
}

static struct blob *take(struct search_reply *reply, uint32_t vectors)
{
    struct blob *part = search_reply_take(reply, vectors);
    if (!part)
        abort();
    return part;
}

static void expect_same(struct blob *a, struct blob *b)
{
    if (!span_equal(blob_span(a), blob_span(b)))
        abort();
}

/* The part of all of them is its own only part. */
static struct blob *take_all(struct search_reply *reply, uint32_t vectors)
{
    struct blob *part = take(reply, vectors);
    struct search_reply *again = read_again(part, vectors);
    struct blob *same = take(again, vectors);
    expect_same(part, same);
    blob_unref(same);
    search_reply_free(again);
    return part;
}

static void cut(struct search_reply *reply, struct search_reply *of_all, uint32_t vectors,
                uint8_t pairs)
{
    for (uint32_t i = 0, asked; vectors > 0; i++, vectors -= asked) {
        asked = vectors > 1 && pairs >> i % 8 & 1 ? 2 : 1;
        struct blob *part = take_all(reply, asked);
        struct blob *same = take(of_all, asked);
        expect_same(part, same);
        blob_unref(same);
        blob_unref(part);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < PREFIX)
        return 0;
    uint32_t vectors = data[0];
    struct span message = span_of(data + PREFIX, size - PREFIX);
    const char *why = NULL;
    struct search_reply *reply = search_reply_read(message, vectors, &why);
    if (!reply) {
        if (!why)
            abort();
        return 0;
    }
    struct search_reply *for_all = search_reply_read(message, vectors, &why);
    struct blob *all = take_all(for_all, vectors);
    struct search_reply *of_all = read_again(all, vectors);
    cut(reply, of_all, vectors, data[1]);
    search_reply_free(of_all);
    blob_unref(all);
    search_reply_free(for_all);
    search_reply_free(reply);
    return 0;
}
