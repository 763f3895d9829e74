/* SPDX-License-Identifier: Apache-2.0 */
/* Calls: which connection they use, when one is sent again, how failures are told. */
#include "mvb.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conn.h"

/* Connections that one call tries at most, where each before it certainly did not begin the call.
 */
#define TRIES_MAX 3

#define TEXT_MAX  UINT16_MAX /* method and database, a NUL between them */
#define FRAME_MAX INT32_MAX  /* no protobuf message is larger */

struct mvb {
    struct mvb_address address;
    struct mvb_conn conn;
    pid_t owner; /* the process that made the connection */
    uint32_t last_id;
    char name[]; /* the address as it was given */
};

struct call {
    struct mvb_frame_out frame;
    int64_t deadline; /* ms of mvb_now() */
    int64_t give_up;  /* a grace later, where a daemon that works would have answered */
    uint32_t timeout; /* ms, 0: the daemon's own */
    uint8_t answer;   /* the type of frame that answers */
};

enum outcome { OUTCOME_FINAL, OUTCOME_NOT_BEGUN };

static void reply_reset(struct mvb_reply *reply)
{
    *reply = (struct mvb_reply){.message = ""};
}

__attribute__((format(printf, 4, 5))) static enum outcome
fail(struct mvb_reply *ret_reply, unsigned code, unsigned phase, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    mvb_reply_clear(ret_reply);
    ret_reply->code = code;
    ret_reply->phase = phase;
    ret_reply->local = true;
    ret_reply->message = text ? text : "no memory for this failure's text";
    ret_reply->memory = text;
    return OUTCOME_FINAL;
}

/* How the connection ended, for the text of an error. */
static const char *end_text(void)
{
    return errno == 0 ? "closed" : strerror(errno);
}

static enum outcome fail_timeout(const struct mvb *mvb, unsigned phase, struct mvb_reply *ret_reply)
{
    const char *what = phase == MVB_PHASE_CONNECT ? "could not send to" : "no answer from";
    return fail(ret_reply, MVB_DEADLINE_EXCEEDED, phase, "%s %s in time", what, mvb->name);
}

/* Whether the daemon has said why it ends the connection, and other than that it drains. */
static bool has_reason(const struct mvb *mvb)
{
    return mvb->conn.leaving && mvb->conn.goaway_code != MVB_OK &&
           mvb->conn.goaway_code != MVB_UNAVAILABLE;
}

/* Its words, rather than ours. */
static enum outcome fail_goaway(const struct mvb *mvb, unsigned phase, struct mvb_reply *ret_reply)
{
    fail(ret_reply, mvb->conn.goaway_code, phase, "%s", mvb->conn.goaway_text);
    ret_reply->local = false;
    return OUTCOME_FINAL;
}

/* A connection that failed at a call which may have been begun. */
static enum outcome fail_sent(const struct mvb *mvb, enum mvb_io io, struct mvb_reply *ret_reply)
{
    if (has_reason(mvb))
        return fail_goaway(mvb, MVB_PHASE_NONE, ret_reply);
    switch (io) {
    case MVB_IO_TIMEOUT:
        return fail_timeout(mvb, MVB_PHASE_UPSTREAM, ret_reply);
    case MVB_IO_BROKEN:
        return fail(ret_reply, MVB_INTERNAL, MVB_PHASE_NONE, "%s does not speak the plain protocol",
                    mvb->name);
    case MVB_IO_MEMORY:
        return fail(ret_reply, MVB_RESOURCE_EXHAUSTED, MVB_PHASE_NONE, "no memory for the reply");
    default:
        return fail(ret_reply, MVB_UNAVAILABLE, MVB_PHASE_UPSTREAM,
                    "connection to %s lost (%s), the request may have been carried out", mvb->name,
                    end_text());
    }
}

