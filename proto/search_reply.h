/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cuts the reply to one Search with many vectors (milvus.proto.milvus.SearchResults) into the
 * replies that each caller would have had alone, on the wire: nothing is unpacked, and all of the
 * cutting together is linear in the size of the reply. See docs/merging.md for what was seen of the
 * servers.
 *
 * What it knows: ids and scores, scalars of all kinds, arrays, JSON, dynamic fields, vectors of all
 * kinds, arrays of vectors and of structs, values that may be null. A field that it does not know,
 * a count that does not add up, anything that stands twice or in another form than Milvus writes
 * it: the reply is not understood.
 *
 * A part is, byte for byte, the server's answer to that caller alone, but for what a server decides
 * anew for each answer (Milvus 2.3.5 draws the order of fields; Lite's scores for COSINE and IP
 * over many vectors differ in the last digit) and for what the reply does not tell:
 *   - top_k is the limit from Milvus Lite, the hits of the last vector from Milvus (2.3.5 seen; 2.4
 *     to 2.6 read: reduceSearchResultDataNoGroupBy). Lite is known by its field records, which have
 *     no field_id.
 *   - A caller without any hit: Lite gives all fields, empty. Milvus gives none where a vector was
 *     asked for (its requery finds nothing to ask), else the heads of the fields without data, of
 *     arrays with their element type. But where `offset` has eaten the hits, 2.3.5 alone gives
 *     empty data.
 *   - valid_data: Lite gives it only where a row is null.
 *   - recalls are one for each vector (pymilvus's SearchResult; 2.3.5 and Lite have none).
 */
#ifndef PROTO_SEARCH_REPLY_H
#define PROTO_SEARCH_REPLY_H

#include "proto/blob.h"

struct search_reply;

/*
 * Reads a successful reply to `queries` vectors, one at least, whose bytes stay until it is freed.
 * All is checked here. NULL: it is not understood, or there is no memory; *ret_why says so in a few
 * words of static text.
 */
struct search_reply *search_reply_read(struct span reply, uint32_t queries, const char **ret_why)
    __attribute__((warn_unused_result));

/* The part of the next caller, who asked `queries` of them, one at least; all callers together no
 * more than were read. The caller's; NULL when there is no memory for it. */
struct blob *search_reply_take(struct search_reply *reply, uint32_t queries);

/* NULL is accepted. Parts stay. */
void search_reply_free(struct search_reply *reply);

#endif
