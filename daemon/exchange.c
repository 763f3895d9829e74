/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/exchange.h"

#include <stdlib.h>

#include "pool/clock.h"

enum exchange_wait {
    EXCHANGE_WAITS_NOT,
    EXCHANGE_WAITS_FOR_REPLY, /* the router has the request */
    EXCHANGE_WAITS_FOR_TIME,  /* its timer runs until the call may be made */
};

struct exchange {
    struct request request; /* first: the router hands it back */
    struct exchange_setup setup;
    struct rest *rest;
    struct rest_call call; /* the one that waits for its time */
    struct request_forward forward;
    enum exchange_wait wait;
    bool turning; /* go_on() runs: a reply that comes at once is seen there */
};

/* Ends it; the last thing that is done with it. */
static void answer(struct exchange *exchange, const struct rest_answer *end)
{
    exchange->setup.answered(exchange->setup.context, end);
}

/* Its request, with what all of them have. */
static void set_up(struct exchange *exchange, struct blob *message,
                   void (*on_end)(struct request *request, const struct outcome *outcome))
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
        .answer = on_end,
    };
    client_sign(setup->client, &exchange->request);
}

/* ---- what the upstream's own HTTP port answers ---- */

static void answer_failure(struct exchange *exchange, const struct outcome *outcome)
{
    struct rest_answer end = {
        .status = rest_error_status(outcome->code),
        .body = rest_error(rest_error_code(outcome->code), outcome->message),
    };
    answer(exchange, &end);
    blob_unref(end.body);
}

/* What the upstream says passes as it is. */
static void on_forwarded(struct request *request, const struct outcome *outcome)
{
    struct exchange *exchange = (struct exchange *)request;
    struct rest_answer end = {.status = outcome->status, .body = outcome->reply};
    exchange->wait = EXCHANGE_WAITS_NOT;
    if (outcome->code == CODE_OK)
        answer(exchange, &end);
    else
        answer_failure(exchange, outcome);
}

static void forward(struct exchange *exchange, const struct rest_forward *next)
{
    struct span named = next->database;
    exchange->wait = EXCHANGE_WAITS_FOR_REPLY;
    exchange->forward = (struct request_forward){
        .path = rest_route_path(exchange->setup.route),
        .class = rest_route_class(exchange->setup.route),
    };
    set_up(exchange, next->body, on_forwarded);
    exchange->request.forward = &exchange->forward;
    if (named.length > 0)
        exchange->request.database = named;
    router_submit(client_owner(exchange->setup.client)->router, &exchange->request);
}

/* ---- calls ---- */

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

static void ask(struct exchange *exchange)
{
    exchange->wait = EXCHANGE_WAITS_FOR_REPLY;
    set_up(exchange, exchange->call.message, on_answer);
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
            forward(exchange, &next.forward);
            return;
        case REST_DONE:
            answer(exchange, &next.answer);
            return;
        }
    }
    exchange->turning = false;
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