/* Drops a connection that is of no use: another process's, or one that has ended or will. */
static void drop_useless(struct mvb *mvb)
{
    struct mvb_frame_in frame;
    enum mvb_io got = MVB_IO_AGAIN;
    if (mvb->owner != getpid())
        mvb_conn_close(&mvb->conn);
    mvb->owner = getpid();
    if (mvb->conn.fd < 0)
        return;
    while ((got = mvb_conn_take(&mvb->conn, &frame)) == MVB_IO_DONE)
        free(frame.body); /* pongs, and replies that came too late */
    if (got != MVB_IO_AGAIN || mvb->conn.leaving)
        mvb_conn_close(&mvb->conn);
}

/* 0, or -1 with *ret_reply saying why there is no connection. */
static int connect_for(struct mvb *mvb, const struct call *call, struct mvb_reply *ret_reply)
{
    drop_useless(mvb);
    if (mvb->conn.fd >= 0)
        return 0;
    enum mvb_io opened = mvb_conn_open(&mvb->conn, &mvb->address, call->deadline);
    if (opened == MVB_IO_DONE)
        return 0;
    if (opened == MVB_IO_TIMEOUT)
        fail_timeout(mvb, MVB_PHASE_CONNECT, ret_reply);
    else
        fail(ret_reply, MVB_UNAVAILABLE, MVB_PHASE_CONNECT, "cannot connect to %s: %s", mvb->name,
             strerror(errno));
    return -1;
}

/* The daemon is told what is left of the timeout; 0 would mean none. */
static uint32_t time_left(const struct call *call)
{
    int64_t left = call->deadline - mvb_now();
    if (call->timeout == 0)
        return 0;
    return left > 0 ? (uint32_t)left : 1;
}

/* Not sent as a whole: the daemon has not begun it, and need not be the one that will. */
static enum outcome fail_unsent(const struct mvb *mvb, enum mvb_io io, struct mvb_reply *ret_reply)
{
    if (has_reason(mvb))
        return fail_goaway(mvb, MVB_PHASE_ADMISSION, ret_reply);
    if (io == MVB_IO_TIMEOUT)
        return fail_timeout(mvb, MVB_PHASE_CONNECT, ret_reply);
    if (io != MVB_IO_CLOSED)
        return fail_sent(mvb, io, ret_reply);
    fail(ret_reply, MVB_UNAVAILABLE, MVB_PHASE_CONNECT, "connection to %s lost (%s)", mvb->name,
         end_text());
    return OUTCOME_NOT_BEGUN;
}

/* Waits for the frame that answers; what answers nothing we ask is dropped. */
static enum mvb_io wait_for_answer(struct mvb *mvb, const struct call *call,
                                   struct mvb_frame_in *ret_frame)
{
    for (;;) {
        struct mvb_frame_in frame;
        enum mvb_io got = mvb_conn_receive(&mvb->conn, call->give_up, &frame);
        if (got != MVB_IO_DONE)
            return got;
        if (frame.header.type == call->answer && frame.header.id == call->frame.header.id) {
            *ret_frame = frame;
            return MVB_IO_DONE;
        }
        free(frame.body);
    }
}

static void take_answer(const struct mvb_frame_in *frame, struct mvb_reply *ret_reply)
{
    mvb_reply_clear(ret_reply);
    ret_reply->code = frame->header.code;
    ret_reply->phase = frame->header.code == MVB_OK ? MVB_PHASE_NONE : frame->header.extra;
    ret_reply->message = frame->header.code == MVB_OK ? "" : (const char *)frame->body;
    ret_reply->data = frame->body + frame->header.text + 1;
    ret_reply->size = frame->header.length - frame->header.text;
    ret_reply->memory = frame->body;
}

/* A draining daemon refuses what reaches it after its goaway, before admission. */
static bool refused_by_drain(const struct mvb *mvb, const struct mvb_reply *reply)
{
    return mvb->conn.leaving && reply->code == MVB_UNAVAILABLE &&
           reply->phase == MVB_PHASE_ADMISSION;
}

