/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes among which a secret may be: they grow as they come, and are wiped where they stood and
 * when they go. Without memory for them the process ends, so who adds bounds what is added. */
#ifndef PROTO_WIPED_H
#define PROTO_WIPED_H

#include "proto/span.h"

/* Zeros: empty, without memory. */
struct wiped {
    uint8_t *at;
    size_t length; /* bytes added */
    size_t room;   /* bytes there is memory for */
};

/* So many bytes more, added but not set. */
uint8_t *wiped_room(struct wiped *wiped, size_t length);

void wiped_add(struct wiped *wiped, struct span bytes);

/* What was added; good until more is. */
static inline struct span wiped_span(const struct wiped *wiped)
{
    return span_of(wiped->at, wiped->length);
}

/* Leaves it empty, without memory. */
void wiped_clear(struct wiped *wiped);

#endif
