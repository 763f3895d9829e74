/* SPDX-License-Identifier: Apache-2.0 */
/* Routes whose row says all. */
#include "proto/rest/print.h"
#include "proto/rest/put.h"

bool rest_put_request(struct rest *rest, struct buffer *message)
{
    if (rest_put_fields(rest, rest->body, rest->route->request, NULL, message))
        return true;
    buffer_clear(message);
    return false;
}

bool rest_ask_row(struct rest *rest)
{
    struct buffer message = {0};
    if (!rest_put_request(rest, &message))
        return false;
    rest_ask(rest, rest->route->method, &message);
    return true;
}

static bool print_data(const struct rest_route *route, struct span reply, struct jwriter *writer)
{
    if (route->data == REST_DATA_ONE)
        return rest_print_value(reply, &route->field, writer);
    bool good = true;
    jwriter_object(writer);
    if (route->data == REST_DATA_ALL)
        good = rest_print_fields(reply, route->field.shape, writer);
    jwriter_object_end(writer);
    return good;
}

void rest_fail_reply(struct rest *rest)
{
    rest_fail(rest, REST_INVALID_RESULT, "milvus-bouncer: the upstream's reply is malformed");
}

void rest_answer_row(struct rest *rest, struct span reply)
{
    struct jwriter writer = rest_answer(rest, -1);
    if (print_data(rest->route, reply, &writer))
        rest_answered(rest, &writer);
    else
        rest_fail_reply(rest);
}

void rest_row(struct rest *rest, const struct rest_reply *reply)
{
    if (reply)
        rest_answer_row(rest, reply->reply);
    else
        rest_ask_row(rest);
}
