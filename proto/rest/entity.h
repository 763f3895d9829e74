/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that are made of a body and its collection's schema: DescribeCollection, which is cached,
 * and the call. What fails with that schema is tried once more with a fresh one, if it differs.
 */
#ifndef PROTO_REST_ENTITY_H
#define PROTO_REST_ENTITY_H

#include "proto/rest/put.h"
#include "proto/rest/schema.h"

struct entity_call {
    const char *needed; /* a key that the body must have besides those of the route's shape */
    bool is_read;       /* whatever goes wrong with it, it may be asked again */
    /* Completes the request, which has the fields of the route's shape. False: answered. */
    bool (*build)(struct rest *rest, const struct schema *schema, struct buffer *message);
    void (*answer)(struct rest *rest, struct span reply);
};

/* What a plan of that kind does each time. */
void entity_run(struct rest *rest, const struct rest_reply *reply, const struct entity_call *call);

/* Of calls that need no schema: asks the route's, with its shape and what `build` adds. */
void entity_ask(struct rest *rest, bool (*build)(struct rest *rest, const struct schema *schema,
                                                 struct buffer *message));

/* What a call cost, as its status says (report_value); 0: it does not. */
int64_t entity_cost(struct span reply);

/* The reply is not what it should be: code 1805. `what`: "of another number of rows than others" */
void entity_malformed(struct rest *rest, struct span column, const char *what);

/* exprParams of an object, as a request's map of that number. */
bool entity_put_template(struct rest *rest, struct jvalue object, const struct rest_place *outer,
                         uint32_t number, struct buffer *message);

/* A whole number of an object's member, 0 to 2^31 - 1; `otherwise` where there is none. */
bool entity_number(struct rest *rest, struct jvalue object, const struct rest_place *outer,
                   const char *key, int64_t otherwise, int64_t *ret_number);

/* consistencyLevel, and where there is none the collection's own. */
bool entity_put_consistency(struct rest *rest, uint32_t level, uint32_t use_default,
                            struct buffer *message);

/* A KeyValuePair with a number. */
void entity_put_number(struct buffer *message, uint32_t number, const char *key, int64_t value);

#endif
