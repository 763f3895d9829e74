/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be written to a socket: small pieces are copied together, larger blobs are referenced.
 */
#ifndef POOL_OUTPUT_H
#define POOL_OUTPUT_H

#include <sys/queue.h>

#include "proto/blob.h"

#define OUTPUT_COPY_MAX 1024u /* bytes of a blob that are copied rather than referenced */

struct output_piece;

TAILQ_HEAD(output_pieces, output_piece);

struct output {
    struct output_pieces pieces;
    struct blob *copies; /* where small pieces are gathered, or NULL */
    size_t filled;       /* bytes of it */
    size_t size;         /* bytes */
    uint64_t written;    /* bytes, of all time */
};

void output_init(struct output *output);
void output_clear(struct output *output);
void output_add(struct output *output, struct span bytes);
void output_add_blob(struct output *output, struct blob *blob);
void output_add_part(struct output *output, struct blob *blob, struct span bytes);

/* Writes as much as the socket takes. 0: all of it, 1: the socket is full, -1: errno says why. */
int output_write(struct output *output, int fd);

#endif
