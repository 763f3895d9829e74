/* SPDX-License-Identifier: Apache-2.0 */
/* What a request over HTTP/1.1 asks: what its head alone decides, and what it becomes when it is
 * whole. */
#include <stdlib.h>

#include "auth/shown.h"
#include "daemon/web.h"
#include "proto/encoding.h"
#include "proto/http1_response.h"
#include "proto/rest/state.h"

#define SKIPPED_MAX                                                                                \
    (64u << 10)            /* bytes of a body that nobody wants; with more the connection ends */
#define SECONDS_MAX 86400u /* of Request-Timeout, as of any duration of the configuration */

#define ENCODINGS     "gzip, deflate"
#define METHODS       "GET, HEAD, POST, OPTIONS"
#define METHODS_PAGE  "GET, HEAD, OPTIONS"
#define METHODS_ROUTE "POST, OPTIONS"
#define TIMEOUT_BAD   "Request-Timeout: a number of seconds from 1 to 86400 is wanted"
#define NO_SUCH_PATH  "there is no such path; RESTful v2 stands under /v2/vectordb/"
#define BAD_ENCODING  "of Content-Encoding there are gzip and deflate"
#define NEEDS_POST    "this method is not taken here; RESTful v2 is POST"
#define OF_A_PAGE                                                                                  \
    "this request comes from a page in a browser (Origin), and pages of any site may send those"
#define DRAINS "the daemon drains; open a new connection"
#define FRONT_PAGE                                                                                 \
    "This is milvus-bouncer: Milvus's RESTful v2, which is POST to /v2/vectordb/...\n"

static const struct page {
    const char *path;
    const char *text;
} pages[] = {{"/", FRONT_PAGE}, {"/healthz", "OK"}};

static struct span field(const struct web *web, enum http1_field field)
{
    return http1_head(&web->http)->fields[field];
}

static const struct page *find_page(struct span path)
{
    for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
        if (span_is(path, pages[i].path))
            return &pages[i];
    }
    return NULL;
}

static struct web_answer answer_page(const struct page *page, const struct http1_head *head)
{
    struct web_answer answer = {.status = 200, .type = "text/plain; charset=utf-8"};
    if (head->method == HTTP1_GET || head->method == HTTP1_HEAD) {
        answer.body = blob_copy(span_text(page->text));
        return answer;
    }
    answer = web_fault(405, "this method is not taken here");
    answer.allow = METHODS_PAGE;
    return answer;
}

static const char *methods_of(const struct web *web, const struct page *page)
{
    if (page)
        return METHODS_PAGE;
    return web->route ? METHODS_ROUTE : METHODS;
}

/* gzip, deflate, or nothing at all. */
static bool read_encoding(struct span name, enum encoding *ret_encoding)
{
    *ret_encoding = ENCODING_IDENTITY;
    if (name.length == 0 || http1_is(name, "identity"))
        return true;
    *ret_encoding = http1_is(name, "deflate") ? ENCODING_DEFLATE : ENCODING_GZIP;
    return *ret_encoding == ENCODING_DEFLATE || http1_is(name, "gzip") || http1_is(name, "x-gzip");
}

/* Milliseconds; 0 where none is named. */
static bool read_timeout(struct span text, uint32_t *ret_timeout)
{
    uint32_t seconds = 0;
    *ret_timeout = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.at[i] < '0' || text.at[i] > '9' || seconds > SECONDS_MAX)
            return false;
        seconds = seconds * 10 + (text.at[i] - '0');
    }
    *ret_timeout = seconds * 1000;
    return text.length == 0 || (seconds > 0 && seconds <= SECONDS_MAX);
}

/* As strconv.ParseBool, by which Milvus reads Accept-Type-Allow-Int64. All else, and no header at
 * all, is what proxy.http.acceptTypeAllowInt64 says: true, unless it was changed. */
static bool is_false(struct span text)
{
    static const char *const words[] = {"0", "f", "F", "false", "FALSE", "False"};
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (span_is(text, words[i]))
            return true;
    }
    return false;
}

/* What the request shows is kept where it goes on to Milvus, and no longer than for that. */
static struct web_answer permit(struct web *web)
{
    enum code code;
    struct span shown = field(web, HTTP1_AUTHORIZATION);
    const char *refusal = client_permit(web->client, shown, &web->rule, &code);
    if (!refusal && shown.length > 0 && client_passes_authorization(web->client))
        shown_for_milvus(shown, &web->authorization);
    http1_forget(&web->http, HTTP1_AUTHORIZATION);
    return refusal ? web_refusal(web, code, "%s", refusal) : (struct web_answer){0};
}

