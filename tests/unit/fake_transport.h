/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of the pool: an upstream whose connections and calls are in the test's hand, requests
 * that remember how they ended, and a log that can be read.
 */
#ifndef TESTS_FAKE_TRANSPORT_H
#define TESTS_FAKE_TRANSPORT_H

#include "pool/endpoints.h"
#include "pool/request.h"
#include "pool/upstream.h"

#define FAKE_CONNECTIONS 32
#define FAKE_CALLS       160 /* started in one test */

/* A call as it was started, copied. */
struct fake_call {
    size_t connection;
    void *context;
    char path[RPC_PATH_MAX];
    char authorization[64];
    char database[REQUEST_DATABASE_MAX + 1];
    char metadata[256];   /* "name=value;" each */
    struct blob *message; /* body and tail, as they would be sent; of a stream the last one */
    enum encoding encoding;
    int64_t deadline;
    bool cancelled;
    bool ended;
    bool held;    /* the reply waits to be taken */
    bool replied; /* of a held call: it was told so */
    bool taken;

    /* Of streams. */
    bool stream;
    size_t messages; /* sent */
    bool compressed; /* the last of them is */
    bool sending;    /* it has not been taken */
    bool asked;      /* for a message */
    bool finished;   /* no more will be sent */
};

struct fake_connection {
    struct upstream upstream;
    struct fake_transport *transport;
    struct endpoint endpoint;
    const struct upstream_events *events;
    void *context;
    size_t hurried;
    bool closed;
};

/* Connections and calls are numbered as they were opened and started. */
struct fake_transport {
    struct transport transport;
    const char *open_error; /* what opening the next connection fails with, or NULL */
    struct fake_connection connections[FAKE_CONNECTIONS];
    size_t connection_count;
    size_t closed_count;
    struct fake_call calls[FAKE_CALLS];
    size_t call_count;
    struct resolver *resolver; /* of fake_endpoints() */
    struct endpoints *endpoints;
};

void fake_open(struct fake_transport *fake);

/* With all its connections closed; closes the endpoints too. */
void fake_close(struct fake_transport *fake);

/* The endpoints of an upstream whose uris have numbers for hosts; until fake_close(). */
struct endpoints *fake_endpoints(struct fake_transport *fake, struct event_base *loop,
                                 struct logger *logger, const struct conf_upstream *upstream);

/* A change of state, told to the pool. */
void fake_state(struct fake_transport *fake, size_t connection, enum upstream_state state);
void fake_all_ready(struct fake_transport *fake);

/* Of those that are not, and are open. */
void fake_others_ready(struct fake_transport *fake);

/* So many calls are taken at once by a connection that is READY. */
void fake_capacity(struct fake_transport *fake, size_t connection, uint32_t capacity);

/* The reply of a held call has begun. */
void fake_replied(struct fake_transport *fake, size_t call);

/* Ends of a call: anything; a reply of these bytes; an error the server sent; one that came up on
 * the way, of a call that the server may have begun or has not. */
void fake_end(struct fake_transport *fake, size_t call, struct upstream_end end);
void fake_reply(struct fake_transport *fake, size_t call, struct span reply);
void fake_refuse(struct fake_transport *fake, size_t call, enum code code);
void fake_break(struct fake_transport *fake, size_t call, enum code code, bool unstarted);

/* Events of a stream: metadata of one item; a message that was asked for; room for the next. */
void fake_headers(struct fake_transport *fake, size_t call, const char *name, const char *value);
void fake_message(struct fake_transport *fake, size_t call, struct span bytes);
void fake_taken(struct fake_transport *fake, size_t call);

/* A request and how it ended. */
struct ask {
    struct request request;
    uint8_t bytes[2048]; /* its message, as far as it is written */
    size_t length;
    void (*on_answer)(struct ask *ask); /* called with the answer, or NULL */
    size_t answers;
    enum code code;
    enum phase phase;
    char message[1024];
    char headers[256]; /* "name=value;" each */
    char trailers[256];
    struct blob *reply;
    void (*on_replied)(struct ask *ask); /* called then, or NULL */
    size_t replied;

    /* Of streams: what has happened. */
    void (*on_opened)(struct ask *ask); /* called then, or NULL */
    size_t opened;
    size_t headers_count;
    size_t received;
    size_t sent;
    char last[64]; /* the message received last */
};

/* Fields of the message. */
void ask_text(struct ask *ask, struct wire_path field, const char *text);
void ask_number(struct ask *ask, uint16_t field, uint64_t value);

/* Sets what the maker of a request sets, with the message as written. */
void ask_make(struct ask *ask, const char *method);

/* The same, whose reply waits to be taken. */
void ask_held(struct ask *ask, const char *method);

/* Makes it a stream. */
void ask_stream(struct ask *ask, const char *method);

/* Sets what admission finds out, for what stands behind it: deadline in ms from now. */
void ask_admit(struct ask *ask, struct pool *pool, const char *database, int64_t timeout);

void ask_free(struct ask *ask);

void expect_reply(const struct ask *ask, struct span reply);

/* Ended once, as a failure whose message holds the text. */
void expect_failure(const struct ask *ask, enum code code, enum phase phase, const char *text);

/* Runs the loop until the counter is there; fails the test when it is not within 10 s. */
void run_until(struct event_base *loop, const size_t *counter, size_t value);

/* Runs the loop for a time, in ms: only for what must not happen. */
void run_for(struct event_base *loop, int64_t time);

/* Keeps every line. */
struct fake_log {
    struct logger logger;
    char text[4096];
};

void fake_log_open(struct fake_log *log);

#endif
