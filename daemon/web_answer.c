/* SPDX-License-Identifier: Apache-2.0 */
/* How requests over HTTP/1.1 are answered. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/web.h"
#include "proto/encoding.h"
#include "proto/http1_response.h"

#define PACK_LEAST 1024u /* bytes of a body that is packed, if the client likes that */
#define FAULT_MAX  256   /* bytes of a fault's text */

struct span web_database(const struct web *web)
{
    const struct http1_head *head = http1_head(&web->http);
    struct span named = head ? head->fields[HTTP1_DB_NAME] : span_of(NULL, 0);
    return named.length > 0 ? named : span_text(client_database(web->client, web->rule));
}

struct web_answer web_fault(unsigned status, const char *format, ...)
{
    char message[FAULT_MAX];
    va_list arguments;
    int length = snprintf(message, sizeof(message), "milvus-bouncer: ");
    va_start(arguments, format);
    vsnprintf(message + length, sizeof(message) - (size_t)length, format, arguments);
    va_end(arguments);
    return (struct web_answer){.status = status,
                               .type = WEB_JSON,
                               .body = rest_error((int32_t)status, span_text(message))};
}

struct web_answer web_refusal(const struct web *web, enum code code, const char *format, ...)
{
    char message[REQUEST_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    request_message(message, web_database(web), PHASE_ADMISSION, format, arguments);
    va_end(arguments);
    return (struct web_answer){.status = rest_error_status(code),
                               .type = WEB_JSON,
                               .body = rest_error(rest_error_code(code), span_text(message))};
}

/* The packed body, or NULL: it goes as it is. */
static struct blob *pack(const struct http1_head *head, const struct blob *body)
{
    if (!head || !body || body->size <= PACK_LEAST ||
        !http1_accepts_gzip(head->fields[HTTP1_ACCEPT_ENCODING]))
        return NULL;
    return encoding_gzip(blob_span(body));
}

static void write_out(struct web *web, const struct web_answer *answer, bool closes)
{
    const struct http1_head *head = http1_head(&web->http);
    struct blob *packed = pack(head, answer->body);
    struct blob *body = packed ? packed : answer->body;
    char text[HTTP1_RESPONSE_MAX];
    struct http1_response response = {
        .status = answer->status,
        .date = time(NULL),
        .type = answer->type,
        .length = body ? body->size : 0,
        .is_gzip = packed != NULL,
        .allow = answer->allow,
        .accepted = answer->accepted,
        .closes = closes,
        .is_old = head && head->is_old,
    };
    client_write(web->client, span_of(text, http1_response_write(text, &response)));
    if (body && !(head && head->method == HTTP1_HEAD))
        client_write_blob(web->client, body);
    blob_unref(packed);
}

static bool is_last(const struct web *web)
{
    const struct http1_head *head = http1_head(&web->http);
    enum code code;
    return http1_busy(&web->http) || !head || !head->keeps_alive ||
           client_owner(web->client)->draining || client_refusal(web->client, &code);
}

static void forget_request(struct web *web)
{
    exchange_free(web->exchange);
    web->exchange = NULL;
    wiped_clear(&web->authorization);
    web->early = (struct web_answer){0};
    web->arrived = 0;
    http1_next(&web->http);
}

static void answer(struct web *web, const struct web_answer *answer)
{
    bool last = is_last(web);
    write_out(web, answer, last);
    if (last) {
        client_close(web->client);
        return;
    }
    forget_request(web);
    client_flush_later(web->client);
}

void web_answer_json(struct web *web, unsigned status, struct blob *body)
{
    answer(web, &(struct web_answer){.status = status, .type = WEB_JSON, .body = body});
}

void web_answer(struct web *web, struct web_answer *given)
{
    struct web_answer taken = *given;
    *given = (struct web_answer){0};
    answer(web, &taken);
    blob_unref(taken.body);
}

void web_last_words(struct web *web, struct web_answer *answer)
{
    write_out(web, answer, true);
    blob_unref(answer->body);
    *answer = (struct web_answer){0};
}
