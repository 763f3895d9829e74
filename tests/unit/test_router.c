/* SPDX-License-Identifier: Apache-2.0 */
/* Admission, over pools whose upstream is in the test's hand. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "auth/rules.h"
#include "fake_transport.h"
#include "pool/clock.h"
#include "pool/router.h"

#define ASKS        8
#define LONG        60000 /* ms, a time that does not pass in a test */
#define MAX_MESSAGE 1000

static struct fake_transport fake;
static struct transports transports;
static struct fake_log sink;
static struct event_base *loop;
static struct router *router;
static struct ask asks[ASKS];
static size_t first_call; /* behind what the router asks for itself */

static const struct conf_host host = {"http://db:19530", "10.0.0.1", 19530};
static const struct conf_upstream upstream = {.name = "main",
                                              .uri = "http://db:19530",
                                              .hosts = &host,
                                              .host_count = 1,
                                              .connect_timeout = LONG};
static const struct conf_method_timeout timeouts[] = {
    {"Search", 2000}, {"Flush", 900000}, {"DumpMessages", 4000}};

/* Connections 0 to 2, in this order. */
static struct conf_database databases[] = {
    {.name = "books",
     .upstream_name = "books_v2",
     .default_timeout = 30000,
     .max_timeout = 300000,
     .method_timeouts = timeouts,
     .method_timeout_count = 3},
    {.name = "same", .upstream_name = "same", .default_timeout = 30000, .max_timeout = 300000},
    {.name = "*", .default_timeout = 30000, .max_timeout = 300000},
};
static struct conf conf = {.upstreams = &upstream,
                           .upstream_count = 1,
                           .databases = databases,
                           .schema_cache = {.ttl = LONG, .max_entries = 100},
                           .limits = {.max_message = MAX_MESSAGE}};

/* The upstream answers what the router wants to know of it; later calls are the test's. */
static void answer_own_questions(void)
{
    for (; first_call < fake.call_count; first_call++)
        fake_reply(&fake, first_call, span_of(NULL, 0));
}

static void open_router(size_t database_count)
{
    char *error = NULL;
    for (size_t i = 0; i < database_count; i++) {
        databases[i].upstream = &upstream;
        databases[i].pool_size = 1;
        databases[i].max_in_flight = 8;
        databases[i].queue_size = 8;
        databases[i].queue_timeout = LONG;
    }
    conf.database_count = database_count;
    loop = event_base_new();
    fake_open(&fake);
    transports = (struct transports){.loop = loop, .made = {&fake.transport}};
    fake_log_open(&sink);
    router = router_new(&conf, loop, &transports, &sink.logger, &error);
    cr_assert_not_null(router, "%s", error);
    fake_all_ready(&fake);
}

static void begin(void)
{
    open_router(3);
    answer_own_questions();
}

static void end(void)
{
    for (size_t i = 0; i < ASKS; i++)
        ask_free(&asks[i]);
    router_free(router);
    fake_close(&fake);
    event_base_free(loop);
}

TestSuite(router, .init = begin, .fini = end);

static void reopen(size_t database_count)
{
    end();
    first_call = 0;
    open_router(database_count);
}

static const struct wire_path db_name = {.number = 2};
static const struct wire_path collection_name = {.number = 3};

/* Submits a request as a front does: beside is what frame or listener name. */
static void submit(size_t at, const char *method, const char *beside)
{
    ask_make(&asks[at], method);
    asks[at].request.database = span_text(beside);
    router_submit(router, &asks[at].request);
}

/* A request for a collection whose message names the database, or does not. */
static void submit_for(size_t at, const char *method, const char *database, const char *collection)
{
    if (database)
        ask_text(&asks[at], db_name, database);
    ask_text(&asks[at], collection_name, collection);
    submit(at, method, "same");
}

/* The `nth` call of the test's. */
static struct fake_call *call(size_t nth)
{
    cr_assert_lt(first_call + nth, fake.call_count, "there is no call %zu", nth);
    return &fake.calls[first_call + nth];
}

static size_t calls(void)
{
    return fake.call_count - first_call;
}

static void reply(size_t nth, struct span bytes)
{
    fake_reply(&fake, first_call + nth, bytes);
}

/* ---- which database ---- */

