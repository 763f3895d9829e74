/* SPDX-License-Identifier: Apache-2.0 */
/* What alters a schema and takes more than a row says. */
#include "proto/rest/index.h"
#include "proto/rest/numbers.h"
#include "proto/rest/plans.h"

/* Numbers in AlterCollectionSchemaRequest's Action, AddRequest and FieldInfo. */
enum { ACTION_ADD = 1, ADD_FIELD_INFO = 1, INFO_PARAMS = 3 };

void rest_drop_field(struct rest *rest, const struct rest_reply *reply)
{
    struct rest_place place = rest_place_key(NULL, "fieldName");
    struct jvalue value;
    if (reply)
        rest_answer_row(rest, reply->reply);
    else if (rest_has(rest, "fieldName", &value) == rest_has(rest, "fieldId", &value))
        rest_wrong(rest, REST_PARAMETER_INVALID, &place, "either it or fieldId is wanted");
    else
        rest_ask_row(rest);
}

/* The index is of the field that is added, whatever it is called. */
static bool check_name(struct rest *rest, struct jvalue index, const struct rest_place *outer)
{
    struct rest_place place = rest_place_key(outer, "fieldName");
    struct jvalue field;
    struct jvalue name;
    struct jvalue wanted;
    if (!rest_member(index, "fieldName", &name))
        return rest_missing(rest, &place);
    rest_has(rest, "outputField", &field);
    rest_member(field, "fieldName", &wanted);
    if (!rest_is(rest, &place, name, J_STRING))
        return false;
    struct blob *text = blob_copy(rest_json_text(rest, name));
    bool same = text && span_equal(blob_span(text), rest_json_text(rest, wanted));
    blob_unref(text);
    return same || rest_wrong(rest, REST_PARAMETER_INVALID, &place, "not outputField.fieldName");
}

static bool put_info(struct rest *rest, struct buffer *info)
{
    struct rest_place place = rest_place_key(NULL, "indexParams");
    struct jvalue index;
    if (!rest_put_fields(rest, rest->body, &rest_shape_output_field, NULL, info))
        return false;
    if (!rest_has(rest, "indexParams", &index))
        return true;
    return rest_is(rest, &place, index, J_OBJECT) && check_name(rest, index, &place) &&
           rest_put_fields(rest, index, &rest_shape_output_index, &place, info) &&
           rest_put_index_params(rest, index, &place, INFO_PARAMS, info);
}

static bool put_add(struct rest *rest, struct buffer *add)
{
    struct buffer info = {0};
    if (!put_info(rest, &info)) {
        buffer_clear(&info);
        return false;
    }
    rest_put_message(add, ADD_FIELD_INFO, &info);
    return rest_put_fields(rest, rest->body, &rest_shape_output_function, NULL, add);
}

static void ask_add(struct rest *rest)
{
    struct buffer message = {0};
    struct buffer add = {0};
    struct buffer action = {0};
    if (!rest_put_request(rest, &message))
        return;
    if (!put_add(rest, &add)) {
        buffer_clear(&message);
        buffer_clear(&add);
        return;
    }
    rest_put_message(&action, ACTION_ADD, &add);
    rest_put_message(&message, AlterCollectionSchemaRequest_action, &action);
    rest_ask(rest, rest->route->method, &message);
}

void rest_add_function_field(struct rest *rest, const struct rest_reply *reply)
{
    if (reply)
        rest_answer_row(rest, reply->reply);
    else
        ask_add(rest);
}
