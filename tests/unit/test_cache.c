/* SPDX-License-Identifier: Apache-2.0 */
/* The cache before a pool of one connection; what admission finds out is set by the test. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "fake_transport.h"
#include "pool/cache.h"

#define ASKS  16
#define LONG  60000 /* ms, a time that does not pass in a test */
#define SHORT 30    /* ms, one that does */

static struct fake_transport fake;
static struct fake_log sink;
static struct event_base *loop;
static struct conf_upstream upstream;
static struct conf_database database;
static struct endpoints *endpoints;
static struct pool *pool;
static struct cache *cache;
static struct ask asks[ASKS];
static struct seen seen;
static size_t told; /* how many were, of those that count */

static void connected(void *context, struct pool *of)
{
    (void)context, (void)of;
}

static void away(void *context, struct pool *of)
{
    (void)context;
    cache_clear_session(cache, of);
}

static struct pool *new_pool(const struct conf_database *of)
{
    char *error = NULL;
    struct pool_setup setup = {.loop = loop,
                               .transport = &fake.transport,
                               .endpoints = endpoints,
                               .logger = &sink.logger,
                               .database = of,
                               .connected = connected,
                               .away = away};
    struct pool *made = pool_new(&setup, &error);
    cr_assert_not_null(made, "%s", error);
    fake_state(&fake, fake.connection_count - 1, UPSTREAM_READY);
    return made;
}

static void open_cache(int64_t ttl, uint32_t max_entries)
{
    cache_free(cache);
    cache = cache_new(loop, ttl, max_entries);
}

static void begin(void)
{
    loop = event_base_new();
    fake_open(&fake);
    fake_log_open(&sink);
    static const struct conf_host host = {"u", "10.0.0.1", 19530};
    upstream = (struct conf_upstream){
        .name = "main", .uri = "u", .hosts = &host, .host_count = 1, .connect_timeout = LONG};
    database = (struct conf_database){.name = "books",
                                      .upstream = &upstream,
                                      .pool_size = 1,
                                      .max_in_flight = 8,
                                      .queue_size = 8,
                                      .queue_timeout = LONG};
    endpoints = fake_endpoints(&fake, loop, &sink.logger, &upstream);
    pool = new_pool(&database);
    open_cache(LONG, 100);
}

static void end(void)
{
    for (size_t i = 0; i < ASKS; i++)
        ask_free(&asks[i]);
    pool_free(pool);
    cache_free(cache);
    fake_close(&fake);
    seen_clear(&seen);
    event_base_free(loop);
}

TestSuite(cache, .init = begin, .fini = end);

/* ---- questions and answers ---- */

/* Makes request `at` a question for a collection; its own answer is in the reply's field 7. */
static void make(size_t at, const char *method, const char *collection)
{
    struct ask *ask = &asks[at];
    if (collection)
        ask_text(ask, (struct wire_path){.number = 3}, collection);
    ask_make(ask, method);
    ask_admit(ask, pool, "books", LONG);
    ask->request.collection = span_text(collection);
}

static void put(size_t at)
{
    cr_assert(cache_takes(&asks[at].request));
    cache_ask(cache, &asks[at].request);
}

static void describe(size_t at, const char *collection)
{
    make(at, "DescribeCollection", collection);
    put(at);
}

/* The same on a connection that remembers. */
static void describe_on_connection(size_t at, const char *collection)
{
    make(at, "DescribeCollection", collection);
    asks[at].request.seen = &seen;
    put(at);
}

static void describe_for(size_t at, const char *collection, int64_t timeout)
{
    make(at, "DescribeCollection", collection);
    ask_admit(&asks[at], pool, "books", timeout);
    put(at);
}

struct description {
    uint8_t bytes[256];
    size_t length;
};

/* A successful DescribeCollectionResponse; number tells answers apart. */
static struct span description(struct description *to, const char *real_name, uint64_t id,
                               uint64_t number)
{
    to->length =
        wire_override(to->bytes, (struct wire_path){.outer = 2, .number = 1}, span_text(real_name));
    to->length += wire_put_varint(to->bytes + to->length, 3, id);
    to->length += wire_put_varint(to->bytes + to->length, 7, number);
    return span_of(to->bytes, to->length);
}

/* Call `call` is answered with that description. */
static void reply(size_t call, const char *real_name, uint64_t id, uint64_t number)
{
    struct description bytes;
    fake_reply(&fake, call, description(&bytes, real_name, id, number));
}

