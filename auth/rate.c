/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/rate.h"

void rate_init(struct rate *rate, double per_second, double burst, int64_t now)
{
    *rate =
        (struct rate){.per_ms = per_second / 1000, .burst = burst, .saved = burst, .since = now};
}

static void save(struct rate *rate, int64_t now)
{
    if (now <= rate->since)
        return;
    double saved = rate->saved + (double)(now - rate->since) * rate->per_ms;
    rate->saved = saved < rate->burst ? saved : rate->burst;
    rate->since = now;
}

bool rate_has(struct rate *rate, double count, int64_t now)
{
    save(rate, now);
    return rate->saved >= count;
}

bool rate_take(struct rate *rate, double count, int64_t now)
{
    if (!rate_has(rate, count, now))
        return false;
    rate->saved -= count;
    return true;
}

void rate_charge(struct rate *rate, double count, int64_t now)
{
    save(rate, now);
    rate->saved -= count;
}
