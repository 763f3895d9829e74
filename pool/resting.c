/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/resting.h"

#include <stdlib.h>
#include <uthash.h>

#include "pool/clock.h"

struct resting_shape {
    UT_hash_handle hh;
    struct blob *shape;
    int64_t until; /* on clock_now()'s clock */
};

static void forget(struct resting *resting, struct resting_shape *one)
{
    HASH_DELETE(hh, resting->shapes, one);
    blob_unref(one->shape);
    free(one);
}

static struct resting_shape *find(const struct resting *resting, const struct blob *shape)
{
    struct resting_shape *one;
    HASH_FIND(hh, resting->shapes, shape->data, shape->size, one);
    return one;
}

void resting_add(struct resting *resting, struct blob *shape, int64_t time)
{
    struct resting_shape *one = find(resting, shape);
    if (one)
        forget(resting, one);
    if (HASH_COUNT(resting->shapes) >= RESTING_MAX)
        forget(resting, resting->shapes);
    one = malloc(sizeof(*one));
    if (!one)
        abort();
    *one = (struct resting_shape){.shape = blob_ref(shape), .until = clock_now() + time};
    HASH_ADD_KEYPTR(hh, resting->shapes, shape->data, shape->size, one);
}

bool resting_has(struct resting *resting, const struct blob *shape)
{
    struct resting_shape *one = resting->shapes ? find(resting, shape) : NULL;
    if (one && clock_now() >= one->until) {
        forget(resting, one);
        one = NULL;
    }
    return one != NULL;
}

void resting_clear(struct resting *resting)
{
    while (resting->shapes)
        forget(resting, resting->shapes);
}
