/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP/2 connection (RFC 9113) without its socket: bytes go in, events come out, and what is to
 * be written is handed over when there is room for it. nghttp2 does the protocol; this keeps the
 * streams, what they still have to send, and the limits of proto/h2_limits.h.
 *
 *   socket ──h2_input()──▶ opened, header, headers_ended, data, ended, closed, settings, goaway
 *   socket ◀───h2_fill()── h2_respond() or h2_request(), h2_send(), h2_finish(), h2_reset(),
 *                          h2_goaway()
 *
 * A server is told of streams that its peer opens, a client opens them. A server's limits guard
 * against any peer; a client trusts the server it has chosen not to flood it.
 *
 * Nothing is called back from a function that sends but h2_fill(), which may close streams.
 */
#ifndef PROTO_H2_H
#define PROTO_H2_H

#include "proto/blob.h"
#include "proto/h2_limits.h"
#include "proto/metadata.h"

/* Error codes, RFC 9113 section 7. */
enum h2_error {
    H2_NO_ERROR = 0x0,
    H2_PROTOCOL_ERROR = 0x1,
    H2_INTERNAL_ERROR = 0x2,
    H2_REFUSED_STREAM = 0x7,
    H2_CANCEL = 0x8,
    H2_ENHANCE_YOUR_CALM = 0xb,
};

struct h2;
struct h2_stream; /* valid from opened(), or h2_request(), until closed() returns */

/* A field of a request. */
struct h2_field {
    struct span name;
    struct span value;
    bool varies; /* another value each time: not remembered by header compression */
};

struct h2_handler {
    void (*opened)(void *context, struct h2_stream *stream); /* server */
    /* A field of the head, pseudo-header fields included; the spans are valid during the call. A
     * client has the fields of interim and trailing sections, too, each with an end of its own; it
     * checks them itself (RFC 9113 section 8.1). */
    void (*header)(void *context, struct h2_stream *stream, struct span name, struct span value);
    void (*headers_ended)(void *context, struct h2_stream *stream);
    /* Bytes of the body; they count against the stream's window until h2_consume(). */
    void (*data)(void *context, struct h2_stream *stream, struct span bytes);
    /* The peer has sent all. */
    void (*ended)(void *context, struct h2_stream *stream);
    /* The stream is over: both sides have ended, or one reset it (error other than H2_NO_ERROR). */
    void (*closed)(void *context, struct h2_stream *stream, uint32_t error);
    /* Client: the server has said what it allows, see h2_capacity(). */
    void (*settings)(void *context);
    /* Client: no more requests can be made. Streams that the server did not begin are closed as
     * unstarted behind this, the others go on. */
    void (*goaway)(void *context, uint32_t error, struct span text);

    /* Where output goes. room: whether more is wanted now. Bytes are to be copied; of a blob a
     * reference is to be taken. */
    bool (*room)(void *context);
    void (*write)(void *context, struct span bytes);
    void (*write_blob)(void *context, struct blob *blob, struct span bytes);
};

/* The server's side. Handler, limits and counters outlive it. `now`, here and below: ms on any
 * clock that does not go back. NULL: no memory. */
struct h2 *h2_server_new(const struct h2_limits *limits, struct h2_counters *counters,
                         const struct h2_handler *handler, void *context, int64_t now);

/* The client's side; of the limits it takes max_header_list, max_continuations and stream_window.
 * NULL: no memory. */
struct h2 *h2_client_new(const struct h2_limits *limits, const struct h2_handler *handler,
                         void *context);

/* Closes the streams that are left, with H2_CANCEL. NULL is accepted. */
void h2_free(struct h2 *h2);

/* Takes bytes as they came. False: the peer broke the protocol or a limit, h2_fault() says how; the
 * connection is to be ended by h2_goaway(). */
bool h2_input(struct h2 *h2, struct span bytes, int64_t now);

