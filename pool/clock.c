/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/clock.h"

#include <time.h>

int64_t clock_micro(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

struct timeval clock_wait(int64_t ms)
{
    if (ms < 0)
        ms = 0;
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

int64_t clock_now(void)
{
    return clock_micro() / 1000;
}
