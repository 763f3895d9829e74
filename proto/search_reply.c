/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/search_reply.h"

#include <assert.h>
#include <stdlib.h>

#include "proto/prepend.h"
#include "proto/search_piece.h"

/* What a part may have beyond the bytes of the reply: top_k, where the last vector had no hits. */
#define GROWTH 16

/* The part that is being cut: the last piece is written first. */
struct part {
    struct search_reply *reply;
    uint32_t queries;
    size_t rows;
    struct prepend to;
};

static void release(struct search_reply *reply)
{
    free(reply->pieces);
    free(reply->hits);
    free(reply->scratch);
    free(reply);
}

struct search_reply *search_reply_read(struct span message, uint32_t queries, const char **ret_why)
{
    struct search_reply *reply = calloc(1, sizeof(*reply));
    if (!reply) {
        *ret_why = "no memory";
        return NULL;
    }
    reply->queries = queries;
    const char *why = search_reply_read_pieces(reply, message);
    if (!why) {
        reply->scratch_size = message.length + GROWTH;
        reply->scratch = malloc(reply->scratch_size);
        why = reply->scratch ? NULL : "no memory";
    }
    if (!why)
        return reply;
    release(reply);
    *ret_why = why;
    return NULL;
}

void search_reply_free(struct search_reply *reply)
{
    if (reply)
        release(reply);
}

/* Milvus Lite gives its fields no numbers. */
static bool is_lite(const struct search_reply *reply)
{
    return reply->has_field && !reply->has_field_ids;
}

static size_t count_valid(const uint8_t *valid, size_t rows)
{
    size_t count = 0;
    for (size_t i = 0; i < rows; i++)
        count += valid[i];
    return count;
}

/* How many of the piece's values are the caller's. */
static size_t count_values(const struct part *part, const struct search_piece *piece)
{
    if (piece->is_by_query)
        return part->queries;
    if (piece->valid)
        return count_valid(piece->valid + part->reply->rows_taken, part->rows);
    return part->rows;
}

static size_t varints_length(struct span bytes, size_t count)
{
    size_t length = 0;
    for (; count > 0; count--) {
        while (bytes.at[length] >= 0x80)
            length++;
        length++;
    }
    return length;
}

static size_t records_length(struct span bytes, size_t count)
{
    struct span rest = bytes;
    struct wire_field field;
    for (; count > 0; count--) {
        enum wire_read read = wire_next(&rest, &field);
        assert(read == WIRE_FIELD);
        (void)read;
    }
    return bytes.length - rest.length;
}

static size_t length_of(const struct search_piece *piece, size_t count)
{
    switch (piece->kind) {
    case PIECE_RECORDS:
    case PIECE_DIM:
        return records_length(piece->bytes, count);
    case PIECE_VARINTS:
        return varints_length(piece->bytes, count);
    default:
        return count * piece->width;
    }
}

/* The caller's values. */
static struct span take_values(const struct part *part, struct search_piece *piece)
{
    size_t length = length_of(piece, count_values(part, piece));
    struct span values = span_of(piece->bytes.at, length);
    piece->bytes = span_of(piece->bytes.at + length, piece->bytes.length - length);
    return values;
}

static void put_values(struct part *part, struct search_piece *piece)
{
    struct span values = take_values(part, piece);
    if (values.length == 0 && !piece->stands_empty)
        return;
    const uint8_t *end = part->to.at;
    prepend_bytes(&part->to, values);
    prepend_head(&part->to, piece->number, end);
}

static void put_valid(struct part *part, struct search_piece *piece)
{
    struct span values = take_values(part, piece);
    if (values.length == 0 ||
        (is_lite(part->reply) && count_valid(values.at, values.length) == values.length))
        return;
    const uint8_t *end = part->to.at;
    prepend_bytes(&part->to, values);
    prepend_head(&part->to, piece->number, end);
}

static void put_dim(struct part *part, struct search_piece *piece)
{
    uint64_t dim = 0;
    bool is_sparse = search_piece_dim(take_values(part, piece), &dim);
    assert(is_sparse);
    (void)is_sparse;
    if (dim > 0)
        prepend_varint(&part->to, piece->number, dim);
}

static void put_top_k(struct part *part)
{
    const struct search_reply *reply = part->reply;
    uint64_t top_k = reply->top_k;
    if (!is_lite(reply) && top_k == reply->hits[reply->queries - 1])
        top_k = reply->hits[reply->queries_taken + part->queries - 1];
    if (top_k > 0)
        prepend_varint(&part->to, 2, top_k);
}

static void put_queries(struct part *part, const struct search_piece *piece)
{
    if (!part->reply->has_top_k)
        put_top_k(part);
    prepend_varint(&part->to, piece->number, part->queries);
}

/* Whether the caller, who has no hits, goes without this message. */
static bool leaves_out(const struct part *part, enum search_nest nest)
{
    const struct search_reply *reply = part->reply;
    if (nest == NEST_ALWAYS || part->rows > 0 || reply->rows == 0 || is_lite(reply))
        return false;
    return nest == NEST_SCALARS || reply->has_vectors;
}

/* Notes where what the message holds ends; returns its first piece if it is left out, or else this
 * one. */
static size_t end_nest(struct part *part, size_t index)
{
    const struct search_piece *piece = &part->reply->pieces[index];
    if (leaves_out(part, piece->nest))
        return piece->begin;
    part->reply->pieces[piece->begin].end = part->to.at;
    return index;
}

/* Writes the piece before what has been written; returns the index before which to go on. */
static size_t put(struct part *part, size_t index)
{
    struct search_piece *piece = &part->reply->pieces[index];
    switch (piece->kind) {
    case PIECE_COPY:
        prepend_bytes(&part->to, piece->bytes);
        break;
    case PIECE_QUERIES:
        put_queries(part, piece);
        break;
    case PIECE_TOP_K:
        put_top_k(part);
        break;
    case PIECE_FIXED:
    case PIECE_VARINTS:
        put_values(part, piece);
        break;
    case PIECE_RECORDS:
        prepend_bytes(&part->to, take_values(part, piece));
        break;
    case PIECE_DIM:
        put_dim(part, piece);
        break;
    case PIECE_VALID:
        put_valid(part, piece);
        break;
    case PIECE_BEGIN:
        prepend_head(&part->to, piece->number, piece->end);
        break;
    case PIECE_END:
        return end_nest(part, index);
    }
    return index;
}

struct blob *search_reply_take(struct search_reply *reply, uint32_t queries)
{
    assert(queries > 0 && queries <= reply->queries - reply->queries_taken);
    uint8_t *end = reply->scratch + reply->scratch_size;
    struct part part = {.reply = reply, .queries = queries, .to = {.at = end}};
    for (uint32_t i = 0; i < queries; i++)
        part.rows += reply->hits[reply->queries_taken + i];
    for (size_t index = reply->count; index > 0;)
        index = put(&part, index - 1);
    reply->queries_taken += queries;
    reply->rows_taken += part.rows;
    return blob_copy(span_of(part.to.at, (size_t)(end - part.to.at)));
}
