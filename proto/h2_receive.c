/* SPDX-License-Identifier: Apache-2.0 */
/* The events of a connection: what nghttp2 has read, counted against the limits. */
#include "proto/h2_session.h"

#define FIELD_OVERHEAD 32u  /* bytes of a field beyond name and value, RFC 9113 section 6.5.2 */
#define TYPE_UNKNOWN   0x0a /* the first type of a frame that RFC 9113 does not define */
#define TYPE_LAST      0xff

static struct h2_stream *find(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

static bool is_ack(const nghttp2_frame_hd *head)
{
    return head->flags & NGHTTP2_FLAG_ACK;
}

/* For a stream that is over. */
static bool is_late(const struct h2 *h2, const nghttp2_frame_hd *head)
{
    return head->stream_id <= nghttp2_session_get_last_proc_stream_id(h2->session) &&
           !find(h2->session, head->stream_id);
}

/* What costs us work and brings nothing, told by the frame's head alone. */
static void charge_frame(struct h2 *h2, const nghttp2_frame_hd *head)
{
    switch (head->type) {
    case NGHTTP2_PING:
        h2_charge(h2, is_ack(head) ? H2_RATE_EMPTY_FRAMES : H2_RATE_PINGS);
        return;
    case NGHTTP2_SETTINGS:
        if (!is_ack(head))
            h2_charge(h2, H2_RATE_SETTINGS);
        return;
    case NGHTTP2_PRIORITY: /* nghttp2 looks at none of them, as we told the peer */
        if (head->stream_id == 0)
            h2_fail(h2, H2_PROTOCOL_ERROR, "PRIORITY of stream 0 (RFC 9113 section 6.3)");
        h2_charge(h2, H2_RATE_PRIORITIES);
        return;
    case NGHTTP2_WINDOW_UPDATE:
        h2_charge(h2, H2_RATE_WINDOW_UPDATES);
        return;
    case NGHTTP2_RST_STREAM:
        if (is_late(h2, head))
            h2_charge(h2, H2_RATE_WINDOW_UPDATES);
        return;
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION:
        if (head->length == 0 || is_late(h2, head))
            h2_charge(h2, H2_RATE_EMPTY_FRAMES);
        return;
    case NGHTTP2_DATA: /* its padding is known later */
        return;
    default:
        h2_charge(h2, H2_RATE_EMPTY_FRAMES);
    }
}

/* With a fault, nothing more is read. */
static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *head, void *context)
{
    (void)session;
    struct h2 *h2 = context;
    if (head->type != NGHTTP2_CONTINUATION)
        h2->head_of = 0;
    charge_frame(h2, head);
    return h2->fault[0] ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static bool is_request(const nghttp2_frame *frame)
{
    return frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct h2 *h2 = context;
    h2->head_of = frame->hd.stream_id;
    if (!is_request(frame))
        return 0;
    struct h2_stream *stream = h2_stream_new(h2, frame->hd.stream_id);
    if (!stream)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    nghttp2_session_set_stream_user_data(session, stream->id, stream);
    h2->handler->opened(h2->context, stream);
    return 0;
}

static void refuse_head(struct h2 *h2, struct h2_stream *stream)
{
    stream->too_large = true;
    if (h2->counters)
        h2->counters->header_lists++;
    h2_charge(h2, H2_RATE_STREAM_ERRORS);
}

/* Trailing fields of requests, which gRPC has none of, are not handed on. */
static bool is_wanted(const struct h2 *h2, const nghttp2_frame *frame)
{
    return h2->client || is_request(frame);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
                     void *context)
{
    (void)flags;
    struct h2 *h2 = context;
    struct h2_stream *stream = find(session, frame->hd.stream_id);
    if (!stream || !is_wanted(h2, frame) || stream->too_large)
        return 0;
    stream->head_size += name_length + value_length + FIELD_OVERHEAD;
    if (stream->head_size > h2->limits->max_header_list)
        refuse_head(h2, stream);
    else
        h2->handler->header(h2->context, stream, span_of(name, name_length),
                            span_of(value, value_length));
    return 0;
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                         size_t length, void *context)
{
    (void)flags;
    struct h2 *h2 = context;
    struct h2_stream *stream = find(session, id);
    nghttp2_session_consume_connection(session, length);
    if (stream)
        h2->handler->data(h2->context, stream, span_of(data, length));
    return 0;
}

static void take_body_end(struct h2 *h2, struct h2_stream *stream, const nghttp2_frame_hd *head)
{
    if (stream && (head->flags & NGHTTP2_FLAG_END_STREAM))
        h2->handler->ended(h2->context, stream);
}

static void take_data(struct h2 *h2, struct h2_stream *stream, const nghttp2_frame *frame)
{
    bool last = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    if (!last && frame->hd.length == frame->data.padlen)
        h2_charge(h2, H2_RATE_EMPTY_FRAMES);
    take_body_end(h2, stream, &frame->hd);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct h2 *h2 = context;
    struct h2_stream *stream = find(session, frame->hd.stream_id);
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        h2->head_of = 0;
        if (stream && is_wanted(h2, frame))
            h2->handler->headers_ended(h2->context, stream);
        take_body_end(h2, stream, &frame->hd);
        return 0;
    case NGHTTP2_DATA:
        take_data(h2, stream, frame);
        return 0;
    case NGHTTP2_RST_STREAM:
        if (stream && !stream->finished)
            h2_charge(h2, H2_RATE_RESETS);
        return 0;
    case NGHTTP2_SETTINGS:
        if (h2->client && !is_ack(&frame->hd))
            h2->handler->settings(h2->context);
        return 0;
    case NGHTTP2_GOAWAY:
        if (h2->client)
            h2->handler->goaway(h2->context, frame->goaway.error_code,
                                span_of(frame->goaway.opaque_data, frame->goaway.opaque_data_len));
        return 0;
    default:
        return 0;
    }
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *context)
{
    struct h2 *h2 = context;
    struct h2_stream *stream = find(session, id);
    if (h2->head_of == id)
        h2->head_of = 0;
    if (!stream)
        return 0;
    h2->handler->closed(h2->context, stream, error);
    h2_stream_free(stream);
    return 0;
}

/* Frames of unknown types are ignored (RFC 9113 section 5.5), once they have been counted. */
static int on_extension(nghttp2_session *session, void **payload, const nghttp2_frame_hd *head,
                        void *context)
{
    (void)session, (void)payload, (void)head, (void)context;
    return NGHTTP2_ERR_CANCEL;
}

static int on_extension_chunk(nghttp2_session *session, const nghttp2_frame_hd *head,
                              const uint8_t *data, size_t length, void *context)
{
    (void)session, (void)head, (void)data, (void)length, (void)context;
    return 0;
}

/* nghttp2 tells of the frames of those types only that somebody wants. */
void h2_receive_options(nghttp2_option *option)
{
    for (unsigned type = TYPE_UNKNOWN; type <= TYPE_LAST; type++)
        nghttp2_option_set_user_recv_extension_type(option, (uint8_t)type);
}

void h2_receive_callbacks(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_unpack_extension_callback(callbacks, on_extension);
    nghttp2_session_callbacks_set_on_extension_chunk_recv_callback(callbacks, on_extension_chunk);
}
