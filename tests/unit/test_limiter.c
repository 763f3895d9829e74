/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that ask again as soon as they are answered, and a server that is a formula. */
#include <criterion/criterion.h>

#include "pool/limiter.h"

#define CALLS   64
#define CLIENTS 64

static struct limiter limiter;

struct server {
    uint32_t workers; /* calls that do not slow each other down */
    int64_t fixed;    /* us of a call */
    int64_t each;     /* us of a vector */
};

/* A call under way. */
struct call {
    double left; /* us of work, with a worker of its own */
    struct limiter_call seen;
};

struct world {
    struct server server;
    double now;           /* us */
    double asks[CLIENTS]; /* when each that thinks asks again; the first ones do */
    uint32_t thinking;
    uint32_t waiting;
    double arrived; /* the sum of when they did */
    struct call calls[CALLS];
    uint32_t under_way;
    uint32_t seed;
};

static double random_up_to(struct world *world, double most)
{
    world->seed = world->seed * 1103515245 + 12345;
    return most * (world->seed >> 16 & 0x7fff) / 0x7fff;
}

static void let_go(struct world *world, bool crowded)
{
    if (world->waiting == 0 || world->under_way >= limiter_limit(&limiter))
        return;
    struct call *call = &world->calls[world->under_way++];
    call->left = (double)(world->server.fixed + world->server.each * world->waiting);
    call->seen = (struct limiter_call){.began = (int64_t)world->now,
                                       .searches = world->waiting,
                                       .arrived = (int64_t)world->arrived,
                                       .crowded = crowded};
    world->waiting = 0;
    world->arrived = 0;
}

/* How much of its own speed each call has. */
static double speed(const struct world *world)
{
    double share = (double)world->server.workers / world->under_way;
    return share < 1 ? share : 1;
}

static uint32_t next_to_ask(const struct world *world)
{
    uint32_t next = 0;
    for (uint32_t i = 1; i < world->thinking; i++) {
        if (world->asks[i] < world->asks[next])
            next = i;
    }
    return next;
}

static uint32_t next_to_end(const struct world *world)
{
    uint32_t next = 0;
    for (uint32_t i = 1; i < world->under_way; i++) {
        if (world->calls[i].left < world->calls[next].left)
            next = i;
    }
    return next;
}

static void pass(struct world *world, double time)
{
    for (uint32_t i = 0; i < world->under_way; i++)
        world->calls[i].left -= time * speed(world);
    world->now += time;
}

static void ask(struct world *world, uint32_t client)
{
    world->asks[client] = world->asks[--world->thinking];
    world->waiting++;
    world->arrived += world->now;
    let_go(world, false);
}

/* Whoever is answered asks again within a millisecond. */
static void end(struct world *world, uint32_t at)
{
    struct limiter_call ended = world->calls[at].seen;
    world->calls[at] = world->calls[--world->under_way];
    ended.ended = (int64_t)world->now;
    limiter_ended(&limiter, &ended);
    let_go(world, true);
    for (uint32_t i = 0; i < ended.searches; i++)
        world->asks[world->thinking++] = world->now + random_up_to(world, 1000);
}

static void step(struct world *world)
{
    uint32_t client = next_to_ask(world);
    uint32_t call = next_to_end(world);
    double until_asked = world->thinking ? world->asks[client] - world->now : 1e9;
    double until_ended = world->under_way ? world->calls[call].left / speed(world) : 1e9;
    pass(world, until_asked < until_ended ? until_asked : until_ended);
    if (until_asked < until_ended)
        ask(world, client);
    else
        end(world, call);
}

static uint32_t found(struct server server, uint32_t clients, uint32_t max)
{
    struct world world = {.server = server, .now = 1e6, .seed = 1, .thinking = clients};
    limiter_init(&limiter, 0, max);
    for (uint32_t i = 0; i < clients; i++)
        world.asks[i] = world.now + random_up_to(&world, 1000);
    for (int i = 0; i < 1000000; i++) {
        step(&world);
        cr_assert_geq(limiter_limit(&limiter), 1);
        cr_assert_leq(limiter_limit(&limiter), max);
    }
    return limiter.settled;
}

Test(limiter, a_server_that_does_one_at_a_time_gets_few)
{
    cr_expect_leq(found((struct server){1, 20000, 700}, CLIENTS, 8), 2);
}

Test(limiter, a_server_with_many_workers_gets_many)
{
    cr_expect_geq(found((struct server){8, 1000, 500}, CLIENTS, 16), 6);
}

Test(limiter, a_far_server_that_is_idle_gets_as_many_as_help)
{
    /* Half of its time a call is on its way. */
    cr_expect_geq(found((struct server){64, 50000, 500}, CLIENTS, 8), 2);
    cr_expect_leq(found((struct server){64, 50000, 500}, CLIENTS, 8), 8);
}

Test(limiter, a_fixed_one_stays)
{
    struct limiter_call call = {.began = 1, .ended = 100001, .searches = 8, .crowded = true};
    limiter_init(&limiter, 5, 2);
    for (int i = 0; i < 1000; i++) {
        cr_assert_eq(limiter_limit(&limiter), 5);
        limiter_ended(&limiter, &call);
        call.began += 100000;
        call.ended += 100000;
    }
}

Test(limiter, the_most_may_be_one)
{
    limiter_init(&limiter, 0, 1);
    cr_expect_eq(limiter_limit(&limiter), 1);
    cr_expect_eq(found((struct server){8, 1000, 500}, CLIENTS, 1), 1);
}

Test(limiter, while_nothing_waits_nothing_is_tried)
{
    struct limiter_call call = {.began = 1, .ended = 100001, .searches = 1};
    limiter_init(&limiter, 0, 8);
    for (int i = 0; i < 1000; i++) {
        cr_assert_eq(limiter_limit(&limiter), 2);
        limiter_ended(&limiter, &call);
        call.began += 100000;
        call.ended += 100000;
    }
}

Test(limiter, one_client_is_no_reason_to_change)
{
    cr_expect_eq(found((struct server){1, 2000, 100}, 1, 8), 2);
}
