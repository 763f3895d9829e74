/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/search_column.h"

#define DIM_MAX    (1u << 20) /* of a dense vector; Milvus takes 32768, of bits eight times that */
#define SPARSE_ROW 8          /* bytes of an index and its value */

static struct search_piece piece_of(enum search_piece_kind kind, const struct search_rule *rule,
                                    struct span bytes)
{
    return (struct search_piece){.kind = kind,
                                 .number = rule->number,
                                 .bytes = bytes,
                                 .is_by_query = rule->is_by_query,
                                 .stands_empty = rule->stands_empty};
}

static bool start_column(struct search_reader *reader, struct search_piece piece, size_t count)
{
    if (reader->column.piece != SEARCH_NO_COLUMN)
        return search_refuse(reader, search_twice);
    reader->column.piece = reader->reply->count;
    reader->column.count = count;
    return search_add_piece(reader, piece);
}

static size_t count_valid(struct span valid)
{
    size_t count = 0;
    for (size_t i = 0; i < valid.length; i++)
        count += valid.at[i];
    return count;
}

/* What has been read is one value for each that there must be. */
static bool end_column(struct search_reader *reader)
{
    struct search_reply *reply = reader->reply;
    const struct search_column *column = &reader->column;
    struct search_piece *piece =
        column->piece == SEARCH_NO_COLUMN ? NULL : &reply->pieces[column->piece];
    size_t expected = piece && piece->is_by_query ? reply->queries : reply->rows;
    if (column->valid.length > 0 && column->valid.length != expected)
        return search_refuse(reader, search_wrong_count);
    if (column->count == expected)
        return true;
    if (column->valid.length == 0 || column->count != count_valid(column->valid))
        return search_refuse(reader, search_wrong_count);
    if (piece)
        piece->valid = column->valid.at;
    if (column->dim_piece != SEARCH_NO_COLUMN)
        reply->pieces[column->dim_piece].valid = column->valid.at;
    return true;
}

static bool read_as_column(struct search_reader *reader, search_read_function *read,
                           const struct search_rule *rule, const struct wire_field *field,
                           struct span whole)
{
    struct search_column outer = reader->column;
    reader->column =
        (struct search_column){.piece = SEARCH_NO_COLUMN, .dim_piece = SEARCH_NO_COLUMN, .dim = 1};
    bool is_read = read(reader, rule, field, whole) && end_column(reader);
    reader->column = outer;
    return is_read;
}

bool search_read_column(struct search_reader *reader, const struct search_rule *rule,
                        const struct wire_field *field, struct span whole)
{
    return read_as_column(reader, search_read_nest, rule, field, whole);
}

bool search_read_packed(struct search_reader *reader, const struct search_rule *rule,
                        const struct wire_field *field, struct span whole)
{
    search_read_function *read = rule->bits > 0 ? search_read_fixed : search_read_varints;
    return read_as_column(reader, read, rule, field, whole);
}

bool search_read_inner_column(struct search_reader *reader, const struct search_rule *rule,
                              const struct wire_field *field, struct span whole)
{
    reader->column.count = reader->reply->rows;
    return search_read_column(reader, rule, field, whole);
}

bool search_read_varints(struct search_reader *reader, const struct search_rule *rule,
                         const struct wire_field *field, struct span whole)
{
    (void)whole;
    size_t count = 0;
    uint64_t value;
    for (struct span rest = field->bytes; rest.length > 0; count++) {
        if (!wire_next_varint(&rest, &value))
            return search_refuse(reader, search_malformed);
    }
    return start_column(reader, piece_of(PIECE_VARINTS, rule, field->bytes), count);
}

bool search_read_fixed(struct search_reader *reader, const struct search_rule *rule,
                       const struct wire_field *field, struct span whole)
{
    (void)whole;
    struct search_piece piece = piece_of(PIECE_FIXED, rule, field->bytes);
    uint64_t bits = rule->bits * reader->column.dim;
    if (piece.bytes.length == 0)
        return start_column(reader, piece, 0);
    piece.width = (size_t)(bits / 8);
    if (bits == 0 || bits % 8 != 0 || piece.bytes.length % piece.width != 0)
        return search_refuse(reader, search_wrong_count);
    return start_column(reader, piece, piece.bytes.length / piece.width);
}

