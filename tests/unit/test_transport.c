/* SPDX-License-Identifier: Apache-2.0 */
/* Each real transport against a server over gRPC's C core: TRANSPORT_grpc, TRANSPORT_h2. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "core_server.h"
#include "fake_transport.h"
#include "pool/clock.h"
#include "pool/grpc_transport.h"
#include "pool/h2_transport.h"

#ifdef TRANSPORT_h2
#define TRANSPORT_NEW h2_transport_new
#define AGENT_END     ";" /* of user-agent, to which C core adds its own */
#else
#define TRANSPORT_NEW grpc_transport_new
#define AGENT_END     ");"
#endif

#define LONG        60000 /* ms, a time that does not pass in a test */
#define SHORT       200   /* ms, one that does */
#define MAX_MESSAGE (4u << 20)
#define LARGE       (256u << 10) /* bytes of a message, more than HTTP/2's first window */
#define CALLS       8            /* of a test that are told apart */

/* What is told of a call. */
struct told {
    struct upstream_call *call;
    size_t replied;
    size_t ended;
    enum code code;
    bool from_peer;
    bool unstarted;
    char message[256];
    struct blob *reply;
    char headers[512]; /* "name=value;" each */
    char trailers[512];
    bool has_headers; /* given with the end */
    bool has_trailers;
    size_t headers_count;
    size_t received;
    size_t received_before_headers;
    size_t received_bytes;
    char last[64]; /* the message received last, as text */
    size_t sent;
};

static struct event_base *loop;
static struct transport *transport;
static struct upstream *upstream;
static struct core_server *server;
static struct core_answer answer;
static size_t ready;
static size_t down;
static char why_down[1024];
static struct told told[CALLS];

static void text_of(char *to, size_t room, const struct metadata *metadata)
{
    struct metadata_item item;
    size_t length = 0;
    *to = '\0';
    for (size_t at = 0; metadata_next(metadata, &at, &item);) {
        length += (size_t)snprintf(to + length, room - length, "%.*s=%.*s;", SPAN_ARGS(item.name),
                                   SPAN_ARGS(item.value));
        cr_assert_lt(length, room);
    }
}

static void on_ended(void *context, const struct upstream_end *end)
{
    struct told *of = context;
    of->ended++;
    of->code = end->code;
    of->from_peer = end->from_peer;
    of->unstarted = end->unstarted;
    snprintf(of->message, sizeof(of->message), "%.*s", SPAN_ARGS(end->message));
    of->reply = blob_ref(end->reply);
    of->has_headers = end->headers != NULL;
    of->has_trailers = end->trailers != NULL;
    if (end->headers)
        text_of(of->headers, sizeof(of->headers), end->headers);
    text_of(of->trailers, sizeof(of->trailers), end->trailers);
}

static void on_replied(void *context)
{
    struct told *of = context;
    cr_expect_eq(of->ended, 0);
    of->replied++;
}

static void on_headers(void *context, const struct metadata *headers)
{
    struct told *of = context;
    cr_expect_eq(of->ended, 0);
    of->headers_count++;
    text_of(of->headers, sizeof(of->headers), headers);
}

static void on_received(void *context, struct blob *message)
{
    struct told *of = context;
    cr_expect_eq(of->ended, 0);
    of->received++;
    of->received_before_headers += of->headers_count == 0;
    of->received_bytes += message->size;
    snprintf(of->last, sizeof(of->last), "%.*s", (int)message->size, (const char *)message->data);
}

static void on_sent(void *context)
{
    struct told *of = context;
    cr_expect_eq(of->ended, 0);
    of->sent++;
}

static void on_state(void *context, enum upstream_state state, const char *reason)
{
    (void)context;
    ready += state == UPSTREAM_READY;
    down += state == UPSTREAM_DOWN;
    if (state == UPSTREAM_DOWN)
        snprintf(why_down, sizeof(why_down), "%s", reason);
}

static const struct upstream_events events = {
    .call_ended = on_ended,
    .call_replied = on_replied,
    .call_headers = on_headers,
    .call_received = on_received,
    .call_sent = on_sent,
    .state_changed = on_state,
};

