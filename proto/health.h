/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of grpc.health.v1.Health (grpc/doc/health-checking.md). */
#ifndef PROTO_HEALTH_H
#define PROTO_HEALTH_H

#include "proto/blob.h"

#define HEALTH_CHECK_PATH "/grpc.health.v1.Health/Check"
#define HEALTH_WATCH_PATH "/grpc.health.v1.Health/Watch"

/* HealthCheckResponse.ServingStatus. */
enum health { HEALTH_SERVING = 1, HEALTH_NOT_SERVING = 2, HEALTH_SERVICE_UNKNOWN = 3 };

/* The service that a HealthCheckRequest names, empty for the server as a whole. False: malformed.
 */
bool health_read_request(struct span message, struct span *ret_service);

/* A HealthCheckResponse, the caller's, never NULL. */
struct blob *health_response(enum health health);

#endif
