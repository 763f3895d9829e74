/* SPDX-License-Identifier: Apache-2.0 */
/* The client's side of the engine, with its server's side as the peer. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/h2.h"
#include "proto/h2_session.h" /* to be near the end of stream ids */

#define WIRE_MAX (4u << 20)
#define STREAMS  8

/* One side, and what it has written for the other. */
struct side {
    struct h2 *h2;
    uint8_t *wire;
    size_t length;
    bool full; /* no room */
    struct h2_stream *streams[STREAMS];
    size_t opened;
    size_t closed;
    size_t sections;
    size_t ended;
    size_t settings;
    size_t goaways;
    uint32_t error;    /* of what was closed or went last */
    bool unstarted;    /* the same */
    size_t bytes;      /* of bodies */
    char fields[1024]; /* "name=value;" each, with "|" behind a section */
};

static struct h2_limits limits;
static struct h2_counters counters;
static struct side client;
static struct side server;

static void note(struct side *side, struct span text, const char *end)
{
    size_t length = strlen(side->fields);
    snprintf(side->fields + length, sizeof(side->fields) - length, "%.*s%s", SPAN_ARGS(text), end);
}

static void on_opened(void *context, struct h2_stream *stream)
{
    struct side *side = context;
    cr_assert_lt(side->opened, STREAMS);
    side->streams[side->opened++] = stream;
}

static void on_header(void *context, struct h2_stream *stream, struct span name, struct span value)
{
    (void)stream;
    note(context, name, "=");
    note(context, value, ";");
}

static void on_headers_ended(void *context, struct h2_stream *stream)
{
    (void)stream;
    struct side *side = context;
    side->sections++;
    note(side, span_text(""), "|");
}

static void on_data(void *context, struct h2_stream *stream, struct span bytes)
{
    struct side *side = context;
    side->bytes += bytes.length;
    h2_consume(stream, bytes.length);
}

static void on_ended(void *context, struct h2_stream *stream)
{
    (void)stream;
    ((struct side *)context)->ended++;
}

static void on_closed(void *context, struct h2_stream *stream, uint32_t error)
{
    struct side *side = context;
    side->closed++;
    side->error = error;
    side->unstarted = h2_stream_unstarted(stream, error);
}

static void on_settings(void *context)
{
    ((struct side *)context)->settings++;
}

static void on_goaway(void *context, uint32_t error, struct span text)
{
    struct side *side = context;
    side->goaways++;
    side->error = error;
    note(side, text, "");
}

static bool has_room(void *context)
{
    return !((struct side *)context)->full;
}

static void write_bytes(void *context, struct span bytes)
{
    struct side *side = context;
    cr_assert_leq(side->length + bytes.length, WIRE_MAX);
    memcpy(side->wire + side->length, bytes.at, bytes.length);
    side->length += bytes.length;
}

static void write_blob(void *context, struct blob *blob, struct span bytes)
{
    cr_expect_geq((const void *)bytes.at, (const void *)blob->data);
    write_bytes(context, bytes);
}

static const struct h2_handler handler = {
    .opened = on_opened,
    .header = on_header,
    .headers_ended = on_headers_ended,
    .data = on_data,
    .ended = on_ended,
    .closed = on_closed,
    .settings = on_settings,
    .goaway = on_goaway,
    .room = has_room,
    .write = write_bytes,
    .write_blob = write_blob,
};

static void carry(struct side *from, struct side *to)
{
    cr_assert(h2_fill(from->h2), "%s", h2_fault(from->h2));
    size_t length = from->length;
    from->length = 0;
    cr_assert(h2_input(to->h2, span_of(from->wire, length), 0), "%s", h2_fault(to->h2));
}

static void exchange(void)
{
    for (int i = 0; i < 8; i++) {
        carry(&client, &server);
        carry(&server, &client);
    }
}

static void begin(void)
{
    limits = (struct h2_limits){.max_streams = 3,
                                .max_header_list = 4096,
                                .max_continuations = 8,
                                .stream_window = 64 << 10,
                                .max_buffered = 1 << 20};
    for (int i = 0; i < H2_RATE_COUNT; i++)
        limits.rates[i] = 1000;
    client.wire = malloc(WIRE_MAX);
    server.wire = malloc(WIRE_MAX);
    client.h2 = h2_client_new(&limits, &handler, &client);
    server.h2 = h2_server_new(&limits, &counters, &handler, &server, 0);
}

