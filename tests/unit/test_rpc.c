/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/rpc.h"

#define SERVICE      "milvus.proto.milvus.MilvusService/"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BYTES(text)  span_of(text, sizeof(text) - 1)

static const char *const names[] = {
#define RPC(rpc, database, collection, class, repeatable, cache, status) #rpc,
#include "proto/rpcs.def"
#undef RPC
};

static const struct rpc *find(const char *method)
{
    return rpc_find(span_text(method));
}

Test(rpc, table_is_in_order)
{
    cr_expect_gt(COUNT(names), 140);
    for (size_t i = 1; i < COUNT(names); i++)
        cr_expect_lt(strcmp(names[i - 1], names[i]), 0, "%s, %s", names[i - 1], names[i]);
}

Test(rpc, classes_have_words)
{
    cr_expect_str_eq(rpc_class_word(RPC_CLASS_READ), "read");
    cr_expect_str_eq(rpc_class_word(RPC_CLASS_ADMIN), "admin");
    cr_expect_eq(find("Insert")->class, RPC_CLASS_WRITE);
}

Test(rpc, every_name_is_found_in_its_three_spellings)
{
    for (size_t i = 0; i < COUNT(names); i++) {
        char path[RPC_PATH_MAX];
        const struct rpc *rpc = find(names[i]);
        cr_assert_not_null(rpc, "%s", names[i]);
        cr_expect_str_eq(rpc->name, names[i]);
        snprintf(path, sizeof(path), "/" SERVICE "%s", names[i]);
        cr_expect_str_eq(rpc->path, path);
        cr_expect_eq(find(path), rpc, "%s", path);
        cr_expect_eq(find(path + 1), rpc, "%s", path + 1);
    }
}

Test(rpc, each_needs_a_right)
{
    cr_expect_eq(find("Search")->class, RPC_CLASS_READ);
    cr_expect_eq(find("Insert")->class, RPC_CLASS_WRITE);
    cr_expect_eq(find("CreateCollection")->class, RPC_CLASS_SCHEMA);
    cr_expect_eq(find("CreateRole")->class, RPC_CLASS_RBAC);
    cr_expect_eq(find("CreateResourceGroup")->class, RPC_CLASS_ADMIN);
    cr_expect_eq(find("Connect")->class, RPC_CLASS_SESSION);
}

Test(rpc, nearly_a_name_is_not_found)
{
    static const char *const methods[] = {
        "",
        "S",
        "Searc",
        "SearchX",
        "search",
        "Search ",
        "AAA",
        "Zzz",
        "/" SERVICE,
        SERVICE,
        "//Search",
        "Service/Search",
        "Upserts",
        "AddCollec",
        SERVICE "Searc",
        "Searchh",
        SERVICE "/Search",
        "MilvusService/Search",
    };
    for (size_t i = 0; i < COUNT(methods); i++)
        cr_expect_null(find(methods[i]), "\"%s\"", methods[i]);
    cr_expect_null(rpc_find(BYTES("Search\0")));
    cr_expect_null(rpc_find(BYTES("Search\0X")));
}

Test(rpc, knows_where_names_stand)
{
    static const struct {
        const char *name;
        struct wire_path database;
        struct wire_path collection;
        enum rpc_cache cache;
        enum rpc_status status;
    } cases[] = {
        {"Search", {0, 2}, {0, 3}, RPC_CACHE_NONE, RPC_STATUS_FIELD1},
        {"Import", {0, 7}, {0, 1}, RPC_CACHE_NONE, RPC_STATUS_FIELD1},
        {"OperatePrivilege", {2, 5}, {0, 0}, RPC_CACHE_CLEAR_ALL, RPC_STATUS_DIRECT},
        {"DescribeCollection", {0, 2}, {0, 3}, RPC_CACHE_KEEP_SCHEMA, RPC_STATUS_FIELD1},
        {"Connect", {0, 0}, {0, 0}, RPC_CACHE_KEEP_SESSION, RPC_STATUS_FIELD1},
        {"DropCollection", {0, 2}, {0, 3}, RPC_CACHE_CLEAR_COLLECTION, RPC_STATUS_DIRECT},
        {"AlterAlias", {0, 2}, {0, 3}, RPC_CACHE_CLEAR_DATABASE, RPC_STATUS_DIRECT},
        {"DumpMessages", {0, 0}, {0, 0}, RPC_CACHE_NONE, RPC_STATUS_STREAM},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct rpc *rpc = find(cases[i].name);
        cr_expect_eq(rpc->database.outer, cases[i].database.outer, "%s", rpc->name);
        cr_expect_eq(rpc->database.number, cases[i].database.number, "%s", rpc->name);
        cr_expect_eq(rpc->collection.outer, cases[i].collection.outer, "%s", rpc->name);
        cr_expect_eq(rpc->collection.number, cases[i].collection.number, "%s", rpc->name);
        cr_expect_eq(rpc->cache, cases[i].cache, "%s", rpc->name);
        cr_expect_eq(rpc->status, cases[i].status, "%s", rpc->name);
    }
}

