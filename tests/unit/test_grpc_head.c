/* SPDX-License-Identifier: Apache-2.0 */
/* grpc/doc/PROTOCOL-HTTP2.md, Requests. */
#include <criterion/criterion.h>

#include "proto/blob.h"
#include "proto/grpc_head.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct grpc_head head;

static void end(void)
{
    grpc_head_clear(&head);
}

TestSuite(grpc_head, .fini = end);

/* From blocks of their own, so that a read behind them is noticed. */
static void take_span(struct span name, struct span value)
{
    struct blob *name_copy = blob_copy(name);
    struct blob *value_copy = blob_copy(value);
    grpc_head_take(&head, blob_span(name_copy), blob_span(value_copy));
    blob_unref(name_copy);
    blob_unref(value_copy);
}

static void take(const char *name, const char *value)
{
    take_span(span_text(name), span_text(value));
}

static void forget(void)
{
    grpc_head_clear(&head);
    head = (struct grpc_head){0};
}

/* A call as SDKs make it, without the field of that name. */
static void take_call_without(const char *left_out)
{
    static const char *const fields[][2] = {
        {":method", "POST"},
        {":scheme", "http"},
        {":path", "/milvus.proto.milvus.MilvusService/Search"},
        {":authority", "localhost:19530"},
        {"content-type", "application/grpc"},
        {"te", "trailers"},
    };
    forget();
    for (size_t i = 0; i < COUNT(fields); i++) {
        if (strcmp(fields[i][0], left_out) != 0)
            take(fields[i][0], fields[i][1]);
    }
}

static void take_call(void)
{
    take_call_without("");
}

Test(grpc_head, call_of_an_sdk_is_good)
{
    take_call();
    cr_expect_eq(grpc_head_check(&head), GRPC_HEAD_GOOD);
    cr_expect(span_is(grpc_head_path(&head), "/milvus.proto.milvus.MilvusService/Search"));
    cr_expect_not(head.has_timeout);
    cr_expect_not(head.has_database);
    cr_expect_eq(head.encoding, ENCODING_IDENTITY);
    cr_expect_eq(grpc_head_database(&head).length, 0);
    cr_expect_eq(head.metadata.count, 0);
}

Test(grpc_head, empty_head_is_no_call)
{
    cr_expect_eq(grpc_head_check(&head), GRPC_HEAD_METHOD);
    cr_expect_eq(grpc_head_path(&head).length, 0);
    grpc_head_clear(&head);
    grpc_head_clear(&head);
}

Test(grpc_head, method_is_post)
{
    static const char *const others[] = {"GET", "PUT", "post", "POS", "POST ", "POSTS", "", "HEAD"};
    for (size_t i = 0; i < COUNT(others); i++) {
        take_call_without(":method");
        take(":method", others[i]);
        cr_expect_eq(grpc_head_check(&head), GRPC_HEAD_METHOD, "\"%s\"", others[i]);
    }
    take_call_without(":method");
    cr_expect_eq(grpc_head_check(&head), GRPC_HEAD_METHOD);
}

