/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for the plans of entities/… where only the others are tested. */
#include "proto/rest/plans.h"

static void answer(struct rest *rest, const struct rest_reply *reply)
{
    (void)reply;
    rest_answer_empty(rest);
}

#define STAND_IN(name)                                                                             \
    void name(struct rest *rest, const struct rest_reply *reply)                                   \
    {                                                                                              \
        answer(rest, reply);                                                                       \
    }

STAND_IN(rest_insert)
STAND_IN(rest_upsert)
STAND_IN(rest_delete)
STAND_IN(rest_get)
STAND_IN(rest_query)
STAND_IN(rest_search)
STAND_IN(rest_hybrid_search)
