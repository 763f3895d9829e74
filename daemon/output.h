/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be written to a socket: small pieces are copied together, blobs are referenced. */
#ifndef DAEMON_OUTPUT_H
#define DAEMON_OUTPUT_H

#include <sys/queue.h>

#include "proto/blob.h"

struct output_piece;

TAILQ_HEAD(output_pieces, output_piece);

struct output {
    struct output_pieces pieces;
    size_t size; /* bytes */
};

void output_init(struct output *output);
void output_clear(struct output *output);
void output_add(struct output *output, struct span bytes);
void output_add_blob(struct output *output, struct blob *blob);

/* Writes as much as the socket takes. 0: all of it, 1: the socket is full, -1: errno says why. */
int output_write(struct output *output, int fd);

#endif
