/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POOL_SESSION_H
#define POOL_SESSION_H

#include "proto/blob.h"

/* The ConnectRequest with which the daemon introduces itself to an upstream. The caller's. */
struct blob *session_connect_message(void);

#endif
