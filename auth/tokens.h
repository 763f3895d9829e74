/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tokens of clients, and whether one that is shown is right. The event loop waits while a
 * secret is hashed, so:
 *
 * - What was right once is remembered, as a SHA-256 keyed anew by each process, until the file's
 *   line is another. So are the last few wrong ones of each name: a client that tries again and
 *   again costs nothing.
 * - A name that is not in the file is refused without hashing. Names are no secrets.
 * - New wrong secrets are few: TOKEN_TRIES a minute of each name, and of all together so many that
 *   hashing takes a twentieth of the time. What is not remembered waits then (TOKEN_LATER).
 */
#ifndef AUTH_TOKENS_H
#define AUTH_TOKENS_H

#include "auth/rate.h"
#include "auth/shown.h"

#define TOKEN_TRIES 10 /* wrong ones of a name, a minute and at once */

struct tokens;

/* Reads the file. NULL: *ret_error says what is wrong with it, to be freed. now: ms. */
struct tokens *tokens_open(const char *path, int64_t now, char **ret_error);

/* Reads it again. -1: *ret_error is as above, and the tokens stay what they were. */
int tokens_refresh(struct tokens *tokens, int64_t now, char **ret_error)
    __attribute__((warn_unused_result));

/* Wipes what it remembers, and frees; NULL is accepted. */
void tokens_close(struct tokens *tokens);

/* What somebody may have meant by a name that is not there, as suggest_nearest(). */
const char *tokens_nearest(const struct tokens *tokens, const char *name);

bool tokens_have(const struct tokens *tokens, const char *name);

enum token_check {
    TOKEN_RIGHT,
    TOKEN_WRONG,     /* hashed, and found to be wrong */
    TOKEN_WRONG_YET, /* remembered as wrong, of a name that nobody has, or no token at all */
    TOKEN_LATER,     /* not checked: too many were wrong of late */
};

/* Checks the value of `authorization`. *ret_name: the token's name, where it is known, else NULL;
 * valid until the next refresh. */
enum token_check tokens_check(struct tokens *tokens, struct span authorization, int64_t now,
                              const char **ret_name) __attribute__((warn_unused_result));

#endif
