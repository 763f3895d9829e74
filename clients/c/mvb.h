/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmvb: Milvus through milvus-bouncer's plain protocol, version 1, for programs that want neither
 * gRPC nor threads of a library. Requests and replies are protobuf messages (milvus.proto), packed
 * and unpacked by whatever the program likes; the library moves bytes, and needs libc alone.
 *
 *     struct mvb *mvb;
 *     const char *error;
 *     if (mvb_open(&mvb, "unix:/run/milvus-bouncer/milvus.sock", &error) != 0)
 *         errx(1, "%s", error);
 *     struct mvb_reply reply;
 *     if (mvb_call(mvb, "analytics", "Search", request, request_size, 2000, &reply) == MVB_OK)
 *         use(reply.data, reply.size);
 *     else
 *         warnx("%s", reply.message);
 *     mvb_reply_clear(&reply);
 *     mvb_close(mvb);
 *
 * Threads: a handle belongs to one thread at a time, it has no lock; each thread opens its own.
 * Different handles share nothing. A connection is cheap: the daemon pools what lies behind it.
 *
 * fork(): a child may go on with a handle that it inherited. The first use in the child lets go of
 * the parent's connection, without a byte sent on it, and makes one of its own.
 *
 * Connections: made by the first call, and again by the next call after the daemon closed one, or
 * a call timed out. A call is sent a second time only when it is certain that the daemon did not
 * begin it the first time: it was never sent as a whole, or the daemon, draining, refused it.
 *
 * Signals: calls go on after one; SIGPIPE is never raised.
 */
#ifndef MVB_H
#define MVB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MVB_API __attribute__((visibility("default")))

/* gRPC's status codes, as far as the library makes them itself or programs decide by them. */
enum {
    MVB_OK = 0,
    MVB_INVALID_ARGUMENT = 3,
    MVB_DEADLINE_EXCEEDED = 4,
    MVB_PERMISSION_DENIED = 7,
    MVB_RESOURCE_EXHAUSTED = 8,
    MVB_INTERNAL = 13,
    MVB_UNAVAILABLE = 14,
    MVB_UNAUTHENTICATED = 16,
};

/* How far a request had come when it failed. */
enum {
    MVB_PHASE_NONE = 0,
    MVB_PHASE_ADMISSION = 1,
    MVB_PHASE_QUEUE = 2,
    MVB_PHASE_CONNECT = 3,
    MVB_PHASE_UPSTREAM = 4,
};

/* A connection to one daemon. */
struct mvb;

struct mvb_reply {
    unsigned code;       /* MVB_OK, or a gRPC status code */
    unsigned phase;      /* of a failure */
    bool local;          /* a failure that the library saw, rather than one the daemon told */
    const char *message; /* of a failure; "" when there is none, never NULL */
    const void *data;    /* the reply in protobuf, without any alignment */
    size_t size;         /* bytes */
    void *memory;        /* the library's own */
};

/*
 * Makes a handle for the daemon at unix:/path, 127.0.0.1:19530 or [::1]:19530 (hosts are numbers).
 * Nothing is connected yet. 0: *ret_mvb is the caller's, for mvb_close(). -1: *ret_error is a
 * static text, *ret_mvb untouched.
 */
MVB_API int mvb_open(struct mvb **ret_mvb, const char *address, const char **ret_error);

/* Ends the connection. NULL is accepted. */
MVB_API void mvb_close(struct mvb *mvb);

/*
 * Sends one request and waits for its reply.
 *   database    NULL: the one in the request, or the listener's
 *   method      "Search", or a full "service/method"
 *   request     a protobuf message; may be NULL if its size is 0
 *   timeout_ms  the request's deadline, told to the daemon; the library itself gives up
 *               MVB_GRACE_MS later, for daemons that hang. 0: the daemon's own deadline, and
 *               MVB_PATIENCE_MS here
 * Returns ret_reply->code. *ret_reply is always set and wants mvb_reply_clear(); what it points to
 * lives until then, longer than the handle if need be. Failures of the library's own (local):
 * INVALID_ARGUMENT what cannot be sent at all; UNAVAILABLE in phase connect when there is no
 * connection, in phase upstream when it broke after the request was sent, which may then have been
 * carried out; DEADLINE_EXCEEDED; INTERNAL when what came was not the plain protocol;
 * RESOURCE_EXHAUSTED without memory.
 * An outcome of Milvus's own, in a Status within the reply, is MVB_OK here.
 */
MVB_API unsigned mvb_call(struct mvb *mvb, const char *database, const char *method,
                          const void *request, size_t size, uint32_t timeout_ms,
                          struct mvb_reply *ret_reply);

/* Asks the daemon for a sign of life; as mvb_call(), without data. 0: MVB_PATIENCE_MS. */
MVB_API unsigned mvb_ping(struct mvb *mvb, uint32_t timeout_ms, struct mvb_reply *ret_reply);

/* Frees what the reply points to, and empties it. NULL is accepted. */
MVB_API void mvb_reply_clear(struct mvb_reply *reply);

/* "DEADLINE_EXCEEDED"; "CODE_?" for a number that gRPC does not define. Static text. */
MVB_API const char *mvb_code_name(unsigned code);

/* "upstream"; "?" for a number that is no phase. Static text. */
MVB_API const char *mvb_phase_name(unsigned phase);

#define MVB_GRACE_MS    1000
#define MVB_PATIENCE_MS 600000

#ifdef __cplusplus
}
#endif

#endif
