/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/output.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define COPY_SIZE 512u /* of a piece that small bytes are gathered in */
#define BATCH     64   /* pieces a system call */

struct output_piece {
    TAILQ_ENTRY(output_piece) link;
    struct blob *blob; /* sole reference while it is filled by copies */
    size_t length;     /* bytes of it in use */
    size_t written;
    bool copies;
};

void output_init(struct output *output)
{
    TAILQ_INIT(&output->pieces);
    output->size = 0;
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

void output_add(struct output *output, struct span bytes)
{
    struct output_piece *last = TAILQ_LAST(&output->pieces, output_pieces);
    if (bytes.length == 0)
        return;
    if (!last || !last->copies || last->blob->size - last->length < bytes.length) {
        last = append(output, blob_new(bytes.length > COPY_SIZE ? bytes.length : COPY_SIZE));
        last->copies = true;
    }
    memcpy(last->blob->data + last->length, bytes.at, bytes.length);
    last->length += bytes.length;
    output->size += bytes.length;
}

void output_add_blob(struct output *output, struct blob *blob)
{
    if (blob->size == 0)
        return;
    append(output, blob_ref(blob))->length = blob->size;
    output->size += blob->size;
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
    return 0;
}
