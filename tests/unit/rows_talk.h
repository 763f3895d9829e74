/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request over REST, played through without an upstream. JSON has ' for " and ` for ',
 * messages are as wire_text.h has them.
 */
#ifndef TESTS_UNIT_ROWS_TALK_H
#define TESTS_UNIT_ROWS_TALK_H

#include "proto/rest/rest.h"

/* "entities/insert". int64 are strings. */
struct rest *rows_talk_new(const char *route, const char *body);

/* The same, and int64 are numbers. */
struct rest *rows_talk_new_int64(const char *route, const char *body);

/* The next step is that call. `message` NULL: any. */
void rows_talk_expect_call(struct rest *rest, const char *method, const char *message);
bool rows_talk_is_fresh(struct rest *rest);

/* The call ends with a reply, or with another code. */
void rows_talk_reply(struct rest *rest, const char *reply);
void rows_talk_fail(struct rest *rest, enum code code, const char *message);

/* The answer is that; frees. */
void rows_talk_expect_answer(struct rest *rest, const char *json);

#endif