Test(router, message_wins_over_what_stands_beside)
{
    static const struct {
        const char *in_message;
        const char *beside;
        size_t connection;
        const char *upstream_name;
        const char *sent; /* the message's db_name, as the upstream reads it */
    } cases[] = {
        {"books", "same", 0, "books_v2", "books_v2"},
        {"same", "books", 1, "same", "same"},
        {NULL, "books", 0, "books_v2", ""},
        {NULL, "same", 1, "same", ""},
        {"", "same", 1, "same", ""},
        {"other", "same", 2, "other", "other"},
        {NULL, "other", 2, "other", ""},
        {"books_v2", "same", 2, "books_v2", "books_v2"},
        {"Books", "same", 2, "Books", "Books"},
        {"*", "same", 2, "*", "*"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct span sent;
        if (cases[i].in_message)
            ask_text(&asks[0], db_name, cases[i].in_message);
        submit(0, "Search", cases[i].beside);
        cr_expect_eq(call(i)->connection, cases[i].connection, "case %zu", i);
        cr_expect_str_eq(call(i)->database, cases[i].upstream_name, "case %zu", i);
        cr_assert(wire_find_bytes(blob_span(call(i)->message), db_name, &sent));
        cr_expect(span_is(sent, cases[i].sent), "case %zu: %.*s", i, SPAN_ARGS(sent));
        reply(i, span_text("r"));
        expect_reply(&asks[0], span_text("r"));
        cr_expect_null(asks[0].request.tail);
        ask_free(&asks[0]);
    }
}

Test(router, message_is_sent_as_it_is_where_the_name_is_the_same)
{
    submit_for(0, "Search", "same", "c");
    cr_expect(span_equal(blob_span(call(0)->message), asks[0].request.body));
    reply(0, span_text("r"));
}

Test(router, nested_database_is_renamed)
{
    const struct wire_path nested = {.outer = 2, .number = 5};
    struct span sent;
    ask_text(&asks[0], nested, "books");
    submit(0, "OperatePrivilege", "same");
    cr_assert(wire_find_bytes(blob_span(call(0)->message), nested, &sent));
    cr_expect(span_is(sent, "books_v2"));
    cr_expect_eq(call(0)->connection, 0);
    reply(0, span_of(NULL, 0));
}

Test(router, unknown_rpc_is_forwarded)
{
    ask_text(&asks[0], db_name, "books"); /* who knows what that field is */
    submit(0, "BrandNew", "same");
    cr_expect_str_eq(call(0)->path, "/milvus.proto.milvus.MilvusService/BrandNew");
    cr_expect_eq(call(0)->connection, 1);
    cr_expect(span_equal(blob_span(call(0)->message), asks[0].request.body));
    reply(0, span_text("r"));
    expect_reply(&asks[0], span_text("r"));
}

Test(router, database_that_is_not_served_is_refused)
{
    reopen(2); /* without "*" */
    answer_own_questions();
    submit(0, "Search", "other");
    expect_failure(&asks[0], CODE_INVALID_ARGUMENT, PHASE_ADMISSION, "not served");
    cr_expect(strstr(asks[0].message, "milvus-bouncer: database other: admission: "));
    submit(1, "Search", "book");
    expect_failure(&asks[1], CODE_INVALID_ARGUMENT, PHASE_ADMISSION, "not served");
    submit(2, "Search", "books");
    cr_expect_eq(calls(), 1);
    reply(0, span_text("r"));
}

/* ---- what is refused ---- */

Test(router, names_that_cannot_be_one_are_refused)
{
    static char longest[REQUEST_DATABASE_MAX + 2];
    memset(longest, 'd', sizeof(longest) - 1);
    const char *const names[] = {"", "a b", "a\n", "\x7f", "\xc3\xa4", longest};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        submit(0, "Search", names[i]);
        expect_failure(&asks[0], CODE_INVALID_ARGUMENT, PHASE_ADMISSION, "printable ASCII");
        ask_free(&asks[0]);
    }
    cr_expect_eq(calls(), 0);
    submit(0, "Search", longest + 1);
    cr_expect_str_eq(call(0)->database, longest + 1);
    reply(0, span_text("r"));
}

/* As long as a message may be. */
Test(router, name_of_any_length_is_refused)
{
    static uint8_t message[2003] = {0x12, 0xd0, 0x0f};
    memset(message + 3, 'd', 2000);
    memcpy(asks[0].bytes, message, 2003);
    asks[0].length = 2003;
    submit(0, "Search", "same");
    expect_failure(&asks[0], CODE_INVALID_ARGUMENT, PHASE_ADMISSION, "printable ASCII");
}

Test(router, methods_that_are_none_are_refused)
{
    static const char *const methods[] = {"", "Se arch", "/Search", "a/b/c", "x\n"};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        submit(0, methods[i], "same");
        expect_failure(&asks[0], CODE_INVALID_ARGUMENT, PHASE_ADMISSION, "is no method");
        ask_free(&asks[0]);
    }
    cr_expect_eq(calls(), 0);
}

Test(router, message_that_is_no_protobuf_is_refused)
{
    asks[0].bytes[0] = 0x12;
    asks[0].bytes[1] = 5;
    asks[0].length = 2;
    submit(0, "Search", "same");
    expect_failure(&asks[0], CODE_INVALID_ARGUMENT, PHASE_ADMISSION, "not a protobuf message");
    cr_expect(strstr(asks[0].message, "Search"));
}

Test(router, streams_are_refused)
{
    submit(0, "DumpMessages", "same");
    expect_failure(&asks[0], CODE_UNIMPLEMENTED, PHASE_ADMISSION, "DumpMessages is a stream");
    submit(1, "milvus.proto.milvus.MilvusService/CreateReplicateStream", "same");
    expect_failure(&asks[1], CODE_UNIMPLEMENTED, PHASE_ADMISSION, "is a stream");
    cr_expect_eq(calls(), 0);
}

