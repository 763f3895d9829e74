/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/exchange_state.h"

#include <stdlib.h>

#include "pool/clock.h"

static void go_on(struct exchange *exchange);

static void on_answer(struct request *request, const struct outcome *outcome)
{
    struct exchange *exchange = (struct exchange *)request;
    struct rest_reply reply = {
        .code = outcome->code, .message = outcome->message, .reply = blob_span(outcome->reply)};
    exchange->wait = EXCHANGE_WAITS_NOT;
    rest_take(exchange->rest, &reply);
    if (!exchange->turning)
        go_on(exchange);
}

void exchange_request(struct exchange *exchange, struct blob *message,
                      void (*answer)(struct request *request, const struct outcome *outcome))
{
    const struct exchange_setup *setup = &exchange->setup;
    exchange->request = (struct request){
        .database = setup->database,
        .payload = message,
        .body = blob_span(message),
        .rule = setup->rule,
        .authorization = setup->authorization,
        .bare = true,
        .timeout = setup->timeout,
        .arrived = setup->arrived,
        .answer = answer,
    };
    client_sign(setup->client, &exchange->request);
}

static void ask(struct exchange *exchange)
{
    exchange->wait = EXCHANGE_WAITS_FOR_REPLY;
    exchange_request(exchange, exchange->call.message, on_answer);
    exchange->request.method = span_text(exchange->call.method);
    exchange->request.doubts = exchange->call.fresh;
    router_submit(client_owner(exchange->setup.client)->router, &exchange->request);
}

static void on_time(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct exchange *exchange = argument;
    exchange->turning = true;
    ask(exchange);
    exchange->turning = false;
    if (exchange->wait == EXCHANGE_WAITS_NOT)
        go_on(exchange);
}

/* Not later than a deadline, which is noticed when the call is made. */
static int64_t call_time(const struct exchange_setup *setup, uint32_t delay)
{
    int64_t at = clock_now() + delay;
    int64_t deadline = setup->arrived + setup->timeout;
    return setup->timeout > 0 && deadline < at ? deadline : at;
}

static void call(struct exchange *exchange, const struct rest_call *call)
{
    exchange->call = *call;
    if (call->delay == 0) {
        ask(exchange);
        return;
    }
    exchange->wait = EXCHANGE_WAITS_FOR_TIME;
    exchange->request = (struct request){0};
    request_timer(&exchange->request, client_owner(exchange->setup.client)->loop,
                  call_time(&exchange->setup, call->delay), on_time);
}

static void go_on(struct exchange *exchange)
{
    union rest_next next;
    exchange->turning = true;
    while (exchange->wait == EXCHANGE_WAITS_NOT) {
        switch (rest_next(exchange->rest, &next)) {
        case REST_CALL:
            call(exchange, &next.call);
            break;
        case REST_FORWARD:
            exchange_forward(exchange, &next.forward);
            return;
        case REST_DONE:
            exchange_answer(exchange, &next.answer);
            return;
        }
    }
    exchange->turning = false;
}

void exchange_answer(struct exchange *exchange, const struct rest_answer *answer)
{
    exchange->setup.answered(exchange->setup.context, answer);
}

struct exchange *exchange_new(const struct exchange_setup *setup)
{
    const struct rest_question question = {
        .route = setup->route, .body = setup->body, .allow_int64 = setup->allow_int64};
    struct exchange *exchange = calloc(1, sizeof(*exchange));
    if (!exchange)
        abort();
    exchange->setup = *setup;
    exchange->setup.body = NULL;
    exchange->rest = rest_new(&question);
    return exchange;
}

void exchange_start(struct exchange *exchange)
{
    go_on(exchange);
}

void exchange_free(struct exchange *exchange)
{
    if (!exchange)
        return;
    if (exchange->wait == EXCHANGE_WAITS_FOR_REPLY)
        router_drop(&exchange->request);
    if (exchange->wait == EXCHANGE_WAITS_FOR_TIME)
        request_timer_stop(&exchange->request);
    rest_free(exchange->rest);
    free(exchange);
}