static void open_upstream(int port)
{
    char *error = NULL;
    static struct conf_upstream to; /* outlives the connection */
    to = (struct conf_upstream){.name = "main", .connect_timeout = LONG, .keepalive = LONG};
    struct endpoint endpoint = {
        .host = "127.0.0.1", .port = (uint16_t)port, .length = sizeof(struct sockaddr_in)};
    *(struct sockaddr_in *)&endpoint.address =
        (struct sockaddr_in){.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    upstream = transport->open(transport, &to, &endpoint, MAX_MESSAGE, &events, NULL, &error);
    cr_assert_not_null(upstream, "%s", error);
}

/* What the server answers is set between this and connect(). */
static void begin(void)
{
    loop = event_base_new();
    transport = TRANSPORT_NEW(loop);
    cr_assert_not_null(transport);
    answer = (struct core_answer){.status = GRPC_STATUS_OK, .message_size = 16};
}

static void connect_up(void)
{
    server = core_server_open(&answer, loop);
    open_upstream(core_server_port(server));
    run_until(loop, &ready, 1);
}

static void end(void)
{
    upstream_close(upstream);
    if (server)
        core_server_close(server);
    if (transport)
        transport->close(transport);
    for (size_t i = 0; i < CALLS; i++)
        blob_unref(told[i].reply);
    event_base_free(loop);
}

TestSuite(transport, .init = begin, .fini = end);

/* C core writes in threads of its own. */
static void send_all(void)
{
#ifdef TRANSPORT_h2
    event_base_loop(loop, EVLOOP_ONCE | EVLOOP_NONBLOCK);
#endif
}

/* ---- calls of one message ---- */

static void start(struct told *of, const struct upstream_message *message)
{
    of->call = upstream_start(upstream, message, of);
}

static void ask(const char *path, const struct metadata *metadata, enum encoding encoding,
                const char *text)
{
    struct blob *body = blob_copy(span_text(text));
    struct upstream_message message = {
        .path = path,
        .metadata = metadata,
        .deadline = clock_now() + LONG,
        .encoding = encoding,
        .owner = body,
        .body = blob_span(body),
    };
    start(&told[0], &message);
    blob_unref(body);
    run_until(loop, &told[0].ended, 1);
}

static void expect_end(const struct told *of, enum code code, const char *text)
{
    cr_assert_eq(of->ended, 1);
    cr_expect_eq(of->code, code, "%s: %s", code_name(of->code), of->message);
    cr_expect_str_eq(of->message, text);
}

Test(transport, one_message_each_way)
{
    connect_up();
    ask("/test/Echo", NULL, ENCODING_IDENTITY, "hello");
    expect_end(&told[0], CODE_OK, "");
    cr_expect(told[0].from_peer);
    cr_expect(span_is(blob_span(told[0].reply), "hello"));
    cr_expect_not(told[0].has_headers);
    cr_expect_not(told[0].has_trailers);
    struct core_seen seen = CORE_WAIT(server, ended, 1);
    cr_expect_str_eq(seen.method, "/test/Echo");
    cr_expect_str_eq(seen.encodings, "-");
    cr_expect_gt(seen.timeout, LONG / 2);
    cr_expect_leq(seen.timeout, LONG + LONG / 100, "%lld", (long long)seen.timeout);
    cr_expect_null(strstr(seen.metadata, "authorization"), "%s", seen.metadata);
    cr_expect_null(strstr(seen.metadata, "dbname"), "%s", seen.metadata);
}

Test(transport, what_the_daemon_says_and_a_tail_are_sent)
{
    connect_up();
    struct blob *body = blob_copy(span_text("body"));
    struct blob *tail = blob_copy(span_text("+tail"));
    struct upstream_message message = {
        .path = "/test/Echo",
        .authorization = span_text("secret"),
        .database = span_text("books"),
        .deadline = clock_now() + LONG,
        .owner = body,
        .body = blob_span(body),
        .tail = tail,
    };
    start(&told[0], &message);
    blob_unref(body);
    blob_unref(tail);
    run_until(loop, &told[0].ended, 1);
    cr_expect(span_is(blob_span(told[0].reply), "body+tail"));
    struct core_seen seen = CORE_WAIT(server, ended, 1);
    cr_expect(strstr(seen.metadata, "authorization=secret;dbname=books;"), "%s", seen.metadata);
}

Test(transport, error_of_the_server)
{
    answer.status = GRPC_STATUS_PERMISSION_DENIED;
    answer.details = "not you";
    connect_up();
    ask("/test/Leave", NULL, ENCODING_IDENTITY, "");
    expect_end(&told[0], CODE_PERMISSION_DENIED, "not you");
    cr_expect(told[0].from_peer);
    cr_expect_null(told[0].reply);
}

Test(transport, answer_without_a_message_is_an_error)
{
    connect_up();
    ask("/test/Leave", NULL, ENCODING_IDENTITY, "");
    expect_end(&told[0], CODE_INTERNAL, "a reply without message");
    cr_expect_not(told[0].from_peer);
}

Test(transport, reason_why_there_is_no_connection)
{
    answer.status = GRPC_STATUS_OK;
    connect_up();
    upstream_close(upstream);
    int port = core_server_port(server);
    core_server_close(server);
    server = NULL;
    open_upstream(port);
    run_until(loop, &down, 1);
    cr_expect(strstr(why_down, "refused"), "%s", why_down);
}

/* ---- metadata ---- */

static void add(struct metadata *metadata, const char *name, const char *value)
{
    metadata_add(metadata, span_text(name), span_text(value));
}

/* What the server saw of a client's metadata, after what the transport itself sends. */
static void expect_passed(const struct metadata *metadata, const char *expected)
{
    ask("/test/Echo", metadata, ENCODING_IDENTITY, "m");
    expect_end(&told[0], CODE_OK, "");
    struct core_seen seen = CORE_WAIT(server, ended, 1);
    const char *agent = strstr(seen.metadata, "user-agent=milvus-bouncer/");
    cr_assert_not_null(agent, "%s", seen.metadata);
    const char *behind = strstr(agent, AGENT_END) + strlen(AGENT_END);
    char others[1024];
    snprintf(others, sizeof(others), "%.*s%s", (int)(agent - seen.metadata), seen.metadata, behind);
    cr_expect_str_eq(others, expected);
}

Test(transport, clients_metadata_are_passed_on)
{
    struct metadata metadata = {0};
    add(&metadata, "client-request-id", "7");
    add(&metadata, "empty", "");
    add(&metadata, "twice", "first, still first");
    add(&metadata, "twice", "second");
    connect_up();
    expect_passed(&metadata, "client-request-id=7;empty=;twice=first, still first;twice=second;");
    metadata_clear(&metadata);
}

Test(transport, binary_metadata_are_sent_as_what_they_mean)
{
    struct metadata metadata = {0};
    add(&metadata, "one-bin", "AQID");
    add(&metadata, "padded-bin", "/w==");
    add(&metadata, "bare-bin", "/w");
    add(&metadata, "joined-bin", "AQ,Ag , Aw==");
    add(&metadata, "none-bin", "");
    add(&metadata, "grpc-trace-bin", "AAEC");
    connect_up();
    expect_passed(&metadata, "one-bin=010203;padded-bin=ff;bare-bin=ff;joined-bin=01;joined-bin=02;"
                             "joined-bin=03;none-bin=;");
    metadata_clear(&metadata);
}

/* C core aborts, or fails the call, on some of these. */
Test(transport, what_cannot_be_passed_on_is_left_out)
{
    static const char *const names[] = {
        "",         "Upper",          "with space", ":path",
        "\xc3\xa4", "grpc-encoding",  "te",         "grpclb_client_stats",
        "host",     "content-length", "user-agent", "grpc-internal-encoding-request",
        "upgrade",  "lb-cost-bin",    "connection", "transfer-encoding",
        "lb-token", "grpc-timeout",   "dbname",     "authorization",
    };
    struct metadata metadata = {0};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        add(&metadata, names[i], "x");
    add(&metadata, "control", "a\nb");
    add(&metadata, "high", "\xc3\xa4");
    add(&metadata, "broken-bin", "!!!");
    add(&metadata, "half-bin", "AQ,!,Ag");
    add(&metadata, "kept", "yes");
    connect_up();
    expect_passed(&metadata, "kept=yes;");
    metadata_clear(&metadata);
}

static grpc_metadata item(const char *name, const char *value, size_t length)
{
    return (grpc_metadata){.key = grpc_slice_from_static_string(name),
                           .value = grpc_slice_from_static_buffer(value, length)};
}

Test(transport, servers_metadata_are_handed_back)
{
    grpc_metadata headers[] = {item("served-by", "a", 1), item("served-by", "b", 1)};
    grpc_metadata trailers[] = {
        item("cost", "3", 1),       item("grpc-status-details-bin", "\x08\x05", 2),
        item("one-bin", "\xff", 1), item("three-bin", "\1\2\3", 3),
        item("grpc-else", "x", 1),  item("grpc-retry-pushback-ms", "5", 1)};
    answer.headers = headers;
    answer.header_count = 2;
    answer.trailers = trailers;
    answer.trailer_count = sizeof(trailers) / sizeof(trailers[0]);
    connect_up();
    ask("/test/Echo", NULL, ENCODING_IDENTITY, "m");
    expect_end(&told[0], CODE_OK, "");
    cr_expect_str_eq(told[0].headers, "served-by=a;served-by=b;");
    cr_expect_str_eq(told[0].trailers, "grpc-retry-pushback-ms=5;cost=3;"
                                       "grpc-status-details-bin=CAU;one-bin=/w;three-bin=AQID;");
}

Test(transport, trailers_come_with_errors_too)
{
    grpc_metadata trailers[] = {item("cost", "3", 1)};
    answer.status = GRPC_STATUS_RESOURCE_EXHAUSTED;
    answer.trailers = trailers;
    answer.trailer_count = 1;
    connect_up();
    ask("/test/Leave", NULL, ENCODING_IDENTITY, "");
    expect_end(&told[0], CODE_RESOURCE_EXHAUSTED, "");
    cr_expect_str_eq(told[0].trailers, "cost=3;");
}

#ifdef TRANSPORT_h2 /* C core has a limit of its own reckoning */
Test(transport, metadata_that_are_too_large)
{
    enum { SIZE = 40 << 10 };
    char *large = malloc(SIZE);
    memset(large, 'x', SIZE);
    grpc_metadata trailers[] = {item("large", large, SIZE), item("larger", large, SIZE)};
    answer.trailers = trailers;
    answer.trailer_count = 2;
    connect_up();
    ask("/test/Echo", NULL, ENCODING_IDENTITY, "m");
    cr_expect_eq(told[0].code, CODE_RESOURCE_EXHAUSTED, "%s", told[0].message);
    cr_expect_not(told[0].from_peer);
    cr_expect_null(told[0].reply);
    core_server_close(server);
    server = NULL;
    free(large);
}
#endif

/* ---- compression ---- */

/* The server takes them without unpacking: these are the bytes that were given. */
Test(transport, compressed_message_is_sent_as_it_is)
{
    static const struct {
        enum encoding encoding;
        const char *seen;
    } cases[] = {{ENCODING_GZIP, "g"}, {ENCODING_DEFLATE, "d"}};
    connect_up();
    for (size_t i = 0; i < 2; i++) {
        told[0] = (struct told){0};
        ask("/test/Echo", NULL, cases[i].encoding, "packed");
        expect_end(&told[0], CODE_OK, "");
        cr_expect(span_is(blob_span(told[0].reply), "packed"));
        blob_unref(told[0].reply);
        told[0].reply = NULL;
        struct core_seen seen = CORE_WAIT(server, ended, i + 1);
        cr_expect_str_eq(seen.last, "packed");
        cr_expect_eq(seen.encodings[i], *cases[i].seen);
        cr_expect_null(strstr(seen.metadata, "grpc-internal"), "%s", seen.metadata);
    }
}

Test(transport, compressed_reply_is_unpacked)
{
    grpc_metadata headers[] = {item(GRPC_COMPRESSION_REQUEST_ALGORITHM_MD_KEY, "gzip", 4)};
    char text[2001];
    answer.headers = headers;
    answer.header_count = 1;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    connect_up();
    ask("/test/Echo", NULL, ENCODING_IDENTITY, text);
    expect_end(&told[0], CODE_OK, "");
    cr_expect(span_is(blob_span(told[0].reply), text));
    cr_expect_not(told[0].has_headers);
}

/* ---- held replies ---- */

static void ask_for(struct told *of, const char *path, const char *text, int64_t timeout)
{
    struct blob *body = blob_copy(span_text(text));
    struct upstream_message message = {
        .path = path,
        .deadline = clock_now() + timeout,
        .held = true,
        .owner = body,
        .body = blob_span(body),
    };
    start(of, &message);
    blob_unref(body);
}

static void expect_replied(struct told *of)
{
    run_until(loop, &of->replied, 1);
    cr_expect_eq(of->ended, 0);
}

static void take(struct told *of)
{
    upstream_take(upstream, of->call);
    run_until(loop, &of->ended, 1);
    cr_expect_eq(of->replied, 1);
}

static void expect_large(const struct told *of)
{
    expect_end(of, CODE_OK, "");
    cr_assert_not_null(of->reply);
    cr_expect_eq(of->reply->size, LARGE);
}

/* So many large replies, one after the other. */
static void ask_for_large(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        told[0] = (struct told){0};
        ask("/test/Count", NULL, ENCODING_IDENTITY, "1");
        expect_large(&told[0]);
        blob_unref(told[0].reply);
    }
    told[0] = (struct told){0};
}