static void end(void)
{
    h2_free(client.h2);
    h2_free(server.h2);
    free(client.wire);
    free(server.wire);
}

TestSuite(h2_client, .init = begin, .fini = end);

static struct h2_stream *request(void)
{
    static int user;
    const struct h2_field fields[] = {
        {.name = span_text(":method"), .value = span_text("POST")},
        {.name = span_text(":scheme"), .value = span_text("http")},
        {.name = span_text(":path"), .value = span_text("/s/M")},
        {.name = span_text(":authority"), .value = span_text("a")},
        {.name = span_text("grpc-timeout"), .value = span_text("1S"), .varies = true},
    };
    struct h2_stream *stream = h2_request(client.h2, fields, 5, &user);
    cr_expect_eq(h2_stream_user(stream), &user);
    return stream;
}

static struct h2_stream *whole_request(void)
{
    struct h2_stream *stream = request();
    struct blob *body = blob_copy(span_text("xhellox"));
    h2_send_part(stream, span_text("12345"), body, span_of(body->data + 1, 5));
    blob_unref(body);
    h2_finish(stream, &(struct metadata){0});
    return stream;
}

static void respond(struct h2_stream *stream, bool last)
{
    struct metadata head = {0};
    metadata_add(&head, span_text(":status"), span_text("200"));
    h2_respond(stream, &head, last);
    metadata_clear(&head);
}

static void finish(struct h2_stream *stream)
{
    struct metadata trailers = {0};
    metadata_add(&trailers, span_text("grpc-status"), span_text("0"));
    h2_finish(stream, &trailers);
}

Test(h2_client, request_and_response)
{
    whole_request();
    exchange();
    cr_assert_eq(server.opened, 1);
    cr_expect_str_eq(server.fields,
                     ":method=POST;:scheme=http;:path=/s/M;:authority=a;grpc-timeout=1S;|");
    cr_expect_eq(server.bytes, 10);
    cr_expect_eq(server.ended, 1);
    respond(server.streams[0], false);
    struct blob *body = blob_copy(span_text("reply"));
    h2_send(server.streams[0], span_of(NULL, 0), body);
    blob_unref(body);
    finish(server.streams[0]);
    exchange();
    cr_expect_str_eq(client.fields, ":status=200;|grpc-status=0;|");
    cr_expect_eq(client.bytes, 5);
    cr_expect_eq(client.ended, 1);
    cr_expect_eq(client.closed, 1);
    cr_expect_eq(client.error, H2_NO_ERROR);
    cr_expect_not(client.unstarted);
}

Test(h2_client, body_of_many_parts_passes_the_windows)
{
    struct h2_stream *stream = request();
    struct blob *body = blob_new(1 << 20);
    memset(body->data, 'x', body->size);
    h2_send(stream, span_text("1"), body);
    h2_send_part(stream, span_of(NULL, 0), NULL, span_of(NULL, 0));
    h2_send(stream, span_text("2"), body);
    blob_unref(body);
    cr_expect_eq(h2_stream_unsent(stream), (2u << 20) + 2);
    h2_finish(stream, &(struct metadata){0});
    for (int i = 0; i < 8; i++)
        exchange();
    cr_expect_eq(server.bytes, (2u << 20) + 2);
    cr_expect_eq(server.ended, 1);
}

Test(h2_client, capacity_is_what_the_server_allows)
{
    cr_expect_eq(client.settings, 0);
    exchange();
    cr_expect_eq(client.settings, 1);
    cr_expect_eq(h2_capacity(client.h2), 3);
    for (int i = 0; i < 4; i++)
        whole_request();
    exchange();
    cr_expect_eq(server.opened, 3, "the fourth does not wait");
    respond(server.streams[0], true);
    exchange();
    cr_expect_eq(server.opened, 4);
}

