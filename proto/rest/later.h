/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that a plan has made ready before it asks for the first of them, so that a body which is
 * wrong anywhere does nothing. They are the plan's own (struct rest), which has no other then. */
#ifndef PROTO_REST_LATER_H
#define PROTO_REST_LATER_H

#include "proto/rest/state.h"

/* Adds a call behind the others; the message is handed over. */
void rest_later(struct rest *rest, const char *method, struct buffer *message);

/* Asks for the next of them; false: none is left. */
bool rest_ask_later(struct rest *rest);

#endif
