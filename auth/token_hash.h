/* SPDX-License-Identifier: Apache-2.0 */
/* Salted hashes of secrets, by libcrypt (crypt(5)). Hashing is slow on purpose. */
#ifndef AUTH_TOKEN_HASH_H
#define AUTH_TOKEN_HASH_H

#include "proto/span.h"

/* Bytes of a secret: libcrypt takes no more. */
#define TOKEN_SECRET_MAX 511

/* Whether the text is a hash by a method that libcrypt calls strong. */
bool token_hash_valid(const char *hash);

/* Whether it is the hash of this secret. Takes as long as the hash says: about 12 ms of one that
 * token_hash_make() made of a secret that somebody chose, 1 ms of one that was drawn. */
bool token_hash_matches(const char *hash, struct span secret);

/* The hash of a secret (1 to TOKEN_SECRET_MAX bytes, none of them NUL) with a fresh salt, by
 * yescrypt; to be freed. drawn: the secret is random and long, so that guessing it is hopeless
 * however fast it goes. NULL: no memory, or no random numbers. */
char *token_hash_make(struct span secret, bool drawn);

#endif
