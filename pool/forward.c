/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/forward.h"

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>

#include "pool/clock.h"
#include "pool/forward_head.h"
#include "pool/pool.h"
#include "pool/tls.h"
#include "pool/tls_reason.h"

#define HEADERS_MAX (64 << 10) /* bytes, of an answer */
#define NO_ERROR    (-1)
#define REASON_MAX  256

/* What is read of an upstream's certificates is kept. */
struct secrets {
    LIST_ENTRY(secrets) link;
    const struct conf_upstream *upstream;
    struct tls *tls;
};

struct forwarded {
    LIST_ENTRY(forwarded) link;
    struct forwards *owner;
    struct request *request; /* NULL: it has ended */
    struct evhttp_connection *connection;
    bool is_secure;
    int error; /* enum evhttp_request_error, or NO_ERROR */
    char where[ENDPOINT_TEXT_MAX];
};

struct forwards {
    struct event_base *loop;
    uint32_t max_message;
    uint32_t count;
    LIST_HEAD(, forwarded) over;
    struct event *sweeper; /* frees these, outside of their own events */
    LIST_HEAD(, secrets) secrets;
};

static const struct conf_upstream *upstream_of(const struct request *request)
{
    return pool_database(request->pool)->upstream;
}

/* ---- the end ---- */

static void free_over(struct forwards *forwards)
{
    struct forwarded *forwarded;
    while ((forwarded = LIST_FIRST(&forwards->over))) {
        LIST_REMOVE(forwarded, link);
        if (forwarded->connection)
            evhttp_connection_free(forwarded->connection);
        free(forwarded);
    }
}

static void sweep(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    free_over(argument);
}

/* From here on the request knows nothing of it. */
static struct request *let_go(struct forwarded *forwarded)
{
    struct forwards *owner = forwarded->owner;
    struct request *request = forwarded->request;
    forwarded->request = NULL;
    LIST_INSERT_HEAD(&owner->over, forwarded, link);
    event_active(owner->sweeper, EV_TIMEOUT, 0);
    owner->count--;
    request_timer_stop(request);
    request->forwarded = NULL;
    return request;
}

void forwards_cancel(struct request *request)
{
    let_go(request->forwarded);
}

static void on_deadline(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct request *request = argument;
    let_go(request->forwarded);
    request_fail(request, CODE_DEADLINE_EXCEEDED, PHASE_UPSTREAM,
                 "the upstream's HTTP port did not answer in time");
}

static void on_error(enum evhttp_request_error error, void *argument)
{
    struct forwarded *forwarded = argument;
    forwarded->error = (int)error;
}

/* Whether it is TLS that did not come about; then why. */
static bool is_insecure(const struct forwarded *forwarded, char why[REASON_MAX])
{
    if (!forwarded->is_secure)
        return false;
    struct bufferevent *buffers = evhttp_connection_get_bufferevent(forwarded->connection);
    const struct ssl_st *ssl = bufferevent_openssl_get_ssl(buffers);
    if (tls_is_up(ssl))
        return false;
    if (!tls_reason(ssl, bufferevent_get_openssl_error(buffers), why, REASON_MAX))
        snprintf(why, REASON_MAX, "no TLS there");
    return true;
}

/* The connection is over without an answer. */
static void fail(struct forwarded *forwarded)
{
    const char *name = upstream_of(forwarded->request)->name;
    struct request *request = let_go(forwarded);
    char why[REASON_MAX];
    if (is_insecure(forwarded, why)) {
        request_fail(request, CODE_UNAVAILABLE, PHASE_CONNECT,
                     "the HTTP port of upstream %s, %s: %s", name, forwarded->where, why);
        return;
    }
    switch (forwarded->error) {
    case EVREQ_HTTP_INVALID_HEADER:
    case EVREQ_HTTP_EOF:
        request_fail(request, CODE_UNIMPLEMENTED, PHASE_UPSTREAM,
                     "%s is no call of Milvus's gRPC service, and upstream %s answers no HTTP/1.1 "
                     "at %s (http_port)",
                     request->path, name, forwarded->where);
        return;
    case EVREQ_HTTP_DATA_TOO_LONG:
        request_fail(request, CODE_RESOURCE_EXHAUSTED, PHASE_UPSTREAM,
                     "the answer is larger than max_message, %u bytes",
                     forwarded->owner->max_message);
        return;
    default:
        request_fail(request, CODE_UNAVAILABLE, PHASE_CONNECT,
                     "%s is no call of Milvus's gRPC service, and the HTTP port of upstream %s "
                     "cannot be reached at %s (http_port)",
                     request->path, name, forwarded->where);
    }
}

