/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the REST engine share; proto/rest/rest.h is for who runs it. */
#ifndef PROTO_REST_STATE_H
#define PROTO_REST_STATE_H

#include "proto/jvalue.h"
#include "proto/jwriter.h"
#include "proto/rest/rest.h"

/* Codes of Milvus's errors (pkg/util/merr): of the collection, of its REST, of any. */
enum rest_code {
    REST_SUCCESS = 0,
    REST_COLLECTION_NOT_FOUND = 100,
    REST_SCHEMA_MISMATCH = 109,
    REST_PARAMETER_INVALID = 1100,
    REST_NEEDS_AUTHENTICATION = 1800,
    REST_NOT_JSON = 1801,
    REST_MISSING = 1802, /* a required field */
    REST_INVALID_INSERT = 1804,
    REST_INVALID_RESULT = 1805,
    REST_INVALID_KEY = 1806,
    REST_TIMEOUT = 10001,
    REST_UNEXPECTED = 65535,
};

/*
 * How a route is carried out. Called first with reply NULL, then with the reply of each call that
 * it asked for; each time it ends with one of the functions below. What failed on its way has been
 * answered already, unless the plan asked for it (rest_ask_softly()).
 */
typedef void rest_plan(struct rest *rest, const struct rest_reply *reply);

struct rest {
    const struct rest_route *route;
    struct rest_question question;
    struct jvalue body;  /* an object */
    struct jindex index; /* of its members */
    unsigned step;       /* calls that were asked for by now */
    bool soft;           /* the call under way may fail */
    enum rest_step state;
    union rest_next next;
    struct buffer scratch; /* of texts that had escapes */
    struct buffer answer;  /* what stands in data, while it is being written */
    void *own;             /* the plan's; freed by free_own */
    void (*free_own)(void *own);
};

/* Asks for a call; the message is handed over. */
void rest_ask(struct rest *rest, const char *method, struct buffer *message);

/* The same, and what went wrong with it, in its status or in the reply's, comes to the plan. */
void rest_ask_softly(struct rest *rest, const char *method, struct buffer *message);

/* Of the call that was just asked for. */
static inline void rest_ask_fresh(struct rest *rest)
{
    rest->next.call.fresh = true;
}

/* Ends with {"code": code, "message": text}. */
void rest_fail(struct rest *rest, int32_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Whether a call went wrong, in gRPC's status or in that of the reply: Milvus's code and its words,
 * for which NULL may stand. The call is the one that the plan is hearing of.
 */
bool rest_failed(const struct rest *rest, const struct rest_reply *reply, int32_t *ret_code,
                 struct span *ret_message);

/* As a call of the plan that failed would end. */
void rest_fail_as(struct rest *rest, const struct rest_reply *reply);

/*
 * Ends with {"code": 0, "cost": cost, "data": …}. Between the two the plan writes data's value; of
 * a negative cost nothing is said.
 */
struct jwriter rest_answer(struct rest *rest, int64_t cost);
void rest_answered(struct rest *rest, struct jwriter *writer);

/* An int64 of Milvus's: a number, or a string where the client did not ask for numbers. */
void rest_int64(const struct rest *rest, struct jwriter *writer, int64_t value);

/* Ends with {"code": 0, "data": {}}. */
void rest_answer_empty(struct rest *rest);

/* Fields of the body. False: it has none, or null. */
bool rest_has(const struct rest *rest, const char *key, struct jvalue *ret_value);

/* dbName, put into a request's field of that number if the body names one. */
void rest_put_database(struct rest *rest, struct buffer *message, uint32_t number);

#endif
