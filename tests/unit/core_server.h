/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of the transport: a server over gRPC's C core on a port of its own. A thread serves
 * each call, as the method's name says:
 *
 *   /test/Echo    sends each message back, until no more come
 *   /test/Count   reads a number and sends so many messages of that server's size
 *   /test/Hold    does nothing until core_server_release(), then reads all, and answers with one
 *   /test/Leave   ends the call at once, with trailers alone
 */
#ifndef TESTS_CORE_SERVER_H
#define TESTS_CORE_SERVER_H

#include <event2/event.h>
#include <grpc/grpc.h>
#include <stdbool.h>
#include <stdint.h>

/* What the server has seen of calls, all together; read it after core_server_wait(). */
struct core_seen {
    char method[128];    /* of the last call */
    char metadata[1024]; /* the same: "name=value;" each, values of "-bin" names in hex */
    char encodings[64];  /* of each message: '-' plain, 'g' gzip, 'd' deflate; at most 63 */
    char last[64];       /* the message that came last, cut */
    int64_t timeout;     /* ms that the last call had when it came; 0: no end */
    size_t calls;        /* begun */
    size_t received;     /* messages */
    size_t sent;         /* messages taken by C core */
    size_t ended;        /* calls */
    size_t cancelled;    /* of them */
};

/* What the server does; set before core_server_open(). */
struct core_answer {
    grpc_status_code status;
    const char *details;
    grpc_metadata *headers;
    size_t header_count;
    grpc_metadata *trailers;
    size_t trailer_count;
    size_t message_size; /* of Count */
};

struct core_server;

/* loop: where its clients are. */
struct core_server *core_server_open(const struct core_answer *answer, struct event_base *loop);

/* Cancels what is under way and waits for it. */
void core_server_close(struct core_server *server);

int core_server_port(const struct core_server *server);

void core_server_release(struct core_server *server);

/* Waits until a member of core_seen is at least that, 10 s at most, and returns all of it. runs:
 * the loop, meanwhile. */
struct core_seen core_server_wait(struct core_server *server, size_t offset, size_t value,
                                  bool runs);

/* core_server_wait() of a member. */
#define CORE_WAIT(server, member, value)                                                           \
    core_server_wait(server, offsetof(struct core_seen, member), value, true)
#define CORE_WAIT_STILL(server, member, value)                                                     \
    core_server_wait(server, offsetof(struct core_seen, member), value, false)

#endif
