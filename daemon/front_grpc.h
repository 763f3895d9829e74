/* SPDX-License-Identifier: Apache-2.0 */
/* gRPC between a client's socket and the router: HTTP/2 in, calls on, answers back. */
#ifndef DAEMON_FRONT_GRPC_H
#define DAEMON_FRONT_GRPC_H

#include "daemon/client.h"

extern const struct front front_grpc;

/* Says in the log how often each limit of limits.http2 has been crossed, where one was. */
void front_grpc_report(const struct clients *clients);

#endif
