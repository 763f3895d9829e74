/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/login.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake_transport.h"

#define START   INT64_C(1000000)
#define LEAST   75 /* ms, of the first pause, with its jitter */
#define MOST    125
#define REFUSED CODE_UNAUTHENTICATED

/* Secrets, and what travels of them. */
#define OLD  "old", "b2xk"
#define NEW  "new", "bmV3"
#define LAST "last", "bGFzdA=="

static char path[] = "/tmp/mvb-login-XXXXXX";
static struct fake_log sink;
static struct login *login;
static int64_t now;

static const struct conf_credential conf = {.token_file = path};

/* A call under way. */
struct call {
    struct login_pass pass;
    char carries[64];
};

static void put(const char *secret, const char *encoded)
{
    (void)encoded;
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(secret, file);
    fclose(file);
}

static void create(void)
{
    char *error = NULL;
    close(mkstemp(path));
    put(OLD);
    fake_log_open(&sink);
    now = START;
    login = login_new(&(struct login_setup){.logger = &sink.logger,
                                            .upstream = "main",
                                            .title = "database books",
                                            .credential = &conf},
                      &error);
    cr_assert_not_null(login, "%s", error);
}

static void destroy(void)
{
    login_free(login);
    unlink(path);
}

TestSuite(login, .init = create, .fini = destroy);

static void begin_as(struct call *call, bool is_stream)
{
    cr_assert(login_lets(login, now));
    struct span value = login_begin(login, is_stream, now, &call->pass);
    cr_assert_lt(value.length, sizeof(call->carries));
    snprintf(call->carries, sizeof(call->carries), "%.*s", SPAN_ARGS(value));
}

static struct call begin(void)
{
    struct call call;
    begin_as(&call, false);
    return call;
}

static enum login_verdict end(const struct call *call, enum code code)
{
    const struct upstream_end how = {
        .code = code, .message = span_text("invalid token"), .from_peer = true};
    return login_ended(login, &call->pass, &how, now);
}

static void expect_carries(const struct call *call, const char *secret, const char *encoded)
{
    cr_expect_str_eq(call->carries, encoded, "%s instead of %s", call->carries, secret);
}

/* One call, from begin to end. */
static enum login_verdict ask(enum code code, const char *secret, const char *encoded)
{
    struct call call = begin();
    expect_carries(&call, secret, encoded);
    return end(&call, code);
}

static size_t count(const char *text)
{
    size_t found = 0;
    for (const char *at = sink.text; (at = strstr(at, text)); at++)
        found++;
    return found;
}

/* ms until a call may begin, found by waiting. */
static int64_t wait_for_turn(void)
{
    int64_t before = now;
    while (!login_lets(login, now))
        now++;
    return now - before;
}

/* ---- a secret that is wrong from the start ---- */

Test(login, wrong_secret_closes)
{
    cr_expect_eq(ask(REFUSED, OLD), LOGIN_REFUSED);
    cr_expect_not(login_lets(login, now));
    cr_expect(login_refuses(login, now));
    cr_expect_not(login_holds(login));
    cr_expect_eq(login_due(login, now), LOGIN_NEVER);
    cr_expect_str_eq(login_words(login), "invalid token");
    cr_expect(strstr(sink.text, "upstream main, database books: Milvus refuses the credential, "
                                "token in /tmp/mvb-login-"),
              "%s", sink.text);
}

Test(login, is_tried_after_pauses_that_double)
{
    int64_t pause = LOGIN_PAUSE_LEAST;
    cr_expect_eq(ask(REFUSED, OLD), LOGIN_REFUSED);
    for (int i = 0; i < 12; i++) {
        int64_t waited = wait_for_turn();
        cr_expect_geq(waited, pause * 3 / 4, "%d", i);
        cr_expect_leq(waited, pause * 5 / 4, "%d", i);
        cr_expect_not(login_refuses(login, now));
        cr_expect_eq(ask(REFUSED, OLD), LOGIN_REFUSED);
        pause = 2 * pause < LOGIN_PAUSE_MOST ? 2 * pause : LOGIN_PAUSE_MOST;
    }
    cr_expect_eq(pause, LOGIN_PAUSE_MOST);
    cr_expect_eq(count("refuses the credential"), 1, "%s", sink.text);
    wait_for_turn();
    cr_expect_eq(ask(CODE_OK, OLD), LOGIN_TAKEN);
    cr_expect(login_lets(login, now));
    cr_expect_not(login_refuses(login, now));
}

