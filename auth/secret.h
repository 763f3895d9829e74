/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for a secret: pages of its own, wiped when they are let go, not part of a core dump, and
 * kept out of swap as far as RLIMIT_MEMLOCK goes (mlock(2), MADV_DONTDUMP in madvise(2)).
 */
#ifndef AUTH_SECRET_H
#define AUTH_SECRET_H

#include "proto/span.h"

struct secret {
    char *bytes;
    size_t length; /* of the secret; at most what was taken */
    size_t size;   /* bytes of its pages */
};

/* Takes room for so many bytes, all zeros. False: there is no memory. */
bool secret_take(struct secret *secret, size_t length) __attribute__((warn_unused_result));

bool secret_equal(const struct secret *a, const struct secret *b);

/* Wipes and frees. A struct of zeros is accepted, and left behind. */
void secret_clear(struct secret *secret);

/*
 * Reads up to `room` bytes of a secret's file. NULL, or a static text of what is wrong with it: it
 * cannot be read, or others than its owner and group may use it (files_check_secret()). Nothing but
 * `to` has held the bytes.
 */
const char *secret_read(const char *path, char *to, size_t room, size_t *ret_length);

#endif
