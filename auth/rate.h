/* SPDX-License-Identifier: Apache-2.0 */
/* So many a second in the long run, and a burst of as many at once as had been saved up: a token
 * bucket. */
#ifndef AUTH_RATE_H
#define AUTH_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate {
    double per_ms;
    double burst;
    double saved;  /* of the burst */
    int64_t since; /* ms, on the caller's clock: when that was so */
};

/* With the whole burst saved. */
void rate_init(struct rate *rate, double per_second, double burst, int64_t now);

/* Whether so much is saved. */
bool rate_has(struct rate *rate, double count, int64_t now);

/* Takes `count` off. False: less was saved, and all stays. */
bool rate_take(struct rate *rate, double count, int64_t now) __attribute__((warn_unused_result));

/* Takes off what has been used already, though it was more than there was: the next one waits. */
void rate_charge(struct rate *rate, double count, int64_t now);

#endif
