/* SPDX-License-Identifier: Apache-2.0 */
#include "rest_talk.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "wire_text.h"

struct rest *talk(const char *route, const char *body)
{
    char path[128];
    snprintf(path, sizeof(path), "/v2/vectordb/%s", route);
    struct rest_question question = {.route = rest_find(span_text(path)),
                                     .body = blob_copy(span_text(body))};
    cr_assert_not_null(question.route, "%s", path);
    struct rest *rest = rest_new(&question);
    blob_unref(question.body);
    return rest;
}

static void show(struct rest *rest, const char *wanted)
{
    union rest_next next;
    enum rest_step step = rest_next(rest, &next);
    if (step == REST_CALL)
        cr_log_error("%s, not the call %s", wanted, next.call.method);
    if (step == REST_DONE)
        cr_log_error("%s, not the answer %.*s", wanted, SPAN_ARGS(blob_span(next.answer.body)));
}

void talk_call(struct rest *rest, const char *method, const char *message)
{
    union rest_next next;
    enum rest_step step = rest_next(rest, &next);
    if (step != REST_CALL)
        show(rest, method);
    cr_assert_eq(step, REST_CALL);
    cr_assert_str_eq(next.call.method, method);
    struct blob *wanted = wire_text(message);
    bool same = span_equal(blob_span(next.call.message), blob_span(wanted));
    for (size_t i = 0; !same && i < next.call.message->size; i++)
        fprintf(stderr, "%02x%c", next.call.message->data[i],
                next.call.message->data[i] >= ' ' && next.call.message->data[i] < 127
                    ? next.call.message->data[i]
                    : ' ');
    cr_assert(same, "%s: not %s", method, message);
    blob_unref(wanted);
}

void talk_reply(struct rest *rest, const char *reply)
{
    struct blob *message = wire_text(reply);
    struct rest_reply end = {.code = CODE_OK, .reply = blob_span(message)};
    rest_take(rest, &end);
    blob_unref(message);
}

void talk_fail(struct rest *rest, enum code code, const char *message)
{
    struct rest_reply end = {.code = code, .message = span_text(message)};
    rest_take(rest, &end);
}

void talk_answer(struct rest *rest, unsigned status, const char *json)
{
    union rest_next next;
    enum rest_step step = rest_next(rest, &next);
    if (step != REST_DONE)
        show(rest, json);
    cr_assert_eq(step, REST_DONE);
    cr_expect_eq(next.answer.status, status);
    cr_expect(span_is(blob_span(next.answer.body), json), "%.*s, not %s",
              SPAN_ARGS(blob_span(next.answer.body)), json);
    rest_free(rest);
}

void talk_once(const char *route, const char *body, const char *method, const char *message,
               const char *reply, const char *json)
{
    struct rest *rest = talk(route, body);
    talk_call(rest, method, message);
    talk_reply(rest, reply);
    talk_answer(rest, 200, json);
}

void talk_refused(const char *route, const char *body, int code, const char *message)
{
    char json[512];
    snprintf(json, sizeof(json), "{\"code\":%d,\"message\":\"%s\"}", code, message);
    talk_answer(talk(route, body), 200, json);
}