Test(grpc_head, content_type_is_grpc)
{
    static const struct {
        const char *value;
        bool grpc;
    } cases[] = {
        {"application/grpc", true},
        {"application/grpc+proto", true},
        {"application/grpc+json", true},
        {"application/grpc+", true},
        {"application/grpc;charset=utf-8", true},
        {"application/grpc;", true},
        {"", false},
        {"a", false},
        {"application", false},
        {"application/grp", false},
        {"application/grpx", false},
        {"application/grpcx", false},
        {"application/grpc-web", false},
        {"application/grpc-web+proto", false},
        {"application/grpc proto", false},
        {"application/json", false},
        {"application/json;application/grpc", false},
        {"text/plain", false},
        {" application/grpc", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        take_call_without("content-type");
        take("content-type", cases[i].value);
        cr_expect_eq(grpc_head_check(&head), cases[i].grpc ? GRPC_HEAD_GOOD : GRPC_HEAD_CONTENT,
                     "\"%s\"", cases[i].value);
    }
    take_call_without("content-type");
    cr_expect_eq(grpc_head_check(&head), GRPC_HEAD_CONTENT);
}

Test(grpc_head, timeout_is_read)
{
    static const struct {
        const char *value;
        int64_t timeout; /* ms */
    } cases[] = {
        {"0n", 0},
        {"1n", 1},
        {"10S", 10000},
        {"1H", 3600000},
        {"99999999m", 99999999},
        {"99999999H", 359999996400000},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        take_call();
        take("grpc-timeout", cases[i].value);
        cr_expect_eq(grpc_head_check(&head), GRPC_HEAD_GOOD, "%s", cases[i].value);
        cr_expect(head.has_timeout);
        cr_expect_eq(head.timeout, cases[i].timeout, "%s", cases[i].value);
    }
}

Test(grpc_head, malformed_timeout_is_a_fault)
{
    static const char *const values[] = {"", "S", "1", "123456789S", "1s", "-1S", "1 S", "1.5S"};
    for (size_t i = 0; i < COUNT(values); i++) {
        take_call();
        take("grpc-timeout", values[i]);
        cr_expect_eq(grpc_head_check(&head), GRPC_HEAD_TIMEOUT, "\"%s\"", values[i]);
    }
}

Test(grpc_head, encoding_is_read)
{
    static const struct {
        const char *value;
        enum encoding encoding;
    } cases[] = {
        {"identity", ENCODING_IDENTITY},
        {"gzip", ENCODING_GZIP},
        {"deflate", ENCODING_DEFLATE},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        take_call();
        take("grpc-encoding", cases[i].value);
        cr_expect_eq(grpc_head_check(&head), GRPC_HEAD_GOOD, "%s", cases[i].value);
        cr_expect_eq(head.encoding, cases[i].encoding, "%s", cases[i].value);
    }
}

Test(grpc_head, unknown_encoding_is_a_fault)
{
    static const char *const values[] = {"", "snappy", "br", "gzi", "gzipp", "identity, gzip"};
    for (size_t i = 0; i < COUNT(values); i++) {
        take_call();
        take("grpc-encoding", values[i]);
        cr_expect_eq(grpc_head_check(&head), GRPC_HEAD_ENCODING, "\"%s\"", values[i]);
    }
}

/* What is no HTTP of gRPC at all is told before what is wrong within it. */
Test(grpc_head, first_of_several_faults_is_told)
{
    take("grpc-encoding", "snappy");
    take("grpc-timeout", "soon");
    cr_expect_eq(grpc_head_check(&head), GRPC_HEAD_METHOD);
    take(":method", "POST");
    cr_expect_eq(grpc_head_check(&head), GRPC_HEAD_CONTENT);
    take("content-type", "application/grpc");
    cr_expect_eq(grpc_head_check(&head), GRPC_HEAD_TIMEOUT);
    take("grpc-timeout", "1S");
    cr_expect_eq(grpc_head_check(&head), GRPC_HEAD_ENCODING);
    take("grpc-encoding", "gzip");
    cr_expect_eq(grpc_head_check(&head), GRPC_HEAD_GOOD);
}

/* Milvus reads the first value, also where that is empty. */
Test(grpc_head, first_database_counts)
{
    static const struct {
        const char *values[3];
        const char *database;
    } cases[] = {
        {{"a"}, "a"}, {{""}, ""}, {{"a", "b"}, "a"}, {{"", "b"}, ""}, {{"a", "", "c"}, "a"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        take_call();
        for (size_t j = 0; j < 3 && cases[i].values[j]; j++)
            take("dbname", cases[i].values[j]);
        cr_expect(head.has_database);
        cr_expect(span_is(grpc_head_database(&head), cases[i].database), "case %zu", i);
        cr_expect_eq(head.metadata.count, 0, "it is not passed on beside that");
    }
}

/* The text of that length behind a start. */
static struct blob *long_text(const char *start, size_t length)
{
    struct blob *text = blob_new(length);
    memset(text->data, 'x', length);
    memcpy(text->data, start, strlen(start));
    return text;
}

Test(grpc_head, database_is_kept_up_to_its_limit)
{
    static const size_t lengths[] = {255, 256, 257, 5000};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        size_t kept = lengths[i] < GRPC_HEAD_DATABASE_MAX ? lengths[i] : GRPC_HEAD_DATABASE_MAX;
        struct blob *name = long_text("d", lengths[i]);
        take_call();
        take_span(span_text("dbname"), blob_span(name));
        cr_expect(span_equal(grpc_head_database(&head), span_of(name->data, kept)));
        cr_expect_eq(grpc_head_check(&head), GRPC_HEAD_GOOD);
        blob_unref(name);
    }
}

/* What is cut never turns into a method that is valid. */
Test(grpc_head, path_longer_than_any_method_stays_invalid)
{
    static const size_t lengths[] = {3, RPC_METHOD_MAX, RPC_METHOD_MAX + 1, RPC_METHOD_MAX + 2,
                                     9999};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        struct blob *path = long_text("/S/", lengths[i]);
        take_call_without(":path");
        take_span(span_text(":path"), blob_span(path));
        struct span kept = grpc_head_path(&head);
        cr_expect_eq(rpc_method_valid(kept), lengths[i] > 3 && lengths[i] <= RPC_METHOD_MAX,
                     "%zu bytes", lengths[i]);
        cr_expect(span_equal(kept, span_cut(blob_span(path), kept.length)));
        if (lengths[i] <= RPC_METHOD_MAX)
            cr_expect_eq(kept.length, lengths[i]);
        blob_unref(path);
    }
}

