/* SPDX-License-Identifier: Apache-2.0 */
/* Routes that Milvus answers by calls outside its gRPC service. */
#include "daemon/exchange_state.h"

static void answer_failure(struct exchange *exchange, const struct outcome *outcome)
{
    struct rest_answer answer = {
        .status = rest_error_status(outcome->code),
        .body = rest_error(rest_error_code(outcome->code), outcome->message),
    };
    exchange_answer(exchange, &answer);
    blob_unref(answer.body);
}

/* What the upstream says passes as it is. */
static void on_answer(struct request *request, const struct outcome *outcome)
{
    struct exchange *exchange = (struct exchange *)request;
    struct rest_answer answer = {.status = outcome->status, .body = outcome->reply};
    exchange->wait = EXCHANGE_WAITS_NOT;
    if (outcome->code == CODE_OK)
        exchange_answer(exchange, &answer);
    else
        answer_failure(exchange, outcome);
}

void exchange_forward(struct exchange *exchange, const struct rest_forward *forward)
{
    struct span named = forward->database;
    exchange->wait = EXCHANGE_WAITS_FOR_REPLY;
    exchange->forward = (struct request_forward){
        .path = rest_route_path(exchange->setup.route),
        .class = rest_route_class(exchange->setup.route),
    };
    exchange_request(exchange, forward->body, on_answer);
    exchange->request.forward = &exchange->forward;
    if (named.length > 0)
        exchange->request.database = named;
    router_submit(client_owner(exchange->setup.client)->router, &exchange->request);
}
