/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/front_plain.h"

#include <stdarg.h>
#include <stdlib.h>
#include <uthash.h>

#include "pool/clock.h"
#include "pool/seen.h"
#include "proto/frame.h"

/* What a client that speaks the plain protocol has. */
struct plain {
    struct frame_reader reader;
    int64_t arrived; /* when the first byte came of a frame that is not whole, 0: there is none */
    struct seen seen;
    struct rule *rule;              /* as client_permit() */
    struct plain_request *requests; /* under way, by id */
};

struct plain_request {
    struct request request;
    UT_hash_handle hh;
    uint32_t id;
    struct client *client;
};

static void send_frame(struct client *client, const struct frame_head *head, struct span text,
                       struct blob *body)
{
    uint8_t bytes[FRAME_HEADER_SIZE];
    frame_write_head(bytes, head);
    client_write(client, span_of(bytes, sizeof(bytes)));
    client_write(client, text);
    if (body)
        client_write_blob(client, body);
}

static void reply(struct client *client, uint32_t id, const struct outcome *outcome)
{
    struct span text = span_cut(outcome->message, FRAME_TEXT_MAX);
    struct frame_head head = {
        .type = FRAME_REPLY,
        .code = outcome->code,
        .phase = outcome->phase,
        .id = id,
        .text_length = text.length,
        .body_length = outcome->reply ? outcome->reply->size : 0,
    };
    send_frame(client, &head, text, outcome->reply);
}

static struct span database_of(const struct client *client, const struct frame *frame)
{
    const struct plain *plain = client_front(client);
    return frame->database.length > 0 ? frame->database
                                      : span_text(client_database(client, plain->rule));
}

