/* SPDX-License-Identifier: Apache-2.0 */
/* What may stand in a reply that is understood: the rules of its messages, from the innermost ones
 * (Milvus's schema.proto) to SearchResults (milvus.proto). */
#include <stdlib.h>

#include "proto/search_column.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define INNER(array)                                                                               \
    .inner = &(const struct search_rules)                                                          \
    {                                                                                              \
        COUNT(array), array                                                                        \
    }
#define NUMBER(FIELD, READ, ...)                                                                   \
    {                                                                                              \
        .number = FIELD, .type = WIRE_VARINT, .read = READ, __VA_ARGS__                            \
    }
#define BYTES(FIELD, READ, ...)                                                                    \
    {                                                                                              \
        .number = FIELD, .type = WIRE_BYTES, .read = READ, __VA_ARGS__                             \
    }

static const struct search_rule varints[] = {
    BYTES(1, search_read_varints),
};
static const struct search_rule fixed32[] = {
    BYTES(1, search_read_fixed, .bits = 32),
};
static const struct search_rule fixed64[] = {
    BYTES(1, search_read_fixed, .bits = 64),
};
static const struct search_rule records[] = {
    BYTES(1, search_read_record, .is_repeated = true),
};
static const struct search_rule arrays[] = {
    BYTES(1, search_read_record, .is_repeated = true),
    NUMBER(2, search_read_same), /* element_type */
};

static const struct search_rule ids[] = {
    BYTES(1, search_read_nest, INNER(varints)), /* int_id */
    BYTES(2, search_read_nest, INNER(records)), /* str_id */
};

static const struct search_rule scalars[] = {
    BYTES(1, search_read_nest, INNER(varints)),  /* bool_data */
    BYTES(2, search_read_nest, INNER(varints)),  /* int_data */
    BYTES(3, search_read_nest, INNER(varints)),  /* long_data */
    BYTES(4, search_read_nest, INNER(fixed32)),  /* float_data */
    BYTES(5, search_read_nest, INNER(fixed64)),  /* double_data */
    BYTES(6, search_read_nest, INNER(records)),  /* string_data */
    BYTES(7, search_read_nest, INNER(records)),  /* bytes_data */
    BYTES(8, search_read_array, INNER(arrays)),  /* array_data */
    BYTES(9, search_read_nest, INNER(records)),  /* json_data */
    BYTES(10, search_read_nest, INNER(records)), /* geometry_data */
    BYTES(11, search_read_nest, INNER(varints)), /* timestamptz_data */
    BYTES(12, search_read_nest, INNER(records)), /* geometry_wkt_data */
};

static const struct search_rule sparse_vectors[] = {
    BYTES(1, search_read_record, .is_repeated = true),
    NUMBER(2, search_read_sparse_dim),
};
static const struct search_rule vector_arrays[] = {
    NUMBER(1, search_read_same), /* dim */
    BYTES(2, search_read_record, .is_repeated = true),
    NUMBER(3, search_read_same), /* element_type */
};
static const struct search_rule vectors[] = {
    NUMBER(1, search_read_dim),
    BYTES(2, search_read_nest, INNER(fixed32)),                    /* float_vector */
    BYTES(3, search_read_fixed, .bits = 1, .stands_empty = true),  /* binary_vector */
    BYTES(4, search_read_fixed, .bits = 16, .stands_empty = true), /* float16_vector */
    BYTES(5, search_read_fixed, .bits = 16, .stands_empty = true), /* bfloat16_vector */
    BYTES(6, search_read_nest, INNER(sparse_vectors)),             /* sparse_float_vector */
    BYTES(7, search_read_fixed, .bits = 8, .stands_empty = true),  /* int8_vector */
    BYTES(8, search_read_nest, INNER(vector_arrays)),              /* vector_array */
};

static bool read_field_id(struct search_reader *reader, const struct search_rule *rule,
                          const struct wire_field *field, struct span whole)
{
    reader->reply->has_field_ids = true;
    return search_read_same(reader, rule, field, whole);
}

#define FIELD_DATA                                                                                 \
    NUMBER(1, search_read_same),    /* type */                                                     \
        BYTES(2, search_read_same), /* field_name */                                               \
        BYTES(3, search_read_scalars, INNER(scalars), .nest = NEST_SCALARS),                       \
        BYTES(4, search_read_vectors, INNER(vectors)), NUMBER(5, read_field_id),                   \
        NUMBER(6, search_read_same), /* is_dynamic */                                              \
        BYTES(7, search_read_valid)

static const struct search_rule struct_field_data[] = {FIELD_DATA};
static const struct search_rule structs[] = {
    BYTES(1, search_read_inner_column, INNER(struct_field_data), .is_repeated = true),
};
static const struct search_rule field_data[] = {
    FIELD_DATA, BYTES(8, search_read_data, INNER(structs)), /* struct_arrays */
};

