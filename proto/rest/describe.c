/* SPDX-License-Identifier: Apache-2.0 */
/*
 * collections/describe: the description, and of three more calls whether it is loaded, the index of
 * its first vector and its aliases. Where one of these fails, the answer is without and its message
 * says why.
 */
#include <stdlib.h>

#include "proto/rest/index.h"
#include "proto/rest/numbers.h"
#include "proto/rest/plans.h"
#include "proto/rest/print.h"
#include "proto/rest/schema.h"

/* The calls, by rest->step. */
enum { COLLECTION = 1, LOAD, INDEXES, ALIASES, CALLS };

struct description {
    struct blob *replies[CALLS]; /* of those that failed NULL */
    struct buffer errors;        /* theirs, with "; " between */
};

static void free_description(void *own)
{
    struct description *description = own;
    for (size_t i = 0; i < CALLS; i++)
        blob_unref(description->replies[i]);
    buffer_clear(&description->errors);
    free(description);
}

static void start(struct rest *rest)
{
    rest->own = calloc(1, sizeof(struct description));
    if (!rest->own)
        abort();
    rest->free_own = free_description;
    if (rest_ask_row(rest))
        rest_ask_fresh(rest);
}

static void keep(struct rest *rest, const struct rest_reply *reply)
{
    struct description *description = rest->own;
    struct span why;
    if (!rest_failed(rest, reply, NULL, &why)) {
        description->replies[rest->step] = blob_copy(reply->reply);
        return;
    }
    if (description->errors.size > 0)
        buffer_add(&description->errors, span_text("; "));
    buffer_add(&description->errors, why);
}

static struct span reply_of(const struct rest *rest, unsigned call)
{
    const struct description *description = rest->own;
    return blob_span(description->replies[call]);
}

/* ---- what the schema's fields say ---- */

struct known {
    bool auto_id;       /* of the primary key */
    struct span vector; /* the first one's name */
};

/* What is malformed is found when all is printed. */
static struct known read_known(const struct rest *rest)
{
    struct known known = {0};
    struct schema schema;
    if (!schema_read(reply_of(rest, COLLECTION), &schema))
        return known;
    for (size_t i = schema.count; i > 0; i--) {
        if (schema_is_vector(&schema.fields[i - 1]))
            known.vector = schema.fields[i - 1].name;
    }
    const struct schema_field *primary = schema_primary(&schema);
    known.auto_id = primary && primary->is_auto;
    schema_clear(&schema);
    return known;
}

/* ---- the calls ---- */

static void ask_load(struct rest *rest)
{
    struct buffer message = {0};
    struct jvalue collection;
    if (rest_has(rest, "collectionName", &collection))
        buffer_put_bytes(&message, GetLoadStateRequest_collection_name,
                         rest_json_text(rest, collection));
    rest_put_database(rest, &message, GetLoadStateRequest_db_name);
    rest_ask_softly(rest, "GetLoadState", &message);
}

static void ask_indexes(struct rest *rest)
{
    struct buffer message = {0};
    struct span vector = read_known(rest).vector;
    rest_put_collection(rest, &message);
    if (vector.length > 0)
        buffer_put_bytes(&message, DescribeIndexRequest_field_name, vector);
    rest_ask_softly(rest, "DescribeIndex", &message);
}

static void ask_aliases(struct rest *rest)
{
    struct buffer message = {0};
    rest_put_collection(rest, &message);
    rest_ask_softly(rest, "ListAliases", &message);
}

/* Without a reply: the empty value. A failed load state is no state's word. */
static bool print_load(const struct rest *rest, struct jwriter *writer)
{
    const struct description *description = rest->own;
    if (description->replies[LOAD])
        return rest_print_fields(reply_of(rest, LOAD), &rest_shape_described_load, writer);
    jwriter_key(writer, span_text("load"));
    jwriter_text(writer, span_text(""));
    return true;
}

static bool print_all(const struct rest *rest, struct jwriter *writer)
{
    jwriter_object(writer);
    bool good = rest_print_fields(reply_of(rest, COLLECTION), rest->route->field.shape, writer) &&
                print_load(rest, writer) &&
                rest_print_fields(reply_of(rest, INDEXES), &rest_shape_described_indexes, writer) &&
                rest_print_fields(reply_of(rest, ALIASES), &rest_shape_described_aliases, writer);
    jwriter_key(writer, span_text("autoId"));
    jwriter_bool(writer, read_known(rest).auto_id);
    jwriter_object_end(writer);
    return good;
}

static void finish(struct rest *rest)
{
    const struct description *description = rest->own;
    struct jwriter writer = rest_answer(rest, -1);
    bool good = print_all(rest, &writer);
    jwriter_key(&writer, span_text("message"));
    jwriter_text(&writer, buffer_span(&description->errors));
    if (good)
        rest_answered(rest, &writer);
    else
        rest_fail_reply(rest);
}

void rest_describe_collection(struct rest *rest, const struct rest_reply *reply)
{
    if (!reply) {
        start(rest);
        return;
    }
    keep(rest, reply);
    switch (rest->step) {
    case COLLECTION:
        ask_load(rest);
        return;
    case LOAD:
        ask_indexes(rest);
        return;
    case INDEXES:
        ask_aliases(rest);
        return;
    default:
        finish(rest);
        return;
    }
}
