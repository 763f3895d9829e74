/* SPDX-License-Identifier: Apache-2.0 */
/* One search: a body, or one of those that a hybrid one has. */
#ifndef PROTO_REST_SEARCH_PART_H
#define PROTO_REST_SEARCH_PART_H

#include "proto/rest/entity.h"

struct search_part {
    struct jvalue object;
    const struct rest_place *outer; /* where it stands; NULL: it is the body */
    const char *params;             /* its key of search parameters */
    int64_t limit;                  /* where it names none */
};

/* Puts vectors, parameters and exprParams into a SearchRequest. False: answered. */
bool search_part_put(struct rest *rest, const struct schema *schema, const struct search_part *part,
                     struct buffer *message);

/* Puts groupingField, groupSize and strictGroupSize of the body as pairs of that number. */
bool search_part_put_group(struct rest *rest, uint32_t number, struct buffer *message);

#endif