static void expect_description(size_t at, const char *real_name, uint64_t id, uint64_t number)
{
    struct description bytes;
    expect_reply(&asks[at], description(&bytes, real_name, id, number));
}

/* The collection is described upstream by the next call, under its own name. */
static void keep(size_t at, const char *collection, const char *real_name, uint64_t id)
{
    size_t call = fake.call_count;
    describe(at, collection);
    cr_assert_eq(fake.call_count, call + 1);
    reply(call, real_name, id, 1);
    expect_description(at, real_name, id, 1);
}

/* Whether a new asker is answered without a question upstream; ends the question otherwise. */
static bool is_kept(const char *collection)
{
    static const size_t at = ASKS - 1;
    size_t call = fake.call_count;
    ask_free(&asks[at]);
    describe(at, collection);
    bool kept = fake.call_count == call;
    if (!kept)
        fake_refuse(&fake, call, CODE_INTERNAL);
    cr_expect_eq(asks[at].answers, 1);
    return kept;
}

static void clear(const char *collection)
{
    cache_clear_collection(cache, pool, span_text("books"), span_text(collection));
}

/* ---- what it takes ---- */

Test(cache, takes_descriptions_by_name_and_sessions)
{
    static const struct {
        const char *method;
        const char *collection;
        uint16_t more; /* a field of the message */
        bool taken;
    } cases[] = {
        {"DescribeCollection", "c", 0, true},  {"DescribeCollection", NULL, 0, false},
        {"DescribeCollection", "c", 1, true},  {"DescribeCollection", "c", 4, false},
        {"DescribeCollection", "c", 5, false}, {"Connect", NULL, 0, true},
        {"GetVersion", NULL, 0, true},         {"Search", "c", 0, false},
        {"DropCollection", "c", 0, false},     {"HasCollection", "c", 0, false},
        {"Unknown", NULL, 0, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (cases[i].more)
            ask_number(&asks[0], cases[i].more, 1);
        make(0, cases[i].method, cases[i].collection);
        cr_expect_eq(cache_takes(&asks[0].request), cases[i].taken, "case %zu", i);
        ask_free(&asks[0]);
    }
}

Test(cache, takes_no_streams_and_no_compressed_questions)
{
    make(0, "GetVersion", NULL);
    asks[0].request.encoding = ENCODING_GZIP; /* it is not read */
    cr_expect(cache_takes(&asks[0].request));
    ask_stream(&asks[0], "GetVersion");
    cr_expect_not(cache_takes(&asks[0].request));
    make(1, "DescribeCollection", "c");
    asks[1].request.encoding = ENCODING_GZIP;
    cr_expect_not(cache_takes(&asks[1].request));
}

Test(cache, takes_names_of_milvuss_length)
{
    char name[257];
    memset(name, 'n', sizeof(name) - 1);
    name[256] = '\0';
    make(0, "DescribeCollection", name + 1);
    cr_expect(cache_takes(&asks[0].request));
    make(1, "DescribeCollection", name);
    cr_expect_not(cache_takes(&asks[1].request));
}

/* ---- keeping ---- */

Test(cache, second_asker_is_answered_from_memory)
{
    keep(0, "c", "c", 7);
    describe(1, "c");
    cr_expect_eq(fake.call_count, 1);
    expect_description(1, "c", 7, 1);
}

Test(cache, asks_as_it_was_asked)
{
    asks[0].request.tail = blob_copy(span_text("tail"));
    describe(0, "c");
    cr_expect_str_eq(fake.calls[0].path, "/milvus.proto.milvus.MilvusService/DescribeCollection");
    cr_expect_str_eq(fake.calls[0].database, "books");
    cr_expect_eq(fake.calls[0].deadline, asks[0].request.deadline);
    cr_expect(span_equal(blob_span(fake.calls[0].message), span_of("\x1a\x01"
                                                                   "ctail",
                                                                   7)));
    blob_unref(asks[0].request.tail);
    reply(0, "c", 7, 1);
}

Test(cache, names_databases_and_pools_are_kept_apart)
{
    keep(0, "c", "c", 7);
    cr_expect_not(is_kept("d"));
    cr_expect_not(is_kept("C"));
    make(1, "DescribeCollection", "c");
    asks[1].request.upstream_name = span_text("other");
    put(1);
    cr_assert_eq(fake.call_count, 4);
    fake_refuse(&fake, 3, CODE_INTERNAL);
    struct pool *second = new_pool(&database);
    make(2, "DescribeCollection", "c");
    asks[2].request.pool = second;
    put(2);
    cr_assert_eq(fake.call_count, 5);
    cr_expect_eq(fake.calls[4].connection, 1);
    fake_refuse(&fake, 4, CODE_INTERNAL);
    pool_free(second);
}

Test(cache, repeat_on_a_connection_goes_upstream_and_refreshes)
{
    keep(0, "c", "c", 7);
    describe_on_connection(1, "c");
    expect_description(1, "c", 7, 1);
    cr_expect_eq(fake.call_count, 1);
    describe_on_connection(2, "c");
    cr_assert_eq(fake.call_count, 2);
    reply(1, "c", 8, 2);
    expect_description(2, "c", 8, 2);
    describe(3, "c");
    expect_description(3, "c", 8, 2);
    describe_on_connection(4, "d");
    cr_assert_eq(fake.call_count, 3);
    reply(2, "d", 9, 3);
}

Test(cache, ttl_ends_what_is_kept)
{
    open_cache(SHORT, 100);
    keep(0, "c", "c", 7);
    cr_expect(is_kept("c"));
    run_for(loop, SHORT + 1);
    cr_expect_not(is_kept("c"));
}

Test(cache, without_ttl_or_entries_questions_are_only_shared)
{
    for (size_t i = 0; i < 2; i++) {
        open_cache(i == 0 ? 0 : LONG, i == 0 ? 100 : 0);
        size_t call = fake.call_count;
        describe(2 * i, "c");
        describe(2 * i + 1, "c");
        cr_assert_eq(fake.call_count, call + 1);
        reply(call, "c", 7, 1);
        expect_description(2 * i + 1, "c", 7, 1);
        cr_expect_not(is_kept("c"));
    }
}

Test(cache, least_recently_used_leaves_first)
{
    open_cache(LONG, 2);
    keep(0, "a", "a", 1);
    keep(1, "b", "b", 2);
    cr_expect(is_kept("a"));
    keep(2, "c", "c", 3);
    cr_expect(is_kept("a"));
    cr_expect(is_kept("c"));
    cr_expect_not(is_kept("b"));
}

/* Also when all were asked before the first was answered. */
Test(cache, limit_holds_for_answers_that_come_together)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    unsigned kept = 0;
    open_cache(LONG, 2);
    for (size_t i = 0; i < 4; i++)
        describe(i, names[i]);
    for (size_t i = 0; i < 4; i++)
        reply(i, names[i], i + 1, 1);
    for (size_t i = 4; i-- > 2;)
        kept += is_kept(names[i]);
    cr_expect_eq(kept, 2);
    cr_expect_not(is_kept("a"));
    cr_expect_not(is_kept("b"));
}

