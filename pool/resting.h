/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes of requests that are not merged for a while, as it went wrong. */
#ifndef POOL_RESTING_H
#define POOL_RESTING_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/blob.h"

#define RESTING_MAX 64 /* shapes; one more, and the first is forgotten */

struct resting_shape;

/* A struct of zeros is empty. */
struct resting {
    struct resting_shape *shapes; /* by their bytes, longest ago first */
};

/* For that time, in ms; the shape is referenced. */
void resting_add(struct resting *resting, struct blob *shape, int64_t time);

bool resting_has(struct resting *resting, const struct blob *shape);

void resting_clear(struct resting *resting);

#endif