/* The server has begun the first, and says so. */
Test(h2_client, goaway_ends_what_is_above_its_last_id)
{
    exchange();
    whole_request();
    exchange();
    h2_goaway(server.h2, H2_ENHANCE_YOUR_CALM, "too_many_pings");
    cr_assert(h2_fill(server.h2));
    whole_request();
    cr_assert(h2_takes_requests(client.h2));
    cr_assert(h2_fill(client.h2));
    cr_expect(h2_input(client.h2, span_of(server.wire, server.length), 0));
    cr_expect_eq(client.goaways, 1);
    cr_expect(strstr(client.fields, "too_many_pings"));
    cr_expect_eq(client.closed, 1);
    cr_expect_eq(client.error, H2_REFUSED_STREAM);
    cr_expect(client.unstarted);
    cr_expect_not(h2_takes_requests(client.h2));
}

/* In the same turn; it is not sent any more. */
Test(h2_client, request_behind_a_goaway_is_unstarted)
{
    exchange();
    whole_request();
    exchange();
    h2_goaway(server.h2, H2_NO_ERROR, "");
    carry(&server, &client);
    whole_request();
    carry(&client, &server);
    cr_expect_eq(client.closed, 1);
    cr_expect(client.unstarted);
    cr_expect_eq(server.opened, 1);
    respond(server.streams[0], true);
    carry(&server, &client);
    cr_expect_eq(client.closed, 2);
    cr_expect_not(client.unstarted);
    cr_expect_eq(client.error, H2_NO_ERROR);
    cr_expect(h2_is_over(client.h2));
}

Test(h2_client, refused_stream_is_unstarted)
{
    whole_request();
    exchange();
    h2_reset(server.streams[0], H2_REFUSED_STREAM);
    exchange();
    cr_expect_eq(client.closed, 1);
    cr_expect(client.unstarted);
}

Test(h2_client, other_resets_are_not)
{
    whole_request();
    exchange();
    h2_reset(server.streams[0], H2_CANCEL);
    exchange();
    cr_expect_eq(client.closed, 1);
    cr_expect_eq(client.error, H2_CANCEL);
    cr_expect_not(client.unstarted);
}

/* What was never written was never begun. */
Test(h2_client, reset_before_it_was_sent)
{
    exchange();
    h2_reset(whole_request(), H2_CANCEL);
    exchange();
    cr_expect_eq(client.closed, 1);
    cr_expect(client.unstarted);
    cr_expect_eq(server.opened, 0);
}

Test(h2_client, freed_with_streams)
{
    exchange();
    whole_request();
    exchange();
    whole_request();
    h2_free(client.h2);
    client.h2 = NULL;
    cr_expect_eq(client.closed, 2);
    cr_expect_eq(client.error, H2_CANCEL);
}

Test(h2_client, ids_come_to_their_end)
{
    exchange();
    cr_assert_eq(nghttp2_session_set_next_stream_id(client.h2->session, 0x7feffffd), 0);
    cr_expect(h2_takes_requests(client.h2));
    whole_request();
    cr_expect(h2_takes_requests(client.h2));
    whole_request();
    cr_expect_not(h2_takes_requests(client.h2));
    whole_request(); /* of one who has not noticed */
    exchange();
    cr_expect_eq(server.opened, 3);
}

Test(h2_client, head_that_is_too_large_is_not_handed_on)
{
    char text[4096];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    struct h2_stream *stream = whole_request();
    exchange();
    struct metadata head = {0};
    metadata_add(&head, span_text(":status"), span_text("200"));
    metadata_add(&head, span_text("large"), span_text(text));
    h2_respond(server.streams[0], &head, false);
    metadata_clear(&head);
    carry(&server, &client);
    cr_expect(h2_stream_head_too_large(stream));
    cr_expect_null(strstr(client.fields, "large"));
    cr_expect_null(h2_fault(client.h2));
}

Test(h2_client, server_that_does_not_speak_http2)
{
    cr_expect(h2_input(client.h2, span_text("HTTP/1.1 400 Bad Request\r\n\r\n"), 0));
    cr_expect(h2_fill(client.h2));
    cr_expect(h2_is_over(client.h2));
}

/* A server may ping as often as it likes: it is ours. */
Test(h2_client, server_is_trusted_not_to_flood)
{
    exchange();
    for (uint32_t i = 0; i < 2 * limits.rates[H2_RATE_PINGS]; i++) {
        h2_ping(server.h2);
        carry(&server, &client);
        client.length = 0;
        cr_assert(h2_fill(client.h2));
    }
    cr_expect_null(h2_fault(client.h2));
}
