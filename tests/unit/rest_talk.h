/* SPDX-License-Identifier: Apache-2.0 */
/* A request over REST from its body to its answer, step by step, for tests. Messages are
 * wire_text()'s. */
#ifndef TESTS_UNIT_REST_TALK_H
#define TESTS_UNIT_REST_TALK_H

#include "proto/rest/rest.h"

/* A request of a route without its prefix, "collections/list"; int64 as strings. */
struct rest *talk(const char *route, const char *body);

/* What is to be done now is this call. */
void talk_call(struct rest *rest, const char *method, const char *message);

/* The call succeeds. */
void talk_reply(struct rest *rest, const char *reply);

/* The call fails with a status of gRPC. */
void talk_fail(struct rest *rest, enum code code, const char *message);

/* What is to be done now is this answer; the request is over. */
void talk_answer(struct rest *rest, unsigned status, const char *json);

/* A whole one: one call and its answer, with HTTP's 200. */
void talk_once(const char *route, const char *body, const char *method, const char *message,
               const char *reply, const char *json);

/* One that is refused with this code and these words, and no call. */
void talk_refused(const char *route, const char *body, int code, const char *message);

#endif
