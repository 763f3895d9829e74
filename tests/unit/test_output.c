/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pool/output.h"

#define MANY 300000u

static struct output output;
static int ends[2]; /* written to, read from */
static struct blob *read_so_far;

static void begin(void)
{
    int small = 4096;
    output_init(&output);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    cr_assert_eq(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
    read_so_far = blob_new(0);
}

static void end(void)
{
    output_clear(&output);
    blob_unref(read_so_far);
    close(ends[0]);
    close(ends[1]);
}

TestSuite(output, .init = begin, .fini = end);

/* Takes what the socket holds, at most `limit` bytes; the reader's side never waits. */
static void drain(size_t limit)
{
    uint8_t bytes[8192];
    while (limit > 0) {
        size_t want = limit < sizeof(bytes) ? limit : sizeof(bytes);
        ssize_t got = recv(ends[1], bytes, want, MSG_DONTWAIT);
        if (got <= 0)
            return;
        size_t before = read_so_far->size;
        read_so_far = blob_resize(read_so_far, before + (size_t)got);
        memcpy(read_so_far->data + before, bytes, (size_t)got);
        limit -= (size_t)got;
    }
}

static void add(const char *text)
{
    output_add(&output, span_text(text));
}

static struct blob *counting(size_t size)
{
    struct blob *blob = blob_new(size);
    for (size_t i = 0; i < size; i++)
        blob->data[i] = (uint8_t)(i * 7 + i / 256);
    return blob;
}

static void count_pieces(size_t expected)
{
    size_t count = 0;
    for (struct output_piece *piece = TAILQ_FIRST(&output.pieces); piece;
         piece = *(struct output_piece **)piece) /* its link is first */
        count++;
    cr_expect_eq(count, expected, "%zu pieces, not %zu", count, expected);
}

Test(output, nothing_is_written_at_once)
{
    cr_expect_eq(output_write(&output, ends[0]), 0);
    add("");
    struct blob *empty = blob_new(0);
    output_add_blob(&output, empty);
    blob_unref(empty);
    cr_expect_eq(output.size, 0);
    cr_expect(TAILQ_EMPTY(&output.pieces));
}

Test(output, small_pieces_are_gathered_in_order)
{
    add("head");
    add("er");
    add(" and text");
    count_pieces(1);
    cr_expect_eq(output.size, 15);
    cr_expect_eq(output_write(&output, ends[0]), 0);
    cr_expect_eq(output.size, 0);
    cr_expect(TAILQ_EMPTY(&output.pieces));
    drain(100);
    cr_expect(span_is(blob_span(read_so_far), "header and text"));
}

#define COPIES 8192 /* bytes of a piece of copies */

Test(output, piece_of_copies_is_filled_and_then_another_begun)
{
    char text[COPIES];
    memset(text, 't', sizeof(text));
    add("first");
    output_add(&output, span_of(text, sizeof(text) - 5));
    count_pieces(1);
    add("x");
    count_pieces(2);
    output_add(&output, span_of(text, sizeof(text)));
    count_pieces(3);
    cr_expect_eq(output.size, COPIES + 1 + COPIES);
}

/* Up to 1 KiB it is copied, beyond that referenced. */
Test(output, larger_blob_is_referenced_until_it_is_written)
{
    for (size_t size = 1024; size <= 1025; size++) {
        size_t referenced = size > 1024;
        struct blob *blob = counting(size);
        add("head ");
        output_add_blob(&output, blob);
        add(" tail");
        count_pieces(referenced ? 3 : 1);
        cr_expect_eq(blob->references, 1 + referenced);
        cr_assert_eq(output_write(&output, ends[0]), 0);
        cr_expect_eq(blob->references, 1);
        drain(SIZE_MAX);
        cr_expect_eq(memcmp(read_so_far->data + read_so_far->size - 5 - size, blob->data, size), 0);
        blob_unref(blob);
    }
}

Test(output, part_of_a_blob_is_what_is_written)
{
    struct blob *blob = counting(9000);
    output_add_part(&output, blob, span_of(blob->data + 100, 2000));
    output_add_part(&output, blob, span_of(blob->data + 7, 3));
    cr_expect_eq(output.size, 2003);
    cr_assert_eq(output_write(&output, ends[0]), 0);
    cr_expect_eq(output.written, 2003);
    drain(SIZE_MAX);
    cr_expect_eq(memcmp(read_so_far->data, blob->data + 100, 2000), 0);
    cr_expect_eq(memcmp(read_so_far->data + 2000, blob->data + 7, 3), 0);
    blob_unref(blob);
}

Test(output, clear_drops_references)
{
    struct blob *blob = counting(2000);
    add("head");
    output_add_blob(&output, blob);
    cr_expect_eq(blob->references, 2);
    output_clear(&output);
    cr_expect_eq(blob->references, 1);
    cr_expect_eq(output.size, 0);
    blob_unref(blob);
}

/* Writes and reads in turn until all is through. */
static void pump(size_t at_a_time)
{
    int result;
    unsigned full = 0;
    while ((result = output_write(&output, ends[0])) == 1) {
        size_t before = output.size;
        cr_assert_eq(output_write(&output, ends[0]), 1);
        cr_assert_eq(output.size, before, "a full socket took bytes");
        drain(at_a_time);
        full++;
    }
    cr_expect_eq(result, 0);
    cr_expect_gt(full, 1, "the socket was never full");
    drain(SIZE_MAX);
}

Test(output, socket_that_is_full_is_written_to_in_parts)
{
    struct blob *blob = counting(MANY);
    output_add_blob(&output, blob);
    add("end");
    pump(3001);
    cr_assert_eq(read_so_far->size, MANY + 3);
    cr_expect_eq(memcmp(read_so_far->data, blob->data, MANY), 0);
    cr_expect_eq(memcmp(read_so_far->data + MANY, "end", 3), 0);
    blob_unref(blob);
}

/* More pieces than one system call takes, and what comes in between is put behind them. */
Test(output, many_pieces_keep_their_order)
{
    struct blob *blob = counting(1997);
    for (unsigned i = 0; i < 150; i++) {
        output_add_blob(&output, blob);
        add("|");
    }
    count_pieces(300);
    pump(5000);
    cr_assert_eq(read_so_far->size, 150 * 1998);
    for (unsigned i = 0; i < 150; i++) {
        cr_assert_eq(memcmp(read_so_far->data + i * 1998, blob->data, 1997), 0, "piece %u", i);
        cr_assert_eq(read_so_far->data[i * 1998 + 1997], '|');
    }
    blob_unref(blob);
}

Test(output, bytes_added_behind_a_part_come_last)
{
    struct blob *blob = counting(MANY);
    output_add(&output, blob_span(blob));
    cr_assert_eq(output_write(&output, ends[0]), 1);
    add("end");
    pump(MANY);
    cr_assert_eq(read_so_far->size, MANY + 3);
    cr_expect_eq(memcmp(read_so_far->data + MANY, "end", 3), 0);
    blob_unref(blob);
}

Test(output, closed_socket_is_an_error_and_no_signal)
{
    add("lost");
    close(ends[1]);
    cr_expect_eq(output_write(&output, ends[0]), -1);
    cr_expect_eq(errno, EPIPE);
    ends[1] = dup(ends[0]);
}