static bool read_field_data(struct search_reader *reader, const struct search_rule *rule,
                            const struct wire_field *field, struct span whole)
{
    reader->reply->has_field = true;
    return search_read_column(reader, rule, field, whole);
}

static bool read_queries(struct search_reader *reader, const struct search_rule *rule,
                         const struct wire_field *field, struct span whole)
{
    (void)whole;
    if (field->value != reader->reply->queries)
        return search_refuse(reader, search_wrong_count);
    struct search_piece piece = {.kind = PIECE_QUERIES, .number = rule->number};
    return search_add_piece(reader, piece);
}

static bool read_top_k(struct search_reader *reader, const struct search_rule *rule,
                       const struct wire_field *field, struct span whole)
{
    (void)whole;
    reader->reply->has_top_k = true;
    reader->reply->top_k = field->value;
    struct search_piece piece = {.kind = PIECE_TOP_K, .number = rule->number};
    return search_add_piece(reader, piece);
}

/* The fields 8 and 11, 14 to 19 belong to searches that are not merged. */
static const struct search_rule results[] = {
    NUMBER(1, read_queries),
    NUMBER(2, read_top_k),
    BYTES(3, read_field_data, INNER(field_data), .nest = NEST_FIELD, .is_repeated = true),
    BYTES(4, search_read_packed, .bits = 32), /* scores */
    BYTES(5, search_read_column, INNER(ids)),
    BYTES(6, search_read_packed, .is_by_query = true),              /* topks */
    BYTES(7, search_read_same, .is_repeated = true),                /* output_fields */
    NUMBER(9, search_read_same),                                    /* all_search_count */
    BYTES(10, search_read_packed, .bits = 32),                      /* distances */
    BYTES(12, search_read_packed, .bits = 32, .is_by_query = true), /* recalls */
    BYTES(13, search_read_same),                                    /* primary_field_name */
};

static bool read_hits(struct search_reply *reply, struct span topks)
{
    uint64_t hits;
    for (uint32_t i = 0; i < reply->queries; i++) {
        /* A row takes a byte at least, so that the sum cannot overflow. */
        if (!wire_next_varint(&topks, &hits) || hits > reply->size - reply->rows)
            return false;
        reply->hits[i] = (uint32_t)hits;
        reply->rows += (size_t)hits;
    }
    return true; /* that there are no more is seen when the field's turn comes */
}

/* The counts of rows, which all else is held against, stand in the midst of the message. */
static bool find_hits(struct search_reader *reader, struct span message)
{
    struct search_reply *reply = reader->reply;
    struct span topks;
    if (!wire_find_bytes(message, (struct wire_path){.number = 6}, &topks))
        return search_refuse(reader, search_malformed);
    if (reply->queries == 0 || topks.length < reply->queries) /* before there is memory for them */
        return search_refuse(reader, search_wrong_count);
    reply->hits = malloc(reply->queries * sizeof(*reply->hits));
    if (!reply->hits)
        return search_refuse(reader, search_no_memory);
    return read_hits(reply, topks) || search_refuse(reader, search_wrong_count);
}

static bool read_results(struct search_reader *reader, const struct search_rule *rule,
                         const struct wire_field *field, struct span whole)
{
    if (!find_hits(reader, field->bytes) || !search_read_nest(reader, rule, field, whole))
        return false;
    const uint32_t always = 1u << 1 | 1u << 6;
    const uint32_t with_rows = 1u << 4 | 1u << 5;
    uint32_t needed = reader->reply->rows > 0 ? always | with_rows : always;
    return (reader->seen & needed) == needed || search_refuse(reader, search_wrong_count);
}

static const struct search_rule status[] = {
    NUMBER(1, search_read_zero), /* error_code */
    BYTES(2, search_read_same),  /* reason: Milvus says "search result is empty" */
    NUMBER(3, search_read_zero), /* code */
    NUMBER(4, search_read_zero), /* retriable */
};
static const struct search_rule search_results[] = {
    BYTES(1, search_read_nest, INNER(status)), BYTES(2, read_results, INNER(results)),
    BYTES(3, search_read_same),  /* collection_name */
    NUMBER(4, search_read_same), /* session_ts */
};

const char *search_reply_read_pieces(struct search_reply *reply, struct span message)
{
    static const struct search_rules rules = {COUNT(search_results), search_results};
    struct search_reader reader = {.reply = reply};
    reply->size = message.length;
    if (!search_read_message(&reader, &rules, message))
        return reader.why;
    return reader.seen & 1u << 2 ? NULL : search_wrong_count;
}
