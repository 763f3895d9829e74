/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rest/index.h"

#include "proto/rest/later.h"
#include "proto/rest/numbers.h"
#include "proto/rest/plans.h"

#define INDEX_NOT_FOUND 700 /* pkg/util/merr */

void rest_put_collection(struct rest *rest, struct buffer *message)
{
    struct jvalue collection;
    rest_put_database(rest, message, CreateIndexRequest_db_name);
    if (rest_has(rest, "collectionName", &collection))
        buffer_put_bytes(message, CreateIndexRequest_collection_name,
                         rest_json_text(rest, collection));
}

/* A pair of the object's member, or of `otherwise`; NULL: no pair. */
static bool put_word(struct rest *rest, struct jvalue index, const struct rest_place *place,
                     const char *key, const char *otherwise, const char *name, uint32_t number,
                     struct buffer *message)
{
    struct span word;
    if (!rest_text(rest, index, place, key, otherwise, &word))
        return false;
    if (word.length > 0)
        rest_put_pair(message, number, span_text(name), word);
    return true;
}

/* Milvus Lite wants a type always; params may name it, too. */
static bool put_type(struct rest *rest, struct jvalue index, struct jvalue params, bool has_params,
                     const struct rest_place *place, uint32_t number, struct buffer *message)
{
    struct rest_place params_place = rest_place_key(place, "params");
    struct jvalue type;
    if (!rest_member(index, "indexType", &type) && has_params)
        return put_word(rest, params, &params_place, REST_INDEX_TYPE, REST_INDEX_DEFAULT,
                        REST_INDEX_TYPE, number, message);
    return put_word(rest, index, place, "indexType", REST_INDEX_DEFAULT, REST_INDEX_TYPE, number,
                    message);
}

bool rest_put_index_params(struct rest *rest, struct jvalue index, const struct rest_place *place,
                           uint32_t number, struct buffer *message)
{
    struct rest_place params_place = rest_place_key(place, "params");
    struct jvalue params = {0};
    bool has_params = rest_member(index, "params", &params);
    if (has_params && !rest_is(rest, &params_place, params, J_OBJECT))
        return false;
    if (!put_type(rest, index, params, has_params, place, number, message) ||
        !put_word(rest, index, place, "metricType", NULL, REST_METRIC_TYPE, number, message))
        return false;
    if (has_params && jvalue_count(params) > 0)
        rest_put_pair(message, number, span_text("params"), jvalue_text(params));
    return true;
}

static bool put_index(struct rest *rest, struct jvalue index, const struct rest_place *place,
                      struct buffer *message)
{
    if (!rest_is(rest, place, index, J_OBJECT))
        return false;
    rest_put_collection(rest, message);
    return rest_put_fields(rest, index, &rest_shape_index_param, place, message) &&
           rest_put_index_params(rest, index, place, CreateIndexRequest_extra_params, message);
}

bool rest_later_indexes(struct rest *rest, struct jvalue indexes)
{
    struct rest_place array = rest_place_key(NULL, "indexParams");
    struct jvalue index;
    if (!rest_is_list(rest, &array, indexes, REST_FIELDS_MAX))
        return false;
    struct jiter elements = jvalue_iterate(indexes);
    for (size_t i = 0; jiter_element(&elements, &index); i++) {
        struct rest_place place = rest_place_element(&array, i);
        struct buffer message = {0};
        if (!put_index(rest, index, &place, &message)) {
            buffer_clear(&message);
            return false;
        }
        rest_later(rest, "CreateIndex", &message);
    }
    return true;
}

/* The row's request is each index's first half: made here to refuse what it refuses. */
static bool prepare(struct rest *rest)
{
    struct rest_place place = rest_place_key(NULL, "indexParams");
    struct buffer message = {0};
    struct jvalue indexes;
    if (!rest_put_request(rest, &message))
        return false;
    buffer_clear(&message);
    if (!rest_has(rest, "indexParams", &indexes))
        return rest_missing(rest, &place);
    return rest_later_indexes(rest, indexes);
}

void rest_create_indexes(struct rest *rest, const struct rest_reply *reply)
{
    if (!reply && !prepare(rest))
        return;
    if (!rest_ask_later(rest))
        rest_answer_empty(rest);
}

/* A collection without an index is none that fails. */
void rest_list_indexes(struct rest *rest, const struct rest_reply *reply)
{
    int32_t code;
    if (!reply) {
        if (rest_ask_row(rest))
            rest->soft = true;
    } else if (!rest_failed(rest, reply, &code, NULL)) {
        rest_answer_row(rest, reply->reply);
    } else if (reply->code == CODE_OK && code == INDEX_NOT_FOUND) {
        rest_answer_row(rest, span_of(NULL, 0));
    } else {
        rest_fail_as(rest, reply);
    }
}