/* But for its first bytes; also if C core would widen the windows of a connection that is busy. */
Test(transport, held_reply_waits_with_the_server)
{
    enum { BEFORE = 20 };
    answer.message_size = LARGE;
    connect_up();
    ask_for_large(BEFORE);
    run_for(loop, SHORT);
    ask_for(&told[0], "/test/Count", "1", LONG);
    expect_replied(&told[0]);
    run_for(loop, SHORT);
    cr_expect_eq(told[0].ended, 0);
    cr_expect_eq(CORE_WAIT(server, calls, BEFORE + 1).sent, BEFORE, "it does not wait");
    take(&told[0]);
    expect_large(&told[0]);
    cr_expect_eq(CORE_WAIT(server, ended, BEFORE + 1).sent, BEFORE + 1);
}

/* Their first bytes would fill the window of the connection. */
Test(transport, held_replies_are_passed_by_others)
{
    enum { HELD = CALLS - 1 };
    answer.message_size = LARGE;
    connect_up();
    for (size_t i = 1; i <= HELD; i++)
        ask_for(&told[i], "/test/Count", "1", LONG);
    for (size_t i = 1; i <= HELD; i++)
        expect_replied(&told[i]);
    run_for(loop, SHORT);
    ask_for_large(3);
    for (size_t i = HELD; i >= 1; i--) {
        cr_expect_eq(told[i].ended, 0);
        take(&told[i]);
        expect_large(&told[i]);
    }
}

