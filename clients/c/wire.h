/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of the plain protocol, version 1: sixteen bytes, integers big-endian. */
#ifndef MVB_WIRE_H
#define MVB_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define MVB_PREFACE     "MVB1" /* what a client opens with */
#define MVB_HEADER_SIZE 16

enum mvb_frame {
    MVB_FRAME_REQUEST = 1,
    MVB_FRAME_REPLY = 2,
    MVB_FRAME_CANCEL = 3,
    MVB_FRAME_GOAWAY = 4,
    MVB_FRAME_PING = 5,
    MVB_FRAME_PONG = 6,
};

struct mvb_header {
    uint32_t length; /* bytes behind the header */
    uint8_t type;    /* enum mvb_frame */
    uint8_t code;    /* a reply's gRPC code */
    uint16_t text;   /* of the length: the method, or the message of a failure */
    uint32_t id;
    uint32_t extra; /* a request's timeout in ms, a reply's phase */
};

void mvb_header_write(const struct mvb_header *header, uint8_t to[MVB_HEADER_SIZE]);
struct mvb_header mvb_header_read(const uint8_t from[MVB_HEADER_SIZE]);

#endif
