/* SPDX-License-Identifier: Apache-2.0 */
/* What search_reply.h reads a reply into, and cuts it by: its pieces, in the order of the wire. */
#ifndef PROTO_SEARCH_PIECE_H
#define PROTO_SEARCH_PIECE_H

#include "proto/search_reply.h"

enum search_piece_kind {
    PIECE_COPY,    /* fields that are the same for every caller */
    PIECE_QUERIES, /* num_queries */
    PIECE_TOP_K,   /* top_k, where it is the hits of the last vector */
    PIECE_FIXED,   /* a field of values that have `width` bytes each */
    PIECE_VARINTS, /* a field of packed varints */
    PIECE_RECORDS, /* fields, one a value, behind each other */
    PIECE_DIM,     /* the largest index of these records of sparse vectors, plus one */
    PIECE_VALID,   /* valid_data */
    PIECE_BEGIN,   /* a message: the pieces from here to its PIECE_END */
    PIECE_END,
};

/* Whether a message stands in the part of a caller who has no hits, where others have some. */
enum search_nest {
    NEST_ALWAYS,
    NEST_FIELD,   /* a field record, with a head and data */
    NEST_SCALARS, /* its data */
};

struct search_piece {
    enum search_piece_kind kind;
    uint32_t number;   /* of the field; unused in PIECE_COPY and PIECE_RECORDS */
    struct span bytes; /* of PIECE_COPY; else the values that no caller has taken yet */
    size_t width;
    const uint8_t *valid;  /* for each row whether it has a value, 0 or 1; NULL: each has */
    bool is_by_query;      /* a value for each vector, not for each row */
    bool stands_empty;     /* also without a value */
    enum search_nest nest; /* of PIECE_END */
    size_t begin;          /* of PIECE_END: where its PIECE_BEGIN stands */
    const uint8_t *end;    /* of PIECE_BEGIN: the end of what it holds, in the part being written */
};

struct search_reply {
    struct search_piece *pieces;
    size_t count;
    size_t room; /* pieces that there is memory for */

    uint32_t queries;
    uint32_t *hits; /* of each of them: rows of the reply */
    size_t rows;    /* all hits */
    uint64_t top_k; /* as it stands */
    bool has_top_k;
    bool has_vectors;   /* among the fields */
    bool has_field;     /* at least one */
    bool has_field_ids; /* in one field at least */

    uint32_t queries_taken;
    size_t rows_taken;
    size_t size;      /* bytes of the reply */
    uint8_t *scratch; /* where parts are written, from its end */
    size_t scratch_size;
};

/* Reads the message into the reply's pieces. NULL: it is understood; else why not. */
const char *search_reply_read_pieces(struct search_reply *reply, struct span message);

/* The dimension of sparse vectors, records of 32-bit indices and values. False: they are none. */
bool search_piece_dim(struct span records, uint64_t *ret_dim) __attribute__((warn_unused_result));

#endif
