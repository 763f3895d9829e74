/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call of a gRPC client, from its head until its stream is closed. What is done with its
 * messages is its kind's affair: one message each way (unary), any number (stream), or an answer of
 * our own (health).
 *
 *   RECEIVING ──message whole──▶ HELD ──room──▶ ASKED ──answer──▶ ANSWERED ──stream closed──▶ freed
 *
 * Streams are ASKED from their head on.
 */
#ifndef DAEMON_CALL_H
#define DAEMON_CALL_H

#include "daemon/caller.h"
#include "proto/grpc_head.h"
#include "proto/grpc_reader.h"

enum call_state {
    CALL_RECEIVING, /* the client still sends */
    CALL_HELD,      /* in caller.held */
    CALL_ASKED,     /* the router has the request */
    CALL_ANSWERED,  /* the answer is queued, or nobody wants one */
};

struct call_kind {
    /* The head is whole and right. */
    void (*begin)(struct call *call);
    /* A message is whole; it is the kind's. NULL: what comes is not read. */
    void (*message)(struct call *call, struct blob *message);
    /* The client has sent all. */
    void (*ended)(struct call *call);
    /* Frees what the kind has. NULL: nothing. */
    void (*clear)(struct call *call);
};

/* A message of a stream that waits to be sent on. */
struct call_part {
    STAILQ_ENTRY(call_part) link;
    struct blob *message;
    bool compressed;
    size_t window;   /* bytes to give back to the client once it is sent */
    size_t reserved; /* the same, of max_buffered */
};

struct call {
    struct request request; /* first: the router hands it back */
    struct caller *owner;
    struct h2_stream *stream;
    const struct call_kind *kind;
    enum call_state state;
    struct grpc_head head;
    struct grpc_reader reader;
    TAILQ_ENTRY(call) link;       /* in fresh, held, replied, full or watching */
    TAILQ_ENTRY(call) large_link; /* in large */
    struct calls *list;           /* which of them, or NULL */
    bool is_large;                /* whether in large */
    bool serves;                  /* health: what it watches is served */
    bool begun;                   /* its head is whole: in caller.open */
    bool counted;                 /* in caller.asked */
    bool taking;                  /* in caller.taking */
    bool responded;               /* the head of the answer is queued */
    size_t window; /* bytes of the message being received that count against the stream's window */
    size_t unpacked;      /* bytes of the message, if it came compressed and goes on otherwise */
    size_t reserved;      /* bytes of max_buffered for that message, 0: none */
    struct blob *message; /* unary: the one message, until it is asked */
    struct {
        STAILQ_HEAD(, call_part) parts; /* the first is being sent, if `sending` */
        uint32_t part_count;
        struct blob *rest; /* what came behind as many parts as may wait, unread; or NULL */
        size_t rest_read;  /* bytes of it that are read by now */
        bool end_waits;    /* the client's end stands behind the rest */
        bool opened;       /* the upstream takes messages */
        bool sending;
        bool client_ended;
        bool finished; /* the upstream knows */
    } flow;            /* streams */
};

/* The stream's events, as proto/h2.h has them. */
void call_open(struct caller *owner, struct h2_stream *stream);
void call_begin(struct call *call);
void call_data(struct call *call, struct span bytes);
void call_ended(struct call *call);
void call_closed(struct call *call);

/* Puts it into one of its owner's lists, or in none (NULL). */
void call_list(struct call *call, struct calls *list);

/* Frees what a client's unary calls share, behind the last. */
void call_unary_close(struct caller *owner);

/* The time that its message may take to come begins. */
void call_unary_wait(struct call *call);

/* At the end of a turn: those whose message is whole are asked, the time of the others runs. */
void call_unary_turn(struct caller *owner);

/* The client may have taken something: what waits for that goes on. False: there is none. */
bool call_unary_go_on(struct caller *owner);
bool call_stream_go_on(struct caller *owner);

/* Ends the call with an error of the daemon's own. */
void call_refuse(struct call *call, enum code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same where the client is to blame, see h2_blame(). */
void call_blame(struct call *call, const char *what);

/* Queues the head of the answer, where that has not been done. */
void call_respond(struct call *call, const struct metadata *headers);

/* Queues a message of the answer, the head before the first one. */
void call_send(struct call *call, struct blob *message);

/* Queues the end of the answer, and its message where there is one; frees what was asked. */
void call_answer(struct call *call, const struct outcome *outcome);

/* Sets what is asked of the router but the message. */
void call_question(struct call *call);

/* Asks it. */
void call_submit(struct call *call);

/* Reads messages from the front of *bytes, as far as they are wanted. */
void call_read(struct call *call, struct span *bytes);

/* Whether as many messages of a stream wait to be sent as may; what comes then is kept unread. */
bool call_stream_is_full(const struct call *call);
void call_stream_keep(struct call *call, struct span bytes);

/* What has come of a message is given back to the client's window, unless it waits to be let in, or
 * others of the stream wait before it. */
void call_give_back(struct call *call);

/* Messages that do not fit into a stream's window wait until there is room for them. */
void call_reserve(struct call *call, size_t size);
void caller_release(struct caller *owner, size_t reserved);

extern const struct call_kind call_unary;
extern const struct call_kind call_stream;
extern const struct call_kind call_http;
extern const struct call_kind call_health_check;
extern const struct call_kind call_health_watch;

/* Tells those who watch that we drain; last: and that it is over. */
void call_health_drain(struct caller *owner, bool last);

#endif