Test(transport, held_reply_comes_with_its_metadata)
{
    grpc_metadata headers[] = {item("served-by", "a", 1)};
    grpc_metadata trailers[] = {item("cost", "3", 1)};
    answer.headers = headers;
    answer.header_count = 1;
    answer.trailers = trailers;
    answer.trailer_count = 1;
    connect_up();
    ask_for(&told[0], "/test/Echo", "hello", LONG);
    expect_replied(&told[0]);
    CORE_WAIT(server, ended, 1);
    run_for(loop, SHORT);
    cr_expect_eq(told[0].ended, 0);
    take(&told[0]);
    expect_end(&told[0], CODE_OK, "");
    cr_expect(told[0].from_peer);
    cr_expect(span_is(blob_span(told[0].reply), "hello"));
    cr_expect_str_eq(told[0].headers, "served-by=a;");
    cr_expect_str_eq(told[0].trailers, "cost=3;");
}

Test(transport, held_call_is_answered_with_trailers_alone)
{
    grpc_metadata trailers[] = {item("cost", "3", 1)};
    answer.status = GRPC_STATUS_NOT_FOUND;
    answer.details = "no such thing";
    answer.trailers = trailers;
    answer.trailer_count = 1;
    connect_up();
    ask_for(&told[0], "/test/Leave", "", LONG);
    expect_replied(&told[0]);
    take(&told[0]);
    expect_end(&told[0], CODE_NOT_FOUND, "no such thing");
    cr_expect(told[0].from_peer);
    cr_expect_str_eq(told[0].trailers, "cost=3;");
}

