/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client shows for a token, NAME:SECRET, as SDKs and programs write it:
 *
 *   base64(NAME:SECRET)          Milvus's own: `token`, or `user` and `password`, of its SDKs
 *   Basic base64(NAME:SECRET)    RFC 7617
 *   Bearer NAME:SECRET           as Milvus's REST takes it
 */
#ifndef AUTH_SHOWN_H
#define AUTH_SHOWN_H

#include "proto/wiped.h"

#define SHOWN_MAX 1024 /* bytes of NAME:SECRET */

struct shown {
    struct span name;   /* within text */
    struct span secret; /* the same */
    char text[SHOWN_MAX];
};

/* Reads the value of `authorization`. False: it is none of these. To be wiped in either case. */
bool shown_read(struct span authorization, struct shown *shown) __attribute__((warn_unused_result));

/* Adds the same value as Milvus's gRPC service takes it: base64 of user:password or of an API key.
 * Over HTTP they come as "Basic", which has that already, and as "Bearer", which has it plain. */
void shown_for_milvus(struct span authorization, struct wiped *to);

void shown_wipe(struct shown *shown);

#endif