Test(login, one_call_tries_at_a_time)
{
    cr_expect_eq(ask(REFUSED, OLD), LOGIN_REFUSED);
    wait_for_turn();
    struct call probe = begin();
    cr_expect_not(login_lets(login, now));
    cr_expect(login_refuses(login, now));
    cr_expect_eq(end(&probe, CODE_OK), LOGIN_TAKEN);
    cr_expect(login_lets(login, now));
}

/* A call that takes long, as a stream does, says nothing until it ends. */
Test(login, call_that_does_not_end_does_not_keep_others_back)
{
    struct call probe;
    cr_expect_eq(ask(REFUSED, OLD), LOGIN_REFUSED);
    wait_for_turn();
    begin_as(&probe, true);
    cr_expect_eq(wait_for_turn(), 1000);
    cr_expect_eq(ask(CODE_OK, OLD), LOGIN_TAKEN);
    cr_expect_eq(end(&probe, CODE_CANCELLED), LOGIN_TAKEN);
    cr_expect(login_lets(login, now));
}

Test(login, calls_that_began_before_tell_nothing)
{
    struct call first = begin(), second = begin(), third = begin();
    cr_expect_eq(end(&first, REFUSED), LOGIN_REFUSED);
    cr_expect_eq(end(&second, REFUSED), LOGIN_REFUSED);
    cr_expect_leq(wait_for_turn(), MOST, "the second call does not make the pause longer");
    cr_expect_eq(end(&third, CODE_OK), LOGIN_TAKEN);
    struct call probe = begin();
    cr_expect_not(login_lets(login, now), "the third call does not open");
    cr_expect_eq(end(&probe, CODE_PERMISSION_DENIED), LOGIN_TAKEN);
    cr_expect(login_lets(login, now));
}

Test(login, what_breaks_on_the_way_tells_nothing)
{
    const struct upstream_end broken = {.code = CODE_UNAVAILABLE, .from_peer = false};
    const struct upstream_end ours = {.code = CODE_UNAUTHENTICATED, .from_peer = false};
    struct call call = begin();
    cr_expect_eq(login_ended(login, &call.pass, &ours, now), LOGIN_TAKEN);
    cr_expect_eq(ask(REFUSED, OLD), LOGIN_REFUSED);
    wait_for_turn();
    call = begin();
    cr_expect_eq(login_ended(login, &call.pass, &broken, now), LOGIN_TAKEN);
    cr_expect(login_lets(login, now), "the next one may try");
    call = begin();
    cr_expect_not(login_lets(login, now), "alone");
    cr_expect_eq(end(&call, CODE_UNAVAILABLE), LOGIN_TAKEN);
    call = begin();
    cr_expect_not(login_lets(login, now));
    end(&call, CODE_OK);
}

Test(login, another_secret_is_tried_at_once)
{
    cr_expect_eq(ask(REFUSED, OLD), LOGIN_REFUSED);
    cr_expect(login_refuses(login, now));
    put(NEW);
    cr_expect_not(login_refuses(login, now));
    struct call probe = begin();
    expect_carries(&probe, NEW);
    cr_expect_not(login_lets(login, now), "alone");
    cr_expect_not(login_refuses(login, now), "others wait meanwhile");
    cr_expect_eq(end(&probe, CODE_OK), LOGIN_TAKEN);
    cr_expect_eq(ask(CODE_OK, NEW), LOGIN_TAKEN);
    cr_expect_eq(count("has been read again"), 1, "%s", sink.text);
}

Test(login, another_secret_that_is_refused_too_closes_again)
{
    cr_expect_eq(ask(REFUSED, OLD), LOGIN_REFUSED);
    put(NEW);
    cr_expect_not(login_refuses(login, now));
    cr_expect_eq(ask(REFUSED, NEW), LOGIN_REFUSED);
    cr_expect(login_refuses(login, now));
    cr_expect_leq(wait_for_turn(), MOST, "its pauses begin anew");
}

