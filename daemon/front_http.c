/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/front_http.h"

#include <stdlib.h>

#include "daemon/web.h"
#include "pool/clock.h"
#include "proto/http1_response.h"

static struct span unread(const struct web *web)
{
    struct span behind = wiped_span(&web->behind);
    return span_of(behind.at + web->behind_read, behind.length - web->behind_read);
}

/* What cannot be read until a request is answered. */
static void keep(struct web *web, struct span bytes)
{
    struct wiped kept = {0};
    if (bytes.length == 0)
        return;
    client_has_shown_secret(web->client); /* perhaps */
    if (web->behind_read > 0) {
        wiped_add(&kept, unread(web));
        wiped_clear(&web->behind);
        web->behind = kept;
        web->behind_read = 0;
    }
    wiped_add(&web->behind, bytes);
    client_hold(web->client, unread(web).length >= web_conf(web)->limits.http.max_pipelined);
}

static void broken(struct web *web)
{
    struct http1_fault fault = http1_fault(&web->http);
    struct web_answer answer =
        fault.size > 0
            ? web_fault(fault.status, "%s: %llu bytes, and %u are the most", fault.text,
                        (unsigned long long)fault.size, web_conf(web)->limits.max_message)
            : web_fault(fault.status, "%s", fault.text);
    web_last_words(web, &answer);
    client_close(web->client);
}

/* Takes requests until one is under way. Any may end the connection, and with it the struct. */
static void take(struct web *web, struct span *bytes)
{
    struct client *client = web->client;
    while (client_front(client) && !web->exchange && client_has_room(client)) {
        enum http1_read read = http1_take(&web->http, bytes);
        if (web->arrived == 0 && web->http.message)
            web->arrived = clock_now();
        if (http1_busy(&web->http) && !http1_head(&web->http))
            client_has_shown_secret(client); /* perhaps, in the part of a head that has come */
        if (read == HTTP1_READ_MORE)
            return;
        if (read == HTTP1_READ_HEAD)
            web_head(web);
        else if (read == HTTP1_READ_WHOLE)
            web_whole(web);
        else
            broken(web);
    }
}

static void http_input(struct client *client, struct span bytes)
{
    struct web *web = client_front(client);
    if (unread(web).length == 0)
        take(web, &bytes);
    if (client_front(client))
        keep(web, bytes);
}

/* False: that has ended the connection. */
static bool take_behind(struct web *web)
{
    struct client *client = web->client;
    struct span bytes = unread(web);
    take(web, &bytes);
    if (!client_front(client))
        return false;
    web->behind_read = web->behind.length - bytes.length;
    if (bytes.length == 0) {
        wiped_clear(&web->behind);
        web->behind_read = 0;
    }
    client_hold(client, bytes.length >= web_conf(web)->limits.http.max_pipelined);
    client_wait_for_message(client);
    return true;
}

static bool http_busy(const struct client *client)
{
    const struct web *web = client_front(client);
    return web->exchange || unread(web).length > 0;
}

/* Whoever leaves once all is answered may do so now. */
static void http_fill(struct client *client)
{
    struct web *web = client_front(client);
    if (!web->exchange && unread(web).length > 0 && !take_behind(web))
        return;
    client_answered(client);
}

static bool http_in_message(const struct client *client)
{
    const struct web *web = client_front(client);
    return !web->exchange && http1_busy(&web->http);
}

/* An interim answer; HTTP/1.0 has none. */
static void http_probe(struct client *client)
{
    const struct web *web = client_front(client);
    const struct http1_head *head = http1_head(&web->http);
    if (head && !head->is_old)
        client_write(client, span_text(HTTP1_CONTINUE));
}

/* Nothing can be told to a client that has asked nothing. */
static void http_drain(struct client *client, bool first)
{
    if (http_busy(client))
        return;
    if (!http_in_message(client))
        client_close(client);
    else if (!first)
        client_cut(client, CODE_UNAVAILABLE, "the daemon drains; open a new connection");
}

static void http_goaway(struct client *client, enum code code, const char *message)
{
    struct web *web = client_front(client);
    enum code refusal_code;
    unsigned status = rest_error_status(code);
    bool refused = client_refusal(client, &refusal_code) != NULL;
    struct web_answer answer = {
        .status = status,
        .type = WEB_JSON,
        .body = rest_error(refused ? rest_error_code(code) : (int32_t)status, span_text(message))};
    web_last_words(web, &answer);
}

static void http_open(struct client *client)
{
    struct web *web = calloc(1, sizeof(*web));
    const struct conf *conf = client_owner(client)->conf;
    if (!web)
        abort();
    web->client = client;
    http1_init(&web->http, &conf->limits.http, conf->limits.max_message);
    client_set_front(client, web);
}

static void http_close(struct client *client)
{
    struct web *web = client_front(client);
    exchange_free(web->exchange);
    http1_clear(&web->http);
    wiped_clear(&web->behind);
    wiped_clear(&web->authorization);
    blob_unref(web->early.body);
    free(web);
}

const struct front front_http = {
    .takes_start = true,
    .answers_refused = true,
    .open = http_open,
    .input = http_input,
    .fill = http_fill,
    .in_message = http_in_message,
    .busy = http_busy,
    .probe = http_probe,
    .drain = http_drain,
    .goaway = http_goaway,
    .close = http_close,
};