Test(transport, held_call_is_answered_without_a_message)
{
    connect_up();
    ask_for(&told[0], "/test/Leave", "", LONG);
    expect_replied(&told[0]);
    take(&told[0]);
    expect_end(&told[0], CODE_INTERNAL, "a reply without message");
}

Test(transport, held_reply_that_is_too_large)
{
    answer.message_size = MAX_MESSAGE + 1;
    connect_up();
    ask_for(&told[0], "/test/Count", "1", LONG);
    expect_replied(&told[0]);
    take(&told[0]);
    cr_expect_eq(told[0].code, CODE_RESOURCE_EXHAUSTED, "%s", told[0].message);
    cr_expect_not(told[0].from_peer);
    cr_expect_null(told[0].reply);
}

Test(transport, connection_breaks_while_a_reply_waits)
{
    answer.message_size = LARGE;
    connect_up();
    ask_for(&told[0], "/test/Count", "1", LONG);
    expect_replied(&told[0]);
    core_server_close(server);
    server = NULL;
    run_for(loop, SHORT);
    cr_expect_eq(told[0].ended, 0);
    take(&told[0]);
    cr_expect_neq(told[0].code, CODE_OK);
    cr_expect_not(told[0].unstarted);
}

Test(transport, held_call_is_cancelled_while_its_reply_waits)
{
    answer.message_size = LARGE;
    connect_up();
    ask_for(&told[0], "/test/Count", "1", LONG);
    expect_replied(&told[0]);
    upstream_cancel(upstream, told[0].call);
    run_until(loop, &told[0].ended, 1);
    cr_expect_eq(told[0].code, CODE_CANCELLED);
    cr_expect_not(told[0].from_peer);
    cr_expect_eq(CORE_WAIT(server, ended, 1).cancelled, 1);
}

Test(transport, held_call_is_cancelled_before_it_replied)
{
    connect_up();
    ask_for(&told[0], "/test/Hold", "", LONG);
    CORE_WAIT(server, calls, 1);
    upstream_cancel(upstream, told[0].call);
    expect_replied(&told[0]);
    take(&told[0]);
    cr_expect_eq(told[0].code, CODE_CANCELLED);
}

Test(transport, held_call_is_cancelled_after_its_reply_was_taken)
{
    answer.message_size = LARGE;
    connect_up();
    ask_for(&told[0], "/test/Count", "1", LONG);
    expect_replied(&told[0]);
    upstream_take(upstream, told[0].call);
    upstream_cancel(upstream, told[0].call);
    run_until(loop, &told[0].ended, 1);
    run_for(loop, SHORT);
    cr_expect_eq(told[0].ended, 1);
    cr_expect_eq(told[0].replied, 1);
}

/* A call whose reply waits, one that has not replied, and one of which that has not been told. */
static void close_with_held_calls(void)
{
    answer.message_size = LARGE;
    connect_up();
    ask_for(&told[0], "/test/Count", "1", LONG);
    expect_replied(&told[0]);
    ask_for(&told[1], "/test/Hold", "", LONG);
    ask_for(&told[2], "/test/Echo", "", LONG);
    send_all();
    CORE_WAIT_STILL(server, ended, 1);
    upstream_close(upstream);
    upstream = NULL;
}

Test(transport, closed_while_calls_are_held)
{
    close_with_held_calls();
    run_for(loop, SHORT);
    cr_expect_eq(told[0].ended + told[1].ended + told[2].ended, 0);
    cr_expect_eq(told[1].replied + told[2].replied, 0);
}

