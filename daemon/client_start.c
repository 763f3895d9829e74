/* SPDX-License-Identifier: Apache-2.0 */
/* The first bytes of a client: they tell the protocol, and with it the front. */
#include "daemon/client_state.h"
#include "daemon/front_grpc.h"
#include "daemon/front_http.h"
#include "daemon/front_plain.h"

#define OPENINGS                                                                                   \
    "; the plain protocol opens with \"MVB1\", gRPC with HTTP/2's preface, HTTP/1.1 with a method"

/* For a moment its requests are still taken: one that crosses with the telling is not left without
 * an answer. */
void client_tell_to_go(struct client *client)
{
    if (client->front)
        client->front->drain(client, true);
    if (client->state <= OPEN)
        client_start_wait(client, WAIT_DRAIN, CLIENT_CLOSE_TIME);
}

/* A refused client has a moment for its first request. */
static void open_front(struct client *client, const struct front *front)
{
    client->state = OPEN;
    client->front = front;
    client_stop_wait(client, WAIT_START);
    if (client->refusal && !front->answers_refused) {
        client_cut(client, client->refusal_code, client->refusal);
        return;
    }
    if (client->refusal)
        client_start_wait(client, WAIT_START, CLIENT_CLOSE_TIME);
    front->open(client);
    if (client->owner->draining)
        client_tell_to_go(client);
}

static bool is_served(const struct client *client, enum sniff protocol)
{
    unsigned served = client->listener->protocols;
    return (protocol == SNIFF_PLAIN && (served & CONF_PROTOCOL_PLAIN)) ||
           (protocol == SNIFF_HTTP2 && (served & CONF_PROTOCOL_GRPC)) ||
           (protocol == SNIFF_HTTP1 && (served & CONF_PROTOCOL_HTTP));
}

static const char *unserved(enum sniff protocol)
{
    switch (protocol) {
    case SNIFF_PLAIN:
        return "the plain protocol is not served at this address (protocols)";
    case SNIFF_HTTP2:
        return "gRPC is not served at this address (protocols)";
    case SNIFF_HTTP1:
        return "HTTP/1.1 is not served at this address (protocols)";
    case SNIFF_TLS:
        return "TLS is not served by this version; connect without it";
    default:
        return "unknown protocol" OPENINGS;
    }
}

static const struct front *front_of(enum sniff protocol)
{
    if (protocol == SNIFF_HTTP2)
        return &front_grpc;
    return protocol == SNIFF_HTTP1 ? &front_http : &front_plain;
}

/* Gathers the first bytes until they tell the protocol. */
void client_take_start(struct client *client, struct span bytes)
{
    while (bytes.length > 0 && client->start_length < SNIFF_BYTES) {
        client->start[client->start_length++] = *bytes.at++;
        bytes.length--;
    }
    enum sniff protocol = sniff(span_of(client->start, client->start_length));
    if (protocol == SNIFF_MORE)
        return;
    if (!is_served(client, protocol))
        client_refuse(client, CODE_INVALID_ARGUMENT, unserved(protocol));
    const struct front *front = front_of(protocol);
    if (front == &front_plain)
        client_shows_no_token(client);
    open_front(client, front);
    if (client->state == OPEN && front->takes_start)
        client_hand_on(client, span_of(client->start, client->start_length));
    if (client->state == OPEN && bytes.length > 0)
        client_hand_on(client, bytes);
}