Test(cache, only_success_is_kept)
{
    static const struct span failures[] = {
        {(const uint8_t *)"\x0a\x02\x18\x64", 4}, /* code 100 */
        {(const uint8_t *)"\x0a\x02\x08\x01", 4}, /* legacy error 1 */
        {(const uint8_t *)"\x0a\x05", 2},         /* malformed */
    };
    for (size_t i = 0; i < 3; i++) {
        describe(i, "c");
        fake_reply(&fake, 2 * i, failures[i]);
        expect_reply(&asks[i], failures[i]);
        cr_expect_not(is_kept("c"), "failure %zu", i);
    }
    describe(3, "c");
    fake_refuse(&fake, 6, CODE_PERMISSION_DENIED);
    expect_failure(&asks[3], CODE_PERMISSION_DENIED, PHASE_UPSTREAM, "said the server");
    cr_expect_not(is_kept("c"));
}

Test(cache, large_answers_are_given_and_not_kept)
{
    static const size_t limit = 256u << 10;
    for (size_t i = 0; i < 2; i++) {
        struct blob *large = blob_new(limit + i);
        struct blob *value = blob_new(limit + i - 4);
        memset(value->data, 'v', value->size);
        large->size = wire_override(large->data, (struct wire_path){.number = 9},
                                    span_of(value->data, value->size));
        cr_assert_eq(large->size, limit + i);
        describe(i, i ? "b" : "a");
        fake_reply(&fake, i, blob_span(large));
        expect_reply(&asks[i], blob_span(large));
        blob_unref(value);
        blob_unref(large);
    }
    cr_expect(is_kept("a"));
    cr_expect_not(is_kept("b"));
}