static void refuse(struct client *client, const struct frame *frame, enum code code,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Answers a request that does not get as far as the router. */
static void refuse(struct client *client, const struct frame *frame, enum code code,
                   const char *format, ...)
{
    char message[REQUEST_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    request_message(message, database_of(client, frame), PHASE_ADMISSION, format, arguments);
    va_end(arguments);
    struct outcome outcome = {
        .code = code, .phase = PHASE_ADMISSION, .message = span_text(message)};
    reply(client, frame->id, &outcome);
}

static void plain_goaway(struct client *client, enum code code, const char *message)
{
    struct span text = span_text(message);
    struct frame_head head = {.type = FRAME_GOAWAY, .code = code, .text_length = text.length};
    send_frame(client, &head, text, NULL);
}

static void plain_drain(struct client *client, bool first)
{
    if (first)
        plain_goaway(client, CODE_UNAVAILABLE,
                     "milvus-bouncer: the daemon drains; open a new connection");
}

static void send_pong(struct client *client, uint32_t id)
{
    struct frame_head head = {.type = FRAME_PONG, .id = id};
    send_frame(client, &head, span_of(NULL, 0), NULL);
}

static void plain_probe(struct client *client)
{
    send_pong(client, 0);
}

static void request_free(struct plain *plain, struct plain_request *request)
{
    HASH_DELETE(hh, plain->requests, request);
    blob_unref(request->request.payload);
    free(request);
}

static void on_answer(struct request *base, const struct outcome *outcome)
{
    struct plain_request *request = (struct plain_request *)base;
    struct client *client = request->client;
    reply(client, request->id, outcome);
    request_free(client_front(client), request);
    client_answered(client);
}

static struct plain_request *find(const struct plain *plain, uint32_t id)
{
    struct plain_request *request;
    HASH_FIND(hh, plain->requests, &id, sizeof(id), request);
    return request;
}

/* Says why the rules are broken and ends the connection. */
static void broken(struct client *client, const char *why)
{
    client_cut(client, CODE_INVALID_ARGUMENT, why);
}

static void submit(struct client *client, const struct frame *frame)
{
    struct plain *plain = client_front(client);
    struct plain_request *request = calloc(1, sizeof(*request));
    if (!request)
        abort();
    request->id = frame->id;
    request->client = client;
    request->request.method = frame->method;
    request->request.database = database_of(client, frame);
    request->request.payload = blob_ref(frame->payload);
    request->request.body = frame->body;
    request->request.timeout = frame->timeout;
    request->request.rule = plain->rule;
    request->request.shows_nothing = true;
    request->request.bare = true;
    request->request.arrived = plain->arrived;
    request->request.seen = &plain->seen;
    request->request.answer = on_answer;
    client_sign(client, &request->request);
    HASH_ADD(hh, plain->requests, id, sizeof(request->id), request);
    router_submit(client_owner(client)->router, &request->request);
}

static void take_request(struct client *client, const struct frame *frame, bool whole)
{
    struct plain *plain = client_front(client);
    const struct clients *owner = client_owner(client);
    enum code code;
    if (find(plain, frame->id)) {
        broken(client, "a request has the id of another that is under way");
        return;
    }
    const char *refusal = client_permit(client, span_of(NULL, 0), &plain->rule, &code);
    if (refusal)
        refuse(client, frame, code, "%s", refusal);
    else if (owner->draining)
        refuse(client, frame, CODE_UNAVAILABLE, "the daemon drains; open a new connection");
    else if (!whole)
        refuse(client, frame, CODE_RESOURCE_EXHAUSTED,
               "a message of %zu bytes is larger than max_message, %u", frame->body_size,
               owner->conf->limits.max_message);
    else if (HASH_COUNT(plain->requests) >= FRONT_PLAIN_REQUESTS_MAX)
        refuse(client, frame, CODE_RESOURCE_EXHAUSTED,
               "%u requests are under way on this connection already", FRONT_PLAIN_REQUESTS_MAX);
    else
        submit(client, frame);
}

static void take_cancel(struct client *client, uint32_t id)
{
    struct plain_request *request = find(client_front(client), id);
    if (request)
        router_end(&request->request, CODE_CANCELLED, "cancelled by the client");
}

static void take_frame(struct client *client, const struct frame *frame, bool whole)
{
    client_message_ended(client);
    switch (frame->type) {
    case FRAME_REQUEST:
        take_request(client, frame, whole);
        return;
    case FRAME_CANCEL:
        take_cancel(client, frame->id);
        return;
    default:
        send_pong(client, frame->id);
    }
}

/* Any frame may end the connection, and with it the front's part. */
static void plain_input(struct client *client, struct span bytes)
{
    struct plain *plain;
    while (bytes.length > 0 && (plain = client_front(client))) {
        struct frame frame;
        enum frame_read read = frame_reader_take(&plain->reader, &bytes, &frame);
        if (read == FRAME_READ_MORE) {
            if (plain->arrived == 0 && frame_reader_busy(&plain->reader))
                plain->arrived = clock_now();
            return;
        }
        if (read == FRAME_READ_SKIPPED) {
            plain->arrived = 0;
            client_message_ended(client);
            continue;
        }
        if (read == FRAME_READ_BROKEN) {
            broken(client, frame_reader_fault(&plain->reader));
            return;
        }
        take_frame(client, &frame, read == FRAME_READ_WHOLE);
        blob_unref(frame.payload);
        if ((plain = client_front(client)))
            plain->arrived = 0;
    }
}

static bool plain_in_message(const struct client *client)
{
    const struct plain *plain = client_front(client);
    return frame_reader_busy(&plain->reader);
}

static bool plain_busy(const struct client *client)
{
    const struct plain *plain = client_front(client);
    return plain->requests != NULL;
}

static void plain_open(struct client *client)
{
    struct plain *plain = calloc(1, sizeof(*plain));
    if (!plain)
        abort();
    frame_reader_init(&plain->reader, client_owner(client)->conf->limits.max_message);
    client_set_front(client, plain);
}

static void plain_close(struct client *client)
{
    struct plain *plain = client_front(client);
    struct plain_request *request;
    while ((request = plain->requests)) { /* dropping one may end others */
        router_drop(&request->request);
        request_free(plain, request);
    }
    frame_reader_clear(&plain->reader);
    seen_clear(&plain->seen);
    free(plain);
}

const struct front front_plain = {
    .open = plain_open,
    .input = plain_input,
    .in_message = plain_in_message,
    .busy = plain_busy,
    .probe = plain_probe,
    .drain = plain_drain,
    .goaway = plain_goaway,
    .close = plain_close,
};
