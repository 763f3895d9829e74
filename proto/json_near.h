/* SPDX-License-Identifier: Apache-2.0 */
/* Names that a mistyped one was likely meant to be. */
#ifndef PROTO_JSON_NEAR_H
#define PROTO_JSON_NEAR_H

#include <limits.h>

/* No near name. */
#define JSON_NEAR_NONE UINT_MAX

/* How many letters lie between two names, case apart; JSON_NEAR_NONE when too many do for a
 * mistyping: more than a third of the name, or one of them is longer than 63. */
unsigned json_near(const char *typed, const char *name);

#endif
