/* SPDX-License-Identifier: Apache-2.0 */
/* What requests have to agree in to travel together, beyond what a search's message says. */
#ifndef POOL_MERGE_KEY_H
#define POOL_MERGE_KEY_H

#include "pool/request.h"

/* The client's metadata that the upstream gets, but for what only traces the call. NULL: none. The
 * caller's. */
struct blob *merge_key_metadata(const struct metadata *metadata);

/* A collection of the upstream; a read with all its bytes. The caller's. */
struct blob *merge_key_collection(const struct request *request);
struct blob *merge_key_read(const struct request *request);

#endif
