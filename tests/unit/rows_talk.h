/* SPDX-License-Identifier: Apache-2.0 */
/* rest_talk.h for tests with much JSON: it has ' for " and ` for '. */
#ifndef TESTS_UNIT_ROWS_TALK_H
#define TESTS_UNIT_ROWS_TALK_H

#include "rest_talk.h"

struct rest *rows_talk(const char *route, const char *body);

/* The same, and int64 are numbers. */
struct rest *rows_talk_int64(const char *route, const char *body);

/* What is to be done now is that call, with any message. */
void rows_talk_method(struct rest *rest, const char *method);
bool rows_talk_is_fresh(struct rest *rest);

/* With HTTP's 200; the request is over. */
void rows_talk_answer(struct rest *rest, const char *json);

#endif
