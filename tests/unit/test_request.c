/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "fake_transport.h"
#include "pool/clock.h"

static struct ask ask;
static struct event_base *loop;

static void begin(void)
{
    loop = event_base_new();
    ask_make(&ask, "Search");
    ask_admit(&ask, NULL, "books", 0);
}

static void end(void)
{
    request_timer_stop(&ask.request);
    ask_free(&ask);
    event_base_free(loop);
}

TestSuite(request, .init = begin, .fini = end);

static size_t fired;
static size_t other_fired;

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    cr_expect_eq(argument, &ask.request);
    fired++;
}

static void on_other(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what, (void)argument;
    other_fired++;
}

Test(request, timer_fires_once)
{
    request_timer(&ask.request, loop, clock_now() + 5, on_timer);
    run_until(loop, &fired, 1);
    run_for(loop, 20);
    cr_expect_eq(fired, 1);
}

Test(request, timer_of_the_past_fires_in_the_next_turn)
{
    request_timer(&ask.request, loop, clock_now() - 1000, on_timer);
    cr_expect_eq(fired, 0);
    run_until(loop, &fired, 1);
}

Test(request, timer_set_again_forgets_the_one_before)
{
    request_timer(&ask.request, loop, clock_now() + 1, on_timer);
    request_timer(&ask.request, loop, clock_now() + 2, on_other);
    run_until(loop, &other_fired, 1);
    cr_expect_eq(fired, 0);
}

Test(request, timer_that_is_stopped_does_not_fire)
{
    request_timer_stop(&ask.request);
    request_timer(&ask.request, loop, clock_now() + 1, on_timer);
    request_timer_stop(&ask.request);
    run_for(loop, 20);
    cr_expect_eq(fired, 0);
}

Test(request, end_stops_the_timer_and_tells)
{
    struct blob *reply = blob_copy(span_text("r"));
    struct outcome outcome = {.reply = reply};
    request_timer(&ask.request, loop, clock_now() + 1, on_timer);
    ask.request.state = REQUEST_WIRE;
    request_end(&ask.request, &outcome);
    blob_unref(reply);
    expect_reply(&ask, span_text("r"));
    cr_expect_eq(ask.request.state, REQUEST_IDLE);
    run_for(loop, 20);
    cr_expect_eq(fired, 0);
}

Test(request, failure_names_database_and_phase)
{
    request_fail(&ask.request, CODE_UNAVAILABLE, PHASE_CONNECT, "%d tries", 3);
    expect_failure(&ask, CODE_UNAVAILABLE, PHASE_CONNECT, "");
    cr_expect_str_eq(ask.message, "milvus-bouncer: database books: connect: 3 tries");
}

/* What a client calls a database may be as long as a frame, and be no name at all. */
Test(request, failure_of_any_length_is_cut)
{
    static char name[70000];
    memset(name, 'n', sizeof(name));
    ask.request.named = span_of(name, sizeof(name));
    request_fail(&ask.request, CODE_INVALID_ARGUMENT, PHASE_ADMISSION, "%.*s", (int)sizeof(name),
                 name);
    expect_failure(&ask, CODE_INVALID_ARGUMENT, PHASE_ADMISSION, ": admission: nnn");
    cr_expect_eq(strlen(ask.message), 1023);
}
