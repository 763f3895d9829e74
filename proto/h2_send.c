/* SPDX-License-Identifier: Apache-2.0 */
/* The streams of a connection, and what they send. */
#include <stdlib.h>

#include "proto/h2_session.h"

#define WIDE_WINDOW     (1 << 20) /* bytes that h2_widen() lets a stream send at once */
#define FRAME_HEAD_SIZE 9         /* RFC 9113 section 4.1 */
#define FIELDS_STACK    24        /* fields of a head that need no memory of their own */

struct h2_stream *h2_stream_new(struct h2 *h2, int32_t id)
{
    struct h2_stream *stream = calloc(1, sizeof(*stream));
    if (!stream)
        return NULL;
    stream->h2 = h2;
    stream->id = id;
    STAILQ_INIT(&stream->pieces);
    LIST_INSERT_HEAD(&h2->streams, stream, link);
    return stream;
}

static void drop_first(struct h2_stream *stream)
{
    struct h2_piece *piece = STAILQ_FIRST(&stream->pieces);
    STAILQ_REMOVE_HEAD(&stream->pieces, link);
    blob_unref(piece->blob);
    free(piece);
}

void h2_stream_free(struct h2_stream *stream)
{
    while (!STAILQ_EMPTY(&stream->pieces))
        drop_first(stream);
    stream->h2->unsent -= stream->unsent;
    metadata_clear(&stream->trailers);
    LIST_REMOVE(stream, link);
    free(stream);
}

void h2_stream_set_user(struct h2_stream *stream, void *user)
{
    stream->user = user;
}

void *h2_stream_user(const struct h2_stream *stream)
{
    return stream->user;
}

bool h2_stream_head_too_large(const struct h2_stream *stream)
{
    return stream->too_large;
}

size_t h2_stream_unsent(const struct h2_stream *stream)
{
    return stream->unsent;
}

void h2_consume(struct h2_stream *stream, size_t length)
{
    nghttp2_session_consume_stream(stream->h2->session, stream->id, length);
}

void h2_widen(struct h2_stream *stream, size_t length)
{
    nghttp2_session *session = stream->h2->session;
    int32_t wanted = length < WIDE_WINDOW ? (int32_t)length : WIDE_WINDOW;
    if (wanted > nghttp2_session_get_stream_effective_local_window_size(session, stream->id))
        nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, stream->id, wanted);
}

struct fields {
    nghttp2_nv *items;
    size_t count;
    nghttp2_nv stack[FIELDS_STACK];
};

static void fields_make_room(struct fields *fields, size_t count)
{
    fields->items = fields->stack;
    if (count > FIELDS_STACK)
        fields->items = calloc(count, sizeof(fields->items[0]));
    if (!fields->items)
        abort();
    fields->count = 0;
}

/* nghttp2 copies what it is given. */
static void fields_open(struct fields *fields, const struct metadata *from)
{
    fields_make_room(fields, from->count);
    size_t at = 0;
    struct metadata_item item;
    while (metadata_next(from, &at, &item))
        fields->items[fields->count++] = (nghttp2_nv){
            .name = (uint8_t *)item.name.at,
            .value = (uint8_t *)item.value.at,
            .namelen = item.name.length,
            .valuelen = item.value.length,
        };
}

static void fields_close(struct fields *fields)
{
    if (fields->items != fields->stack)
        free(fields->items);
}

static void submit_trailers(struct h2_stream *stream, uint32_t *flags)
{
    struct fields fields;
    if (stream->trailers.count == 0)
        return;
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    fields_open(&fields, &stream->trailers);
    nghttp2_submit_trailer(stream->h2->session, stream->id, fields.items, fields.count);
    fields_close(&fields);
}

/* Says how much of the body there is; write_body() then hands it over. */
static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *to, size_t length,
                         uint32_t *flags, nghttp2_data_source *source, void *context)
{
    (void)session, (void)id, (void)to, (void)context;
    struct h2_stream *stream = source->ptr;
    size_t taken = stream->unsent < length ? stream->unsent : length;
    bool last = stream->finished && taken == stream->unsent;
    stream->waiting = taken == 0 && !last;
    if (stream->waiting || stream->h2->ending)
        return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (last) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        submit_trailers(stream, flags);
    }
    return (ssize_t)taken;
}

