/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/output.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define COPY_SIZE 8192u /* of a block that small pieces are gathered in */
#define BATCH     256   /* pieces a system call: a large message has two for each 16 KiB */

struct output_piece {
    TAILQ_ENTRY(output_piece) link;
    struct blob *blob;
    size_t length;  /* where in it what is to be written ends */
    size_t written; /* and how far it is written */
};

void output_init(struct output *output)
{
    TAILQ_INIT(&output->pieces);
    output->copies = NULL;
    output->filled = 0;
    output->size = 0;
    output->written = 0;
}

static void drop_first(struct output *output)
{
    struct output_piece *piece = TAILQ_FIRST(&output->pieces);
    TAILQ_REMOVE(&output->pieces, piece, link);
    blob_unref(piece->blob);
    free(piece);
}

void output_clear(struct output *output)
{
    while (!TAILQ_EMPTY(&output->pieces))
        drop_first(output);
    blob_unref(output->copies);
    output->copies = NULL;
    output->size = 0;
}

static struct output_piece *append(struct output *output, struct blob *blob)
{
    struct output_piece *piece = calloc(1, sizeof(*piece));
    if (!piece || !blob)
        abort();
    piece->blob = blob;
    TAILQ_INSERT_TAIL(&output->pieces, piece, link);
    return piece;
}

static void make_room(struct output *output, size_t length)
{
    if (output->copies && output->copies->size - output->filled >= length)
        return;
    blob_unref(output->copies);
    output->copies = blob_new(length > COPY_SIZE ? length : COPY_SIZE);
    output->filled = 0;
    if (!output->copies)
        abort();
}

void output_add(struct output *output, struct span bytes)
{
    if (bytes.length == 0)
        return;
    make_room(output, bytes.length);
    struct output_piece *last = TAILQ_LAST(&output->pieces, output_pieces);
    if (!last || last->blob != output->copies || last->length != output->filled) {
        last = append(output, blob_ref(output->copies));
        last->written = output->filled;
        last->length = output->filled;
    }
    memcpy(output->copies->data + output->filled, bytes.at, bytes.length);
    output->filled += bytes.length;
    last->length += bytes.length;
    output->size += bytes.length;
}

void output_add_part(struct output *output, struct blob *blob, struct span bytes)
{
    if (bytes.length <= OUTPUT_COPY_MAX) {
        output_add(output, bytes);
        return;
    }
    struct output_piece *piece = append(output, blob_ref(blob));
    piece->written = (size_t)(bytes.at - blob->data);
    piece->length = piece->written + bytes.length;
    output->size += bytes.length;
}

void output_add_blob(struct output *output, struct blob *blob)
{
    output_add_part(output, blob, blob_span(blob));
}

static size_t gather(const struct output *output, struct iovec vectors[BATCH])
{
    size_t count = 0;
    struct output_piece *piece;
    TAILQ_FOREACH (piece, &output->pieces, link) {
        if (count == BATCH)
            break;
        vectors[count++] = (struct iovec){.iov_base = piece->blob->data + piece->written,
                                          .iov_len = piece->length - piece->written};
    }
    return count;
}

static void advance(struct output *output, size_t written)
{
    output->size -= written;
    output->written += written;
    while (written > 0) {
        struct output_piece *piece = TAILQ_FIRST(&output->pieces);
        size_t left = piece->length - piece->written;
        if (written < left) {
            piece->written += written;
            return;
        }
        written -= left;
        drop_first(output);
    }
}

int output_write(struct output *output, int fd)
{
    while (output->size > 0) {
        struct iovec vectors[BATCH];
        struct msghdr message = {.msg_iov = vectors, .msg_iovlen = gather(output, vectors)};
        ssize_t written = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return errno == EAGAIN ? 1 : -1;
        advance(output, (size_t)written);
    }
    blob_unref(output->copies);
    output->copies = NULL;
    return 0;
}