static struct web_answer judge_route(struct web *web)
{
    enum encoding encoding;
    uint32_t timeout;
    if (http1_head(&web->http)->method != HTTP1_POST) {
        struct web_answer answer = web_fault(405, NEEDS_POST);
        answer.allow = METHODS_ROUTE;
        return answer;
    }
    if (field(web, HTTP1_ORIGIN).length > 0)
        return web_fault(403, OF_A_PAGE);
    if (!read_encoding(field(web, HTTP1_CONTENT_ENCODING), &encoding)) {
        struct web_answer answer = web_fault(415, BAD_ENCODING);
        answer.accepted = ENCODINGS;
        return answer;
    }
    if (!read_timeout(field(web, HTTP1_REQUEST_TIMEOUT), &timeout))
        return (struct web_answer){
            .status = 200,
            .type = WEB_JSON,
            .body = rest_error(REST_PARAMETER_INVALID, span_text("milvus-bouncer: " TIMEOUT_BAD))};
    return permit(web);
}

/* What the head alone decides; its status is 0 where that is nothing. */
static struct web_answer judge(struct web *web)
{
    const struct http1_head *head = http1_head(&web->http);
    const struct page *page = find_page(head->path);
    enum code code;
    const char *refusal = client_refusal(web->client, &code);
    web->route = rest_find(head->path);
    if (refusal)
        return web_refusal(web, code, "%s", refusal);
    if (client_owner(web->client)->draining)
        return web_refusal(web, CODE_UNAVAILABLE, DRAINS);
    if (!page && !web->route && !span_is(head->path, "*"))
        return web_fault(404, NO_SUCH_PATH);
    if (head->method == HTTP1_OPTIONS)
        return (struct web_answer){.status = 204, .allow = methods_of(web, page)};
    if (web->route)
        return judge_route(web);
    return page ? answer_page(page, head) : web_fault(404, NO_SUCH_PATH);
}

void web_head(struct web *web)
{
    const struct http1_head *head = http1_head(&web->http);
    if (head->fields[HTTP1_AUTHORIZATION].length > 0)
        client_has_shown_secret(web->client);
    web->early = judge(web);
    http1_forget(&web->http, HTTP1_AUTHORIZATION);
    if (web->early.status == 0) {
        if (head->expects_continue)
            client_write(web->client, span_text(HTTP1_CONTINUE));
        return;
    }
    http1_skip_body(&web->http);
    if (head->is_chunked || head->expects_continue || head->length > SKIPPED_MAX)
        web_answer(web, &web->early);
}

/* Puts what a compressed body holds in its place. What is wrong with it, or status 0. */
static struct web_answer unpack(const struct web *web, struct blob **body)
{
    enum encoding encoding;
    struct blob *unpacked;
    (void)read_encoding(field(web, HTTP1_CONTENT_ENCODING), &encoding);
    if (encoding == ENCODING_IDENTITY || !*body)
        return (struct web_answer){0};
    size_t max = encoding_unpacked_max((*body)->size, web_conf(web)->limits.max_message);
    switch (encoding_inflate(blob_span(*body), encoding, max, &unpacked)) {
    case INFLATE_WHOLE:
        blob_unref(*body);
        *body = unpacked;
        return (struct web_answer){0};
    case INFLATE_BROKEN:
        return web_fault(400, "the body is not of the Content-Encoding that the header names");
    default:
        return web_fault(413,
                         "a body of %zu bytes of %s unpacks to more than %zu, the least of "
                         "limits.max_message and %d times its size",
                         (*body)->size, encoding_name(encoding), max, ENCODING_RATIO_MAX);
    }
}

static void on_answered(void *context, const struct rest_answer *answer)
{
    web_answer_json(context, answer->status, answer->body);
}

static void start(struct web *web, struct blob *body)
{
    struct exchange_setup setup = {
        .client = web->client,
        .route = web->route,
        .body = body,
        .allow_int64 = !is_false(field(web, HTTP1_ALLOW_INT64)),
        .database = web_database(web),
        .authorization = wiped_span(&web->authorization),
        .rule = web->rule,
        .arrived = web->arrived,
        .answered = on_answered,
        .context = web,
    };
    (void)read_timeout(field(web, HTTP1_REQUEST_TIMEOUT), &setup.timeout);
    web->exchange = exchange_new(&setup);
    blob_unref(body);
    exchange_start(web->exchange);
}

void web_whole(struct web *web)
{
    client_message_ended(web->client);
    if (web->early.status != 0) {
        web_answer(web, &web->early);
        return;
    }
    struct blob *body = http1_take_body(&web->http);
    struct web_answer wrong = unpack(web, &body);
    if (wrong.status == 0) {
        start(web, body);
        return;
    }
    blob_unref(body);
    web_answer(web, &wrong);
}
