/* SPDX-License-Identifier: Apache-2.0 */
#include "rows_talk.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

/* The caller's. */
static char *json_of(const char *text)
{
    char *json = strdup(text);
    for (char *at = json; *at; at++) {
        if (*at == '\'')
            *at = '"';
        else if (*at == '`')
            *at = '\'';
    }
    return json;
}

struct rest *rows_talk(const char *route, const char *body)
{
    char *json = json_of(body);
    struct rest *rest = talk(route, json);
    free(json);
    return rest;
}

struct rest *rows_talk_int64(const char *route, const char *body)
{
    char path[128];
    char *json = json_of(body);
    snprintf(path, sizeof(path), "/v2/vectordb/%s", route);
    struct rest_question question = {.route = rest_find(span_text(path)),
                                     .body = blob_copy(span_text(json)),
                                     .allow_int64 = true};
    struct rest *rest = rest_new(&question);
    blob_unref(question.body);
    free(json);
    return rest;
}

static struct rest_call call_of(struct rest *rest)
{
    union rest_next next;
    enum rest_step step = rest_next(rest, &next);
    if (step == REST_DONE)
        cr_log_error("answered %.*s", SPAN_ARGS(blob_span(next.answer.body)));
    cr_assert_eq(step, REST_CALL);
    return next.call;
}

void rows_talk_method(struct rest *rest, const char *method)
{
    cr_expect_str_eq(call_of(rest).method, method);
}

bool rows_talk_is_fresh(struct rest *rest)
{
    return call_of(rest).fresh;
}

void rows_talk_answer(struct rest *rest, const char *json)
{
    char *text = json_of(json);
    talk_answer(rest, 200, text);
    free(text);
}
