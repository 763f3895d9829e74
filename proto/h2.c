/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/h2.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/h2_session.h"

/* Received bodies are taken from the connection's window at once, the streams' windows and
 * max_buffered bound what is held: this one only keeps the peer from waiting for us. */
#define SERVER_WINDOW    (1 << 20)
#define CLIENT_WINDOW    (16 << 20)  /* of the one connection that all share */
#define LAST_IDS         0x7ff00000u /* stream ids from here on are for those who have not noticed */
#define HEAD_MAX         (2u << 20)  /* of a request; what clients may send fits */
#define SETTINGS_ENTRIES 32          /* of one SETTINGS frame */

void h2_fail(struct h2 *h2, enum h2_error error, const char *format, ...)
{
    if (h2->fault[0])
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(h2->fault, sizeof(h2->fault), format, arguments);
    va_end(arguments);
    h2->error = error;
}

void h2_charge(struct h2 *h2, enum h2_rate rate)
{
    if (h2->client || h2->fault[0] || h2_allowance_take(&h2->allowance, h2->limits, rate, h2->now))
        return;
    h2->counters->rates[rate]++;
    h2_fail(h2, H2_ENHANCE_YOUR_CALM, "too many %s: more than %u a minute (limits.http2.%s)",
            h2_rate_what(rate), h2->limits->rates[rate], h2_rate_key(rate));
}

/* nghttp2's own limit of resets hurts clients that reset after each reply; ours takes its place. */
static void set_server_options(nghttp2_option *option, const struct h2_limits *limits)
{
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_stream_reset_rate_limit(option, UINT32_MAX, UINT32_MAX);
    nghttp2_option_set_max_outbound_ack(option, (size_t)limits->rates[H2_RATE_PINGS] +
                                                    limits->rates[H2_RATE_SETTINGS]);
    h2_receive_options(option);
}

/* What a response must have is for its reader to see. */
static void set_client_options(nghttp2_option *option)
{
    nghttp2_option_set_max_send_header_block_length(option, HEAD_MAX);
    nghttp2_option_set_no_http_messaging(option, 1);
}

static nghttp2_option *options_new(const struct h2 *h2)
{
    nghttp2_option *option;
    if (nghttp2_option_new(&option) != 0)
        return NULL;
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_max_continuations(option, h2->limits->max_continuations);
    nghttp2_option_set_max_settings(option, SETTINGS_ENTRIES);
    if (h2->client)
        set_client_options(option);
    else
        set_server_options(option, h2->limits);
    return option;
}

static int session_new(struct h2 *h2)
{
    nghttp2_mem memory;
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option = options_new(h2);
    if (!option || !h2_memory_open(&h2->memory, &memory) ||
        nghttp2_session_callbacks_new(&callbacks) != 0) {
        nghttp2_option_del(option);
        return -1;
    }
    h2_receive_callbacks(callbacks);
    h2_send_callbacks(callbacks);
    int result = h2->client
                     ? nghttp2_session_client_new3(&h2->session, callbacks, h2, option, &memory)
                     : nghttp2_session_server_new3(&h2->session, callbacks, h2, option, &memory);
    h2_memory_settle(&h2->memory);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    return result;
}

/* A server says how many streams it takes, a client that it takes no pushes. */
static int introduce(struct h2 *h2)
{
    const nghttp2_settings_entry settings[] = {
        {h2->client ? NGHTTP2_SETTINGS_ENABLE_PUSH : NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
         h2->client ? 0 : h2->limits->max_streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, h2->limits->stream_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, h2->limits->max_header_list},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    if (nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings,
                                sizeof(settings) / sizeof(settings[0])) != 0)
        return -1;
    return nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0,
                                                 h2->client ? CLIENT_WINDOW : SERVER_WINDOW);
}

static struct h2 *h2_new(const struct h2 *with)
{
    struct h2 *h2 = malloc(sizeof(*h2));
    if (!h2)
        return NULL;
    *h2 = *with;
    if (session_new(h2) != 0 || introduce(h2) != 0) {
        h2_free(h2);
        return NULL;
    }
    return h2;
}

