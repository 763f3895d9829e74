/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How search_reply.h reads a reply: each message by a table of rules, one for each field that it
 * may have, so that whatever has no rule is refused. Everything here returns false when the message
 * is not understood; reader.why then says why.
 */
#ifndef PROTO_SEARCH_READ_H
#define PROTO_SEARCH_READ_H

#include "proto/search_piece.h"
#include "proto/wire.h"

#define SEARCH_NO_COLUMN SIZE_MAX

/* A field's values, of which each row has one: what is known of them so far. */
struct search_column {
    size_t piece; /* SEARCH_NO_COLUMN: none has been read */
    size_t count; /* values */
    size_t dim_piece;
    struct span valid; /* whether each row has one */
    uint64_t dim;      /* values that make up one, such as a vector's */
    bool has_data;     /* a message that holds them, or may */
    bool is_array;
};

struct search_reader {
    struct search_reply *reply;
    struct search_column column; /* that is being read */
    uint32_t seen;               /* bits for the fields of the message that was read last */
    const char *why;
};

struct search_rule;

/* Reads a field; `whole` is the field with its head. */
typedef bool search_read_function(struct search_reader *reader, const struct search_rule *rule,
                                  const struct wire_field *field, struct span whole);

struct search_rule {
    uint32_t number; /* at most 31 */
    enum wire_type type;
    search_read_function *read;
    const struct search_rules *inner; /* of a message */
    enum search_nest nest;            /* of a message */
    unsigned bits;                    /* of a value */
    bool is_repeated;                 /* may stand more than once */
    bool is_by_query;
    bool stands_empty;
};

struct search_rules {
    size_t count;
    const struct search_rule *rules;
};

extern const char search_malformed[];
extern const char search_twice[];
extern const char search_wrong_count[];
extern const char search_wrong_value[];
extern const char search_no_memory[];

/* Sets why; false. */
bool search_refuse(struct search_reader *reader, const char *why);

bool search_add_piece(struct search_reader *reader, struct search_piece piece);

/* A message's fields one by one. */
bool search_read_message(struct search_reader *reader, const struct search_rules *rules,
                         struct span message);

/* A field that is the same for every caller. */
search_read_function search_read_same;

/* A number that must be 0: it stands though nothing is wrong. */
search_read_function search_read_zero;

/* A message, by the rule's inner rules. */
search_read_function search_read_nest;

#endif