/* ---- streams ---- */

static void submit_stream(size_t at, const char *method, const char *beside)
{
    ask_stream(&asks[at], method);
    asks[at].request.database = span_text(beside);
    router_submit(router, &asks[at].request);
}

Test(router, streams_go_to_the_database_beside_them)
{
    submit_stream(0, "DumpMessages", "books");
    cr_expect_eq(asks[0].opened, 1);
    cr_expect(call(0)->stream);
    cr_expect_eq(call(0)->connection, 0);
    cr_expect_str_eq(call(0)->database, "books_v2");
    submit_stream(1, "other.Service/Unknown", "other");
    cr_expect_eq(asks[1].opened, 1);
    cr_expect_eq(call(1)->connection, 2);
    cr_expect_str_eq(call(1)->path, "/other.Service/Unknown");
    fake_refuse(&fake, first_call, CODE_NOT_FOUND);
    fake_end(&fake, first_call + 1, (struct upstream_end){.from_peer = true});
    expect_failure(&asks[0], CODE_NOT_FOUND, PHASE_UPSTREAM, "said the server");
    expect_reply(&asks[1], span_of(NULL, 0));
}

/* What stands in the request is no message of the stream. */
Test(router, no_message_of_a_stream_is_read)
{
    ask_text(&asks[0], db_name, "books");
    submit_stream(0, "Search", "same");
    cr_expect_eq(call(0)->connection, 1);
    cr_expect_null(asks[0].request.tail);
    fake_end(&fake, first_call, (struct upstream_end){.from_peer = true});
    expect_reply(&asks[0], span_of(NULL, 0));
}

Test(router, stream_without_a_database_is_refused)
{
    submit_stream(0, "DumpMessages", "");
    expect_failure(&asks[0], CODE_INVALID_ARGUMENT, PHASE_ADMISSION, "printable ASCII");
    cr_expect_eq(asks[0].opened, 0);
}

/* Not even of a question that it would answer. */
Test(router, cache_takes_no_streams)
{
    submit_stream(0, "GetVersion", "books");
    cr_assert_eq(calls(), 1);
    cr_expect(call(0)->stream);
    fake_end(&fake, first_call, (struct upstream_end){.from_peer = true});
}

/* A stream is meant to last, so the default is for others. */
Test(router, timeout_of_a_stream_is_the_clients_or_the_methods_or_the_longest)
{
    static const struct {
        const char *method;
        uint32_t asked;
        int64_t expected;
    } cases[] = {
        {"CreateReplicateStream", 0, 300000},
        {"CreateReplicateStream", 1000, 1000},
        {"CreateReplicateStream", 300001, 300000},
        {"DumpMessages", 0, 4000},
        {"DumpMessages", 5000, 5000},
        {"Unknown", 0, 300000},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        asks[0].request.timeout = cases[i].asked;
        int64_t before = clock_now();
        submit_stream(0, cases[i].method, "books");
        int64_t after = clock_now();
        cr_expect_geq(call(i)->deadline, before + cases[i].expected, "case %zu", i);
        cr_expect_leq(call(i)->deadline, after + cases[i].expected, "case %zu", i);
        fake_end(&fake, first_call + i, (struct upstream_end){.from_peer = true});
        ask_free(&asks[0]);
    }
}

/* ---- compressed messages ---- */

static const int gzip = 31; /* zlib's window bits, for either format */
static const int deflated = 15;