/* What ended the connection, and the error that the peer is told; NULL: nothing did. */
const char *h2_fault(const struct h2 *h2);
enum h2_error h2_fault_error(const struct h2 *h2);

/* Hands over what is to be written, while there is room. False: as with h2_input(). */
bool h2_fill(struct h2 *h2);

/* Server: nothing has happened for a while. Where there are no streams and nothing is to be
 * written, it takes little memory from here until it is used again. */
void h2_rest(struct h2 *h2);

/* Whether the connection has nothing to do any more, in either direction. */
bool h2_is_over(struct h2 *h2);

/* Bytes of bodies that are to be sent and were not handed over yet. */
size_t h2_unsent(const struct h2 *h2);

/* Whether a head has begun to come and is not whole. */
bool h2_in_head(const struct h2 *h2);

/* Announces the end: the peer opens no more streams once it knows, those that cross are served
 * (RFC 9113 section 6.8). */
void h2_announce_end(struct h2 *h2);

/* Tells the peer to go, streams from here on are ignored. With an error, bodies stay unsent. */
void h2_goaway(struct h2 *h2, enum h2_error error, const char *text);

/* A PING that the peer's library answers by itself. */
void h2_ping(struct h2 *h2);

/* What the owner keeps with a stream; NULL until set. */
void h2_stream_set_user(struct h2_stream *stream, void *user);
void *h2_stream_user(const struct h2_stream *stream);

/* Whether the head was larger than max_header_list; it was not handed on in full. */
bool h2_stream_head_too_large(const struct h2_stream *stream);

/* Gives the window back for bytes that were taken in. */
void h2_consume(struct h2_stream *stream, size_t length);

/* Makes the stream's window that wide, up to a bound, for good. */
void h2_widen(struct h2_stream *stream, size_t length);

/* Client: whether requests can be made: no goaway has come, and there are stream ids left. */
bool h2_takes_requests(const struct h2 *h2);

/* Client: requests that the server takes at once (SETTINGS_MAX_CONCURRENT_STREAMS); more wait in
 * here. */
uint32_t h2_capacity(const struct h2 *h2);

/* Client: opens a stream with this head, whose body follows by h2_send() and h2_finish(). Only
 * while h2_takes_requests(), and in the turn of the loop in which that ends. */
struct h2_stream *h2_request(struct h2 *h2, const struct h2_field *fields, size_t count,
                             void *user);

/* Client, within closed(): whether it is certain that the server did not begin the request: its
 * head was not sent, the stream was refused or is above GOAWAY's last id (RFC 9113 sections 6.8,
 * 8.7). */
bool h2_stream_unstarted(const struct h2_stream *stream, uint32_t error);

/* Sends the head of a response, its first item being ":status"; once. last: nothing follows. What
 * the peer has not sent by the end of the response, it is told to keep (RST_STREAM NO_ERROR, RFC
 * 9113 section 8.1). */
void h2_respond(struct h2_stream *stream, const struct metadata *head, bool last);

/* Sends a part of the body: a few bytes of our own, and those of the blob behind them. */
#define H2_PREFIX_MAX 8
void h2_send(struct h2_stream *stream, struct span prefix, struct blob *blob);

/* The same with these bytes of the blob; NULL where there are none. */
void h2_send_part(struct h2_stream *stream, struct span prefix, struct blob *blob,
                  struct span bytes);

/* Bytes of the body that were not handed over yet. */
size_t h2_stream_unsent(const struct h2_stream *stream);

/* Ends the body with these trailing fields, if any, which are taken over: the metadata is empty
 * then. */
void h2_finish(struct h2_stream *stream, struct metadata *trailers);

/* Ends the stream at once; closed() comes with the next h2_fill(). */
void h2_reset(struct h2_stream *stream, enum h2_error error);

/* The peer broke a rule above HTTP/2: counted like a broken rule of HTTP/2. */
void h2_blame(struct h2_stream *stream);

#endif