static struct blob *read_body(struct evhttp_request *answer)
{
    struct evbuffer *body = evhttp_request_get_input_buffer(answer);
    struct blob *blob = blob_new(evbuffer_get_length(body));
    if (!blob)
        abort();
    evbuffer_copyout(body, blob->data, blob->size);
    return blob;
}

static void finish(struct forwarded *forwarded, struct evhttp_request *answer)
{
    int status = evhttp_request_get_response_code(answer);
    const char *name = upstream_of(forwarded->request)->name;
    struct request *request = let_go(forwarded);
    if (status == HTTP_NOTFOUND) {
        request_fail(request, CODE_UNIMPLEMENTED, PHASE_UPSTREAM,
                     "%s is no call of Milvus's gRPC service, and upstream %s does not know it at "
                     "its HTTP port either, %s (404)",
                     request->path, name, forwarded->where);
        return;
    }
    struct blob *body = read_body(answer);
    struct outcome outcome = {.code = CODE_OK, .reply = body, .status = (unsigned)status};
    request_end(request, &outcome);
    blob_unref(body);
}

static void on_answer(struct evhttp_request *answer, void *argument)
{
    struct forwarded *forwarded = argument;
    if (!forwarded->request)
        return;
    if (answer && evhttp_request_get_response_code(answer) != 0)
        finish(forwarded, answer);
    else
        fail(forwarded);
}

/* ---- the beginning ---- */

/* NULL: *ret_error says which file cannot be used, to be freed. */
static struct tls *tls_of(struct forwards *forwards, const struct conf_upstream *upstream,
                          char **ret_error)
{
    struct secrets *secrets;
    LIST_FOREACH (secrets, &forwards->secrets, link) {
        if (secrets->upstream == upstream)
            return tls_refresh(secrets->tls, ret_error) ? secrets->tls : NULL;
    }
    struct tls *tls = tls_new(&upstream->tls, ret_error);
    if (!tls)
        return NULL;
    secrets = calloc(1, sizeof(*secrets));
    if (!secrets)
        abort();
    secrets->upstream = upstream;
    secrets->tls = tls;
    LIST_INSERT_HEAD(&forwards->secrets, secrets, link);
    return tls;
}

