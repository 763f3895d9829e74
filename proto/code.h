/* SPDX-License-Identifier: Apache-2.0 */
/* How a request ended: gRPC's status codes (grpc/doc/statuscodes.md) and the phase a failure
 * belongs to. */
#ifndef PROTO_CODE_H
#define PROTO_CODE_H

#define CODES(X)                                                                                   \
    X(OK, 0)                                                                                       \
    X(CANCELLED, 1)                                                                                \
    X(UNKNOWN, 2)                                                                                  \
    X(INVALID_ARGUMENT, 3)                                                                         \
    X(DEADLINE_EXCEEDED, 4)                                                                        \
    X(NOT_FOUND, 5)                                                                                \
    X(ALREADY_EXISTS, 6)                                                                           \
    X(PERMISSION_DENIED, 7)                                                                        \
    X(RESOURCE_EXHAUSTED, 8)                                                                       \
    X(FAILED_PRECONDITION, 9)                                                                      \
    X(ABORTED, 10)                                                                                 \
    X(OUT_OF_RANGE, 11)                                                                            \
    X(UNIMPLEMENTED, 12)                                                                           \
    X(INTERNAL, 13)                                                                                \
    X(UNAVAILABLE, 14)                                                                             \
    X(DATA_LOSS, 15)                                                                               \
    X(UNAUTHENTICATED, 16)

/* In the order of a request's way; the numbers travel in the plain protocol. */
#define PHASES(X)                                                                                  \
    X(NONE, 0, "none")                                                                             \
    X(ADMISSION, 1, "admission")                                                                   \
    X(QUEUE, 2, "queue")                                                                           \
    X(CONNECT, 3, "connect")                                                                       \
    X(UPSTREAM, 4, "upstream")

#define X(name, number) CODE_##name = number,
enum code { CODES(X) };
#undef X

#define X(name, number, text) PHASE_##name = number,
enum phase { PHASES(X) };
#undef X

/* "DEADLINE_EXCEEDED"; "CODE_?" for a number that gRPC does not define. Static text. */
const char *code_name(unsigned code);

/* "upstream"; "?" for a number that is no phase. Static text. */
const char *phase_name(unsigned phase);

#endif
