/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request over REST and what is replied to its calls: a line with the route, or a byte that picks
 * one; the body, up to a NUL; and replies, each a byte with its code of gRPC (0x80: int64 are
 * numbers, of the first), two with its length and its bytes. All else is replied to with nothing.
 * Whatever comes, calls are whole messages of known RPCs, and the answer is JSON.
 */
#include <stdlib.h>

#include "proto/jvalue.h"
#include "proto/rest/route.h"

#define ROUNDS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void skip(struct span *from, size_t length)
{
    *from = span_of(from->at + length, from->length - length);
}

static struct span take(struct span *from, size_t length)
{
    struct span taken = span_cut(*from, length);
    skip(from, taken.length);
    return taken;
}

/* What stands before the letter, which is taken too. */
static struct span take_until(struct span *from, uint8_t letter)
{
    const uint8_t *end = from->length > 0 ? memchr(from->at, letter, from->length) : NULL;
    if (!end)
        return take(from, from->length);
    struct span taken = take(from, (size_t)(end - from->at));
    skip(from, 1);
    return taken;
}

static const struct rest_route *pick(struct span *input)
{
    size_t count;
    const struct rest_route *routes = rest_routes(&count);
    struct span line = take_until(input, '\n');
    const struct rest_route *route = rest_find(line);
    if (!route)
        route = &routes[line.length > 0 ? line.at[0] % count : 0];
    return route;
}

static void check_call(const struct rest_call *call)
{
    struct span message = blob_span(call->message);
    struct wire_field field;
    enum wire_read read;
    while ((read = wire_next(&message, &field)) == WIRE_FIELD)
        ;
    if (read != WIRE_END || !rpc_find(span_text(call->method)))
        abort();
}

static void check_answer(const struct rest_answer *answer)
{
    struct jvalue top;
    struct jvalue code;
    struct jfault fault;
    if (!jvalue_check(blob_span(answer->body), JVALUE_DEPTH + 8, &top, &fault) ||
        !jvalue_find(top, "code", &code) || answer->status < 200)
        abort();
}

static void reply(struct rest *rest, struct span *input)
{
    struct span head = take(input, 3);
    struct rest_reply end = {.code = CODE_OK};
    if (head.length == 3) {
        end.code = (enum code)(head.at[0] % (CODE_UNAUTHENTICATED + 1));
        end.reply = take(input, (size_t)head.at[1] | (size_t)head.at[2] << 8);
        end.message = end.reply;
    }
    rest_take(rest, &end);
}

static void run(struct rest *rest, struct span input)
{
    for (unsigned i = 0; i < ROUNDS_MAX; i++) {
        union rest_next next;
        enum rest_step step = rest_next(rest, &next);
        if (step == REST_DONE)
            check_answer(&next.answer);
        if (step != REST_CALL)
            return;
        check_call(&next.call);
        reply(rest, &input);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = span_of(data, size);
    struct rest_question question = {.route = pick(&input)};
    struct span body = take_until(&input, '\0');
    question.body = blob_copy(body);
    question.allow_int64 = input.length > 0 && input.at[0] & 0x80;
    struct rest *rest = rest_new(&question);
    run(rest, input);
    rest_free(rest);
    blob_unref(question.body);
    return 0;
}
