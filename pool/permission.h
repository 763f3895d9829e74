/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a request may be made, by the rule of who asks; docs/security.md says the rules. */
#ifndef POOL_PERMISSION_H
#define POOL_PERMISSION_H

#include "pool/request.h"

/* With what admission_read() finds out. False: it has failed the request. */
bool permission_take(struct request *request);

/* ms that it may take at most, where its database gives it so many. */
int64_t permission_max_timeout(const struct request *request, int64_t of_database);

/* The request is over; it need not have been permitted. */
void permission_release(struct request *request);

#endif
