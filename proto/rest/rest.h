/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Milvus's RESTful v2 as an engine without I/O: what a route asks becomes calls of Milvus's gRPC
 * service, one after the other, and their replies become the answer.
 *
 *   rest_find() ─▶ rest_new() ─▶ rest_next() ──REST_CALL──▶ rest_take() ─┐
 *                                  ▲ │ │                                │
 *                                  │ │ └──REST_FORWARD: the upstream's own HTTP port is to answer
 *                                  │ └────REST_DONE: the answer is whole
 *                                  └────────────────────────────────────┘
 * docs/rest.md says the routes for people.
 */
#ifndef PROTO_REST_REST_H
#define PROTO_REST_REST_H

#include "proto/blob.h"
#include "proto/code.h"
#include "proto/rpc.h"

struct rest;
struct rest_route;

/* The route of a path without its query, "/v2/vectordb/…", NULL: there is none. Every route is
 * POST. */
const struct rest_route *rest_find(struct span path);

/* "/v2/vectordb/entities/insert". Static text. */
const char *rest_route_path(const struct rest_route *route);

/* The right that is needed where the upstream's own HTTP port is to answer. */
enum rpc_class rest_route_class(const struct rest_route *route);

struct rest_question {
    const struct rest_route *route;
    struct blob *body; /* unpacked; a reference is taken. NULL: empty */
    bool allow_int64;  /* int64 are numbers, also those beyond 2^53; else strings
                          (Accept-Type-Allow-Int64) */
};

struct rest *rest_new(const struct rest_question *question);

/* NULL is accepted. */
void rest_free(struct rest *rest);

struct rest_call {
    const char *method;   /* "Insert" */
    struct blob *message; /* the request, borrowed until rest_take(). Its database is the one that
                             the body names; none: not set */
    bool fresh;     /* the same was asked before, and its answer is doubted: not from memory */
    uint32_t delay; /* ms to wait before it */
};

struct rest_forward {
    struct span database; /* as the body names it; empty: it does not. Good until rest_free() */
    struct blob *body;    /* the body without that name, borrowed until rest_free() */
};

/* code: as Milvus's REST has it, 0 is success. */
struct rest_answer {
    struct blob *body; /* JSON, borrowed until rest_free() */
    unsigned status;   /* of HTTP */
};

enum rest_step { REST_CALL, REST_FORWARD, REST_DONE };

union rest_next {
    struct rest_call call;
    struct rest_forward forward;
    struct rest_answer answer;
};

/* What is to be done next. A call's end is told by rest_take(), a forwarded one ends it all. */
enum rest_step rest_next(struct rest *rest, union rest_next *ret_next);

/* How a call ended. */
struct rest_reply {
    enum code code;
    struct span message; /* of a failure */
    struct span reply;   /* with CODE_OK; good until rest_take() returns */
};

void rest_take(struct rest *rest, const struct rest_reply *reply);

/* {"code": …, "message": …} for errors that are no route's: the text is copied. */
struct blob *rest_error(int32_t code, struct span message);

/* For a failure that has a gRPC code: Milvus's own code where its REST knows the case, else the
 * code itself; and the status of HTTP. */
int32_t rest_error_code(enum code code);
unsigned rest_error_status(enum code code);

#endif
