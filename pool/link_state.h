/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a link share; pool/link.h is for its users. */
#ifndef POOL_LINK_STATE_H
#define POOL_LINK_STATE_H

#include <event2/bufferevent.h>
#include <event2/event_struct.h>

#include "pool/link.h"
#include "pool/output.h"

#define LINK_REASON_MAX 512
#define LINK_ENDED      "the server has closed the connection"

/* How bytes are carried once the socket is connected. */
struct link_carrier {
    void (*start)(struct link *link); /* ends in up() or broken() */
    void (*write)(struct link *link, struct span bytes);
    void (*write_blob)(struct link *link, struct blob *blob, struct span bytes);
    size_t (*unwritten)(const struct link *link);
    void (*flush)(struct link *link);
    void (*stop)(struct link *link);
};

struct link {
    struct link_setup setup;
    const struct link_carrier *carrier;
    int fd;    /* of TLS only while it connects; -1: none */
    int error; /* what failed at once when it was opened, an errno; 0: nothing */
    bool connected;
    bool full;                   /* there was no room; drained() is owed */
    struct event writable;       /* of TLS only while it connects */
    struct event readable;       /* plain */
    struct output output;        /* plain */
    struct bufferevent *buffers; /* TLS, once connected */
};

extern const struct link_carrier link_plain;
extern const struct link_carrier link_tls;

/* Tells what has broken it: a text, or an errno. */
void link_break(struct link *link, const char *format, ...) __attribute__((format(printf, 2, 3)));
void link_break_by(struct link *link, int error);

/* Tells that there is room again, if that is owed. */
void link_tell_drained(struct link *link);

#endif