Test(grpc_head, fields_of_transport_and_daemon_are_not_passed_on)
{
    static const char *const names[] = {
        ":method",
        ":path",
        ":scheme",
        ":authority",
        "content-type",
        "content-length",
        "te",
        "user-agent",
        "host",
        "authorization",
        "proxy-authorization",
        "dbname",
        "log-level",
        "log_level",
        "grpc-timeout",
        "grpc-encoding",
        "grpc-accept-encoding",
        "grpc-previous-rpc-attempts",
        "grpc-status",
        "grpc-message",
        "grpc-internal-encoding-request",
        "grpc-anything-bin",
        "grpc-",
    };
    take_call();
    for (size_t i = 0; i < COUNT(names); i++) {
        take(names[i], "value");
        cr_expect_eq(head.metadata.count, 0, "%s", names[i]);
        head.metadata.count = 0;
    }
}

/* Near misses of the names above among them. */
Test(grpc_head, other_fields_are_passed_on_in_order)
{
    static const char *const fields[][2] = {
        {"identifier", "4711"},
        {"client-request-id", "a b"},
        {"grpc-trace-bin", "AAEC"},
        {"grpc-tags-bin", ""},
        {"identifier", "4712"},
        {"token-bin", "AAEC"},
        {"grpc", "1"},
        {"grpcx", "1"},
        {"grp", "1"},
        {"dbname2", "a"},
        {"dbnam", "a"},
        {"authorization2", "a"},
        {"log-levels", "debug"},
        {"loglevel", "debug"},
        {"x", ""},
        {"t", "e"},
        {"tee", "1"},
    };
    take_call();
    for (size_t i = 0; i < COUNT(fields); i++)
        take(fields[i][0], fields[i][1]);
    size_t at = 0;
    struct metadata_item item;
    for (size_t i = 0; i < COUNT(fields); i++) {
        cr_assert(metadata_next(&head.metadata, &at, &item), "%s", fields[i][0]);
        cr_expect(span_is(item.name, fields[i][0]), "%.*s", SPAN_ARGS(item.name));
        cr_expect(span_is(item.value, fields[i][1]), "%.*s", SPAN_ARGS(item.value));
    }
    cr_expect_not(metadata_next(&head.metadata, &at, &item));
    cr_expect_eq(grpc_head_check(&head), GRPC_HEAD_GOOD);
}

/* HTTP/2 allows any bytes but NUL, CR and LF in a value. */
Test(grpc_head, values_are_kept_as_bytes)
{
    take_span(span_text("x-bytes"), span_of("\x01\x7f\x80\xff", 4));
    cr_expect(span_equal(metadata_find(&head.metadata, "x-bytes"), span_of("\x01\x7f\x80\xff", 4)));
}

/* ---- credentials ---- */

Test(grpc_head, credentials_are_not_kept_unless_wanted)
{
    take_call();
    take("authorization", "hunter2");
    cr_expect_eq(grpc_head_authorization(&head).length, 0);
    cr_expect_eq(head.metadata.count, 0);
}

Test(grpc_head, first_of_the_credentials_is_kept_until_it_is_forgotten)
{
    forget();
    head.keeps_authorization = true;
    take("authorization", "hunter2");
    take("authorization", "hunter3");
    cr_expect(span_is(grpc_head_authorization(&head), "hunter2"));
    cr_expect_eq(head.metadata.count, 0);
    grpc_head_forget_authorization(&head);
    cr_expect_eq(grpc_head_authorization(&head).length, 0);
    grpc_head_forget_authorization(&head);
}

Test(grpc_head, empty_credentials_count_as_the_first)
{
    forget();
    head.keeps_authorization = true;
    take("authorization", "");
    take("authorization", "hunter2");
    cr_expect_eq(grpc_head_authorization(&head).length, 0);
}
