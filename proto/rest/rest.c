/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "proto/rest/put.h"

static int compare(const void *key, const void *row)
{
    const struct span *path = key;
    const struct rest_route *route = row;
    struct span known = span_text(route->path);
    size_t both = path->length < known.length ? path->length : known.length;
    int order = memcmp(path->at, known.at, both);
    return order != 0 ? order : (path->length > both) - (known.length > both);
}

const struct rest_route *rest_find(struct span path)
{
    size_t count;
    const struct rest_route *routes = rest_routes(&count);
    return path.length == 0 ? NULL : bsearch(&path, routes, count, sizeof(*routes), compare);
}

const char *rest_route_path(const struct rest_route *route)
{
    return route->path;
}

enum rpc_class rest_route_class(const struct rest_route *route)
{
    return route->method ? rpc_find(span_text(route->method))->class : route->class;
}

bool rest_has(const struct rest *rest, const char *key, struct jvalue *ret_value)
{
    const struct jindex *index = &rest->index;
    if (index->count > JINDEX_MAX)
        return rest_member(rest->body, key, ret_value);
    for (size_t i = index->count; i > 0; i--) {
        struct jvalue value = index->members[i - 1].value;
        if (!jstring_is(index->members[i - 1].key, key))
            continue;
        if (jvalue_kind(value) == J_NULL)
            return false;
        *ret_value = value;
        return true;
    }
    return false;
}

bool rest_finds(const struct rest *rest, struct jvalue object, const char *key,
                struct jvalue *ret_value)
{
    return object.at == rest->body.at ? rest_has(rest, key, ret_value)
                                      : rest_member(object, key, ret_value);
}

static bool is_object(struct rest *rest)
{
    struct span text = blob_span(rest->question.body);
    struct jfault fault;
    if (text.length == 0)
        rest_fail(rest, REST_NOT_JSON, "the body is empty; {} is the least");
    else if (!jvalue_check_members(text, JVALUE_DEPTH, &rest->body, &rest->index, &fault))
        rest_fail(rest, REST_NOT_JSON, "the body is no JSON: at byte %zu: %s", fault.offset,
                  fault.what);
    else if (jvalue_kind(rest->body) != J_OBJECT)
        rest_fail(rest, REST_NOT_JSON, "the body: %s where an object is wanted",
                  jvalue_kind_name(rest->body));
    return rest->state != REST_DONE;
}

/* Every route may name a database, and who runs the calls reads it before any plan does. */
static bool read_body(struct rest *rest)
{
    struct jvalue database;
    if (!is_object(rest))
        return false;
    if (!rest_has(rest, "dbName", &database) || jvalue_kind(database) == J_STRING)
        return true;
    rest_fail(rest, REST_PARAMETER_INVALID, "dbName: %s where a string is wanted",
              jvalue_kind_name(database));
    return false;
}

static struct span database_of(struct rest *rest)
{
    struct jvalue value;
    if (!rest_has(rest, "dbName", &value))
        return span_of(NULL, 0);
    return jstring_text(jvalue_string(value), &rest->scratch);
}

/* Which database the upstream has in its place is said beside the body. */
static struct blob *body_without_database(const struct rest *rest)
{
    struct buffer body = {0};
    struct jwriter writer = {.to = &body};
    struct jiter members = jvalue_iterate(rest->body);
    struct jstring key;
    struct jvalue value;
    jwriter_object(&writer);
    while (jiter_member(&members, &key, &value)) {
        if (jstring_is(key, "dbName"))
            continue;
        jwriter_raw_key(&writer, key.raw);
        jwriter_raw(&writer, jvalue_text(value));
    }
    jwriter_object_end(&writer);
    return buffer_take(&body);
}

static void forward(struct rest *rest)
{
    rest->state = REST_FORWARD;
    rest->next.forward =
        (struct rest_forward){.database = database_of(rest), .body = body_without_database(rest)};
}

struct rest *rest_new(const struct rest_question *question)
{
    struct rest *rest = calloc(1, sizeof(*rest));
    if (!rest)
        abort();
    rest->route = question->route;
    rest->question = *question;
    blob_ref(question->body);
    rest->state = REST_CALL;
    if (!read_body(rest))
        return rest;
    if (rest->route->plan) {
        rest->route->plan(rest, NULL);
        return rest;
    }
    forward(rest);
    return rest;
}

void rest_free(struct rest *rest)
{
    if (!rest)
        return;
    if (rest->state == REST_CALL)
        blob_unref(rest->next.call.message);
    if (rest->state == REST_FORWARD)
        blob_unref(rest->next.forward.body);
    if (rest->state == REST_DONE)
        blob_unref(rest->next.answer.body);
    if (rest->free_own)
        rest->free_own(rest->own);
    buffer_clear(&rest->scratch);
    buffer_clear(&rest->answer);
    blob_unref(rest->question.body);
    free(rest);
}

enum rest_step rest_next(struct rest *rest, union rest_next *ret_next)
{
    *ret_next = rest->next;
    return rest->state;
}

void rest_ask(struct rest *rest, const char *method, struct buffer *message)
{
    rest->state = REST_CALL;
    rest->soft = false;
    rest->step++;
    rest->next.call = (struct rest_call){.method = method, .message = buffer_take(message)};
}

void rest_ask_softly(struct rest *rest, const char *method, struct buffer *message)
{
    rest_ask(rest, method, message);
    rest->soft = true;
}

void rest_take(struct rest *rest, const struct rest_reply *reply)
{
    assert(rest->state == REST_CALL);
    struct blob *message = rest->next.call.message;
    rest->next.call.message = NULL;
    if (rest->soft || !rest_failed(rest, reply, NULL, NULL))
        rest->route->plan(rest, reply);
    else
        rest_fail_as(rest, reply);
    assert(rest->state != REST_CALL || rest->next.call.message);
    blob_unref(message);
}

void rest_put_database(struct rest *rest, struct buffer *message, uint32_t number)
{
    struct span database = database_of(rest);
    if (database.length > 0)
        buffer_put_bytes(message, number, database);
}