static size_t write_prefix(struct h2_stream *stream, struct h2_piece *piece, size_t length)
{
    if (piece->taken >= piece->prefix_length)
        return 0;
    struct span left = span_cut(
        span_of(piece->prefix + piece->taken, piece->prefix_length - piece->taken), length);
    stream->h2->handler->write(stream->h2->context, left);
    return left.length;
}

static size_t write_blob(struct h2_stream *stream, struct h2_piece *piece, size_t length)
{
    size_t from = piece->taken - piece->prefix_length;
    struct span left =
        span_cut(span_of(piece->bytes.at + from, piece->bytes.length - from), length);
    if (left.length > 0)
        stream->h2->handler->write_blob(stream->h2->context, piece->blob, left);
    return left.length;
}

/* Hands over up to that many bytes of the first piece; how many. */
static size_t write_piece(struct h2_stream *stream, size_t length)
{
    struct h2_piece *piece = STAILQ_FIRST(&stream->pieces);
    size_t written = write_prefix(stream, piece, length);
    piece->taken += written;
    if (piece->taken >= piece->prefix_length) {
        size_t more = write_blob(stream, piece, length - written);
        piece->taken += more;
        written += more;
    }
    if (piece->taken == piece->prefix_length + piece->bytes.length)
        drop_first(stream);
    return written;
}

static int write_body(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
                      size_t length, nghttp2_data_source *source, void *context)
{
    (void)session, (void)frame;
    struct h2 *h2 = context;
    struct h2_stream *stream = source->ptr;
    if (!h2->handler->room(h2->context))
        return NGHTTP2_ERR_WOULDBLOCK;
    h2->handler->write(h2->context, span_of(head, FRAME_HEAD_SIZE));
    stream->unsent -= length;
    h2->unsent -= length;
    while (length > 0)
        length -= write_piece(stream, length);
    return 0;
}

static ssize_t write_frame(nghttp2_session *session, const uint8_t *bytes, size_t length, int flags,
                           void *context)
{
    (void)session, (void)flags;
    struct h2 *h2 = context;
    if (!h2->handler->room(h2->context))
        return NGHTTP2_ERR_WOULDBLOCK;
    h2->handler->write(h2->context, span_of(bytes, length));
    return (ssize_t)length;
}

/* Errors that the peer did not provoke. */
static bool is_harmless(uint32_t error)
{
    return error == NGHTTP2_NO_ERROR || error == NGHTTP2_CANCEL || error == NGHTTP2_INTERNAL_ERROR;
}

static void charge_reset(struct h2 *h2, uint32_t error)
{
    if (error == NGHTTP2_REFUSED_STREAM)
        h2_charge(h2, H2_RATE_RESETS);
    else if (!is_harmless(error))
        h2_charge(h2, H2_RATE_STREAM_ERRORS);
}

/* A response that has ended before its request: the rest of that is not wanted. */
static void stop_request(nghttp2_session *session, const nghttp2_frame_hd *head)
{
    bool last = head->flags & NGHTTP2_FLAG_END_STREAM;
    if (last && nghttp2_session_get_stream_remote_close(session, head->stream_id) == 0)
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, head->stream_id, NGHTTP2_NO_ERROR);
}

static void note_request(nghttp2_session *session, const nghttp2_frame *frame)
{
    struct h2_stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (stream && frame->hd.type == NGHTTP2_HEADERS)
        stream->started = true;
}

static void note_response(struct h2 *h2, const nghttp2_frame *frame)
{
    stop_request(h2->session, &frame->hd);
    h2_allowance_renew(&h2->allowance, h2->limits);
}

static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct h2 *h2 = context;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
        if (h2->client)
            note_request(session, frame);
        else
            note_response(h2, frame);
        return 0;
    case NGHTTP2_RST_STREAM:
        charge_reset(h2, frame->rst_stream.error_code);
        return 0;
    default:
        return 0;
    }
}

