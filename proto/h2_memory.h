/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nghttp2 holds for a session as long as that lives: its state, the tables of header
 * compression, a table of streams, the buffer of a frame. It is 26 KB, most of them zeros, in one
 * block of whole pages. While the session has nothing to do it can be put away: what is not zero is
 * packed, and the pages are the kernel's. What comes and goes (streams, frames, fields that header
 * compression remembers) is malloc's and stays where it is.
 */
#ifndef PROTO_H2_MEMORY_H
#define PROTO_H2_MEMORY_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>

struct h2_memory {
    uint8_t *block;
    size_t used;      /* bytes of it */
    bool settled;     /* nothing more is taken from it */
    uint64_t *packed; /* what was in it, while it is put away; else NULL */
};

/* Opens it, at a place that stays, and sets what nghttp2_session_server_new3() and the like take.
 * False: there is no memory. */
bool h2_memory_open(struct h2_memory *memory, nghttp2_mem *ret_functions);

/* The session is made; what it asks for from here on is malloc's. */
void h2_memory_settle(struct h2_memory *memory);

/* Puts the block away. Nobody touches the session until h2_memory_fetch(). Where there is no memory
 * for that, or pages are too large, it stays. */
void h2_memory_put_away(struct h2_memory *memory);

/* Puts it back, if it is away. */
void h2_memory_fetch(struct h2_memory *memory);

/* When the session is freed. A struct of zeros is accepted. */
void h2_memory_close(struct h2_memory *memory);

#endif
