/* SPDX-License-Identifier: Apache-2.0 */
/* Indexes as bodies describe them: {fieldName, indexName, metricType, indexType, params}. */
#ifndef PROTO_REST_INDEX_H
#define PROTO_REST_INDEX_H

#include "proto/rest/put.h"

/* Fields of a collection, or indexes in a request, at most: more than Milvus can be set to take
 * (proxy.maxFieldNum). */
#define REST_FIELDS_MAX 1024

/* What of it goes into KeyValuePairs, in the message's field of that number. */
bool rest_put_index_params(struct rest *rest, struct jvalue index, const struct rest_place *place,
                           uint32_t number, struct buffer *message);

/* Makes a CreateIndex ready for each of the body's indexParams, an array. */
bool rest_later_indexes(struct rest *rest, struct jvalue indexes);

/* The body's database and collection, for a request that has them where CreateIndex has. */
void rest_put_collection(struct rest *rest, struct buffer *message);

/* Milvus's words in an index's KeyValuePairs. */
#define REST_INDEX_TYPE    "index_type"
#define REST_INDEX_DEFAULT "AUTOINDEX"
#define REST_METRIC_TYPE   "metric_type"

#endif