/* The transport's end waits for them. */
Test(transport, closed_while_calls_are_held_to_the_end)
{
    close_with_held_calls();
    core_server_close(server);
    server = NULL;
    transport->close(transport);
    transport = NULL;
    cr_expect_eq(told[0].ended + told[1].ended + told[2].ended, 0);
    cr_expect_eq(told[1].replied + told[2].replied, 0);
}

/* ---- streams ---- */

static void open_for(struct told *of, const char *path, enum encoding encoding, int64_t timeout)
{
    struct upstream_message message = {
        .path = path,
        .deadline = clock_now() + timeout,
        .stream = true,
        .encoding = encoding,
    };
    start(of, &message);
}

static void open_stream(const char *path)
{
    open_for(&told[0], path, ENCODING_IDENTITY, LONG);
}

static void send_bytes(struct told *of, struct span bytes, bool compressed)
{
    struct blob *message = blob_copy(bytes);
    upstream_send(upstream, of->call, message, compressed);
    blob_unref(message);
}

static void send_text(const char *text)
{
    size_t sent = told[0].sent;
    send_bytes(&told[0], span_text(text), false);
    run_until(loop, &told[0].sent, sent + 1);
}

static void finish(void)
{
    upstream_finish(upstream, told[0].call);
}

static void receive(void)
{
    upstream_receive(upstream, told[0].call);
}

/* Asks for one message and waits for it. */
static void expect_message(const char *text)
{
    size_t received = told[0].received;
    receive();
    run_until(loop, &told[0].received, received + 1);
    cr_expect_str_eq(told[0].last, text);
}

/* The end may have come with the last message; else one is asked for where there is none. */
static void expect_no_more(enum code code, const char *text)
{
    size_t received = told[0].received;
    if (told[0].ended == 0)
        receive();
    run_until(loop, &told[0].ended, 1);
    expect_end(&told[0], code, text);
    cr_expect_eq(told[0].received, received);
}

Test(transport, both_sides_stream)
{
    grpc_metadata headers[] = {item("served-by", "a", 1)};
    grpc_metadata trailers[] = {item("cost", "3", 1)};
    answer.headers = headers;
    answer.header_count = 1;
    answer.trailers = trailers;
    answer.trailer_count = 1;
    connect_up();
    open_stream("/test/Echo");
    send_text("one");
    expect_message("one");
    send_text("");
    expect_message("");
    send_text("two");
    send_text("three");
    finish();
    expect_message("two");
    expect_message("three");
    expect_no_more(CODE_OK, "");
    cr_expect(told[0].from_peer);
    cr_expect_null(told[0].reply);
    cr_expect_eq(told[0].headers_count, 1);
    cr_expect_str_eq(told[0].headers, "served-by=a;");
    cr_expect_not(told[0].has_headers);
    cr_expect_str_eq(told[0].trailers, "cost=3;");
}

/* Asked for at once, and still the metadata come first. */
Test(transport, metadata_come_before_messages)
{
    connect_up();
    for (size_t i = 0; i < 20; i++) {
        told[0] = (struct told){0};
        open_stream("/test/Count");
        receive();
        send_bytes(&told[0], span_text("1"), false);
        run_until(loop, &told[0].received, 1);
        cr_expect_eq(told[0].received_before_headers, 0);
        cr_expect_eq(told[0].headers_count, 1);
        expect_no_more(CODE_OK, "");
    }
}

Test(transport, nothing_comes_that_was_not_asked_for)
{
    enum { ASKED = 3, ALL = 200 };
    char number[16];
    answer.message_size = LARGE;
    connect_up();
    open_stream("/test/Count");
    send_text("200");
    finish();
    for (size_t i = 0; i < ASKED; i++) {
        snprintf(number, sizeof(number), "%zu", i);
        expect_message(number);
    }
    run_for(loop, SHORT);
    cr_expect_eq(told[0].received, ASKED);
    cr_expect_lt(CORE_WAIT(server, sent, ASKED).sent, ALL / 2, "the server is not held up");
    for (size_t i = ASKED; i < ALL; i++) {
        snprintf(number, sizeof(number), "%zu", i);
        expect_message(number);
    }
    expect_no_more(CODE_OK, "");
    cr_expect_eq(told[0].received_bytes, (size_t)ALL * LARGE);
}

/* As long as the server reads nothing, there is no room. */
Test(transport, there_is_no_room_until_the_server_takes)
{
    enum { ALL = 200 };
    struct blob *large = blob_new(LARGE);
    memset(large->data, 0, large->size);
    connect_up();
    open_stream("/test/Hold");
    CORE_WAIT(server, calls, 1);
    size_t given = 0;
    do {
        upstream_send(upstream, told[0].call, large, false);
        given++;
        run_for(loop, SHORT);
    } while (told[0].sent == given && given < ALL);
    cr_expect_lt(given, ALL, "the client is not held up");
    core_server_release(server);
    run_until(loop, &told[0].sent, given);
    for (; given < ALL; given++) {
        upstream_send(upstream, told[0].call, large, false);
        run_until(loop, &told[0].sent, given + 1);
    }
    blob_unref(large);
    finish();
    expect_message("");
    expect_no_more(CODE_OK, "");
    cr_expect_eq(CORE_WAIT(server, ended, 1).received, ALL);
}