/* ---- sharing ---- */

Test(cache, many_askers_share_one_question)
{
    for (size_t i = 0; i < 10; i++)
        describe(i, "c");
    cr_expect_eq(fake.call_count, 1);
    reply(0, "c", 7, 1);
    for (size_t i = 0; i < 10; i++)
        expect_description(i, "c", 7, 1);
}

Test(cache, failure_is_shared_too)
{
    describe(0, "c");
    describe(1, "c");
    fake_break(&fake, 0, CODE_UNAVAILABLE, false);
    expect_failure(&asks[0], CODE_UNAVAILABLE, PHASE_UPSTREAM, "broken pipe");
    expect_failure(&asks[1], CODE_UNAVAILABLE, PHASE_UPSTREAM, "broken pipe");
}

/* Who asks again doubts what a question sent before may bring. */
Test(cache, repeat_does_not_join_a_question_on_its_way)
{
    keep(0, "c", "c", 7);
    describe_on_connection(1, "c");
    describe_on_connection(2, "c"); /* a repeat: asks upstream */
    describe_on_connection(3, "c"); /* another: waits for the one after it */
    cr_assert_eq(fake.call_count, 2);
    reply(1, "c", 8, 2);
    expect_description(2, "c", 8, 2);
    cr_expect_eq(asks[3].answers, 0);
    cr_assert_eq(fake.call_count, 3);
    reply(2, "c", 9, 3);
    expect_description(3, "c", 9, 3);
    describe(4, "c");
    expect_description(4, "c", 9, 3);
}

/* It has not been sent, so what it brings is as new as a question of one's own. */
Test(cache, repeat_joins_a_question_that_still_waits)
{
    database.max_in_flight = 0;
    describe_on_connection(0, "c");
    describe_on_connection(1, "c");
    clear("c");
    describe(2, "c");
    database.max_in_flight = 1;
    fake_state(&fake, 0, UPSTREAM_READY);
    cr_assert_eq(fake.call_count, 1);
    reply(0, "c", 7, 1);
    for (size_t i = 0; i < 3; i++)
        expect_description(i, "c", 7, 1);
    cr_expect(is_kept("c"));
}

/* The next question finds no place: whoever waits for it is told, and nothing is touched after. */
Test(cache, next_question_may_fail_at_once)
{
    database.max_in_flight = 1;
    database.queue_size = 1;
    describe_on_connection(0, "c");
    describe_on_connection(1, "c");
    make(2, "Search", NULL);
    pool_submit(pool, &asks[2].request); /* fills the queue */
    fake_refuse(&fake, 0, CODE_INTERNAL);
    expect_failure(&asks[0], CODE_INTERNAL, PHASE_UPSTREAM, "said the server");
    expect_failure(&asks[1], CODE_RESOURCE_EXHAUSTED, PHASE_QUEUE, "queue_size");
    fake_reply(&fake, 1, span_text("r"));
    cr_expect_not(is_kept("c"));
}

Test(cache, next_question_after_a_cancel_may_fail_at_once)
{
    database.max_in_flight = 1;
    database.queue_size = 1;
    describe_on_connection(0, "c");
    describe_on_connection(1, "c");
    make(2, "Search", NULL);
    pool_submit(pool, &asks[2].request);
    cache_cancel(&asks[0].request);
    expect_failure(&asks[1], CODE_RESOURCE_EXHAUSTED, PHASE_QUEUE, "queue_size");
    fake_break(&fake, 0, CODE_CANCELLED, false);
    fake_reply(&fake, 1, span_text("r"));
}

Test(cache, question_that_finds_no_place_fails)
{
    database.max_in_flight = 0;
    database.queue_size = 0;
    describe(0, "c");
    expect_failure(&asks[0], CODE_RESOURCE_EXHAUSTED, PHASE_QUEUE, "queue_size");
}

/* ---- time and cancelling ---- */

Test(cache, waiter_has_its_own_deadline)
{
    describe(0, "c");
    describe_for(1, "c", SHORT);
    cr_expect_eq(cache_phase(&asks[1].request), PHASE_UPSTREAM);
    run_until(loop, &asks[1].answers, 1);
    expect_failure(&asks[1], CODE_DEADLINE_EXCEEDED, PHASE_UPSTREAM, "deadline");
    cr_expect_not(fake.calls[0].cancelled);
    reply(0, "c", 7, 1);
    expect_description(0, "c", 7, 1);
    cr_expect(is_kept("c"));
}

