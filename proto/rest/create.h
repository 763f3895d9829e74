/* SPDX-License-Identifier: Apache-2.0 */
/* collections/create, between its files. False, wherever it is returned: the body is wrong, and
 * that has been answered. */
#ifndef PROTO_REST_CREATE_H
#define PROTO_REST_CREATE_H

#include "proto/rest/put.h"

/* What the body says. */
struct create {
    struct jvalue schema; /* has_schema: an object whose fields are not empty */
    bool has_schema;
    struct jvalue params; /* an object */
    bool has_params;
    bool auto_id;
};

typedef bool create_put(struct rest *rest, const struct create *create, struct buffer *message);

/* What `put` puts, as a message in the field of that number. */
bool create_put_inner(struct rest *rest, const struct create *create, create_put *put,
                      uint32_t number, struct buffer *message);

/* A name, of the body's member or the usual one. */
bool create_put_name(struct rest *rest, const char *key, const char *otherwise, uint32_t number,
                     struct buffer *message);

/* The fields of a schema, and whether it is dynamic, where the body has none. */
create_put create_put_quick_schema;

/* Makes its index ready. */
bool create_later_quick_index(struct rest *rest);

#endif
