/* SPDX-License-Identifier: Apache-2.0 */
#include "rows_talk.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "wire_text.h"

static struct blob *json_of(const char *text)
{
    struct blob *blob = blob_copy(span_text(text));
    for (size_t i = 0; i < blob->size; i++) {
        if (blob->data[i] == '\'')
            blob->data[i] = '"';
        else if (blob->data[i] == '`')
            blob->data[i] = '\'';
    }
    return blob;
}

static struct rest *open(const char *route, const char *body, bool allow_int64)
{
    char path[128];
    snprintf(path, sizeof(path), "/v2/vectordb/%s", route);
    struct blob *json = json_of(body);
    struct rest_question question = {
        .route = rest_find(span_text(path)), .body = json, .allow_int64 = allow_int64};
    cr_assert_not_null(question.route, "%s", path);
    struct rest *rest = rest_new(&question);
    blob_unref(json);
    return rest;
}

struct rest *rows_talk_new(const char *route, const char *body)
{
    return open(route, body, false);
}

struct rest *rows_talk_new_int64(const char *route, const char *body)
{
    return open(route, body, true);
}

static char *print(struct span bytes)
{
    char *text = calloc(1, 2 * bytes.length + 1);
    for (size_t i = 0; i < bytes.length; i++)
        sprintf(text + 2 * i, "%02x", bytes.at[i]);
    return text;
}

static void expect_bytes(struct span bytes, const char *expected)
{
    struct blob *message = wire_text(expected);
    char *is = print(bytes);
    char *should = print(blob_span(message));
    cr_expect_str_eq(is, should, "\n%s\nis not %s, that is\n%s", is, expected, should);
    free(is);
    free(should);
    blob_unref(message);
}

static union rest_next next(struct rest *rest, enum rest_step step)
{
    union rest_next next;
    enum rest_step is = rest_next(rest, &next);
    if (is == REST_DONE && step != is)
        cr_assert_fail("answered %.*s", (int)next.answer.body->size, next.answer.body->data);
    cr_assert_eq(is, step);
    return next;
}

void rows_talk_expect_call(struct rest *rest, const char *method, const char *message)
{
    union rest_next call = next(rest, REST_CALL);
    cr_expect_str_eq(call.call.method, method);
    if (message)
        expect_bytes(blob_span(call.call.message), message);
}

bool rows_talk_is_fresh(struct rest *rest)
{
    return next(rest, REST_CALL).call.fresh;
}

/* Behind the reply stands what is not its own, as in a frame: to be found by the sanitizer it is a
 * block of its own. */
void rows_talk_reply(struct rest *rest, const char *reply)
{
    struct blob *message = wire_text(reply);
    rest_take(rest, &(struct rest_reply){.code = CODE_OK, .reply = blob_span(message)});
    blob_unref(message);
}

void rows_talk_fail(struct rest *rest, enum code code, const char *message)
{
    rest_take(rest, &(struct rest_reply){.code = code, .message = span_text(message)});
}

void rows_talk_expect_answer(struct rest *rest, const char *json)
{
    union rest_next answer = next(rest, REST_DONE);
    struct blob *expected = json_of(json);
    char *is = strndup((const char *)answer.answer.body->data, answer.answer.body->size);
    char *should = strndup((const char *)expected->data, expected->size);
    cr_expect_str_eq(is, should, "\n%s\nis not\n%s", is, should);
    free(is);
    free(should);
    blob_unref(expected);
    rest_free(rest);
}