/* A head or trailers that nghttp2 does not take, such as more than 64 KiB. A request whose head
 * cannot be sent it closes itself. */
static int on_frame_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int error,
                             void *context)
{
    (void)error;
    const struct h2 *h2 = context;
    bool is_open = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id) != NULL;
    if (!h2->client && frame->hd.type == NGHTTP2_HEADERS && is_open)
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                  NGHTTP2_INTERNAL_ERROR);
    return 0;
}

void h2_send_callbacks(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_send_callback(callbacks, write_frame);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, write_body);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_frame_not_sent);
}

void h2_respond(struct h2_stream *stream, const struct metadata *head, bool last)
{
    struct fields fields;
    nghttp2_data_provider body = {.source.ptr = stream, .read_callback = read_body};
    fields_open(&fields, head);
    nghttp2_submit_response(stream->h2->session, stream->id, fields.items, fields.count,
                            last ? NULL : &body);
    fields_close(&fields);
    stream->finished = last;
}

static nghttp2_nv nv_of(const struct h2_field *field)
{
    return (nghttp2_nv){.name = (uint8_t *)field->name.at,
                        .value = (uint8_t *)field->value.at,
                        .namelen = field->name.length,
                        .valuelen = field->value.length,
                        .flags = field->varies ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE};
}

static int32_t submit_request(struct h2_stream *stream, const struct h2_field *from, size_t count)
{
    const nghttp2_data_provider body = {.source.ptr = stream, .read_callback = read_body};
    struct fields fields;
    fields_make_room(&fields, count);
    for (; fields.count < count; fields.count++)
        fields.items[fields.count] = nv_of(&from[fields.count]);
    int32_t id =
        nghttp2_submit_request(stream->h2->session, NULL, fields.items, count, &body, stream);
    fields_close(&fields);
    return id;
}

struct h2_stream *h2_request(struct h2 *h2, const struct h2_field *fields, size_t count, void *user)
{
    struct h2_stream *stream = h2_stream_new(h2, 0);
    if (!stream || (stream->id = submit_request(stream, fields, count)) < 0)
        abort();
    stream->user = user;
    return stream;
}

bool h2_stream_unstarted(const struct h2_stream *stream, uint32_t error)
{
    return !stream->started || error == NGHTTP2_REFUSED_STREAM;
}

/* nghttp2 asks again for a body that it waits for. */
static void resume(struct h2_stream *stream)
{
    if (!stream->waiting)
        return;
    stream->waiting = false;
    nghttp2_session_resume_data(stream->h2->session, stream->id);
}

void h2_send_part(struct h2_stream *stream, struct span prefix, struct blob *blob,
                  struct span bytes)
{
    struct h2_piece *piece = calloc(1, sizeof(*piece));
    if (!piece || prefix.length > H2_PREFIX_MAX)
        abort();
    if (prefix.length > 0)
        memcpy(piece->prefix, prefix.at, prefix.length);
    piece->prefix_length = (uint8_t)prefix.length;
    piece->blob = blob_ref(blob);
    piece->bytes = bytes;
    STAILQ_INSERT_TAIL(&stream->pieces, piece, link);
    stream->unsent += prefix.length + bytes.length;
    stream->h2->unsent += prefix.length + bytes.length;
    resume(stream);
}

void h2_send(struct h2_stream *stream, struct span prefix, struct blob *blob)
{
    h2_send_part(stream, prefix, blob, blob_span(blob));
}

void h2_finish(struct h2_stream *stream, struct metadata *trailers)
{
    stream->trailers = *trailers;
    *trailers = (struct metadata){0};
    stream->finished = true;
    resume(stream);
}

void h2_reset(struct h2_stream *stream, enum h2_error error)
{
    nghttp2_submit_rst_stream(stream->h2->session, NGHTTP2_FLAG_NONE, stream->id, error);
}

void h2_blame(struct h2_stream *stream)
{
    h2_charge(stream->h2, H2_RATE_STREAM_ERRORS);
}