/* Packs what is written of the message. */
static void pack(struct ask *ask, int window)
{
    uint8_t bytes[sizeof(ask->bytes)];
    z_stream stream = {.next_in = ask->bytes,
                       .avail_in = (uInt)ask->length,
                       .next_out = bytes,
                       .avail_out = sizeof(bytes)};
    cr_assert_eq(deflateInit2(&stream, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
    cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    memcpy(ask->bytes, bytes, stream.total_out);
    ask->length = stream.total_out;
    deflateEnd(&stream);
    ask->request.encoding = window == gzip ? ENCODING_GZIP : ENCODING_DEFLATE;
}

static void submit_packed(size_t at, const char *method, const char *database, int window)
{
    ask_text(&asks[at], db_name, database);
    ask_text(&asks[at], collection_name, "c");
    pack(&asks[at], window);
    submit(at, method, "other");
}

Test(router, compressed_message_is_read_and_sent_as_it_is)
{
    static const int windows[] = {gzip, deflated};
    for (size_t i = 0; i < 2; i++) {
        submit_packed(i, "Search", "same", windows[i]);
        cr_assert_eq(calls(), i + 1);
        cr_expect_eq(call(i)->connection, 1);
        cr_expect_str_eq(call(i)->database, "same");
        cr_expect_eq(call(i)->encoding, i == 0 ? ENCODING_GZIP : ENCODING_DEFLATE);
        cr_expect(span_equal(blob_span(call(i)->message), span_of(asks[i].bytes, asks[i].length)));
        reply(i, span_text("r"));
        expect_reply(&asks[i], span_text("r"));
        cr_expect_null(asks[i].request.names);
    }
}

Test(router, compressed_message_that_is_renamed_is_sent_unpacked)
{
    struct span sent;
    submit_packed(0, "Search", "books", gzip);
    cr_expect_eq(call(0)->connection, 0);
    cr_expect_eq(call(0)->encoding, ENCODING_IDENTITY);
    cr_assert(wire_find_bytes(blob_span(call(0)->message), db_name, &sent));
    cr_expect(span_is(sent, "books_v2"));
    cr_assert(wire_find_bytes(blob_span(call(0)->message), collection_name, &sent));
    cr_expect(span_is(sent, "c"));
    reply(0, span_text("r"));
    expect_reply(&asks[0], span_text("r"));
}

/* Nothing but the message, which was unpacked, has the name. */
Test(router, database_named_only_in_a_compressed_message)
{
    submit_packed(0, "Search", "third", gzip);
    cr_expect_eq(call(0)->connection, 2);
    cr_expect_str_eq(call(0)->database, "third");
    cr_expect_eq(call(0)->encoding, ENCODING_GZIP);
    reply(0, span_text("r"));
    expect_reply(&asks[0], span_text("r"));
}

/* The names are known for as long as the request is. */
Test(router, compressed_request_may_end_in_any_way)
{
    for (size_t i = 0; i < 3; i++)
        submit_packed(i, "Search", "same", gzip);
    cr_expect(span_is(asks[0].request.named, "same"));
    cr_expect(span_is(asks[0].request.collection, "c"));
    router_end(&asks[0].request, CODE_CANCELLED, "cancelled by the client");
    expect_failure(&asks[0], CODE_CANCELLED, PHASE_UPSTREAM, "database same: ");
    router_drop(&asks[1].request);
    fake_break(&fake, first_call + 2, CODE_UNAVAILABLE, false);
    expect_failure(&asks[2], CODE_UNAVAILABLE, PHASE_UPSTREAM, "database same: ");
}

Test(router, compressed_message_that_is_none_is_refused)
{
    ask_text(&asks[0], db_name, "same");
    asks[0].request.encoding = ENCODING_GZIP;
    submit(0, "Search", "same");
    expect_failure(&asks[0], CODE_INVALID_ARGUMENT, PHASE_ADMISSION,
                   "the message of Search, 6 bytes, is not valid gzip");
    asks[1].bytes[0] = 0x12;
    asks[1].bytes[1] = 5;
    asks[1].length = 2;
    pack(&asks[1], gzip);
    submit(1, "Search", "same");
    expect_failure(&asks[1], CODE_INVALID_ARGUMENT, PHASE_ADMISSION, "not a protobuf message");
    cr_expect_eq(calls(), 0);
}

/* A message of that size, field 9 of it long. */
static void submit_large(size_t at, size_t size)
{
    static char text[MAX_MESSAGE];
    memset(text, 'x', sizeof(text) - 1);
    ask_text(&asks[at], (struct wire_path){.number = 9}, text + MAX_MESSAGE - 1 - (size - 3));
    cr_assert_eq(asks[at].length, size);
    pack(&asks[at], gzip);
    submit(at, "Search", "same");
}

Test(router, unpacked_message_has_a_limit)
{
    submit_large(0, MAX_MESSAGE);
    cr_assert_eq(calls(), 1);
    reply(0, span_text("r"));
    expect_reply(&asks[0], span_text("r"));
    submit_large(1, MAX_MESSAGE + 1);
    cr_expect_eq(calls(), 1);
    char expected[128];
    snprintf(expected, sizeof(expected),
             "a message of %zu bytes of gzip unpacks to more than 1000: the least of max_message",
             asks[1].length);
    expect_failure(&asks[1], CODE_RESOURCE_EXHAUSTED, PHASE_ADMISSION, expected);
}

/* What its connection has room for. */
Test(router, unpacked_message_has_a_limit_of_its_asker)
{
    asks[0].request.unpack_max = MAX_MESSAGE / 2;
    submit_large(0, MAX_MESSAGE / 2);
    cr_assert_eq(calls(), 1);
    reply(0, span_text("r"));
    asks[1].request.unpack_max = MAX_MESSAGE / 2;
    submit_large(1, MAX_MESSAGE / 2 + 1);
    cr_expect_eq(calls(), 1);
    expect_failure(&asks[1], CODE_RESOURCE_EXHAUSTED, PHASE_ADMISSION, "unpacks to more than 500:");
}

/* Of these nothing is to be read, so they are not even tried. */
Test(router, compressed_message_without_names_is_not_unpacked)
{
    static const char *const methods[] = {"ListDatabases", "BrandNew"};
    for (size_t i = 0; i < 2; i++) {
        ask_text(&asks[i], db_name, "books");
        asks[i].request.encoding = ENCODING_GZIP; /* which it is not */
        submit(i, methods[i], "same");
        cr_expect_eq(call(i)->connection, 1);
        cr_expect_eq(call(i)->encoding, ENCODING_GZIP);
        cr_expect(span_equal(blob_span(call(i)->message), asks[i].request.body));
        reply(i, span_text("r"));
    }
}

/* ---- how long ---- */

Test(router, timeout_is_the_clients_or_the_methods_or_the_databases)
{
    static const struct {
        const char *method;
        uint32_t asked;
        int64_t expected;
    } cases[] = {
        {"Insert", 0, 30000},
        {"Search", 0, 2000},
        {"Search", 1, 1},
        {"Search", 5000, 5000},
        {"Insert", 300000, 300000},
        {"Insert", 300001, 300000},
        {"Insert", UINT32_MAX, 300000},
        {"Flush", 0, 300000},
        {"Unknown", 0, 30000},
        {"milvus.proto.milvus.MilvusService/Search", 0, 2000},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        asks[0].request.timeout = cases[i].asked;
        int64_t before = clock_now();
        submit(0, cases[i].method, "books");
        int64_t after = clock_now();
        cr_expect_geq(call(i)->deadline, before + cases[i].expected, "case %zu", i);
        cr_expect_leq(call(i)->deadline, after + cases[i].expected, "case %zu", i);
        reply(i, span_text("r"));
        ask_free(&asks[0]);
    }
}

Test(router, time_runs_from_the_first_byte)
{
    asks[0].request.timeout = 200000;
    int64_t now = clock_now();
    asks[0].request.arrived = now - 100000;
    submit(0, "Insert", "same");
    cr_expect_eq(call(0)->deadline, now + 100000);
    reply(0, span_text("r"));
}

/* ---- by the rule of who asks ---- */

static const char *const granted[] = {"same", "nowhere"};
static const struct conf_rule reading = {.number = 1,
                                         .databases = granted,
                                         .database_count = 2,
                                         .allow.classes = 1U << RPC_CLASS_READ,
                                         .limits.max_in_flight = 1,
                                         .max_timeout = 5000};

static void submit_by(struct rule *rule, size_t at, const char *method, const char *database)
{
    asks[at].request.rule = rule;
    submit_for(at, method, database, "c");
}

Test(router, what_a_rule_does_not_allow_is_refused)
{
    struct rule rule = {.conf = &reading};
    submit_by(&rule, 0, "Insert", "same");
    expect_failure(&asks[0], CODE_PERMISSION_DENIED, PHASE_ADMISSION, "needs \"write\"");
    submit_by(&rule, 1, "Search", "books");
    expect_failure(&asks[1], CODE_PERMISSION_DENIED, PHASE_ADMISSION, "this database");
    submit_by(&rule, 2, "DescribeCollection", "books");
    expect_failure(&asks[2], CODE_PERMISSION_DENIED, PHASE_ADMISSION, "this database");
    asks[3].request.rule = &rule;
    submit_packed(3, "Search", "books", gzip);
    expect_failure(&asks[3], CODE_PERMISSION_DENIED, PHASE_ADMISSION, "this database");
    cr_expect_eq(calls(), 0);
    cr_expect_eq(rule.in_flight, 0);
}

Test(router, rule_counts_requests_until_their_end)
{
    struct rule rule = {.conf = &reading};
    submit_by(&rule, 0, "Search", "same");
    cr_expect_eq(rule.in_flight, 1);
    submit_by(&rule, 1, "Search", "same");
    expect_failure(&asks[1], CODE_RESOURCE_EXHAUSTED, PHASE_ADMISSION, "max_in_flight");
    cr_expect_eq(rule.in_flight, 1);
    reply(0, span_text("r"));
    cr_expect_eq(rule.in_flight, 0);
    submit_by(&rule, 2, "Search", "same");
    router_end(&asks[2].request, CODE_CANCELLED, "cancelled by the client");
    cr_expect_eq(rule.in_flight, 0);
    submit_by(&rule, 3, "Search", "same");
    router_drop(&asks[3].request);
    cr_expect_eq(rule.in_flight, 0);
    submit_by(&rule, 4, "DescribeCollection", "same");
    cr_expect_eq(rule.in_flight, 1);
    reply(3, span_text("r"));
    cr_expect_eq(rule.in_flight, 0);
}

/* Permitted, and then refused for another reason. */
Test(router, rule_does_not_count_what_admission_refuses)
{
    struct rule rule = {.conf = &reading};
    reopen(2); /* without "*" */
    answer_own_questions();
    submit_by(&rule, 0, "Search", "nowhere");
    expect_failure(&asks[0], CODE_INVALID_ARGUMENT, PHASE_ADMISSION, "not served");
    asks[1].request.timeout = 1000;
    asks[1].request.arrived = clock_now() - 1000;
    submit_by(&rule, 1, "Search", "same");
    expect_failure(&asks[1], CODE_DEADLINE_EXCEEDED, PHASE_ADMISSION, "deadline");
    cr_expect_eq(rule.in_flight, 0);
}

Test(router, rule_caps_the_timeout)
{
    struct rule rule = {.conf = &reading};
    int64_t now = clock_now();
    asks[0].request.timeout = 200000;
    asks[0].request.arrived = now;
    submit_by(&rule, 0, "Query", "same");
    cr_expect_eq(call(0)->deadline, now + 5000);
    reply(0, span_text("r"));
    asks[1].request.timeout = 4000;
    asks[1].request.arrived = now;
    submit_by(&rule, 1, "Query", "same");
    cr_expect_eq(call(1)->deadline, now + 4000);
    reply(1, span_text("r"));
}

/* ---- the client's change of mind ---- */

Test(router, request_that_comes_too_late_is_not_sent)
{
    asks[0].request.timeout = 1000;
    asks[0].request.arrived = clock_now() - 1000;
    submit(0, "Insert", "same");
    cr_expect_eq(fake.call_count, first_call);
    cr_expect_eq(asks[0].code, CODE_DEADLINE_EXCEEDED);
    cr_expect_eq(asks[0].phase, PHASE_ADMISSION);
}

Test(router, cancelled_request_is_answered)
{
    submit_for(0, "Search", "books", "c");
    router_end(&asks[0].request, CODE_CANCELLED, "cancelled by the client");
    expect_failure(&asks[0], CODE_CANCELLED, PHASE_UPSTREAM, "cancelled");
    cr_expect(call(0)->cancelled);

    submit_for(1, "DescribeCollection", "books", "c");
    router_end(&asks[1].request, CODE_CANCELLED, "cancelled by the client");
    expect_failure(&asks[1], CODE_CANCELLED, PHASE_UPSTREAM, "cancelled");
    cr_expect(call(1)->cancelled);

    fake_state(&fake, 1, UPSTREAM_DOWN);
    submit_for(2, "Search", "same", "c");
    router_end(&asks[2].request, CODE_CANCELLED, "cancelled by the client");
    expect_failure(&asks[2], CODE_CANCELLED, PHASE_CONNECT, "cancelled");
    cr_expect_eq(calls(), 2);
}

Test(router, dropped_request_is_not_answered)
{
    submit_for(0, "Search", "books", "c");
    submit_for(1, "DescribeCollection", "books", "c");
    router_drop(&asks[0].request);
    router_drop(&asks[1].request);
    cr_expect(call(0)->cancelled);
    cr_expect(call(1)->cancelled);
    cr_expect_eq(asks[0].answers + asks[1].answers, 0);
}

/* ---- the cache ---- */

/* DescribeCollectionResponse of collection 7, "c". */
static const struct span description = {(const uint8_t *)"\x12\x03\x0a\x01"
                                                         "c\x18\x07",
                                        7};

/* Whether a description of the collection is kept; a question upstream is answered with one. */
static bool is_kept(const char *database)
{
    static const size_t at = ASKS - 1;
    size_t before = calls();
    submit_for(at, "DescribeCollection", database, "c");
    bool kept = calls() == before;
    if (!kept)
        reply(before, description);
    expect_reply(&asks[at], description);
    ask_free(&asks[at]);
    return kept;
}

Test(router, description_is_kept_for_the_database)
{
    cr_expect_not(is_kept("same"));
    cr_expect(is_kept("same"));
    cr_expect(is_kept(NULL)); /* the same database, named beside */
    cr_expect_not(is_kept("books"));
    cr_expect(is_kept("books"));
    cr_expect(is_kept("books_v2") == false, "asked over another pool");
}

/* Cleared when it goes out, and again when it comes back, whatever it brings. */
static void expect_cleared_by(const char *method, uint16_t collection_at)
{
    is_kept("same");
    cr_assert(is_kept("same"), "%s", method);
    size_t ddl = calls();
    ask_text(&asks[0], db_name, "same");
    ask_text(&asks[0], (struct wire_path){.number = collection_at}, "c");
    submit(0, method, "same");
    cr_expect_not(is_kept("same"), "%s did not clear at its start", method);
    cr_expect(is_kept("same"), "%s", method);
    fake_refuse(&fake, first_call + ddl, CODE_INTERNAL);
    cr_expect_not(is_kept("same"), "%s did not clear at its end", method);
    ask_free(&asks[0]);
}

Test(router, changes_clear_before_and_after)
{
    expect_cleared_by("DropCollection", 3);
    expect_cleared_by("AlterCollectionField", 3);
    expect_cleared_by("CreatePartition", 3);
    expect_cleared_by("RenameCollection", 3);
    expect_cleared_by("DropAlias", 3);
    expect_cleared_by("DropDatabase", 3);
    expect_cleared_by("DropRole", 3);
}

Test(router, change_of_another_collection_clears_nothing)
{
    is_kept("same");
    submit_for(0, "DropCollection", "same", "d");
    submit_for(1, "DropCollection", "books", "c");
    submit_for(2, "Insert", "same", "c");
    cr_expect(is_kept("same"));
    for (size_t i = 1; i < 4; i++)
        reply(i, span_of(NULL, 0));
    cr_expect(is_kept("same"));
}

Test(router, change_that_is_dropped_clears_all_the_same)
{
    is_kept("same");
    submit_for(0, "DropCollection", "same", "c");
    cr_expect_not(is_kept("same"));
    router_drop(&asks[0].request);
    cr_expect_not(is_kept("same"));
}

/* Milvus may still carry it out: what it would make wrong is not kept. */
Test(router, change_without_an_end_is_a_doubt)
{
    submit_for(0, "DropCollection", "same", "d");
    router_drop(&asks[0].request);
    cr_expect_not(is_kept("same"));
    cr_expect_not(is_kept("same"));
}

/* A description that was on its way when the change was made is not kept. */
Test(router, change_overtakes_a_question)
{
    submit_for(0, "DescribeCollection", "same", "c");
    submit_for(1, "DropCollection", "same", "c");
    reply(1, span_of(NULL, 0));
    reply(0, description);
    expect_reply(&asks[0], description);
    cr_expect_not(is_kept("same"));
}

Test(router, errors_of_milvus_clear)
{
    static const struct {
        struct span reply;
        bool clears;
    } cases[] = {
        {{(const uint8_t *)"\x0a\x02\x18\x64", 4}, true},      /* 100: no such collection */
        {{(const uint8_t *)"\x0a\x02\x18\x6d", 4}, true},      /* 109: schema mismatch */
        {{(const uint8_t *)"\x0a\x03\x18\xc8\x01", 5}, true},  /* 200: no such partition */
        {{(const uint8_t *)"\x0a\x03\x18\xa0\x06", 5}, true},  /* 800: no such database */
        {{(const uint8_t *)"\x0a\x02\x08\x3e", 4}, true},      /* legacy 62 */
        {{(const uint8_t *)"\x0a\x02\x18\x3e", 4}, false},     /* 62 is no new code */
        {{(const uint8_t *)"\x0a\x02\x08\x64", 4}, false},     /* nor 100 a legacy one */
        {{(const uint8_t *)"\x0a\x02\x18\x65", 4}, false},     /* 101: not loaded */
        {{(const uint8_t *)"\x0a\x02\x18\x08", 4}, false},     /* 8: rate limit */
        {{(const uint8_t *)"\x0a\x03\x18\xcc\x08", 5}, false}, /* 1100: parameter */
        {{(const uint8_t *)"\x0a\x00", 2}, false},
        {{NULL, 0}, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        is_kept("same");
        cr_assert(is_kept("same"));
        submit_for(0, "Search", "same", "c");
        reply(calls() - 1, cases[i].reply);
        expect_reply(&asks[0], cases[i].reply);
        cr_expect_eq(is_kept("same"), !cases[i].clears, "case %zu", i);
        ask_free(&asks[0]);
    }
}

Test(router, compressed_question_is_shared_and_answered)
{
    submit_packed(0, "DescribeCollection", "same", gzip);
    submit_for(1, "DescribeCollection", "same", "c");
    cr_assert_eq(calls(), 1);
    cr_expect_eq(call(0)->encoding, ENCODING_IDENTITY);
    reply(0, description);
    expect_reply(&asks[0], description);
    expect_reply(&asks[1], description);
    cr_expect(is_kept("same"));
    submit_packed(2, "DescribeCollection", "same", deflated);
    expect_reply(&asks[2], description);
    cr_expect_eq(calls(), 1);
}

/* One by id is no question for the cache. */
Test(router, compressed_question_that_is_not_kept_goes_as_it_is)
{
    ask_number(&asks[0], 4, 7);
    submit_packed(0, "DescribeCollection", "same", gzip);
    cr_expect_eq(call(0)->encoding, ENCODING_GZIP);
    cr_expect(span_equal(blob_span(call(0)->message), span_of(asks[0].bytes, asks[0].length)));
    reply(0, description);
    expect_reply(&asks[0], description);
}

Test(router, compressed_change_clears)
{
    is_kept("same");
    size_t change = calls();
    submit_packed(0, "DropCollection", "same", gzip);
    cr_expect_not(is_kept("same"));
    cr_expect(is_kept("same"));
    reply(change, span_of(NULL, 0));
    cr_expect_not(is_kept("same"));
}

/* ---- what it asks for itself ---- */

Test(router, upstream_is_asked_what_it_is_before_anybody_wants_to_know)
{
    cr_expect_eq(first_call, 6); /* Connect and GetVersion for three pools */
    submit(0, "GetVersion", "books");
    submit(1, "Connect", "same");
    submit(2, "GetVersion", "default"); /* of "*" */
    expect_reply(&asks[0], span_of(NULL, 0));
    expect_reply(&asks[1], span_of(NULL, 0));
    expect_reply(&asks[2], span_of(NULL, 0));
    cr_expect_eq(calls(), 0);
}

Test(router, upstream_is_asked_again_after_a_reconnect)
{
    fake_state(&fake, 0, UPSTREAM_DOWN);
    fake_state(&fake, 0, UPSTREAM_READY);
    cr_assert_eq(calls(), 2);
    submit(0, "GetVersion", "books"); /* joins the router's own question */
    cr_expect_eq(calls(), 2);
    for (size_t i = 0; i < 2; i++)
        reply(i, span_of("\x12\x01w", 3));
    expect_reply(&asks[0], span_of("\x12\x01w", 3));
    submit(1, "GetVersion", "same");
    expect_reply(&asks[1], span_of(NULL, 0));
}

Test(router, short_loss_leaves_what_the_upstream_said)
{
    fake_state(&fake, 0, UPSTREAM_CONNECTING);
    submit(0, "GetVersion", "books");
    expect_reply(&asks[0], span_of(NULL, 0));
}

Test(router, upstream_that_is_away_answers_nothing)
{
    fake_state(&fake, 0, UPSTREAM_CONNECTING);
    fake_state(&fake, 0, UPSTREAM_DOWN);
    submit(0, "GetVersion", "books");
    submit(1, "Connect", "books");
    expect_failure(&asks[0], CODE_UNAVAILABLE, PHASE_CONNECT, "connection refused");
    expect_failure(&asks[1], CODE_UNAVAILABLE, PHASE_CONNECT, "connection refused");
    submit(2, "GetVersion", "same"); /* another upstream connection */
    expect_reply(&asks[2], span_of(NULL, 0));
    cr_expect_eq(calls(), 0);
    fake_state(&fake, 0, UPSTREAM_READY);
    cr_assert_eq(calls(), 2);
    submit(3, "GetVersion", "books");
    for (size_t i = 0; i < 2; i++)
        reply(i, span_of("\x12\x01w", 3));
    expect_reply(&asks[3], span_of("\x12\x01w", 3));
}

/* All who wait for one question. */
Test(router, many_who_connect_are_told_that_the_upstream_is_away)
{
    reopen(1);
    for (size_t i = 0; i < 2; i++)
        fake_break(&fake, i, CODE_UNAVAILABLE, false);
    fake_state(&fake, 0, UPSTREAM_CONNECTING);
    for (size_t i = 0; i < 4; i++)
        submit(i, "Connect", "books");
    cr_expect_eq(asks[0].answers, 0);
    fake_state(&fake, 0, UPSTREAM_DOWN);
    for (size_t i = 0; i < 4; i++)
        expect_failure(&asks[i], CODE_UNAVAILABLE, PHASE_CONNECT, "connection refused");
}

/* With its own questions on the wire. */
Test(router, may_be_freed_at_any_time)
{
    reopen(3);
    cr_expect_eq(fake.call_count, 6);
}

Test(router, pool_that_cannot_be_opened_is_an_error)
{
    char *error = NULL;
    fake.open_error = "no such certificate";
    cr_expect_null(router_new(&conf, loop, &transports, &sink.logger, &error));
    cr_expect_str_eq(error, "no such certificate");
    free(error);
}

/* ---- reloading ---- */

static const struct conf_host other_hosts[] = {{"http://10.0.0.1", "10.0.0.1", 19530},
                                               {"http://10.0.0.2", "10.0.0.2", 19530}};

static void reload(const char *name, bool secure)
{
    struct conf_upstream read = {.name = name,
                                 .uri = "http://10.0.0.1, http://10.0.0.2",
                                 .hosts = other_hosts,
                                 .host_count = 2,
                                 .secure = secure};
    router_reload(router, &(struct conf){.upstreams = &read, .upstream_count = 1});
}

Test(router, reload_takes_over_the_uris)
{
    reload("main", false);
    cr_expect_eq(fake.connection_count, 6, "one more for each of three pools");
    cr_expect_eq(fake.closed_count, 0);
    cr_expect(strstr(sink.text, "upstream main: it is at http://10.0.0.1, http://10.0.0.2 now"));
    *sink.text = '\0';
    reload("main", false);
    cr_expect_eq(fake.connection_count, 6);
    cr_expect_null(strstr(sink.text, "now"), "%s", sink.text);
    for (size_t i = 0; i < 6; i++)
        fake_state(&fake, i, UPSTREAM_DOWN);
    submit(0, "Connect", "same");
    expect_failure(&asks[0], CODE_UNAVAILABLE, PHASE_CONNECT,
                   "upstream main (http://10.0.0.1, http://10.0.0.2): ");
}

Test(router, reload_leaves_another_scheme_and_what_is_gone)
{
    reload("main", true);
    reload("other", false);
    cr_expect_eq(fake.connection_count, 3);
    run_for(loop, 20);
    cr_expect_eq(fake.closed_count, 0);
}