/* ---- Milvus is told of another secret first ---- */

Test(login, refused_call_has_the_file_read_and_goes_again)
{
    struct call call = begin();
    put(NEW);
    cr_expect_eq(end(&call, REFUSED), LOGIN_REPEAT);
    cr_expect_eq(ask(CODE_OK, NEW), LOGIN_TAKEN);
    cr_expect_eq(count("refuses"), 0, "%s", sink.text);
}

Test(login, secret_that_was_taken_before_is_held)
{
    cr_expect_eq(ask(CODE_OK, OLD), LOGIN_TAKEN);
    struct call late = begin();
    cr_expect_eq(ask(REFUSED, OLD), LOGIN_REPEAT);
    cr_expect(login_holds(login));
    cr_expect_not(login_refuses(login, now));
    cr_expect_not(login_lets(login, now));
    cr_expect_eq(end(&late, REFUSED), LOGIN_REPEAT);
    cr_expect_leq(login_due(login, now) - now, MOST);
    cr_expect(strstr(sink.text, "that it took before: requests wait up to 5 s"), "%s", sink.text);

    wait_for_turn();
    cr_expect_eq(ask(REFUSED, OLD), LOGIN_REPEAT);
    put(NEW);
    login_look(login, now);
    cr_expect(login_lets(login, now));
    cr_expect_gt(login_due(login, now), now, "who waits is let go at once, or there is nobody");
    cr_expect_eq(ask(CODE_OK, NEW), LOGIN_TAKEN);
    cr_expect_not(login_holds(login));
    cr_expect_eq(login_due(login, now), LOGIN_NEVER);
}

/* A file that is being written: what is refused of it is not its last word. */
Test(login, half_a_secret_does_not_end_the_wait)
{
    cr_expect_eq(ask(CODE_OK, OLD), LOGIN_TAKEN);
    cr_expect_eq(ask(REFUSED, OLD), LOGIN_REPEAT);
    put("", "");
    login_look(login, now);
    cr_expect_not(login_lets(login, now));
    put(NEW);
    login_look(login, now);
    cr_expect_eq(ask(REFUSED, NEW), LOGIN_REPEAT);
    put(LAST);
    login_look(login, now);
    cr_expect_eq(ask(CODE_OK, LAST), LOGIN_TAKEN);
    cr_expect(login_lets(login, now));
    cr_expect_eq(count("it is empty"), 1, "%s", sink.text);
}

Test(login, hold_ends)
{
    cr_expect_eq(ask(CODE_OK, OLD), LOGIN_TAKEN);
    int64_t began = now;
    size_t calls = 1;
    cr_expect_eq(ask(REFUSED, OLD), LOGIN_REPEAT);
    while (login_holds(login)) {
        now = login_due(login, now);
        login_look(login, now);
        if (!login_lets(login, now) || login_refuses(login, now))
            continue;
        enum login_verdict verdict = ask(REFUSED, OLD);
        cr_expect_eq(verdict, LOGIN_REPEAT);
        calls++;
    }
    cr_expect_eq(now, began + LOGIN_HOLD);
    cr_expect_leq(calls, 7);
    cr_expect(login_refuses(login, now));
    cr_expect_eq(count("Milvus refuses the credential, token"), 2, "%s", sink.text);
    wait_for_turn();
    cr_expect_eq(ask(REFUSED, OLD), LOGIN_REFUSED, "it is not held again");
}

/* ---- the file is changed first ---- */

Test(login, file_is_looked_at_once_a_second)
{
    now += 1000;
    cr_expect_eq(ask(CODE_OK, OLD), LOGIN_TAKEN);
    put(NEW);
    now += 999;
    cr_expect_eq(ask(CODE_OK, OLD), LOGIN_TAKEN);
    now += 1;
    cr_expect_eq(ask(CODE_OK, NEW), LOGIN_TAKEN);
    cr_expect_eq(ask(CODE_OK, NEW), LOGIN_TAKEN);
}

static void look_again(void)
{
    now += 1000;
}