Test(cache, question_in_the_queue_is_in_that_phase)
{
    database.max_in_flight = 0;
    describe_for(0, "c", SHORT);
    cr_expect_eq(cache_phase(&asks[0].request), PHASE_QUEUE);
    run_until(loop, &asks[0].answers, 1);
    expect_failure(&asks[0], CODE_DEADLINE_EXCEEDED, PHASE_QUEUE, "deadline");
    cr_expect_eq(fake.call_count, 0);
}

Test(cache, cancel_of_the_last_waiter_cancels_the_call)
{
    describe(0, "c");
    describe(1, "c");
    cache_cancel(&asks[0].request);
    cr_expect_not(fake.calls[0].cancelled);
    cache_cancel(&asks[1].request);
    cr_expect(fake.calls[0].cancelled);
    fake_break(&fake, 0, CODE_CANCELLED, false);
    cr_expect_eq(asks[0].answers + asks[1].answers, 0);
}

Test(cache, question_that_is_cancelled_is_not_joined)
{
    describe(0, "c");
    cache_cancel(&asks[0].request);
    describe(1, "c");
    cr_assert_eq(fake.call_count, 2);
    reply(0, "c", 6, 1); /* of the cancelled one */
    cr_expect_eq(asks[1].answers, 0);
    reply(1, "c", 7, 2);
    expect_description(1, "c", 7, 2);
}

Test(cache, cancel_lets_those_for_the_next_question_ask)
{
    describe_on_connection(0, "c");
    describe_on_connection(1, "c");
    cr_assert_eq(fake.call_count, 1);
    cache_cancel(&asks[0].request);
    cr_expect(fake.calls[0].cancelled);
    cr_assert_eq(fake.call_count, 2);
    reply(1, "c", 7, 1);
    expect_description(1, "c", 7, 1);
    fake_break(&fake, 0, CODE_CANCELLED, false);
}

/* The question lived as long as its first asker; the upstream, too, says that its time is up. */
Test(cache, patient_waiters_ask_again)
{
    describe_for(0, "c", LONG);
    describe_for(1, "c", 2 * LONG);
    fake_break(&fake, 0, CODE_DEADLINE_EXCEEDED, false);
    expect_failure(&asks[0], CODE_DEADLINE_EXCEEDED, PHASE_UPSTREAM, "deadline");
    cr_expect_eq(asks[1].answers, 0);
    cr_assert_eq(fake.call_count, 2);
    cr_expect_eq(fake.calls[1].deadline, asks[1].request.deadline);
    fake_break(&fake, 1, CODE_DEADLINE_EXCEEDED, false);
    expect_failure(&asks[1], CODE_DEADLINE_EXCEEDED, PHASE_UPSTREAM, "deadline");
    cr_expect_eq(fake.call_count, 2);
}

Test(cache, impatient_asker_takes_nobody_along)
{
    describe_for(0, "c", SHORT);
    describe_for(1, "c", LONG);
    run_until(loop, &asks[0].answers, 1);
    run_for(loop, SHORT);
    expect_failure(&asks[0], CODE_DEADLINE_EXCEEDED, PHASE_UPSTREAM, "deadline");
    cr_expect_eq(asks[1].answers, 0);
    reply(fake.call_count - 1, "c", 7, 1);
    expect_description(1, "c", 7, 1);
    if (!fake.calls[0].ended)
        fake_break(&fake, 0, CODE_CANCELLED, false);
}

/* Who is told first drops the others, as a client that goes away does. */
static void drop_others(struct ask *ask)
{
    (void)ask;
    told++;
    for (size_t i = 0; i < 3; i++) {
        if (asks[i].request.state == REQUEST_WAITING)
            cache_cancel(&asks[i].request);
    }
}

Test(cache, waiters_may_leave_while_they_are_told)
{
    for (size_t i = 0; i < 3; i++) {
        asks[i].on_answer = drop_others;
        describe(i, "c");
    }
    reply(0, "c", 7, 1);
    cr_expect_eq(told, 1);
}

/* Who is told asks again at once. */
static void ask_once_more(struct ask *ask)
{
    (void)ask;
    describe(5, "c");
}

