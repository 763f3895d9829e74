/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of routes as C has it: proto/rest/routes.def, which explains itself. A shape says which
 * keys of a JSON object are which fields of a protobuf message; the same kinds serve requests, JSON
 * to protobuf, and replies, protobuf to JSON.
 */
#ifndef PROTO_REST_ROUTE_H
#define PROTO_REST_ROUTE_H

#include <protobuf-c/protobuf-c.h>

#include "proto/rest/state.h"

enum rest_kind {
    /* Both ways. */
    REST_TEXT,
    REST_TEXTS, /* an array of them; repeated */
    REST_INT,   /* any integer, a number */
    REST_JOB,   /* an int64, a string of digits */
    REST_BOOL,
    REST_WORD,    /* an enum, by its name in Milvus */
    REST_OBJECT,  /* a message of that shape */
    REST_OBJECTS, /* an array of them; repeated */
    REST_VALUE,   /* a field's default, schema.ValueField */
    /* Requests only. */
    REST_INT32,
    REST_SECRET, /* a text that goes in base64 and is never shown */
    REST_JSON,   /* any value, as a text: a string's own, else its JSON */
    REST_PAIRS,  /* an object: repeated common.KeyValuePair, or a map of texts */
    REST_MAP,    /* an object of objects of that shape: a map */
    REST_FIXED,  /* no key: that number, always */
    /* Replies only. */
    REST_PAIR_LIST,  /* repeated KeyValuePair: [{"key": …, "value": …}] */
    REST_PAIR_VALUE, /* the value of the pair with that key */
    REST_PAIR_COUNT, /* the same, a number */
    REST_COUNTS,     /* map<string, int32>: {"name": 1} */
    REST_JOINED,     /* repeated texts: "a,b" */
};

#define REST_PATH_MAX 4

struct rest_shape;

struct rest_field {
    const char *key;
    enum rest_kind kind;
    bool needed; /* of a request: an error without it; of an answer: printed also when not set */
    union {
        const struct rest_shape *shape;
        const ProtobufCEnumDescriptor *words;
        const char *pair; /* that key */
        uint64_t fixed;
    };
    uint8_t path[REST_PATH_MAX + 1]; /* numbers of the fields, outermost first; ends with 0 */
};

struct rest_shape {
    const struct rest_field *fields;
    size_t count;
};

#define SHAPE(name, ...) extern const struct rest_shape rest_shape_##name;
#define ROUTE(path, rpc, plan, request, data)
#define FORWARD(path, class)
#include "proto/rest/routes.def"
#undef SHAPE
#undef ROUTE
#undef FORWARD

enum rest_data {
    REST_DATA_EMPTY, /* {} */
    REST_DATA_ONE,   /* one field's value */
    REST_DATA_ALL,   /* an object of a shape */
};

struct rest_route {
    const char *path;
    const char *method; /* of the first call; NULL: forwarded */
    rest_plan *plan;    /* NULL: the same */
    const struct rest_shape *request;
    enum rest_data data;
    struct rest_field field; /* of REST_DATA_ONE; of REST_DATA_ALL its shape */
    enum rpc_class class;    /* of a forwarded one */
};

/* The routes, in strcmp() order of their paths. */
const struct rest_route *rest_routes(size_t *ret_count);

/* The request of a route's first call as its row has it. False: the body is wrong, and that has
 * been answered; the message is empty then. */
bool rest_put_request(struct rest *rest, struct buffer *message);

/* Asks for that call. */
bool rest_ask_row(struct rest *rest);

/* Ends with the reply as the route's row has it. */
void rest_answer_row(struct rest *rest, struct span reply);

/* Ends with what is to be said of a reply that cannot be read. */
void rest_fail_reply(struct rest *rest);

/* The plan of a row that says all: one call, and its reply printed. */
rest_plan rest_row;

#endif