bool search_read_record(struct search_reader *reader, const struct search_rule *rule,
                        const struct wire_field *field, struct span whole)
{
    (void)field;
    struct search_column *column = &reader->column;
    if (column->piece == SEARCH_NO_COLUMN)
        return start_column(reader, piece_of(PIECE_RECORDS, rule, whole), 1);
    struct search_piece *piece = &reader->reply->pieces[column->piece];
    if (piece->bytes.at + piece->bytes.length != whole.at)
        return search_refuse(reader, "values that do not stand together");
    piece->bytes.length += whole.length;
    column->count++;
    return true;
}

/* Of the forms that a field's values may have it has one. */
bool search_read_data(struct search_reader *reader, const struct search_rule *rule,
                      const struct wire_field *field, struct span whole)
{
    if (reader->column.has_data)
        return search_refuse(reader, search_twice);
    reader->column.has_data = true;
    return search_read_nest(reader, rule, field, whole);
}

bool search_read_scalars(struct search_reader *reader, const struct search_rule *rule,
                         const struct wire_field *field, struct span whole)
{
    if (!search_read_data(reader, rule, field, whole))
        return false;
    if (reader->column.is_array)
        reader->reply->pieces[reader->reply->count - 1].nest = NEST_ALWAYS;
    return true;
}

bool search_read_array(struct search_reader *reader, const struct search_rule *rule,
                       const struct wire_field *field, struct span whole)
{
    reader->column.is_array = true;
    return search_read_nest(reader, rule, field, whole);
}

bool search_read_vectors(struct search_reader *reader, const struct search_rule *rule,
                         const struct wire_field *field, struct span whole)
{
    reader->reply->has_vectors = true;
    reader->column.dim = 0;
    return search_read_data(reader, rule, field, whole);
}

bool search_read_valid(struct search_reader *reader, const struct search_rule *rule,
                       const struct wire_field *field, struct span whole)
{
    (void)whole;
    for (size_t i = 0; i < field->bytes.length; i++) {
        if (field->bytes.at[i] > 1)
            return search_refuse(reader, search_wrong_value);
    }
    reader->column.valid = field->bytes;
    struct search_piece piece = piece_of(PIECE_VALID, rule, field->bytes);
    piece.width = 1;
    return search_add_piece(reader, piece);
}

bool search_read_dim(struct search_reader *reader, const struct search_rule *rule,
                     const struct wire_field *field, struct span whole)
{
    if (field->value > DIM_MAX)
        return search_refuse(reader, search_wrong_value);
    reader->column.dim = field->value;
    return search_read_same(reader, rule, field, whole);
}

static uint64_t index_end(const uint8_t *at)
{
    return ((uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 |
            (uint64_t)at[3] << 24) +
           1;
}

bool search_piece_dim(struct span records, uint64_t *ret_dim)
{
    uint64_t dim = 0;
    struct wire_field field;
    enum wire_read read;
    while ((read = wire_next(&records, &field)) == WIRE_FIELD) {
        if (field.bytes.length % SPARSE_ROW != 0)
            return false;
        for (size_t i = 0; i < field.bytes.length; i += SPARSE_ROW) {
            uint64_t end = index_end(field.bytes.at + i);
            dim = end > dim ? end : dim;
        }
    }
    *ret_dim = dim;
    return read == WIRE_END;
}

bool search_read_sparse_dim(struct search_reader *reader, const struct search_rule *rule,
                            const struct wire_field *field, struct span whole)
{
    struct search_column *column = &reader->column;
    if (column->piece == SEARCH_NO_COLUMN)
        return search_read_same(reader, rule, field, whole);
    struct search_piece piece = reader->reply->pieces[column->piece];
    uint64_t dim;
    if (!search_piece_dim(piece.bytes, &dim))
        return search_refuse(reader, search_wrong_value);
    if (dim != field->value)
        return search_read_same(reader, rule, field, whole);
    column->dim_piece = reader->reply->count;
    piece.kind = PIECE_DIM;
    piece.number = rule->number;
    return search_add_piece(reader, piece);
}
