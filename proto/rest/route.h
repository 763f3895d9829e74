/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of routes as C has it: proto/rest/routes.def, which explains itself. A shape says which
 * keys of a JSON object are which fields of a protobuf message; the same kinds serve requests, JSON
 * to protobuf, and replies, protobuf to JSON.
 */
#ifndef PROTO_REST_ROUTE_H
#define PROTO_REST_ROUTE_H

#include "proto/rest/state.h"

enum rest_kind {
    /* Both ways. */
    REST_TEXT,
    REST_TEXTS, /* an array of them: repeated */
    REST_INT,   /* int64, a number */
    REST_BOOL,
    REST_WORD,    /* an enum, by its name in Milvus */
    REST_OBJECT,  /* a message of that shape */
    REST_OBJECTS, /* an array of them */
    REST_VALUE,   /* a field's default: schema.ValueField */
    REST_JOB,     /* int64, a string of digits */
    /* Requests only. */
    REST_INT32,  /* a number; an int32 */
    REST_SECRET, /* a text that goes in base64 and is never shown */
    REST_JSON,   /* any value as a text: a string's own, else its JSON */
    REST_PAIRS,  /* an object: repeated common.KeyValuePair, or a map of texts */
    REST_MAP,    /* an object of objects of that shape: a map */
    REST_FIXED,  /* no key: that number */
    REST_READ,   /* read by the plan, which puts it; the path is nowhere */
    /* Replies only. */
    REST_PAIR_LIST,  /* repeated KeyValuePair: [{"key": …, "value": …}] */
    REST_PAIR_VALUE, /* the value of the pair with that key */
    REST_PAIR_COUNT, /* the same, as a number */
    REST_COUNTS,     /* map<string, int32>: {"name": 1} */
    REST_JOINED,     /* repeated texts: "a,b" */
};

#define REST_PATH_MAX 4

/* Where an enum's names are: name and number. */
struct rest_word {
    const char *text;
    int32_t number;
};

struct rest_words {
    const struct rest_word *words;
    size_t count;
};

struct rest_shape;

struct rest_field {
    const char *key;
    enum rest_kind kind;
    bool needed; /* requests: it must be there; replies: it is printed also when not set */
    union {
        const struct rest_shape *shape;
        const struct rest_words *words;
        const char *pair; /* that key */
        uint64_t fixed;
    };
    uint8_t path[REST_PATH_MAX + 1]; /* numbers of the fields, outermost first; ends with 0 */
};

struct rest_shape {
    const struct rest_field *fields;
    size_t count;
};

enum rest_data {
    REST_DATA_EMPTY,  /* {} */
    REST_DATA_FIELD,  /* one field's value */
    REST_DATA_OBJECT, /* an object of that shape, of the whole reply */
};

struct rest_route {
    const char *path;
    const char *method; /* of the first call; NULL: forwarded */
    rest_plan *plan;
    const struct rest_shape *request; /* what of the body goes into the first call */
    enum rest_data data;
    struct rest_field field; /* of REST_DATA_FIELD, and the shape of REST_DATA_OBJECT */
    enum rpc_class class;    /* of a forwarded one */
};

/* The routes in strcmp() order of their paths. */
const struct rest_route *rest_routes(size_t *ret_count);

/* Shapes that plans use, too. */
extern const struct rest_shape rest_shape_field, rest_shape_function, rest_shape_index,
    rest_shape_description;

extern const struct rest_words rest_data_types, rest_function_types, rest_consistency_levels,
    rest_load_states, rest_index_states, rest_compaction_states, rest_restore_states,
    rest_refresh_states;

/* False: no such word, or number. */
bool rest_word_number(const struct rest_words *words, struct span text, int32_t *ret_number);
const char *rest_word_text(const struct rest_words *words, int64_t number);

/* Where in a body a value stands, from the inside out, for errors. */
struct rest_place {
    const struct rest_place *outer; /* NULL: the body */
    struct span key;                /* of a member; empty: an element */
    size_t index;
};

#define REST_PLACE_MAX 256 /* bytes of a place in print, with its NUL */

/* "schema.fields[3].dataType", its start cut off where it is too long. */
const char *rest_place_print(const struct rest_place *place, char to[REST_PLACE_MAX]);

/*
 * Put what an object has into a message. False: something is missing or wrong, and has been
 * answered.
 */
bool rest_put_fields(struct rest *rest, struct jvalue object, const struct rest_shape *shape,
                     const struct rest_place *outer, struct buffer *message);
bool rest_put_field(struct rest *rest, struct jvalue object, const struct rest_field *field,
                    const struct rest_place *outer, struct buffer *message);

/* A KeyValuePair, into the field of that number. */
void rest_put_pair(struct buffer *message, uint32_t number, struct span key, struct span value);

/* A value as a text: a string's own, else its JSON. Good until the next use of scratch. */
struct span rest_json_text(struct rest *rest, struct jvalue value);

/* "x: a string where a number is wanted"; returns false. */
bool rest_wrong_kind(struct rest *rest, const struct rest_place *place, struct jvalue value,
                     const char *wanted);

/* A field's default value, of one of Milvus's data types: proto/rest/default.c. */
bool rest_put_default(struct rest *rest, struct jvalue value, int32_t data_type,
                      const struct rest_place *place, struct buffer *message, uint32_t number);

/* Print what a message has. False: it is malformed, or something within it. */
bool rest_print_fields(const struct rest *rest, struct span message, const struct rest_shape *shape,
                       struct jwriter *writer) __attribute__((warn_unused_result));
bool rest_print_value(const struct rest *rest, struct span message, const struct rest_field *field,
                      struct jwriter *writer) __attribute__((warn_unused_result));

/* The first call of a route, out of its row. False: answered already. */
bool rest_first_call(struct rest *rest);

/* The plan of a row: one call, and its reply printed. */
rest_plan rest_row;

#endif
