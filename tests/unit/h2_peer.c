/* SPDX-License-Identifier: Apache-2.0 */
#include "h2_peer.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define FRAME_HEAD_SIZE 9
#define FIELDS_MAX      64

void bytes_add(struct bytes *bytes, struct span more)
{
    if (more.length == 0)
        return;
    if (bytes->capacity - bytes->length < more.length) {
        bytes->capacity = 2 * (bytes->length + more.length);
        bytes->at = realloc(bytes->at, bytes->capacity);
        cr_assert_not_null(bytes->at);
    }
    memcpy(bytes->at + bytes->length, more.at, more.length);
    bytes->length += more.length;
}

void bytes_drop(struct bytes *bytes, size_t length)
{
    if (length == 0)
        return;
    bytes->length -= length;
    memmove(bytes->at, bytes->at + length, bytes->length);
}

void bytes_clear(struct bytes *bytes)
{
    free(bytes->at);
    *bytes = (struct bytes){0};
}

void h2_frame_write(struct bytes *to, const struct h2_frame *frame)
{
    size_t length = frame->payload.length;
    const uint8_t head[FRAME_HEAD_SIZE] = {
        (uint8_t)(length >> 16),
        (uint8_t)(length >> 8),
        (uint8_t)length,
        frame->type,
        frame->flags,
        (uint8_t)(frame->stream >> 24),
        (uint8_t)(frame->stream >> 16),
        (uint8_t)(frame->stream >> 8),
        (uint8_t)frame->stream,
    };
    bytes_add(to, span_of(head, sizeof(head)));
    bytes_add(to, frame->payload);
}

static uint32_t number(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

bool h2_frame_next(struct span *bytes, struct h2_frame *ret_frame)
{
    if (bytes->length < FRAME_HEAD_SIZE)
        return false;
    const uint8_t *at = bytes->at;
    size_t length = number(at) >> 8;
    if (bytes->length - FRAME_HEAD_SIZE < length)
        return false;
    *ret_frame = (struct h2_frame){
        .type = at[3],
        .flags = at[4],
        .stream = number(at + 5),
        .payload = span_of(at + FRAME_HEAD_SIZE, length),
    };
    *bytes = span_of(at + FRAME_HEAD_SIZE + length, bytes->length - FRAME_HEAD_SIZE - length);
    return true;
}

uint32_t h2_frame_number(const struct h2_frame *frame, size_t at)
{
    cr_assert_leq(at + 4, frame->payload.length);
    return number(frame->payload.at + at);
}

/* RFC 7541 section 5.1, with a prefix of seven bits. */
static void write_text(struct bytes *block, const char *text)
{
    size_t length = strlen(text);
    uint8_t byte = length < 127 ? (uint8_t)length : 127;
    bytes_add(block, span_of(&byte, 1));
    size_t left = length < 127 ? 0 : length - 127;
    for (bool more = length >= 127; more; left >>= 7) {
        more = left > 127;
        byte = (uint8_t)(left & 127) | (more ? 128 : 0);
        bytes_add(block, span_of(&byte, 1));
    }
    bytes_add(block, span_text(text));
}

void h2_field_write(struct bytes *block, const char *name, const char *value)
{
    bytes_add(block, span_of("", 1));
    write_text(block, name);
    write_text(block, value);
}

void h2_request_write(struct bytes *block)
{
    h2_field_write(block, ":method", "POST");
    h2_field_write(block, ":scheme", "http");
    h2_field_write(block, ":path", "/a");
    h2_field_write(block, ":authority", "localhost");
}

static struct h2_peer_stream *find(struct h2_peer *peer, int32_t id)
{
    cr_assert_lt(id / 2, H2_PEER_STREAMS);
    return h2_peer_stream(peer, id);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
                     void *context)
{
    (void)session, (void)flags;
    struct h2_peer_stream *stream = find(context, frame->hd.stream_id);
    bool first = frame->headers.cat == NGHTTP2_HCAT_RESPONSE;
    metadata_add(first ? &stream->head : &stream->trailers, span_of(name, name_length),
                 span_of(value, value_length));
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t length, void *context)
{
    (void)session, (void)flags;
    bytes_add(&find(context, id)->body, span_of(data, length));
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    (void)session;
    bool of_stream = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (of_stream && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        find(context, frame->hd.stream_id)->ended = true;
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t error, void *context)
{
    (void)session;
    struct h2_peer_stream *stream = find(context, id);
    stream->closed = true;
    stream->error = error;
    return 0;
}

static nghttp2_session *session_new(struct h2_peer *peer, bool keeps_windows)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    cr_assert_eq(nghttp2_session_callbacks_new(&callbacks), 0);
    cr_assert_eq(nghttp2_option_new(&option), 0);
    nghttp2_option_set_no_auto_window_update(option, keeps_windows);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session *session;
    cr_assert_eq(nghttp2_session_client_new2(&session, callbacks, peer, option), 0);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    return session;
}

struct h2_peer *h2_peer_new(const struct h2_peer_options *options)
{
    struct h2_peer *peer = calloc(1, sizeof(*peer));
    cr_assert_not_null(peer);
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options->window ? options->window : 65535},
        {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, options->frame_max ? options->frame_max : 16384},
    };
    peer->session = session_new(peer, options->keeps_windows);
    peer->deaf = options->silent;
    if (!options->silent)
        cr_assert_eq(nghttp2_submit_settings(peer->session, 0, settings, 2), 0);
    return peer;
}