Test(transport, each_message_of_a_stream_is_compressed_or_is_not)
{
    char text[2001]; /* C core would find it worth compressing */
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    connect_up();
    open_for(&told[0], "/test/Echo", ENCODING_GZIP, LONG);
    send_text(text);
    send_bytes(&told[0], span_text("packed"), true);
    run_until(loop, &told[0].sent, 2);
    send_text("plain");
    finish();
    receive();
    run_until(loop, &told[0].received, 1);
    expect_message("packed");
    expect_message("plain");
    expect_no_more(CODE_OK, "");
    cr_expect_str_eq(CORE_WAIT(server, ended, 1).encodings, "-g-");
}

/* What the server said before it ended is not lost. */
Test(transport, messages_come_before_the_end)
{
    answer.status = GRPC_STATUS_DATA_LOSS;
    answer.details = "half of it";
    connect_up();
    open_stream("/test/Count");
    send_text("3");
    CORE_WAIT(server, sent, 3);
    run_for(loop, SHORT);
    expect_message("0");
    expect_message("1");
    expect_message("2");
    expect_no_more(CODE_DATA_LOSS, "half of it");
}

/* The server has ended the call, and the client does not know yet. */
Test(transport, send_after_the_server_has_ended)
{
    answer.status = GRPC_STATUS_NOT_FOUND;
    answer.details = "no such thing";
    connect_up();
    open_stream("/test/Leave");
    send_all();
    CORE_WAIT_STILL(server, ended, 1);
    send_bytes(&told[0], span_text("late"), false);
    receive();
    run_until(loop, &told[0].ended, 1);
    expect_end(&told[0], CODE_NOT_FOUND, "no such thing");
    cr_expect(told[0].from_peer);
    cr_expect_eq(told[0].received, 0);
}

/* Its metadata are told all the same: there are none. */
Test(transport, stream_that_is_answered_with_trailers_alone)
{
    grpc_metadata trailers[] = {item("cost", "3", 1)};
    answer.status = GRPC_STATUS_NOT_FOUND;
    answer.trailers = trailers;
    answer.trailer_count = 1;
    connect_up();
    open_stream("/test/Leave");
    receive();
    run_until(loop, &told[0].ended, 1);
    expect_end(&told[0], CODE_NOT_FOUND, "");
    cr_expect_eq(told[0].headers_count, 1);
    cr_expect_str_eq(told[0].headers, "");
    cr_expect_str_eq(told[0].trailers, "cost=3;");
}

/* It ends while a message does not fit into its window. */
Test(transport, server_ends_in_the_middle_of_a_message)
{
    answer.status = GRPC_STATUS_NOT_FOUND;
    answer.details = "no such thing";
    connect_up();
    open_stream("/test/Leave");
    struct blob *large = blob_new(MAX_MESSAGE);
    memset(large->data, 0, large->size);
    send_bytes(&told[0], blob_span(large), false);
    blob_unref(large);
    run_until(loop, &told[0].ended, 1);
    expect_end(&told[0], CODE_NOT_FOUND, "no such thing");
    cr_expect(told[0].from_peer);
}

/* And has said something before that nobody has fetched. */
Test(transport, server_ends_in_the_middle_of_both)
{
    answer.status = GRPC_STATUS_NOT_FOUND;
    answer.details = "no such thing";
    connect_up();
    open_stream("/test/Count");
    send_text("3");
    struct blob *large = blob_new(MAX_MESSAGE);
    memset(large->data, 0, large->size);
    send_bytes(&told[0], blob_span(large), false);
    blob_unref(large);
    CORE_WAIT(server, sent, 3);
    run_for(loop, SHORT);
    expect_message("0");
    expect_message("1");
    expect_message("2");
    expect_no_more(CODE_NOT_FOUND, "no such thing");
}

Test(transport, cancelled_in_the_middle)
{
    connect_up();
    open_stream("/test/Echo");
    send_text("one");
    expect_message("one");
    receive();
    upstream_cancel(upstream, told[0].call);
    cr_expect_eq(told[0].ended, 0);
    run_until(loop, &told[0].ended, 1);
    cr_expect_eq(told[0].code, CODE_CANCELLED);
    cr_expect_not(told[0].from_peer);
    cr_expect_eq(told[0].received, 1);
    cr_expect_eq(CORE_WAIT(server, ended, 1).cancelled, 1);
}