static struct bufferevent *buffers_over(struct forwards *forwards, struct tls *tls,
                                        const char *name)
{
    struct bufferevent *buffers = bufferevent_openssl_socket_new(
        forwards->loop, -1, tls_connection_new_http1(tls, name), BUFFEREVENT_SSL_CONNECTING,
        BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (!buffers)
        abort();
    bufferevent_openssl_set_allow_dirty_shutdown(buffers, 1);
    return buffers;
}

static void connect_to(struct forwarded *forwarded, const struct endpoint *endpoint,
                       struct tls *tls)
{
    struct forwards *owner = forwarded->owner;
    const struct conf_upstream *upstream = upstream_of(forwarded->request);
    const char *name = upstream->tls.server_name ? upstream->tls.server_name : endpoint->host;
    char number[ENDPOINT_NUMBER_MAX];
    endpoint_number(endpoint, number);
    forwarded->connection = evhttp_connection_base_bufferevent_new(
        owner->loop, NULL, tls ? buffers_over(owner, tls, name) : NULL, number, endpoint->port);
    if (!forwarded->connection)
        abort();
    evhttp_connection_set_max_body_size(forwarded->connection, owner->max_message);
    evhttp_connection_set_max_headers_size(forwarded->connection, HEADERS_MAX);
}

static void unref(const void *data, size_t length, void *blob)
{
    (void)data, (void)length;
    blob_unref(blob);
}

static void send_question(struct forwarded *forwarded, const struct endpoint *endpoint)
{
    const struct request *request = forwarded->request;
    struct evhttp_request *question = evhttp_request_new(on_answer, forwarded);
    if (!question)
        abort();
    evhttp_request_set_error_cb(question, on_error);
    forward_head(evhttp_request_get_output_headers(question), request, endpoint);
    if (request->body.length > 0 &&
        evbuffer_add_reference(evhttp_request_get_output_buffer(question), request->body.at,
                               request->body.length, unref, blob_ref(request->payload)) != 0)
        abort();
    struct timeval patience = clock_wait(request->deadline - clock_now() + 1000);
    evhttp_connection_set_timeout_tv(forwarded->connection, &patience);
    if (evhttp_make_request(forwarded->connection, question, EVHTTP_REQ_POST, request->path) != 0 &&
        forwarded->request)
        fail(forwarded);
}

static void start(struct forwards *forwards, struct request *request,
                  const struct endpoint *endpoint, struct tls *tls)
{
    struct forwarded *forwarded = calloc(1, sizeof(*forwarded));
    if (!forwarded)
        abort();
    forwarded->owner = forwards;
    forwarded->request = request;
    forwarded->is_secure = tls;
    forwarded->error = NO_ERROR;
    endpoint_text(endpoint, forwarded->where);
    forwards->count++;
    request->forwarded = forwarded;
    request->state = REQUEST_FORWARDED;
    request_timer(request, forwards->loop, request->deadline, on_deadline);
    connect_to(forwarded, endpoint, tls);
    send_question(forwarded, endpoint);
}

void forwards_submit(struct forwards *forwards, struct request *request)
{
    const struct conf_upstream *upstream = upstream_of(request);
    const struct endpoint *known = endpoints_any(pool_endpoints(request->pool));
    char *error = NULL;
    struct tls *tls = NULL;
    if (!known) {
        request_fail(request, CODE_UNAVAILABLE, PHASE_CONNECT, "no address of upstream %s is known",
                     upstream->name);
        return;
    }
    if (forwards->count >= FORWARDS_MAX) {
        request_fail(request, CODE_RESOURCE_EXHAUSTED, PHASE_QUEUE,
                     "%u requests to upstreams' HTTP ports are under way", FORWARDS_MAX);
        return;
    }
    if (upstream->secure && !(tls = tls_of(forwards, upstream, &error))) {
        request_fail(request, CODE_UNAVAILABLE, PHASE_CONNECT, "upstream %s: %s", upstream->name,
                     error);
        free(error);
        return;
    }
    struct endpoint endpoint = *known;
    if (upstream->http_port)
        endpoint.port = (uint16_t)upstream->http_port;
    start(forwards, request, &endpoint, tls);
}

/* ---- all of them ---- */

struct forwards *forwards_new(struct event_base *loop, uint32_t max_message)
{
    struct forwards *forwards = calloc(1, sizeof(*forwards));
    if (!forwards)
        abort();
    forwards->loop = loop;
    forwards->max_message = max_message;
    LIST_INIT(&forwards->over);
    LIST_INIT(&forwards->secrets);
    forwards->sweeper = event_new(loop, -1, 0, sweep, forwards);
    if (!forwards->sweeper)
        abort();
    return forwards;
}

void forwards_free(struct forwards *forwards)
{
    struct secrets *secrets;
    if (!forwards)
        return;
    free_over(forwards);
    while ((secrets = LIST_FIRST(&forwards->secrets))) {
        LIST_REMOVE(secrets, link);
        tls_free(secrets->tls);
        free(secrets);
    }
    event_free(forwards->sweeper);
    free(forwards);
}