Test(login, new_secret_is_tried_by_one_call)
{
    put(NEW);
    look_again();
    struct call first = begin(), second = begin(), stream;
    expect_carries(&first, NEW);
    expect_carries(&second, OLD);
    cr_expect_eq(end(&first, CODE_OK), LOGIN_TAKEN);
    begin_as(&stream, true);
    expect_carries(&stream, NEW);
    cr_expect_eq(end(&second, REFUSED), LOGIN_REPEAT, "it carried the old one");
    cr_expect_not(login_holds(login));
}

Test(login, streams_try_no_new_secret)
{
    struct call stream;
    put(NEW);
    look_again();
    begin_as(&stream, true);
    expect_carries(&stream, OLD);
    cr_expect_eq(ask(CODE_OK, NEW), LOGIN_TAKEN);
}

Test(login, new_secret_that_is_refused_leaves_the_old_one)
{
    cr_expect_eq(ask(CODE_OK, OLD), LOGIN_TAKEN);
    put(NEW);
    look_again();
    cr_expect_eq(ask(REFUSED, NEW), LOGIN_REPEAT);
    for (int i = 0; i < 74; i++, now++)
        cr_expect_eq(ask(CODE_OK, OLD), LOGIN_TAKEN);
    now += MOST - LEAST + 2;
    cr_expect_eq(ask(REFUSED, NEW), LOGIN_REPEAT);
    cr_expect_eq(count("refuses what has been read again"), 1, "%s", sink.text);
    for (int i = 0; i < 2 * LEAST; i++, now++)
        cr_expect_eq(ask(CODE_OK, OLD), LOGIN_TAKEN);
    now += 2 * (MOST - LEAST) + 1;
    cr_expect_eq(ask(CODE_OK, NEW), LOGIN_TAKEN);
    cr_expect_eq(ask(CODE_OK, NEW), LOGIN_TAKEN);
}

/* Milvus has been changed by now, and nobody waits for a pause. */
Test(login, new_secret_is_used_once_the_old_one_is_refused)
{
    cr_expect_eq(ask(CODE_OK, OLD), LOGIN_TAKEN);
    put(NEW);
    look_again();
    struct call call = begin();
    cr_expect_eq(end(&call, REFUSED), LOGIN_REPEAT);
    cr_expect_eq(ask(REFUSED, OLD), LOGIN_REPEAT);
    cr_expect_eq(ask(CODE_OK, NEW), LOGIN_TAKEN);
    cr_expect_eq(ask(CODE_OK, NEW), LOGIN_TAKEN);
}

Test(login, new_secret_that_is_taken_back_is_forgotten)
{
    put(NEW);
    look_again();
    struct call call = begin();
    put(OLD);
    look_again();
    struct call other = begin();
    expect_carries(&other, OLD);
    cr_expect_eq(end(&call, CODE_OK), LOGIN_TAKEN);
    cr_expect_eq(ask(CODE_OK, OLD), LOGIN_TAKEN);
}

Test(login, renewing_reads_at_once)
{
    cr_expect_eq(ask(CODE_OK, OLD), LOGIN_TAKEN);
    put(NEW);
    login_renew(login, now);
    cr_expect_eq(ask(REFUSED, NEW), LOGIN_REPEAT);
    login_renew(login, now);
    cr_expect_eq(ask(CODE_OK, NEW), LOGIN_TAKEN);
}

Test(login, renewing_ends_a_pause)
{
    cr_expect_eq(ask(REFUSED, OLD), LOGIN_REFUSED);
    cr_expect(login_refuses(login, now));
    login_renew(login, now);
    cr_expect_not(login_refuses(login, now));
    cr_expect_eq(ask(CODE_OK, OLD), LOGIN_TAKEN);
}

Test(login, never_shows_a_secret)
{
    put("hunter2", "");
    look_again();
    struct call call = begin();
    end(&call, REFUSED);
    cr_expect_eq(ask(REFUSED, OLD), LOGIN_REPEAT);
    static const char *const secrets[] = {"hunter2", "aHVudGVyMg", "b2xk", "old "};
    for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++)
        cr_expect_null(strstr(sink.text, secrets[i]), "%s", sink.text);
}
