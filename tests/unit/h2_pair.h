/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: the HTTP/2 engine's server side, joined to a client in memory, and what it has told
 * its owner. All of its output is in here until the client takes it. */
#ifndef TESTS_H2_PAIR_H
#define TESTS_H2_PAIR_H

#include "h2_peer.h"
#include "proto/h2.h"

#define H2_PAIR_PARTS 256
#define H2_PAIR_NOW   1000000 /* ms on some clock: when the connection begins */

enum h2_event {
    H2_OPENED,
    H2_HEADERS_ENDED,
    H2_DATA,
    H2_ENDED,
    H2_CLOSED,
};

/* A stream as the engine tells of it. */
struct h2_seen {
    struct h2_stream *stream; /* NULL once closed */
    struct bytes body;
    size_t fields; /* of its head */
    unsigned opened;
    unsigned headers_ended;
    unsigned ended;
    unsigned closed;
    uint32_t error; /* that it was closed with */
};

/* A part of a blob that was handed over. */
struct h2_part {
    struct blob *blob; /* with a reference */
    struct span bytes;
};

struct h2_pair {
    struct h2_limits limits;
    struct h2_counters counters;
    struct h2 *h2;
    struct h2_peer *peer;
    int64_t now;                          /* ms */
    struct h2_seen seen[H2_PEER_STREAMS]; /* in the order in which they were opened */
    size_t count;
    struct bytes events; /* as text; the data of a stream as one until something else happens */
    const struct h2_seen *in_data;
    struct bytes output; /* not given to the client yet */
    size_t room;         /* there is room while the output is shorter */
    struct h2_part parts[H2_PAIR_PARTS];
    size_t part_count;
    bool consumes; /* gives the windows of streams back at once */
    void (*react)(struct h2_pair *pair, struct h2_seen *seen, enum h2_event event); /* or NULL */
};

/* Limits that nothing here comes near to. */
struct h2_limits h2_pair_limits(void);

/* Joins an engine of those limits (zeros: of h2_pair_limits()) to a client. */
void h2_pair_open(struct h2_pair *pair, const struct h2_peer_options *options);

/* The same with a client that is silent but for its preface and an empty SETTINGS frame. */
void h2_pair_open_raw(struct h2_pair *pair);

/* Frees both sides and gives back what was handed over; again is nothing. */
void h2_pair_close(struct h2_pair *pair);

/* Gives the engine bytes, in a block of their own so that a read behind them is noticed. */
bool h2_pair_input(struct h2_pair *pair, struct span bytes);

/* Moves what the client wants to send; what h2_input() said. */
bool h2_pair_receive(struct h2_pair *pair);

/* Moves what the engine wants to send; what h2_fill() said. */
bool h2_pair_send(struct h2_pair *pair);

/* Both, until neither has anything. */
void h2_pair_run(struct h2_pair *pair);

/* Opens a stream as h2_peer_open() does and lets the engine see it; how it is seen. */
struct h2_seen *h2_pair_request(struct h2_pair *pair, size_t body, bool ends);

/* The client's number of what was seen as the nth stream, when it opens no others. */
static inline int32_t h2_pair_id(const struct h2_pair *pair, const struct h2_seen *seen)
{
    return (int32_t)(2 * (seen - pair->seen) + 1);
}

static inline struct h2_peer_stream *h2_pair_answer(struct h2_pair *pair,
                                                    const struct h2_seen *seen)
{
    return h2_peer_stream(pair->peer, h2_pair_id(pair, seen));
}

/* Sends ":status: 200" and nothing else. */
void h2_pair_respond(const struct h2_seen *seen, bool last);

/* Sends that many bytes of h2_pattern() as a blob. */
void h2_pair_send_body(const struct h2_seen *seen, size_t length);

/* Sends "grpc-status: 0" as trailers. */
void h2_pair_finish(const struct h2_seen *seen);

/* All three. */
void h2_pair_answer_all(const struct h2_seen *seen, size_t length);

/* Fails unless the body is h2_pattern() of that length. */
void h2_expect_body(const struct bytes *body, size_t length);

#endif
