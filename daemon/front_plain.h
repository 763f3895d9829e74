/* SPDX-License-Identifier: Apache-2.0 */
/* The plain protocol between a client's socket and the router: frames in, requests on, replies
 * back. */
#ifndef DAEMON_FRONT_PLAIN_H
#define DAEMON_FRONT_PLAIN_H

#include "daemon/client.h"

/* Requests under way on one connection; above it they are refused with RESOURCE_EXHAUSTED. */
#define FRONT_PLAIN_REQUESTS_MAX 4096u

extern const struct front front_plain;

#endif
