/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/search.h"

#include <stdlib.h>

#include "proto/vectors.h"
#include "proto/wire.h"

/* Fields of SearchRequest. */
#define PLACEHOLDER_GROUP 6
#define SEARCH_PARAMS     9
#define NQ                12
#define BY_PRIMARY_KEYS   16

/* Of each field that is known to be harmless, how it is written. 0: not known. */
static const uint8_t known[] = {
    [1] = 1 << WIRE_BYTES, /* base */
    [2] = 1 << WIRE_BYTES, /* db_name */
    [3] = 1 << WIRE_BYTES, /* collection_name */
    [4] = 1 << WIRE_BYTES, /* partition_names */
    [5] = 1 << WIRE_BYTES, /* dsl */
    [PLACEHOLDER_GROUP] = 1 << WIRE_BYTES,
    [7] = 1 << WIRE_VARINT, /* dsl_type */
    [8] = 1 << WIRE_BYTES,  /* output_fields */
    [SEARCH_PARAMS] = 1 << WIRE_BYTES,
    [10] = 1 << WIRE_VARINT, /* travel_timestamp */
    [11] = 1 << WIRE_VARINT, /* guarantee_timestamp */
    [NQ] = 1 << WIRE_VARINT,
    [13] = 1 << WIRE_VARINT, /* not_return_all_meta */
    [14] = 1 << WIRE_VARINT, /* consistency_level */
    [15] = 1 << WIRE_VARINT, /* use_default_consistency */
    [BY_PRIMARY_KEYS] = 1 << WIRE_VARINT,
    [18] = 1 << WIRE_BYTES, /* expr_template_values */
};

/* search_params that concern each vector by itself. */
static const char *const harmless[] = {
    "anns_field",   "params", "metric_type", "round_decimal", "ignore_growing",    "radius",
    "range_filter", "ef",     "nprobe",      "search_list",   "drop_ratio_search",
};

/* What is read of a request. */
struct reading {
    struct span group; /* the content of placeholder_group */
    uint32_t groups;   /* how often that stands */
    uint64_t nq;
    uint64_t topk;
    uint64_t offset;
    struct vectors vectors;
};

static bool read_number(struct span text, uint64_t *ret_number)
{
    uint64_t number = 0;
    if (text.length == 0 || text.length > 9)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        number = number * 10 + (text.at[i] - '0');
    }
    *ret_number = number;
    return true;
}

static bool is_harmless(struct span key)
{
    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
        if (span_is(key, harmless[i]))
            return true;
    }
    return false;
}

/* One KeyValuePair. */
static bool read_param(struct reading *reading, struct span pair)
{
    struct span key = {0};
    struct span value = {0};
    struct wire_field field;
    enum wire_read read;
    while ((read = wire_next(&pair, &field)) == WIRE_FIELD) {
        if (field.type != WIRE_BYTES || field.number > 2)
            return false;
        *(field.number == 1 ? &key : &value) = field.bytes;
    }
    if (read == WIRE_MALFORMED)
        return false;
    if (span_is(key, "topk"))
        return read_number(value, &reading->topk);
    if (span_is(key, "offset"))
        return read_number(value, &reading->offset);
    return is_harmless(key);
}

static bool is_known(const struct wire_field *field)
{
    return field->number < sizeof(known) && (known[field->number] & 1 << field->type);
}

static bool read_field(struct reading *reading, const struct wire_field *field)
{
    if (!is_known(field))
        return false;
    if (field->number == PLACEHOLDER_GROUP) {
        reading->group = field->bytes;
        return reading->groups++ == 0;
    }
    if (field->number == SEARCH_PARAMS)
        return read_param(reading, field->bytes);
    if (field->number == NQ)
        reading->nq = field->value;
    return field->number != BY_PRIMARY_KEYS || field->value == 0;
}

