/* SPDX-License-Identifier: Apache-2.0 */
#include "h2_pair.h"

#include <criterion/criterion.h>
#include <stdio.h>

static void tell(struct h2_pair *pair, const struct h2_seen *seen, const char *what)
{
    char line[64];
    snprintf(line, sizeof(line), "\n%zu %s", (size_t)(seen - pair->seen), what);
    bytes_add(&pair->events, span_text(line));
    pair->in_data = NULL;
}

static void react(struct h2_pair *pair, struct h2_seen *seen, enum h2_event event)
{
    if (pair->react)
        pair->react(pair, seen, event);
}

static void on_opened(void *context, struct h2_stream *stream)
{
    struct h2_pair *pair = context;
    cr_assert_lt(pair->count, H2_PEER_STREAMS);
    cr_expect_null(h2_stream_user(stream));
    struct h2_seen *seen = &pair->seen[pair->count++];
    h2_stream_set_user(stream, seen);
    seen->stream = stream;
    seen->opened++;
    tell(pair, seen, "opened");
    react(pair, seen, H2_OPENED);
}

static struct h2_seen *look_up(struct h2_stream *stream)
{
    struct h2_seen *seen = h2_stream_user(stream);
    cr_assert_not_null(seen);
    cr_assert_eq(seen->stream, stream, "told of a stream that is closed");
    return seen;
}

static void on_header(void *context, struct h2_stream *stream, struct span name, struct span value)
{
    struct h2_pair *pair = context;
    struct h2_seen *seen = look_up(stream);
    cr_expect_eq(seen->headers_ended, 0);
    seen->fields++;
    tell(pair, seen, "");
    bytes_add(&pair->events, name);
    bytes_add(&pair->events, span_text("="));
    bytes_add(&pair->events, value);
}

static void on_headers_ended(void *context, struct h2_stream *stream)
{
    struct h2_pair *pair = context;
    struct h2_seen *seen = look_up(stream);
    cr_expect_eq(seen->headers_ended++, 0);
    tell(pair, seen, "headers ended");
    react(pair, seen, H2_HEADERS_ENDED);
}

static void on_data(void *context, struct h2_stream *stream, struct span bytes)
{
    struct h2_pair *pair = context;
    struct h2_seen *seen = look_up(stream);
    cr_expect_eq(seen->headers_ended, 1);
    cr_expect_eq(seen->ended, 0);
    if (pair->in_data != seen)
        tell(pair, seen, "data ");
    pair->in_data = seen;
    bytes_add(&pair->events, bytes);
    bytes_add(&seen->body, bytes);
    if (pair->consumes)
        h2_consume(stream, bytes.length);
    react(pair, seen, H2_DATA);
}

static void on_ended(void *context, struct h2_stream *stream)
{
    struct h2_pair *pair = context;
    struct h2_seen *seen = look_up(stream);
    cr_expect_eq(seen->headers_ended, 1);
    cr_expect_eq(seen->ended++, 0);
    tell(pair, seen, "ended");
    react(pair, seen, H2_ENDED);
}

static void on_closed(void *context, struct h2_stream *stream, uint32_t error)
{
    struct h2_pair *pair = context;
    struct h2_seen *seen = look_up(stream);
    char what[32];
    seen->error = error;
    seen->closed++;
    snprintf(what, sizeof(what), "closed %u", error);
    tell(pair, seen, what);
    react(pair, seen, H2_CLOSED);
    seen->stream = NULL;
}

static bool has_room(void *context)
{
    const struct h2_pair *pair = context;
    return pair->output.length < pair->room;
}

static void on_write(void *context, struct span bytes)
{
    struct h2_pair *pair = context;
    bytes_add(&pair->output, bytes);
}

static void on_write_blob(void *context, struct blob *blob, struct span bytes)
{
    struct h2_pair *pair = context;
    cr_assert_lt(pair->part_count, H2_PAIR_PARTS);
    pair->parts[pair->part_count++] = (struct h2_part){.blob = blob_ref(blob), .bytes = bytes};
    bytes_add(&pair->output, bytes);
}

static const struct h2_handler handler = {
    .opened = on_opened,
    .header = on_header,
    .headers_ended = on_headers_ended,
    .data = on_data,
    .ended = on_ended,
    .closed = on_closed,
    .room = has_room,
    .write = on_write,
    .write_blob = on_write_blob,
};