void h2_peer_free(struct h2_peer *peer)
{
    for (size_t i = 0; i < H2_PEER_STREAMS; i++) {
        metadata_clear(&peer->streams[i].head);
        metadata_clear(&peer->streams[i].trailers);
        bytes_clear(&peer->streams[i].body);
    }
    nghttp2_session_del(peer->session);
    bytes_clear(&peer->output);
    bytes_clear(&peer->received);
    free(peer);
}

void h2_peer_receive(struct h2_peer *peer, struct span bytes)
{
    bytes_add(&peer->received, bytes);
    if (peer->deaf)
        return;
    ssize_t taken = nghttp2_session_mem_recv(peer->session, bytes.at, bytes.length);
    cr_assert_eq(taken, (ssize_t)bytes.length, "%s", nghttp2_strerror((int)taken));
}

void h2_peer_flush(struct h2_peer *peer)
{
    const uint8_t *bytes;
    ssize_t length;
    if (peer->deaf)
        return;
    while ((length = nghttp2_session_mem_send(peer->session, &bytes)) > 0)
        bytes_add(&peer->output, span_of(bytes, (size_t)length));
    cr_assert_eq(length, 0, "%s", nghttp2_strerror((int)length));
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *to, size_t length,
                         uint32_t *flags, nghttp2_data_source *source, void *context)
{
    (void)session, (void)id, (void)context;
    struct h2_peer_stream *stream = source->ptr;
    size_t left = stream->size - stream->sent;
    size_t count = left < length ? left : length;
    if (count == 0 && stream->open)
        return NGHTTP2_ERR_DEFERRED;
    for (size_t i = 0; i < count; i++)
        to[i] = h2_pattern(stream->sent++);
    if (!stream->open && stream->sent == stream->size)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)count;
}

static nghttp2_nv field(const char *name, const char *value)
{
    return (nghttp2_nv){
        .name = (uint8_t *)name,
        .value = (uint8_t *)value,
        .namelen = strlen(name),
        .valuelen = strlen(value),
    };
}

static size_t fields_fill(nghttp2_nv fields[FIELDS_MAX], const struct metadata *more)
{
    size_t count = 0;
    fields[count++] = field(":method", "POST");
    fields[count++] = field(":scheme", "http");
    fields[count++] = field(":path", "/a");
    fields[count++] = field(":authority", "localhost");
    size_t at = 0;
    struct metadata_item item;
    while (metadata_next(more, &at, &item)) {
        cr_assert_lt(count, FIELDS_MAX);
        fields[count++] = (nghttp2_nv){
            .name = (uint8_t *)item.name.at,
            .value = (uint8_t *)item.value.at,
            .namelen = item.name.length,
            .valuelen = item.value.length,
        };
    }
    return count;
}

int32_t h2_peer_open(struct h2_peer *peer, const struct metadata *more, size_t body, bool ends)
{
    nghttp2_nv fields[FIELDS_MAX];
    size_t count = fields_fill(fields, more);
    struct h2_peer_stream *stream =
        find(peer, (int32_t)nghttp2_session_get_next_stream_id(peer->session));
    nghttp2_data_provider provider = {.source.ptr = stream, .read_callback = read_body};
    stream->size = body;
    stream->open = !ends;
    int32_t id = nghttp2_submit_request(peer->session, NULL, fields, count,
                                        body == 0 && ends ? NULL : &provider, NULL);
    cr_assert_gt(id, 0);
    return id;
}

void h2_peer_more(struct h2_peer *peer, int32_t id, size_t body, bool ends)
{
    struct h2_peer_stream *stream = find(peer, id);
    cr_assert(stream->open);
    stream->size += body;
    stream->open = !ends;
    nghttp2_session_resume_data(peer->session, id);
}

void h2_peer_raw(struct h2_peer *peer, uint8_t type, uint8_t flags, uint32_t id,
                 struct span payload)
{
    struct h2_frame frame = {.type = type, .flags = flags, .stream = id, .payload = payload};
    h2_peer_flush(peer);
    h2_frame_write(&peer->output, &frame);
}

size_t h2_peer_count(const struct h2_peer *peer, uint8_t type, int32_t id,
                     struct h2_frame *ret_last)
{
    struct span left = bytes_span(&peer->received);
    struct h2_frame frame;
    size_t count = 0;
    while (h2_frame_next(&left, &frame)) {
        if (frame.type != type || (id >= 0 && frame.stream != (uint32_t)id))
            continue;
        count++;
        if (ret_last)
            *ret_last = frame;
    }
    cr_assert_eq(left.length, 0, "the server wrote a part of a frame");
    return count;
}

size_t h2_peer_windows(const struct h2_peer *peer, int32_t id)
{
    struct span left = bytes_span(&peer->received);
    struct h2_frame frame;
    size_t sum = 0;
    while (h2_frame_next(&left, &frame)) {
        if (frame.type == NGHTTP2_WINDOW_UPDATE && frame.stream == (uint32_t)id)
            sum += h2_frame_number(&frame, 0);
    }
    return sum;
}
