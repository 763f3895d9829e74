/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/h2_limits.h"

#define MINUTE 60000.0 /* ms */

static const struct {
    const char *key;
    const char *what;
    bool renewed;
} rates[] = {
#define X(name, key, what, renewed) [H2_RATE_##name] = {key, what, renewed},
    H2_RATES(X)
#undef X
};

void h2_allowance_init(struct h2_allowance *allowance, const struct h2_limits *limits, int64_t now)
{
    allowance->refilled = now;
    for (int i = 0; i < H2_RATE_COUNT; i++)
        allowance->left[i] = limits->rates[i];
}

/* What the time since the last call gives back. */
static void refill(struct h2_allowance *allowance, const struct h2_limits *limits, int64_t now)
{
    double minutes = (double)(now - allowance->refilled) / MINUTE;
    if (minutes <= 0)
        return;
    allowance->refilled = now;
    for (int i = 0; i < H2_RATE_COUNT; i++) {
        double left = allowance->left[i] + minutes * limits->rates[i];
        allowance->left[i] = left < limits->rates[i] ? left : limits->rates[i];
    }
}

bool h2_allowance_take(struct h2_allowance *allowance, const struct h2_limits *limits,
                       enum h2_rate rate, int64_t now)
{
    refill(allowance, limits, now);
    if (allowance->left[rate] < 1)
        return false;
    allowance->left[rate]--;
    return true;
}

void h2_allowance_renew(struct h2_allowance *allowance, const struct h2_limits *limits)
{
    for (int i = 0; i < H2_RATE_COUNT; i++) {
        if (rates[i].renewed)
            allowance->left[i] = limits->rates[i];
    }
}

const char *h2_rate_key(enum h2_rate rate)
{
    return rates[rate].key;
}

const char *h2_rate_what(enum h2_rate rate)
{
    return rates[rate].what;
}
