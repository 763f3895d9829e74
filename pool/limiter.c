/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/limiter.h"

#define START        2
#define WINDOW_CALLS 32     /* at least */
#define WINDOW_TIME  100000 /* us, at least */
#define PAUSE_MAX    64     /* windows */

/* By what a search has to be sooner for more calls, and may be later for fewer. */
#define MORE_BELOW  0.95
#define FEWER_BELOW 1.02

void limiter_init(struct limiter *limiter, uint32_t fixed, uint32_t max)
{
    uint32_t limit = START < max ? START : max;
    if (fixed > 0)
        limit = fixed;
    *limiter = (struct limiter){
        .limit = limit, .settled = limit, .max = max, .fixed = fixed > 0 || max == 1};
}

uint32_t limiter_limit(const struct limiter *limiter)
{
    return limiter->limit;
}

static void open_window(struct limiter *limiter, enum limiter_window window, int64_t now)
{
    limiter->window = window;
    limiter->began = now;
    limiter->calls = 0;
    limiter->crowded = 0;
    limiter->searches = 0;
    limiter->latency = 0;
}

static void rest(struct limiter *limiter, int64_t now)
{
    limiter->left = limiter->pause;
    open_window(limiter, limiter->left > 0 ? LIMITER_REST : LIMITER_BEFORE, now);
}

/* What is tried next. */
static uint32_t other_limit(const struct limiter *limiter)
{
    uint32_t step = limiter->settled / 4 > 1 ? limiter->settled / 4 : 1;
    if (limiter->down)
        return limiter->settled - step;
    return limiter->settled + step < limiter->max ? limiter->settled + step : limiter->max;
}

static void begin_trial(struct limiter *limiter, double before, int64_t now)
{
    if (limiter->settled == 1 || limiter->settled >= limiter->max)
        limiter->down = limiter->settled > 1;
    limiter->before = before;
    limiter->limit = other_limit(limiter);
    open_window(limiter, LIMITER_TRIAL, now);
}

static void end_trial(struct limiter *limiter, double trial, int64_t now)
{
    limiter->trial = trial;
    limiter->limit = limiter->settled;
    open_window(limiter, LIMITER_AFTER, now);
}

static void judge(struct limiter *limiter, double after, int64_t now)
{
    double usual = (limiter->before + after) / 2;
    if (limiter->trial < usual * (limiter->down ? FEWER_BELOW : MORE_BELOW)) {
        limiter->settled = other_limit(limiter);
        limiter->limit = limiter->settled;
        limiter->pause = 0;
    } else {
        limiter->down = !limiter->down;
        limiter->pause = limiter->pause == 0 ? 1 : limiter->pause * 2;
        if (limiter->pause > PAUSE_MAX)
            limiter->pause = PAUSE_MAX;
    }
    rest(limiter, now);
}

static void close_window(struct limiter *limiter, int64_t now)
{
    double latency = (double)limiter->latency / (double)limiter->searches;
    bool is_crowded = limiter->crowded * 2 >= limiter->calls;
    if (limiter->window == LIMITER_TRIAL)
        end_trial(limiter, latency, now);
    else if (limiter->window == LIMITER_AFTER)
        judge(limiter, latency, now);
    else if (limiter->window == LIMITER_REST && limiter->left-- > 1)
        open_window(limiter, LIMITER_REST, now);
    else if (limiter->window == LIMITER_BEFORE && is_crowded)
        begin_trial(limiter, latency, now);
    else
        open_window(limiter, LIMITER_BEFORE, now);
}

void limiter_ended(struct limiter *limiter, const struct limiter_call *call)
{
    if (limiter->fixed || call->began < limiter->began)
        return;
    limiter->calls++;
    limiter->crowded += call->crowded;
    limiter->searches += call->searches;
    limiter->latency += (uint64_t)(call->ended * call->searches - call->arrived);
    if (limiter->calls >= WINDOW_CALLS && call->ended - limiter->began >= WINDOW_TIME)
        close_window(limiter, call->ended);
}
