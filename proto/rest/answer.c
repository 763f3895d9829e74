/* SPDX-License-Identifier: Apache-2.0 */
/* How requests over REST end: {"code": …, "message": …, "data": …}. */
#include <stdarg.h>
#include <stdio.h>

#include "proto/rest/state.h"

#define MESSAGE_MAX 1024

static void put_member(struct jwriter *writer, const char *key, struct span text)
{
    jwriter_key(writer, span_text(key));
    jwriter_text(writer, text);
}

struct blob *rest_error(int32_t code, struct span message)
{
    struct buffer buffer = {0};
    struct jwriter writer = {.to = &buffer};
    jwriter_object(&writer);
    jwriter_key(&writer, span_text("code"));
    jwriter_int(&writer, code);
    put_member(&writer, "message", message);
    jwriter_object_end(&writer);
    return buffer_take(&buffer);
}

/* Where a call is under way, its message belongs to rest_take(). */
static void end(struct rest *rest, unsigned status, struct blob *body)
{
    rest->state = REST_DONE;
    rest->next.answer = (struct rest_answer){.body = body, .status = status};
}

void rest_fail(struct rest *rest, int32_t code, const char *format, ...)
{
    char text[MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    end(rest, 200, rest_error(code, span_text(text)));
}

/* What older servers say alone: the code that each became (pkg/util/merr). */
static int32_t code_of_legacy(uint32_t legacy)
{
    switch (legacy) {
    case 4: /* CollectionNotExists */
        return REST_COLLECTION_NOT_FOUND;
    case 48: /* ForceDeny: the quota is used up */
        return 9;
    case 49: /* RateLimit */
        return 8;
    case 62: /* SchemaMismatch */
        return REST_SCHEMA_MISMATCH;
    default:
        return REST_UNEXPECTED;
    }
}

static int32_t code_of(const struct wire_status *status)
{
    return status->code != 0 ? (int32_t)status->code : code_of_legacy(status->legacy);
}

bool rest_failed(const struct rest *rest, const struct rest_reply *reply, int32_t *ret_code,
                 struct span *ret_message)
{
    const struct rpc *rpc = rpc_find(span_text(rest->next.call.method));
    struct wire_status status = {0};
    int32_t code = 0;
    struct span message = reply->message;
    if (reply->code != CODE_OK) {
        code = rest_error_code(reply->code);
    } else if (!rpc_read_status(rpc, reply->reply, &status)) {
        code = REST_UNEXPECTED;
        message = span_text("milvus-bouncer: the upstream's reply is malformed");
    } else if (status.code != 0 || status.legacy != 0) {
        code = code_of(&status);
        message = status.reason;
    }
    if (ret_code)
        *ret_code = code;
    if (ret_message)
        *ret_message = message;
    return code != 0;
}

void rest_fail_as(struct rest *rest, const struct rest_reply *reply)
{
    int32_t code;
    struct span message;
    rest_failed(rest, reply, &code, &message);
    unsigned status = reply->code == CODE_OK ? 200 : rest_error_status(reply->code);
    end(rest, status, rest_error(code, message));
}

struct jwriter rest_answer(struct rest *rest, int64_t cost)
{
    buffer_clear(&rest->answer);
    struct jwriter writer = {.to = &rest->answer};
    jwriter_object(&writer);
    jwriter_key(&writer, span_text("code"));
    jwriter_int(&writer, REST_SUCCESS);
    if (cost >= 0) {
        jwriter_key(&writer, span_text("cost"));
        jwriter_int(&writer, cost);
    }
    jwriter_key(&writer, span_text("data"));
    return writer;
}

void rest_answered(struct rest *rest, struct jwriter *writer)
{
    jwriter_object_end(writer);
    end(rest, 200, buffer_take(&rest->answer));
}

void rest_answer_empty(struct rest *rest)
{
    struct jwriter writer = rest_answer(rest, -1);
    jwriter_object(&writer);
    jwriter_object_end(&writer);
    rest_answered(rest, &writer);
}

void rest_int64(const struct rest *rest, struct jwriter *writer, int64_t value)
{
    if (rest->question.allow_int64)
        jwriter_int(writer, value);
    else
        jwriter_int_text(writer, value);
}

int32_t rest_error_code(enum code code)
{
    switch (code) {
    case CODE_UNAUTHENTICATED:
        return REST_NEEDS_AUTHENTICATION;
    case CODE_DEADLINE_EXCEEDED:
        return REST_TIMEOUT;
    default:
        return (int32_t)code;
    }
}

unsigned rest_error_status(enum code code)
{
    switch (code) {
    case CODE_INVALID_ARGUMENT:
        return 400;
    case CODE_UNAUTHENTICATED:
        return 401;
    case CODE_PERMISSION_DENIED:
        return 403;
    case CODE_DEADLINE_EXCEEDED:
        return 408;
    case CODE_RESOURCE_EXHAUSTED:
        return 429;
    case CODE_UNIMPLEMENTED:
        return 501;
    case CODE_UNAVAILABLE:
        return 503;
    default:
        return 500;
    }
}