Test(cache, whoever_is_told_may_ask_again)
{
    asks[0].on_answer = ask_once_more;
    describe(0, "c");
    reply(0, "c", 7, 1);
    expect_description(5, "c", 7, 1);
    cr_expect_eq(fake.call_count, 1);
}

/* ---- clearing ---- */

Test(cache, clearing_knows_name_real_name_alias_and_id)
{
    static const struct {
        const char *cleared;
        bool real_kept;
        bool alias_kept;
        bool other_kept;
    } cases[] = {
        {"real", false, false, true},  {"alias", false, false, true}, {"other", true, true, false},
        {"unknown", true, true, true}, {"", false, false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        open_cache(LONG, 100);
        keep(0, "real", "real", 7);
        keep(1, "alias", "real", 7);
        keep(2, "other", "other", 8);
        clear(cases[i].cleared);
        cr_expect_eq(is_kept("real"), cases[i].real_kept, "case %zu", i);
        cr_expect_eq(is_kept("alias"), cases[i].alias_kept, "case %zu", i);
        cr_expect_eq(is_kept("other"), cases[i].other_kept, "case %zu", i);
        for (size_t j = 0; j < 3; j++)
            ask_free(&asks[j]);
    }
}

/* Only the alias is kept; the collection's own name clears it. */
Test(cache, real_name_clears_its_alias)
{
    keep(0, "alias", "real", 0);
    clear("real");
    cr_expect_not(is_kept("alias"));
}

/* Two names of one collection of which neither is its real one. */
Test(cache, alias_clears_another_alias_by_id)
{
    keep(0, "one", "renamed", 7);
    keep(1, "two", "real", 7);
    clear("one");
    cr_expect_not(is_kept("two"));
}

Test(cache, without_an_id_only_names_count)
{
    keep(0, "a", "a", 0);
    keep(1, "b", "b", 0);
    clear("a");
    cr_expect(is_kept("b"));
}

Test(cache, clearing_is_of_one_database_and_upstream)
{
    struct conf_upstream other = upstream;
    keep(0, "c", "c", 7);
    cache_clear_collection(cache, pool, span_text("other"), span_text("c"));
    cr_expect(is_kept("c"));

    const struct conf_database kept = database;
    struct conf_database elsewhere = database;
    elsewhere.upstream = &other;
    struct pool *second = new_pool(&elsewhere);
    cache_clear_collection(cache, second, span_text("books"), span_text("c"));
    cr_expect(is_kept("c"));
    pool_free(second);

    struct pool *third = new_pool(&kept); /* of the same upstream */
    cache_clear_collection(cache, third, span_text("books"), span_text("c"));
    cr_expect_not(is_kept("c"));
    pool_free(third);
}

Test(cache, clear_all_leaves_sessions)
{
    make(0, "GetVersion", NULL);
    put(0);
    fake_reply(&fake, 0, span_of(NULL, 0));
    keep(1, "c", "c", 7);
    cache_clear_all(cache);
    cr_expect_not(is_kept("c"));
    size_t calls = fake.call_count;
    make(2, "GetVersion", NULL);
    put(2);
    cr_expect_eq(fake.call_count, calls);
    cr_expect_eq(asks[2].answers, 1);
}

Test(cache, what_is_cleared_on_its_way_is_given_and_not_kept)
{
    describe(0, "c");
    clear("c");
    describe(1, "c"); /* after the clearing: wants a newer answer */
    cr_expect_eq(fake.call_count, 1);
    reply(0, "c", 7, 1);
    expect_description(0, "c", 7, 1);
    cr_expect_eq(asks[1].answers, 0);
    cr_assert_eq(fake.call_count, 2);
    reply(1, "c", 8, 2);
    expect_description(1, "c", 8, 2);
    describe(2, "c");
    expect_description(2, "c", 8, 2);
}

/* What is on its way may turn out to be another name of what is cleared. */
Test(cache, clearing_doubts_every_answer_on_its_way)
{
    describe(0, "alias");
    clear("real");
    reply(0, "real", 7, 1);
    expect_description(0, "real", 7, 1);
    cr_expect_not(is_kept("alias"));
}

/* An old answer of another collection stays while its refresh on the way is doubted. */
Test(cache, name_that_was_wrong_doubts_no_other)
{
    describe(0, "a");
    describe(1, "b");
    cache_clear_name(cache, pool, span_text("books"), span_text("b"));
    reply(0, "a", 7, 1);
    reply(1, "b", 8, 1);
    cr_expect(is_kept("a"));
    cr_expect_not(is_kept("b"));
}

Test(cache, nothing_new_is_kept_while_a_change_may_come_about)
{
    keep(0, "old", "old", 7);
    cache_doubt(cache);
    describe(1, "new");
    reply(fake.call_count - 1, "new", 8, 1);
    cr_expect_not(is_kept("new"));
    cr_expect(is_kept("old"));
}

Test(cache, refresh_on_its_way_is_doubted_and_the_old_answer_stays)
{
    keep(0, "a", "a", 1);
    describe_on_connection(1, "a");
    describe_on_connection(2, "a");
    cr_assert_eq(fake.call_count, 2);
    clear("b");
    reply(1, "a", 1, 2);
    expect_description(2, "a", 1, 2);
    describe(3, "a");
    expect_description(3, "a", 1, 1);
}

/* ---- sessions ---- */

Test(cache, sessions_are_kept_until_they_are_cleared)
{
    make(0, "GetVersion", NULL);
    asks[0].request.seen = &seen;
    put(0);
    fake_reply(&fake, 0, span_of("\x12\x01v", 3));
    make(1, "GetVersion", NULL);
    asks[1].request.seen = &seen; /* no doubt in asking a version twice */
    put(1);
    expect_reply(&asks[1], span_of("\x12\x01v", 3));
    clear("");
    cr_expect_eq(fake.call_count, 1);
    cache_clear_session(cache, pool);
    make(2, "GetVersion", NULL);
    put(2);
    cr_assert_eq(fake.call_count, 2);
    fake_reply(&fake, 1, span_of("\x12\x01w", 3));
    expect_reply(&asks[2], span_of("\x12\x01w", 3));
}

/* What a client says of itself does not reach the upstream: the daemon introduces itself, once. */
Test(cache, connect_is_asked_in_the_daemons_name)
{
    ask_text(&asks[0], (struct wire_path){.outer = 2, .number = 1}, "Python");
    make(0, "Connect", NULL);
    put(0);
    make(1, "Connect", NULL);
    put(1);
    cr_assert_eq(fake.call_count, 1);
    struct span name;
    cr_assert(wire_find_bytes(blob_span(fake.calls[0].message),
                              (struct wire_path){.outer = 2, .number = 1}, &name));
    cr_expect(span_is(name, "milvus-bouncer"), "%.*s", SPAN_ARGS(name));
    fake_reply(&fake, 0, span_of("\x0a\x00", 2));
    expect_reply(&asks[0], span_of("\x0a\x00", 2));
    expect_reply(&asks[1], span_of("\x0a\x00", 2));
}

/* What an upstream that is away had said is forgotten; a description is of its data, and stays. */
Test(cache, session_is_forgotten_while_the_upstream_is_away)
{
    make(0, "GetVersion", NULL);
    put(0);
    fake_reply(&fake, 0, span_of("\x12\x01v", 3));
    keep(1, "c", "c", 7);
    fake_state(&fake, 0, UPSTREAM_CONNECTING);
    make(2, "GetVersion", NULL);
    put(2);
    expect_reply(&asks[2], span_of("\x12\x01v", 3));
    fake_state(&fake, 0, UPSTREAM_DOWN);
    make(3, "GetVersion", NULL);
    put(3);
    expect_failure(&asks[3], CODE_UNAVAILABLE, PHASE_CONNECT, "connection refused");
    cr_expect(is_kept("c"));
}

/* Whose metadata would a shared question carry? */
Test(cache, metadata_of_askers_do_not_travel)
{
    struct metadata metadata = {0};
    metadata_add(&metadata, span_text("id"), span_text("7"));
    make(0, "DescribeCollection", "c");
    asks[0].request.metadata = &metadata;
    put(0);
    cr_expect_str_eq(fake.calls[0].metadata, "");
    reply(0, "c", 7, 1);
    metadata_clear(&metadata);
}

Test(cache, session_asked_before_a_reconnect_is_not_kept)
{
    make(0, "GetVersion", NULL);
    put(0);
    cache_clear_session(cache, pool);
    fake_reply(&fake, 0, span_of("\x12\x01v", 3));
    make(1, "GetVersion", NULL);
    put(1);
    cr_assert_eq(fake.call_count, 2);
    fake_reply(&fake, 1, span_of("\x12\x01w", 3));
    expect_reply(&asks[1], span_of("\x12\x01w", 3));
}
