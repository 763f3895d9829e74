/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a client as frames, given in pieces and at once: both ways must come to the same, and
 * all that a frame names stands within its payload. The first byte says how large the pieces are,
 * the second how large a message may be. */
#include <stdlib.h>

#include "proto/frame.h"

#define PREFIX 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a reader made of the input, in short. */
struct summary {
    unsigned frames;
    uint64_t hash; /* FNV-1a over all that was read */
    bool broken;
};

static void add(struct summary *summary, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < length; i++)
        summary->hash = (summary->hash ^ at[i]) * 0x100000001b3;
}

static void check_within(struct span part, struct span whole)
{
    if (part.length == 0)
        return;
    if (part.at < whole.at || part.length > whole.length ||
        (size_t)(part.at - whole.at) > whole.length - part.length)
        abort();
}

static void take_frame(struct summary *summary, const struct frame *frame, enum frame_read read)
{
    const struct span parts[] = {frame->method, frame->database, frame->body};
    summary->frames++;
    add(summary, &read, sizeof(read));
    add(summary, &frame->type, sizeof(frame->type));
    add(summary, &frame->id, sizeof(frame->id));
    add(summary, &frame->timeout, sizeof(frame->timeout));
    add(summary, &frame->body_size, sizeof(frame->body_size));
    for (size_t i = 0; i < 3; i++) {
        check_within(parts[i], blob_span(frame->payload));
        add(summary, &parts[i].length, sizeof(parts[i].length));
        add(summary, parts[i].at, parts[i].length);
    }
    if (frame->type != FRAME_REQUEST && frame->payload)
        abort();
    if (read == FRAME_READ_WHOLE && frame->body.length != frame->body_size)
        abort();
}

/* One piece. False: the connection would be ended. */
static bool take_piece(struct frame_reader *reader, struct span bytes, struct summary *summary)
{
    while (bytes.length > 0) {
        struct frame frame;
        enum frame_read read = frame_reader_take(reader, &bytes, &frame);
        if (read == FRAME_READ_BROKEN)
            return false;
        if (read == FRAME_READ_MORE && bytes.length > 0)
            abort();
        if (read == FRAME_READ_MORE)
            return true;
        if (read == FRAME_READ_SKIPPED) {
            add(summary, &read, sizeof(read));
            continue;
        }
        take_frame(summary, &frame, read);
        if ((read == FRAME_READ_TOO_LARGE) != (frame.body_size > reader->max_message))
            abort();
        blob_unref(frame.payload);
    }
    return true;
}

static struct summary read_all(const uint8_t *data, size_t size, size_t piece, uint32_t max_message)
{
    struct frame_reader reader;
    struct summary summary = {.hash = 0xcbf29ce484222325};
    frame_reader_init(&reader, max_message);
    for (size_t at = 0; at < size && !summary.broken; at += piece) {
        size_t length = size - at < piece ? size - at : piece;
        summary.broken = !take_piece(&reader, span_of(data + at, length), &summary);
    }
    if (summary.broken && !frame_reader_fault(&reader))
        abort();
    frame_reader_clear(&reader);
    return summary;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size <= PREFIX)
        return 0;
    struct summary whole = read_all(data + PREFIX, size - PREFIX, size, data[1]);
    struct summary parts = read_all(data + PREFIX, size - PREFIX, data[0] % 64u + 1, data[1]);
    if (whole.frames != parts.frames || whole.hash != parts.hash || whole.broken != parts.broken)
        abort();
    return 0;
}