struct h2_limits h2_pair_limits(void)
{
    struct h2_limits limits = {
        .max_streams = 100,
        .max_header_list = 32768,
        .max_continuations = 8,
        .stream_window = 65535,
        .max_buffered = 1 << 20,
    };
    for (int i = 0; i < H2_RATE_COUNT; i++)
        limits.rates[i] = 10000;
    return limits;
}

void h2_pair_open(struct h2_pair *pair, const struct h2_peer_options *options)
{
    if (pair->limits.max_streams == 0)
        pair->limits = h2_pair_limits();
    pair->room = SIZE_MAX;
    pair->now = H2_PAIR_NOW;
    pair->h2 = h2_server_new(&pair->limits, &pair->counters, &handler, pair, pair->now);
    cr_assert_not_null(pair->h2);
    pair->peer = h2_peer_new(options);
    h2_pair_run(pair);
}

void h2_pair_open_raw(struct h2_pair *pair)
{
    h2_pair_open(pair, &(struct h2_peer_options){.silent = true});
    bytes_add(&pair->peer->output, span_text(H2_PREFACE));
    h2_peer_raw(pair->peer, NGHTTP2_SETTINGS, 0, 0, span_of(NULL, 0));
    h2_pair_run(pair);
}

void h2_pair_close(struct h2_pair *pair)
{
    if (!pair->h2)
        return;
    h2_free(pair->h2);
    pair->h2 = NULL;
    h2_peer_free(pair->peer);
    for (size_t i = 0; i < pair->part_count; i++)
        blob_unref(pair->parts[i].blob);
    for (size_t i = 0; i < pair->count; i++)
        bytes_clear(&pair->seen[i].body);
    bytes_clear(&pair->events);
    bytes_clear(&pair->output);
}

bool h2_pair_input(struct h2_pair *pair, struct span bytes)
{
    h2_rest(pair->h2); /* it makes no difference, wherever it can */
    struct blob *block = blob_copy(bytes);
    bool result = h2_input(pair->h2, blob_span(block), pair->now);
    blob_unref(block);
    return result;
}

bool h2_pair_receive(struct h2_pair *pair)
{
    h2_peer_flush(pair->peer);
    bool result = h2_pair_input(pair, bytes_span(&pair->peer->output));
    pair->peer->output.length = 0;
    return result;
}

bool h2_pair_send(struct h2_pair *pair)
{
    bool result = h2_fill(pair->h2);
    h2_peer_receive(pair->peer, bytes_span(&pair->output));
    pair->output.length = 0;
    h2_rest(pair->h2);
    return result;
}

void h2_pair_run(struct h2_pair *pair)
{
    size_t received;
    do {
        received = pair->peer->received.length;
        h2_pair_receive(pair);
        h2_pair_send(pair);
        h2_peer_flush(pair->peer);
    } while (pair->peer->output.length > 0 || pair->peer->received.length > received);
}

struct h2_seen *h2_pair_request(struct h2_pair *pair, size_t body, bool ends)
{
    struct h2_seen *seen = &pair->seen[pair->count];
    int32_t id = h2_peer_open(pair->peer, NULL, body, ends);
    h2_pair_run(pair);
    cr_assert_eq(id, h2_pair_id(pair, seen));
    cr_assert_eq(seen->headers_ended, 1);
    return seen;
}

void h2_pair_respond(const struct h2_seen *seen, bool last)
{
    struct metadata head = {0};
    metadata_add(&head, span_text(":status"), span_text("200"));
    h2_respond(seen->stream, &head, last);
    metadata_clear(&head);
}

void h2_pair_send_body(const struct h2_seen *seen, size_t length)
{
    struct blob *blob = blob_new(length);
    for (size_t i = 0; i < length; i++)
        blob->data[i] = h2_pattern(i);
    h2_send(seen->stream, span_of("", 0), blob);
    blob_unref(blob);
}

void h2_pair_finish(const struct h2_seen *seen)
{
    struct metadata trailers = {0};
    metadata_add(&trailers, span_text("grpc-status"), span_text("0"));
    h2_finish(seen->stream, &trailers);
    cr_expect_eq(trailers.count, 0, "taken over");
    cr_expect_null(trailers.bytes);
}

void h2_pair_answer_all(const struct h2_seen *seen, size_t length)
{
    h2_pair_respond(seen, false);
    h2_pair_send_body(seen, length);
    h2_pair_finish(seen);
}

void h2_expect_body(const struct bytes *body, size_t length)
{
    cr_assert_eq(body->length, length, "%zu of %zu bytes", body->length, length);
    size_t same = 0;
    while (same < length && body->at[same] == h2_pattern(same))
        same++;
    cr_assert_eq(same, length, "other from byte %zu on", same);
}
