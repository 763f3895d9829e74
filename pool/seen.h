/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client connection has asked before. An SDK describes a collection again only when it
 * believes its own memory of the schema wrong; so the second question on a connection is not
 * answered from ours.
 */
#ifndef POOL_SEEN_H
#define POOL_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Questions remembered per connection; beyond them every question counts as asked before, which is
 * safe. */
#define SEEN_MAX 1024

struct seen {
    uint64_t *hashes; /* open addressing, 0: free; NULL until the first question */
    uint32_t size;    /* a power of two */
    uint32_t count;
};

/* Remembers a question by its hash; true: it was asked before. A struct of zeros is empty. */
bool seen_before(struct seen *seen, uint64_t hash);

void seen_clear(struct seen *seen);

#endif
