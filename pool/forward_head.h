/* SPDX-License-Identifier: Apache-2.0 */
/* The headers of a request to an upstream's HTTP port. */
#ifndef POOL_FORWARD_HEAD_H
#define POOL_FORWARD_HEAD_H

#include <event2/http.h>

#include "pool/endpoint.h"
#include "pool/request.h"

/*
 * Names the host, the database (DB-Name) and shows the pool's credential, as Milvus's REST wants
 * it: "Basic base64(user:password)", or "Bearer KEY" for an API key, which gRPC carries as
 * base64(KEY).
 */
void forward_head(struct evkeyvalq *head, const struct request *request,
                  const struct endpoint *endpoint);

#endif
