/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POOL_CLOCK_H
#define POOL_CLOCK_H

#include <stdint.h>

/* Milliseconds of the monotonic clock; never goes back. */
int64_t clock_now(void);

/* Microseconds of the same. */
int64_t clock_micro(void);

#endif
