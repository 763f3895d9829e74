/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.1 between a client's socket and Milvus's RESTful v2: one request after the other. */
#ifndef DAEMON_FRONT_HTTP_H
#define DAEMON_FRONT_HTTP_H

#include "daemon/client.h"

extern const struct front front_http;

#endif
