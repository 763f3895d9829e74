/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plain protocol, version 1, as the daemon speaks it (docs/plain-protocol.md): bytes in, frames
 * out, no sockets. An idle reader holds no buffer; a frame under way holds one block that grows
 * with what has arrived.
 */
#ifndef PROTO_FRAME_H
#define PROTO_FRAME_H

#include "proto/blob.h"
#include "proto/code.h"

#define FRAME_MAGIC       "MVB1"
#define FRAME_HEADER_SIZE 16
#define FRAME_LENGTH_MAX  INT32_MAX /* no protobuf message is larger */
#define FRAME_TEXT_MAX    UINT16_MAX

enum frame_type {
    FRAME_REQUEST = 1,
    FRAME_REPLY = 2,
    FRAME_CANCEL = 3,
    FRAME_GOAWAY = 4,
    FRAME_PING = 5,
    FRAME_PONG = 6,
};

struct frame {
    enum frame_type type;
    uint32_t id;
    uint32_t timeout;     /* ms, 0: the daemon's own */
    struct span method;   /* within payload */
    struct span database; /* within payload; empty: none named */
    struct span body;     /* within payload */
    size_t body_size;     /* as announced, also where the body is not kept */
    struct blob *payload; /* what follows the header; NULL where nothing does */
};

enum frame_read {
    FRAME_READ_MORE,      /* all given was taken, the frame is not whole */
    FRAME_READ_WHOLE,     /* *ret_frame is whole; its payload belongs to the caller */
    FRAME_READ_TOO_LARGE, /* the same, but of a request whose body is above max_message: it is not
                             kept */
    FRAME_READ_SKIPPED, /* the rest of such a request has come and gone; *ret_frame is untouched */
    FRAME_READ_BROKEN, /* against the rules: frame_reader_fault() says why; the connection is to end
                        */
};

struct frame_reader {
    uint32_t max_message;              /* bytes of a body */
    uint8_t header[FRAME_HEADER_SIZE]; /* as far as it has come */
    uint8_t header_have;
    struct blob *payload; /* what came behind it; its size is what is allocated */
    uint32_t payload_have;
    uint32_t skip; /* bytes still to come of a body that is not kept */
    const char *fault;
};

void frame_reader_init(struct frame_reader *reader, uint32_t max_message);

/* Drops what it holds. */
void frame_reader_clear(struct frame_reader *reader);

/* Takes bytes from the front of *bytes up to the end of one frame. */
enum frame_read frame_reader_take(struct frame_reader *reader, struct span *bytes,
                                  struct frame *ret_frame) __attribute__((warn_unused_result));

/* Whether a frame has begun and is not whole. */
bool frame_reader_busy(const struct frame_reader *reader);

/* What was wrong and what would be right, after FRAME_READ_BROKEN. Static text. */
const char *frame_reader_fault(const struct frame_reader *reader);

/* A header to be sent, followed by the text and the body that it announces. */
struct frame_head {
    enum frame_type type;
    enum code code;
    enum phase phase;
    uint32_t id;
    size_t text_length; /* at most FRAME_TEXT_MAX */
    size_t body_length; /* with the text at most UINT32_MAX */
};

void frame_write_head(uint8_t to[FRAME_HEADER_SIZE], const struct frame_head *head);

#endif