/* Also before anything has come or gone. */
Test(transport, cancelled_at_once)
{
    connect_up();
    open_stream("/test/Echo");
    send_bytes(&told[0], span_text("one"), false);
    receive();
    upstream_cancel(upstream, told[0].call);
    run_until(loop, &told[0].ended, 1);
    cr_expect_eq(told[0].code, CODE_CANCELLED);
}

Test(transport, message_that_is_too_large_ends_the_stream)
{
    answer.message_size = MAX_MESSAGE + 1;
    connect_up();
    open_stream("/test/Count");
    send_text("1");
    receive();
    run_until(loop, &told[0].ended, 1);
    cr_expect_eq(told[0].code, CODE_RESOURCE_EXHAUSTED, "%s", told[0].message);
    cr_expect_not(told[0].from_peer);
    cr_expect_eq(told[0].received, 0);
}

Test(transport, broken_connection_ends_its_streams)
{
    connect_up();
    open_stream("/test/Echo");
    send_text("one");
    expect_message("one");
    receive();
    core_server_close(server);
    server = NULL;
    run_until(loop, &told[0].ended, 1);
    cr_expect_neq(told[0].code, CODE_OK);
    cr_expect_eq(told[0].received, 1);
}

/* Nothing is told any more, and nothing is left. */
Test(transport, closed_with_calls_under_way)
{
    connect_up();
    open_stream("/test/Echo");
    send_text("one");
    expect_message("one");
    receive();
    open_for(&told[1], "/test/Hold", ENCODING_IDENTITY, LONG);
    send_bytes(&told[1], span_text("two"), false);
    upstream_receive(upstream, told[1].call);
    upstream_close(upstream);
    upstream = NULL;
    run_for(loop, SHORT);
    cr_expect_eq(told[0].ended + told[1].ended, 0);
    cr_expect_eq(told[0].received + told[1].received, 1);
}

/* What has come and was not looked at yet is dropped. */
Test(transport, closed_before_what_has_come_is_told)
{
    connect_up();
    for (size_t i = 1; i <= 10; i++) {
        told[0] = (struct told){0};
        open_stream("/test/Count");
        if (i % 2)
            run_until(loop, &told[0].headers_count, 1);
        receive();
        send_bytes(&told[0], span_text("1"), false);
        send_all();
        CORE_WAIT_STILL(server, ended, i);
        upstream_close(upstream);
        open_upstream(core_server_port(server));
        run_until(loop, &ready, 1 + i);
        cr_expect_eq(told[0].received + told[0].ended, 0);
    }
}

/* ---- what C core does by itself, and the pool over the other transport ---- */

#ifdef TRANSPORT_grpc

Test(transport, held_call_without_a_connection)
{
    connect_up();
    upstream_close(upstream);
    int port = core_server_port(server);
    core_server_close(server);
    server = NULL;
    open_upstream(port);
    run_until(loop, &down, 1);
    ask_for(&told[0], "/test/Echo", "", LONG);
    expect_replied(&told[0]);
    take(&told[0]);
    cr_expect_eq(told[0].code, CODE_UNAVAILABLE, "%s", told[0].message);
    cr_expect(told[0].unstarted);
    cr_expect_not(told[0].from_peer);
}

/* Whoever waits has a clock of his own. */
Test(transport, deadline_while_a_reply_waits)
{
    answer.message_size = LARGE;
    connect_up();
    ask_for(&told[0], "/test/Count", "1", SHORT);
    expect_replied(&told[0]);
    cr_expect_eq(CORE_WAIT(server, ended, 1).cancelled, 1);
    run_for(loop, SHORT);
    cr_expect_eq(told[0].ended, 0);
    take(&told[0]);
    expect_end(&told[0], CODE_DEADLINE_EXCEEDED, "Deadline Exceeded");
    cr_expect_not(told[0].from_peer);
}

Test(transport, deadline_before_a_held_call_replied)
{
    int64_t before = clock_now();
    connect_up();
    ask_for(&told[0], "/test/Hold", "", SHORT);
    expect_replied(&told[0]);
    cr_expect_geq(clock_now() - before, SHORT);
    take(&told[0]);
    expect_end(&told[0], CODE_DEADLINE_EXCEEDED, "Deadline Exceeded");
}

Test(transport, deadline_in_the_middle)
{
    connect_up();
    open_for(&told[0], "/test/Echo", ENCODING_IDENTITY, SHORT);
    send_text("one");
    expect_message("one");
    int64_t before = clock_now();
    receive();
    run_until(loop, &told[0].ended, 1);
    expect_end(&told[0], CODE_DEADLINE_EXCEEDED, "Deadline Exceeded");
    cr_expect_not(told[0].from_peer);
    cr_expect_leq(clock_now() - before, 10 * SHORT);
    struct core_seen seen = CORE_WAIT(server, ended, 1);
    cr_expect_gt(seen.timeout, 0);
    cr_expect_leq(seen.timeout, 2 * SHORT);
}

#endif
