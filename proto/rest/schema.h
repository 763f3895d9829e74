/* SPDX-License-Identifier: Apache-2.0 */
/* What rows must know of a collection, out of milvus.proto.milvus.DescribeCollectionResponse. */
#ifndef PROTO_REST_SCHEMA_H
#define PROTO_REST_SCHEMA_H

#include "proto/rest/numbers.h"
#include "proto/span.h"

struct schema_field {
    int64_t id;
    struct span name;
    uint32_t type;         /* DATA_TYPE() */
    uint32_t element_type; /* of arrays */
    uint32_t dim;          /* of dense vectors */
    bool is_primary;
    bool is_auto;    /* Milvus makes the ids */
    bool is_dynamic; /* holds the keys that have no field */
    bool is_nullable;
    bool has_default;
    bool is_output; /* of a function */
    bool is_text;   /* a function's output that is searched by text (BM25) */
};

struct schema {
    struct schema_field *fields;
    size_t count;
    size_t room;
    bool takes_unknown; /* keys without a field */
    bool takes_auto_id; /* of who makes his ids himself (allow_insert_auto_id) */
    uint64_t hash;      /* of all that is known of it: tells another one */
};

/* Reads a description, whose bytes must stay. False: it is none; otherwise schema_clear() frees. */
bool schema_read(struct span description, struct schema *ret_schema)
    __attribute__((warn_unused_result));

void schema_clear(struct schema *schema);

/* NULL: it has none. */
const struct schema_field *schema_primary(const struct schema *schema);
const struct schema_field *schema_field_named(const struct schema *schema, struct span name);

static inline bool schema_is_vector(const struct schema_field *field)
{
    return field->type >= DATA_TYPE(BinaryVector) && field->type <= DATA_TYPE(Int8Vector);
}

#endif
