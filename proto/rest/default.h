/* SPDX-License-Identifier: Apache-2.0 */
/* The default values of fields: schema.ValueField, of which a field's data type says which member
 * it has. */
#ifndef PROTO_REST_DEFAULT_H
#define PROTO_REST_DEFAULT_H

#include "proto/rest/put.h"

/* Puts the value as a ValueField, of the type that the field's "dataType" names, into the message's
 * field of that number. */
bool rest_put_default(struct rest *rest, struct jvalue field, struct jvalue value,
                      const struct rest_place *place, uint32_t number, struct buffer *message);

/* {"Data": {"LongData": 1}}, as Milvus prints it. False: malformed. */
bool rest_print_default(struct span message, struct jwriter *writer)
    __attribute__((warn_unused_result));

#endif
