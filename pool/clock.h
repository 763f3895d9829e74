/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POOL_CLOCK_H
#define POOL_CLOCK_H

#include <stdint.h>
#include <sys/time.h>

/* Milliseconds of the monotonic clock; never goes back. */
int64_t clock_now(void);

/* Microseconds of the same. */
int64_t clock_micro(void);

/* So many ms as libevent takes them; none below 0. */
struct timeval clock_wait(int64_t ms);

#endif