static enum outcome try_on_connection(struct mvb *mvb, struct call *call,
                                      struct mvb_reply *ret_reply)
{
    struct mvb_frame_in answer;
    call->frame.header.id = ++mvb->last_id ? mvb->last_id : ++mvb->last_id; /* 0 is nobody's */
    call->frame.header.extra = time_left(call);
    enum mvb_io sent = mvb_conn_send(&mvb->conn, &call->frame, call->deadline);
    if (sent != MVB_IO_DONE)
        return fail_unsent(mvb, sent, ret_reply);
    enum mvb_io got = wait_for_answer(mvb, call, &answer);
    if (got != MVB_IO_DONE)
        return fail_sent(mvb, got, ret_reply);
    take_answer(&answer, ret_reply);
    return refused_by_drain(mvb, ret_reply) ? OUTCOME_NOT_BEGUN : OUTCOME_FINAL;
}

/* Whether the connection is at the end of a frame in both directions, and may serve another call.
 */
static bool is_reusable(const struct mvb *mvb, const struct mvb_reply *reply)
{
    return !reply->local && !mvb->conn.leaving;
}

static unsigned run(struct mvb *mvb, struct call *call, struct mvb_reply *ret_reply)
{
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        if (connect_for(mvb, call, ret_reply) != 0)
            break;
        enum outcome outcome = try_on_connection(mvb, call, ret_reply);
        if (!is_reusable(mvb, ret_reply))
            mvb_conn_close(&mvb->conn);
        if (outcome == OUTCOME_FINAL)
            break;
    }
    return ret_reply->code;
}

static struct call make_call(uint32_t timeout_ms, uint8_t type, uint8_t answer)
{
    int64_t now = mvb_now();
    return (struct call){
        .frame.header.type = type,
        .deadline = now + (timeout_ms ? timeout_ms : MVB_PATIENCE_MS),
        .give_up = now + (timeout_ms ? (int64_t)timeout_ms + MVB_GRACE_MS : MVB_PATIENCE_MS),
        .timeout = timeout_ms,
        .answer = answer,
    };
}

unsigned mvb_call(struct mvb *mvb, const char *database, const char *method, const void *request,
                  size_t size, uint32_t timeout_ms, struct mvb_reply *ret_reply)
{
    struct call call = make_call(timeout_ms, MVB_FRAME_REQUEST, MVB_FRAME_REPLY);
    size_t text = strlen(method) + (database ? 1 + strlen(database) : 0);
    reply_reset(ret_reply);
    if (*method == '\0' || text > TEXT_MAX || size > FRAME_MAX) {
        fail(ret_reply, MVB_INVALID_ARGUMENT, MVB_PHASE_NONE,
             "a call needs a method, of %d bytes at most together with the database, and a request "
             "of %d at most",
             TEXT_MAX, FRAME_MAX);
        return ret_reply->code;
    }
    call.frame.method = method;
    call.frame.database = database;
    call.frame.data = request;
    call.frame.size = size;
    return run(mvb, &call, ret_reply);
}

unsigned mvb_ping(struct mvb *mvb, uint32_t timeout_ms, struct mvb_reply *ret_reply)
{
    struct call call = make_call(timeout_ms, MVB_FRAME_PING, MVB_FRAME_PONG);
    reply_reset(ret_reply);
    return run(mvb, &call, ret_reply);
}

int mvb_open(struct mvb **ret_mvb, const char *address, const char **ret_error)
{
    struct mvb_address parsed;
    if (mvb_address_parse(address, &parsed, ret_error) != 0)
        return -1;
    size_t size = strlen(address) + 1;
    struct mvb *mvb = calloc(1, sizeof(*mvb) + size);
    if (!mvb) {
        *ret_error = "no memory";
        return -1;
    }
    mvb->address = parsed;
    mvb->owner = getpid();
    mvb_conn_init(&mvb->conn);
    memcpy(mvb->name, address, size);
    *ret_mvb = mvb;
    return 0;
}

void mvb_close(struct mvb *mvb)
{
    if (!mvb)
        return;
    mvb_conn_close(&mvb->conn);
    free(mvb);
}

void mvb_reply_clear(struct mvb_reply *reply)
{
    if (!reply)
        return;
    free(reply->memory);
    reply_reset(reply);
}
