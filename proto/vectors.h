/* SPDX-License-Identifier: Apache-2.0 */
/* The vectors of a search: milvus.proto.common.PlaceholderGroup. */
#ifndef PROTO_VECTORS_H
#define PROTO_VECTORS_H

#include "proto/span.h"

/* Fields of PlaceholderGroup (placeholders), and of PlaceholderValue. */
#define PLACEHOLDERS      1
#define PLACEHOLDER_TAG   1
#define PLACEHOLDER_TYPE  2
#define PLACEHOLDER_VALUE 3
#define PLACEHOLDER_LEVEL 4 /* element_level */

#define VECTORS_TAG_MAX 64 /* bytes; SDKs write "$0" */

struct vectors {
    struct span tag;    /* at most VECTORS_TAG_MAX */
    uint32_t type;      /* PlaceholderType, one of the plain vectors: 100 to 105 */
    struct span values; /* fields PlaceholderValue.values, as they stand one behind the other */
    uint32_t count;     /* of them */
    size_t size;        /* bytes of each; 0 for sparse ones, which differ */
};

/* False: it is something else than one placeholder with vectors of one size, or of floating-point
 * ones a number is none (NaN, infinity), which Milvus refuses. */
bool vectors_read(struct span group, struct vectors *ret_vectors)
    __attribute__((warn_unused_result));

#endif