Test(rpc, method_is_a_name_or_service_and_method)
{
    static const struct {
        const char *method;
        bool valid;
    } cases[] = {
        {"Search", true},
        {"search_2", true},
        {"a.b.C/D", true},
        {"/a.b.C/D", true},
        {SERVICE "Search", true},
        {"/" SERVICE "Search", true},
        {"", false},
        {"/", false},
        {"//", false},
        {"/Search", false},
        {"a/", false},
        {"/a/", false},
        {"//a", false},
        {"a//b", false},
        {"a/b/c", false},
        {"/a/b/c", false},
        {"Se arch", false},
        {"Search\n", false},
        {"Search?x", false},
        {"S\xc3\xa4rch", false},
        {"a-b", false},
        {"\x7f", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        cr_expect_eq(rpc_method_valid(span_text(cases[i].method)), cases[i].valid, "\"%s\"",
                     cases[i].method);
    cr_expect_not(rpc_method_valid(BYTES("Search\0")));
}

Test(rpc, method_has_a_longest_length)
{
    char method[RPC_METHOD_MAX + 2];
    char path[RPC_PATH_MAX];
    memset(method, 'm', sizeof(method));
    cr_expect(rpc_method_valid(span_of(method, RPC_METHOD_MAX)));
    cr_expect_not(rpc_method_valid(span_of(method, RPC_METHOD_MAX + 1)));
    rpc_method_path(span_of(method, RPC_METHOD_MAX), path);
    cr_expect_eq(strlen(path), strlen("/" SERVICE) + RPC_METHOD_MAX);
}

Test(rpc, path_is_that_of_http2)
{
    static const char *const cases[][2] = {
        {"Search", "/" SERVICE "Search"},
        {"Unknown", "/" SERVICE "Unknown"},
        {SERVICE "Search", "/" SERVICE "Search"},
        {"/" SERVICE "Search", "/" SERVICE "Search"},
        {"grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Check"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char path[RPC_PATH_MAX];
        rpc_method_path(span_text(cases[i][0]), path);
        cr_expect_str_eq(path, cases[i][1]);
    }
}

/* Status {code 5}, as the reply itself and in fields 1 to 3; one that is not there is a success. */
Test(rpc, status_is_read_where_it_stands)
{
    static const struct {
        enum rpc_status status;
        struct span reply;
        bool found;
        uint32_t code;
    } cases[] = {
        {RPC_STATUS_DIRECT, {(const uint8_t *)"\x18\x05", 2}, true, 5},
        {RPC_STATUS_DIRECT, {NULL, 0}, true, 0},
        {RPC_STATUS_DIRECT, {(const uint8_t *)"\x18", 1}, false, 0},
        {RPC_STATUS_FIELD1, {(const uint8_t *)"\x0a\x02\x18\x05", 4}, true, 5},
        {RPC_STATUS_FIELD1, {(const uint8_t *)"\x12\x00\x0a\x02\x18\x05", 6}, true, 5},
        {RPC_STATUS_FIELD1, {(const uint8_t *)"\x0a\x00", 2}, true, 0},
        {RPC_STATUS_FIELD1, {(const uint8_t *)"\x12\x02\x18\x05", 4}, true, 0},
        {RPC_STATUS_FIELD1, {(const uint8_t *)"\x08\x05", 2}, true, 0},
        {RPC_STATUS_FIELD1, {(const uint8_t *)"\x0a\x01\x18", 3}, false, 0},
        {RPC_STATUS_FIELD1, {(const uint8_t *)"\x0a\x05\x18\x05", 4}, false, 0},
        {RPC_STATUS_FIELD1, {NULL, 0}, true, 0},
        {RPC_STATUS_FIELD2, {(const uint8_t *)"\x12\x02\x18\x05", 4}, true, 5},
        {RPC_STATUS_FIELD3, {(const uint8_t *)"\x0a\x00\x1a\x02\x18\x05", 6}, true, 5},
        {RPC_STATUS_FIELD1, {(const uint8_t *)"\x0a\x02\x18\x05\x08", 5}, false, 0},
        {RPC_STATUS_NONE, {(const uint8_t *)"\x0a\x02\x18\x05", 4}, false, 0},
        {RPC_STATUS_STREAM, {(const uint8_t *)"\x0a\x02\x18\x05", 4}, false, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct rpc rpc = {.status = cases[i].status};
        struct wire_status status = {0};
        cr_expect_eq(rpc_read_status(&rpc, cases[i].reply, &status), cases[i].found, "case %zu", i);
        cr_expect_eq(status.code, cases[i].code, "case %zu", i);
    }
}
