/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/frame.h"

#include <stdlib.h>

#define GROW_START 65536u /* bytes of a payload allocated before more of it has come */

/* Offsets within the header, as the contract's table has them. */
enum { AT_LENGTH = 0, AT_TYPE = 4, AT_CODE = 5, AT_TEXT = 6, AT_ID = 8, AT_EXTRA = 12 };

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void put32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t length_of(const struct frame_reader *reader)
{
    return get32(reader->header + AT_LENGTH);
}

static uint32_t text_of(const struct frame_reader *reader)
{
    return (uint32_t)reader->header[AT_TEXT] << 8 | reader->header[AT_TEXT + 1];
}

/* What of the payload is kept: all of it, or the text alone where the body is too large. */
static uint32_t kept_of(const struct frame_reader *reader)
{
    uint32_t length = length_of(reader);
    return length - text_of(reader) > reader->max_message ? text_of(reader) : length;
}

void frame_reader_init(struct frame_reader *reader, uint32_t max_message)
{
    *reader = (struct frame_reader){.max_message = max_message};
}

void frame_reader_clear(struct frame_reader *reader)
{
    blob_unref(reader->payload);
    frame_reader_init(reader, reader->max_message);
}

bool frame_reader_busy(const struct frame_reader *reader)
{
    return reader->header_have > 0 || reader->skip > 0;
}

const char *frame_reader_fault(const struct frame_reader *reader)
{
    return reader->fault;
}

static struct span take(struct span *bytes, size_t at_most)
{
    size_t length = bytes->length < at_most ? bytes->length : at_most;
    struct span taken = span_of(bytes->at, length);
    *bytes = span_of(bytes->at + length, bytes->length - length);
    return taken;
}

/* What is wrong with a whole header, or NULL. */
static const char *header_fault(const struct frame_reader *reader)
{
    uint32_t length = length_of(reader);
    uint8_t type = reader->header[AT_TYPE];
    if (type != FRAME_REQUEST && type != FRAME_CANCEL && type != FRAME_PING)
        return "unknown frame type: a client sends 1 (request), 3 (cancel) or 5 (ping)";
    if (reader->header[AT_CODE] != 0)
        return "byte 5 of a client's header must be 0";
    if (type != FRAME_REQUEST && (length != 0 || text_of(reader) != 0))
        return "a cancel or a ping has no payload: its length and M must be 0";
    if (type != FRAME_REQUEST)
        return NULL;
    if (length > FRAME_LENGTH_MAX)
        return "a frame's length is at most 2147483647";
    if (text_of(reader) > length)
        return "the text cannot be longer than the frame: M is at most the length";
    if (text_of(reader) == 0)
        return "a request needs a text with the method's name: M is at least 1";
    return NULL;
}

/* Makes room for `more` bytes. Grows with what has come, not with what was announced. */
static bool payload_room(struct frame_reader *reader, size_t more)
{
    size_t need = reader->payload_have + more;
    size_t have = reader->payload ? reader->payload->size : 0;
    if (need <= have)
        return true;
    size_t size = have ? have * 2 : GROW_START;
    if (size < need)
        size = need;
    if (size > kept_of(reader))
        size = kept_of(reader);
    struct blob *grown = reader->payload ? blob_resize(reader->payload, size) : blob_new(size);
    if (!grown)
        return false;
    reader->payload = grown;
    return true;
}

static bool take_payload(struct frame_reader *reader, struct span *bytes)
{
    size_t missing = kept_of(reader) - reader->payload_have;
    struct span part = take(bytes, missing);
    if (part.length == 0)
        return true;
    if (!payload_room(reader, part.length)) {
        reader->fault = "no memory for a frame of that length";
        return false;
    }
    memcpy(reader->payload->data + reader->payload_have, part.at, part.length);
    reader->payload_have += (uint32_t)part.length;
    return true;
}

static struct frame frame_of(const struct frame_reader *reader)
{
    struct frame frame = {
        .type = (enum frame_type)reader->header[AT_TYPE],
        .id = get32(reader->header + AT_ID),
        .timeout = get32(reader->header + AT_EXTRA),
        .payload = reader->payload,
        .body_size = length_of(reader) - text_of(reader),
    };
    struct span text = span_of(blob_span(reader->payload).at, text_of(reader));
    if (text.length > 0) {
        const uint8_t *nul = memchr(text.at, '\0', text.length);
        frame.method = span_of(text.at, nul ? (size_t)(nul - text.at) : text.length);
        if (nul)
            frame.database = span_of(nul + 1, text.length - frame.method.length - 1);
    }
    if (kept_of(reader) == length_of(reader) && reader->payload)
        frame.body = span_of(text.at + text.length, frame.body_size);
    return frame;
}

/* Hands the frame out and stands at the next one's start, or before the rest that is skipped. */
static enum frame_read finish(struct frame_reader *reader, struct frame *ret_frame)
{
    *ret_frame = frame_of(reader);
    uint32_t skip = length_of(reader) - kept_of(reader);
    frame_reader_init(reader, reader->max_message);
    reader->skip = skip;
    return skip > 0 ? FRAME_READ_TOO_LARGE : FRAME_READ_WHOLE;
}

static enum frame_read skip_rest(struct frame_reader *reader, struct span *bytes)
{
    reader->skip -= (uint32_t)take(bytes, reader->skip).length;
    return reader->skip > 0 ? FRAME_READ_MORE : FRAME_READ_SKIPPED;
}

static void take_header(struct frame_reader *reader, struct span *bytes)
{
    struct span part = take(bytes, FRAME_HEADER_SIZE - reader->header_have);
    if (part.length > 0)
        memcpy(reader->header + reader->header_have, part.at, part.length);
    reader->header_have += (uint8_t)part.length;
}

enum frame_read frame_reader_take(struct frame_reader *reader, struct span *bytes,
                                  struct frame *ret_frame)
{
    if (reader->skip > 0)
        return skip_rest(reader, bytes);
    if (bytes->length == 0)
        return FRAME_READ_MORE;
    if (reader->header_have < FRAME_HEADER_SIZE) {
        take_header(reader, bytes);
        if (reader->header_have < FRAME_HEADER_SIZE)
            return FRAME_READ_MORE;
        reader->fault = header_fault(reader);
    }
    if (reader->fault || !take_payload(reader, bytes))
        return FRAME_READ_BROKEN;
    if (reader->payload_have < kept_of(reader))
        return FRAME_READ_MORE;
    return finish(reader, ret_frame);
}

void frame_write_head(uint8_t to[FRAME_HEADER_SIZE], const struct frame_head *head)
{
    put32(to + AT_LENGTH, (uint32_t)(head->text_length + head->body_length));
    to[AT_TYPE] = (uint8_t)head->type;
    to[AT_CODE] = (uint8_t)head->code;
    to[AT_TEXT] = (uint8_t)(head->text_length >> 8);
    to[AT_TEXT + 1] = (uint8_t)head->text_length;
    put32(to + AT_ID, head->id);
    put32(to + AT_EXTRA, (uint32_t)head->phase);
}