static bool read_request(struct reading *reading, struct span body)
{
    struct wire_field field;
    enum wire_read read;
    while ((read = wire_next(&body, &field)) == WIRE_FIELD) {
        if (!read_field(reading, &field))
            return false;
    }
    return read == WIRE_END && reading->groups == 1 && reading->topk > 0 &&
           vectors_read(reading->group, &reading->vectors) && reading->vectors.count == reading->nq;
}

/* The request without its vectors and their number. */
static void append_rest(struct blob *to, struct span body)
{
    struct wire_field field;
    for (struct span rest = body; wire_next(&rest, &field) == WIRE_FIELD; body = rest) {
        if (field.number != PLACEHOLDER_GROUP && field.number != NQ)
            blob_append(to, span_of(body.at, body.length - rest.length));
    }
}

/* Numbers that say what follows; extra; tag; rest of the request. */
static void make_shape(struct search *search, const struct reading *reading, struct span body,
                       struct span tail, struct span extra)
{
    const struct vectors *vectors = &reading->vectors;
    const uint32_t numbers[] = {(uint32_t)extra.length, (uint32_t)vectors->tag.length,
                                vectors->type, (uint32_t)vectors->size};
    size_t head = sizeof(numbers) + extra.length + vectors->tag.length;
    struct blob *shape = blob_new(head + body.length - reading->group.length + tail.length);
    if (!shape)
        abort();
    shape->size = 0;
    blob_append(shape, span_of(numbers, sizeof(numbers)));
    blob_append(shape, extra);
    blob_append(shape, vectors->tag);
    append_rest(shape, body);
    blob_append(shape, tail);
    search->shape = shape;
    search->rest = span_of(shape->data + head, shape->size - head);
}

bool search_read(struct span body, struct span tail, struct span extra, struct search *ret_search)
{
    struct reading reading = {0};
    if (!read_request(&reading, body))
        return false;
    *ret_search = (struct search){
        .type = reading.vectors.type,
        .tag = reading.vectors.tag,
        .vectors = reading.vectors.values,
        .count = (uint32_t)reading.nq,
        .limit = (uint32_t)(reading.topk + reading.offset),
    };
    make_shape(ret_search, &reading, body, tail, extra);
    return true;
}

void search_share_shape(struct search *search, struct blob *shape)
{
    size_t before = search->shape->size - search->rest.length;
    blob_unref(search->shape);
    search->shape = shape;
    search->rest = span_of(shape->data + before, shape->size - before);
}

/* ---- several as one ---- */

/* What stands in PlaceholderValue before the vectors. */
static size_t put_kind(uint8_t *to, const struct search *search)
{
    size_t length = wire_put_head(to, PLACEHOLDER_TAG, search->tag.length);
    if (search->tag.length > 0)
        memcpy(to + length, search->tag.at, search->tag.length);
    length += search->tag.length;
    return length + wire_put_varint(to + length, PLACEHOLDER_TYPE, search->type);
}

struct blob *search_join(const struct search *first, uint32_t count, size_t bytes)
{
    uint8_t kind[VECTORS_TAG_MAX + 2 * WIRE_HEAD_MAX];
    uint8_t heads[3 * WIRE_HEAD_MAX];
    size_t kind_length = put_kind(kind, first);
    size_t value_length = kind_length + bytes;
    size_t inner_length = wire_put_head(heads, PLACEHOLDERS, value_length);
    size_t length = wire_put_varint(heads, NQ, count);
    length += wire_put_head(heads + length, PLACEHOLDER_GROUP, inner_length + value_length);
    length += wire_put_head(heads + length, PLACEHOLDERS, value_length);
    struct blob *joined = blob_new(first->rest.length + length + value_length);
    if (!joined)
        abort();
    joined->size = 0;
    blob_append(joined, first->rest);
    blob_append(joined, span_of(heads, length));
    blob_append(joined, span_of(kind, kind_length));
    return joined;
}

void search_join_add(struct blob *joined, const struct search *search)
{
    blob_append(joined, search->vectors);
}
