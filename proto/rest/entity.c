/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rest/entity.h"

#include <stdio.h>
#include <stdlib.h>

#include "milvus/common.pb-c.h"
#include "proto/number.h"
#include "proto/rest/index.h"
#include "proto/rest/print.h"
#include "proto/wire.h"

#define LITE_ILLEGAL_ARGUMENT 6

struct entity {
    struct buffer front; /* of the request: the fields of the route's shape */
    uint64_t hash;       /* of the schema that it was made with */
    bool is_calling;     /* not describing */
    bool is_again;
    struct rest_answer first; /* how the first try ended, while it is not the last */
};

static void free_entity(void *own)
{
    struct entity *entity = own;
    buffer_clear(&entity->front);
    blob_unref(entity->first.body);
    free(entity);
}

static struct entity *new_entity(struct rest *rest)
{
    struct entity *entity = calloc(1, sizeof(*entity));
    if (!entity)
        abort();
    rest->own = entity;
    rest->free_own = free_entity;
    return entity;
}

static void describe(struct rest *rest)
{
    struct entity *entity = rest->own;
    struct buffer message = {0};
    rest_put_collection(rest, &message);
    entity->is_calling = false;
    if (!entity->is_again) {
        rest_ask(rest, "DescribeCollection", &message);
        return;
    }
    rest_ask_softly(rest, "DescribeCollection", &message);
    rest_ask_fresh(rest);
}

/* The answer that was just given may be a stale schema's fault. */
static void try_again(struct rest *rest)
{
    struct entity *entity = rest->own;
    if (entity->is_again)
        return;
    entity->is_again = true;
    entity->first = rest->next.answer;
    describe(rest);
}

static void answer_as_first(struct rest *rest)
{
    struct entity *entity = rest->own;
    rest->state = REST_DONE;
    rest->next.answer = entity->first;
    entity->first = (struct rest_answer){0};
}

static void make_call(struct rest *rest, const struct schema *schema,
                      const struct entity_call *call)
{
    struct entity *entity = rest->own;
    struct buffer message = {0};
    buffer_add(&message, buffer_span(&entity->front));
    entity->hash = schema->hash;
    if (!call->build(rest, schema, &message)) {
        buffer_clear(&message);
        try_again(rest);
        return;
    }
    entity->is_calling = true;
    rest_ask_softly(rest, rest->route->method, &message);
}

static void take_schema(struct rest *rest, struct span description, const struct entity_call *call)
{
    struct entity *entity = rest->own;
    struct schema schema;
    if (!schema_read(description, &schema)) {
        rest_fail(rest, REST_UNEXPECTED,
                  "milvus-bouncer: the collection's description is malformed");
        return;
    }
    if (entity->is_again && schema.hash == entity->hash)
        answer_as_first(rest);
    else
        make_call(rest, &schema, call);
    schema_clear(&schema);
}

/* What Milvus says where a request does not fit the collection that it has, and Milvus Lite. Of a
 * filter on a field that is gone Milvus 2.3 says that it did not expect that. */
static bool may_be_stale(int32_t code, const struct entity_call *call)
{
    return code == REST_COLLECTION_NOT_FOUND || code == REST_SCHEMA_MISMATCH ||
           code == REST_PARAMETER_INVALID || code == LITE_ILLEGAL_ARGUMENT ||
           (code == REST_UNEXPECTED && call->is_read);
}

static void take_reply(struct rest *rest, const struct rest_reply *reply,
                       const struct entity_call *call)
{
    int32_t code;
    if (!rest_failed(rest, reply, &code, NULL)) {
        call->answer(rest, reply->reply);
        return;
    }
    rest_fail_as(rest, reply);
    if (reply->code == CODE_OK && may_be_stale(code, call))
        try_again(rest);
}

static bool begin(struct rest *rest, const struct entity_call *call)
{
    struct entity *entity = new_entity(rest);
    struct jvalue value;
    if (!rest_put_fields(rest, rest->body, rest->route->request, NULL, &entity->front))
        return false;
    if (rest_has(rest, call->needed, &value))
        return true;
    rest_fail(rest, REST_MISSING, "%s: a required field, and missing", call->needed);
    return false;
}

void entity_run(struct rest *rest, const struct rest_reply *reply, const struct entity_call *call)
{
    struct entity *entity = rest->own;
    if (!reply) {
        if (begin(rest, call))
            describe(rest);
    } else if (entity->is_calling) {
        take_reply(rest, reply, call);
    } else if (!rest_failed(rest, reply, NULL, NULL)) {
        take_schema(rest, reply->reply, call);
    } else if (reply->code == CODE_OK) {
        rest_fail_as(rest, reply); /* what the fresh description says of the collection */
    } else {
        answer_as_first(rest);
    }
}

void entity_ask(struct rest *rest, bool (*build)(struct rest *rest, const struct schema *schema,
                                                 struct buffer *message))
{
    struct buffer message = {0};
    if (rest_put_fields(rest, rest->body, rest->route->request, NULL, &message) &&
        build(rest, NULL, &message))
        rest_ask(rest, rest->route->method, &message);
    buffer_clear(&message);
}

/* ---- what requests and replies have in common ---- */

static int64_t read_digits(struct span text)
{
    int64_t number = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.at[i] < '0' || text.at[i] > '9' || number > INT32_MAX)
            return 0;
        number = number * 10 + text.at[i] - '0';
    }
    return number;
}

int64_t entity_cost(struct span reply)
{
    struct span cost;
    bool good = rest_pair(reply, REST_PATH(MutationResult_status, Status_extra_info),
                          "report_value", &cost);
    return good ? read_digits(cost) : 0;
}

void entity_malformed(struct rest *rest, struct span column, const char *what)
{
    rest_fail(rest, REST_INVALID_RESULT, "the upstream's reply: %.*s%s%s",
              SPAN_ARGS(span_cut(column, REST_PLACE_MAX)), column.length > 0 ? ": " : "", what);
}

bool entity_number(struct rest *rest, struct jvalue object, const struct rest_place *outer,
                   const char *key, int64_t otherwise, int64_t *ret_number)
{
    struct rest_place place = rest_place_key(outer, key);
    struct jvalue value;
    *ret_number = otherwise;
    return !rest_finds(rest, object, key, &value) ||
           rest_int(rest, value, &place, 0, INT32_MAX, ret_number);
}

bool entity_put_consistency(struct rest *rest, uint32_t level, uint32_t use_default,
                            struct buffer *message)
{
    struct rest_place place = rest_place_key(NULL, "consistencyLevel");
    struct jvalue value;
    struct span text;
    int number = MILVUS__PROTO__COMMON__CONSISTENCY_LEVEL__Bounded;
    if (!rest_text(rest, rest->body, NULL, "consistencyLevel", "", &text))
        return false;
    if (text.length == 0)
        buffer_put_varint(message, use_default, 1);
    else if (!rest_has(rest, "consistencyLevel", &value) ||
             !rest_word(rest, value, &place, &milvus__proto__common__consistency_level__descriptor,
                        &number))
        return false;
    buffer_put_varint(message, level, (uint64_t)number);
    return true;
}

void entity_put_number(struct buffer *message, uint32_t number, const char *key, int64_t value)
{
    char text[NUMBER_MAX];
    size_t length = number_print_int64(text, value);
    rest_put_pair(message, number, span_text(key), span_of(text, length));
}