struct h2 *h2_server_new(const struct h2_limits *limits, struct h2_counters *counters,
                         const struct h2_handler *handler, void *context, int64_t now)
{
    struct h2 with = {
        .handler = handler, .context = context, .limits = limits, .counters = counters, .now = now};
    h2_allowance_init(&with.allowance, limits, now);
    return h2_new(&with);
}

struct h2 *h2_client_new(const struct h2_limits *limits, const struct h2_handler *handler,
                         void *context)
{
    const struct h2 with = {
        .client = true, .handler = handler, .context = context, .limits = limits};
    return h2_new(&with);
}

/* The session of a connection that may rest. */
static nghttp2_session *awake(struct h2 *h2)
{
    h2_memory_fetch(&h2->memory);
    return h2->session;
}

void h2_free(struct h2 *h2)
{
    if (!h2)
        return;
    struct h2_stream *stream;
    while ((stream = LIST_FIRST(&h2->streams))) {
        h2->handler->closed(h2->context, stream, H2_CANCEL);
        h2_stream_free(stream);
    }
    nghttp2_session_del(awake(h2));
    h2_memory_close(&h2->memory);
    free(h2);
}

static void fail_by(struct h2 *h2, int error)
{
    switch (error) {
    case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS:
        if (h2->counters)
            h2->counters->continuations++;
        h2_fail(h2, H2_ENHANCE_YOUR_CALM,
                "too many CONTINUATION frames: more than %u for one head "
                "(limits.http2.max_continuations)",
                h2->limits->max_continuations);
        return;
    case NGHTTP2_ERR_FLOODED:
        h2_fail(h2, H2_ENHANCE_YOUR_CALM, "too many frames whose answers were not read");
        return;
    default:
        h2_fail(h2, H2_PROTOCOL_ERROR, "this is not HTTP/2: %s", nghttp2_strerror(error));
    }
}

bool h2_input(struct h2 *h2, struct span bytes, int64_t now)
{
    if (h2->fault[0])
        return false;
    h2->now = now;
    ssize_t taken = nghttp2_session_mem_recv(awake(h2), bytes.at, bytes.length);
    if (taken < 0)
        fail_by(h2, (int)taken);
    return !h2->fault[0];
}

bool h2_fill(struct h2 *h2)
{
    int error = nghttp2_session_send(awake(h2));
    if (error != 0)
        fail_by(h2, error);
    return !h2->fault[0];
}

const char *h2_fault(const struct h2 *h2)
{
    return h2->fault[0] ? h2->fault : NULL;
}

enum h2_error h2_fault_error(const struct h2 *h2)
{
    return h2->error;
}

bool h2_takes_requests(const struct h2 *h2)
{
    return nghttp2_session_check_request_allowed(h2->session) != 0 &&
           nghttp2_session_get_next_stream_id(h2->session) < LAST_IDS;
}

uint32_t h2_capacity(const struct h2 *h2)
{
    return nghttp2_session_get_remote_settings(h2->session,
                                               NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

void h2_rest(struct h2 *h2)
{
    if (LIST_EMPTY(&h2->streams) && !nghttp2_session_want_write(awake(h2)))
        h2_memory_put_away(&h2->memory);
}

bool h2_is_over(struct h2 *h2)
{
    nghttp2_session *session = awake(h2);
    return !nghttp2_session_want_read(session) && !nghttp2_session_want_write(session);
}

size_t h2_unsent(const struct h2 *h2)
{
    return h2->unsent;
}

bool h2_in_head(const struct h2 *h2)
{
    return h2->head_of != 0;
}

void h2_announce_end(struct h2 *h2)
{
    nghttp2_submit_shutdown_notice(awake(h2));
}

void h2_goaway(struct h2 *h2, enum h2_error error, const char *text)
{
    h2->ending = error != H2_NO_ERROR;
    nghttp2_session *session = awake(h2);
    nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(session), error,
                          (const uint8_t *)text, strlen(text));
}

void h2_ping(struct h2 *h2)
{
    nghttp2_submit_ping(awake(h2), NGHTTP2_FLAG_NONE, NULL);
}
