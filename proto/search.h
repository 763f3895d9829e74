/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Searches that may travel together: requests of Search (milvus.proto.milvus.SearchRequest) that
 * agree in everything but their vectors, which stand in placeholder_group, and the number of these,
 * nq. Only fields and parameters that are known to concern each vector by itself are taken;
 * grouping, iterators, search by id, rerankers, highlighters and what a later Milvus may add are
 * not. Nor is what Milvus would refuse for its vectors alone: a number that is none, or another
 * count than nq.
 */
#ifndef PROTO_SEARCH_H
#define PROTO_SEARCH_H

#include "proto/blob.h"

struct search {
    struct blob *shape;  /* equal for those that may travel together; the reader's to keep */
    struct span rest;    /* within it: the request without vectors and nq */
    uint32_t type;       /* of the vectors, PlaceholderType */
    struct span tag;     /* within the request */
    struct span vectors; /* within the request: fields PlaceholderValue.values, as they stand */
    uint32_t count;      /* of them, at least 1 */
    uint32_t limit;      /* results of each, at most, offset included; at least 1 */
};

/* Reads the request, to which `tail` belongs; `extra`: what has to agree beside it. False: it
 * travels alone, whether it is wrong or only not understood. */
bool search_read(struct span body, struct span tail, struct span extra, struct search *ret_search)
    __attribute__((warn_unused_result));

/* Puts an equal shape, which is borrowed, in the place of the search's own, which is given back. */
void search_share_shape(struct search *search, struct blob *shape);

/* The request of several that agree with `first`, with room for as many vectors in as many bytes,
 * which are then added in the order of the results. */
struct blob *search_join(const struct search *first, uint32_t count, size_t bytes);
void search_join_add(struct blob *joined, const struct search *search);

#endif
