/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to the daemon: a non-blocking socket that carries whole frames, each wait with an
 * end. */
#ifndef MVB_CONN_H
#define MVB_CONN_H

#include <stdbool.h>

#include "address.h"
#include "wire.h"

/* Longest reply that is taken for one: Milvus itself sends up to 512 MiB. */
#define MVB_REPLY_MAX (513u << 20)

enum mvb_io {
    MVB_IO_DONE,
    MVB_IO_AGAIN, /* nothing there now */
    MVB_IO_TIMEOUT,
    MVB_IO_CLOSED, /* by the other side; errno says how, 0 at an orderly end */
    MVB_IO_BROKEN, /* what came is not the plain protocol */
    MVB_IO_MEMORY,
};

struct mvb_conn {
    int fd;       /* -1: not connected */
    bool fresh;   /* the preface is still to be sent */
    bool leaving; /* a goaway came */
    unsigned goaway_code;
    char goaway_text[512];
    uint8_t header_bytes[MVB_HEADER_SIZE];
    size_t header_have;
    struct mvb_header header; /* once header_bytes are whole */
    uint8_t *body;            /* the text, a NUL, the message */
    size_t body_have;         /* bytes received, so without that NUL */
};

/* A frame, its body the receiver's to free(). */
struct mvb_frame_in {
    struct mvb_header header;
    uint8_t *body;
};

/* What a frame is sent from. */
struct mvb_frame_out {
    struct mvb_header header; /* length and text are set by mvb_conn_send() */
    const char *method;       /* NULL: no text */
    const char *database;     /* NULL: none */
    const void *data;
    size_t size;
};

/* The monotonic clock in ms, which deadlines are given in. */
int64_t mvb_now(void);

void mvb_conn_init(struct mvb_conn *conn);

/* DONE, TIMEOUT, or CLOSED with errno. */
enum mvb_io mvb_conn_open(struct mvb_conn *conn, const struct mvb_address *address,
                          int64_t deadline) __attribute__((warn_unused_result));

/* Back to as after mvb_conn_init(). Sends nothing. */
void mvb_conn_close(struct mvb_conn *conn);

/* DONE: all is handed to the kernel. Otherwise the frame has not left as a whole, and the
 * connection is to be closed. */
enum mvb_io mvb_conn_send(struct mvb_conn *conn, const struct mvb_frame_out *frame,
                          int64_t deadline) __attribute__((warn_unused_result));

/* Takes a frame that is there; AGAIN: none is. Goaways are noted in the conn, not returned. */
enum mvb_io mvb_conn_take(struct mvb_conn *conn, struct mvb_frame_in *ret_frame)
    __attribute__((warn_unused_result));

/* The same, but waits for one. */
enum mvb_io mvb_conn_receive(struct mvb_conn *conn, int64_t deadline,
                             struct mvb_frame_in *ret_frame) __attribute__((warn_unused_result));

#endif
