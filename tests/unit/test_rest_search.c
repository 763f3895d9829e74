/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "rows_talk.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define ID     "4{2'id' 3:1 5:5}"
#define VECTOR "4{2'v' 5:101 6{1'dim' 2'2'}}"
#define SPARSE "4{2's' 5:104}"
#define BM25   "4{2't' 5:21} 4{2's' 5:104} 7{1'f' 4:1 5't' 7's'}"

static struct rest *describe(const char *route, const char *fields, const char *more)
{
    char body[2048];
    char description[2048];
    snprintf(body, sizeof(body), "{'collectionName': 'docs' %s}", more);
    snprintf(description, sizeof(description), "1{} 2{%s}", fields);
    struct rest *rest = rows_talk(route, body);
    rows_talk_method(rest, "DescribeCollection");
    talk_reply(rest, description);
    return rest;
}

struct search {
    const char *fields;
    const char *more; /* of the body */
    const char *message;
};

static void expect(const char *route, const char *method, const struct search *search)
{
    struct rest *rest = describe(route, search->fields, search->more);
    talk_call(rest, method, search->message);
    rest_free(rest);
}

#define HEAD                 "3'docs' 7:1"
#define GROUP(TYPE, VECTORS) " 6{1{1'$0' 2:" #TYPE " " VECTORS "}} "
#define PARAM(KEY, VALUE)    " 9{1'" KEY "' 2'" VALUE "'} "
#define PARAMS(LIMIT, OFFSET, FIELD)                                                               \
    PARAM("round_decimal", "-1")                                                                   \
    PARAM("topk", LIMIT) PARAM("offset", OFFSET) PARAM("anns_field", FIELD)
#define ONE "3x0000803f00000040'"

Test(rest_search, vectors_go_by_the_kind_of_their_field)
{
    static const struct search searches[] = {
        {VECTOR, ",'data': [[1, 2], [2, 1]]",
         HEAD " " GROUP(101, ONE " 3x000000400000803f'") " 12:2" PARAM("params", "{}")
             PARAMS("100", "0", "v") "15:1 14:2"},
        {VECTOR " " SPARSE, ",'annsField': 's', 'data': [{'2': 1, '1': 2}]",
         HEAD " " GROUP(104, "3x0100000000000040020000000000803f'") " 12:1" PARAM("params", "{}")
             PARAMS("100", "0", "s") "15:1 14:2"},
        {BM25, ",'data': ['wo\\u0072ds']",
         HEAD " " GROUP(21, "3'words'") " 12:1" PARAM("params", "{}") PARAMS("100", "0", "s") "15:1"
                                                                                              " 14:"
                                                                                              "2"},
        {"4{2'b' 5:100 6{1'dim' 2'8'}}", ",'data': ['/w==']",
         HEAD " " GROUP(100, "3xff'") " 12:1" PARAM("params", "{}") PARAMS("100", "0", "b") "15:1 "
                                                                                            "14:2"},
    };
    for (size_t i = 0; i < COUNT(searches); i++)
        expect("entities/search", "Search", &searches[i]);
}

Test(rest_search, what_a_search_may_say)
{
    static const struct search all = {
        VECTOR,
        ",'data': [[1, 2]], 'dbName': 'd', 'partitionNames': ['p', 'q'], 'filter': 'a > {x}', "
        "'outputFields': ['a', '*'], 'limit': 3, 'offset': 4, 'groupingField': 'g', 'groupSize': "
        "2, 'strictGroupSize': true, 'consistencyLevel': 'Strong', 'searchParams': {'ef': 64, "
        "'metric_type': 'L2', 'ignoreGrowing': true, 'params': {'radius': 0.5, 'ef': 64.0}}, "
        "'exprParams': {'x': 1}, 'functionScore': {'functions': [{'name': 'r', 'type': 'Rerank', "
        "'inputFieldNames': ['a'], 'params': {'reranker': 'decay'}}], 'params': {'boost_mode': "
        "'Sum'}}",
        "2'd' 3'docs' 4'p' 4'q' 5'a > {x}' 7:1 8'a' 8'*' 19{1{1'r' 4:3 5'a' 9{1'reranker' "
        "2'decay'}} 2{1'boost_mode' 2'Sum'}}" GROUP(101, ONE) "12:1" PARAM("ef", "64")
            PARAM("metric_type", "L2") PARAM("ignore_growing", "true")
                PARAM("params", "{\"radius\":0.5,\"ef\":64.0,\"metric_type\":\"L2\","
                                "\"ignoreGrowing\":true}") "18{1'x' 2{2:1}}" PARAMS("3", "4", "v")
                    PARAM("group_by_field", "g") PARAM("group_size", "2")
                        PARAM("strict_group_size", "true") "14:0"};
    expect("entities/search", "Search", &all);
}

Test(rest_search, a_hybrid_search_is_several)
{
    static const struct search two = {
        VECTOR " " SPARSE,
        ",'search': [{'data': [[1, 2]], 'annsField': 'v', 'filter': 'f', 'limit': 5, 'params': "
        "{'ef': 1}}, {'data': [{}], 'annsField': 's'}], 'rerank': {'strategy': 'rrf', 'params': "
        "{'k': 60}}, 'limit': 7, 'outputFields': ['a'], 'partitionNames': ['p']",
        "3'docs' 4'p' 10'a' "
        "5{3'docs' 4'p' 8'a' 5'f' 7:1" GROUP(101, ONE) "12:1" PARAM("ef", "1")
            PARAM("params", "{\"ef\":1}")
                PARAMS("5", "0",
                       "v") "}"
                            "5{3'docs' 4'p' 8'a' 7:1" GROUP(104, "3''") "12:1" PARAM("params", "{}")
                                PARAMS("7", "0", "s") "}"
                                                      "6{1'limit' 2'7'} 6{1'round_decimal' 2'-1'} "
                                                      "6{1'strategy' 2'rrf'} 6{1'params' 2'{\"k\": "
                                                      "60}'} 12:1 11:2"};
    expect("entities/hybrid_search", "HybridSearch", &two);
    expect("entities/advanced_search", "HybridSearch", &two);
}

struct fault {
    const char *fields;
    const char *more;
    const char *answer;
};

static void expect_fault(const char *route, const struct fault *fault)
{
    char description[2048];
    char answer[512];
    struct rest *rest = describe(route, fault->fields, fault->more);
    snprintf(description, sizeof(description), "1{} 2{%s}", fault->fields);
    rows_talk_method(rest, "DescribeCollection");
    talk_reply(rest, description);
    snprintf(answer, sizeof(answer), "{'code':%s'}", fault->answer);
    rows_talk_answer(rest, answer);
}

Test(rest_search, faults_say_where_they_are)
{
    static const struct fault faults[] = {
        {VECTOR, ",'data': 1", "1100,'message':'data: a number where an array is wanted"},
        {VECTOR, ",'data': []", "1100,'message':'data: no vectors"},
        {VECTOR, ",'data': [[1, 2], [1, 'a']]",
         "1100,'message':'data[1][1]: a string where a number is wanted"},
        {VECTOR, ",'data': [1]",
         "1100,'message':'data[0]: a number where an array of numbers is wanted"},
        {BM25, ",'data': [[1]]", "1100,'message':'data[0]: an array where a string is wanted"},
        {ID, ",'data': [[1]]", "1100,'message':'annsField: the collection has no field of vectors"},
        {VECTOR " " SPARSE, ",'data': [[1]]",
         "1100,'message':'annsField: missing, and the collection has several fields of vectors"},
        {VECTOR, ",'data': [[1]], 'annsField': 'w'",
         "1100,'message':'annsField: the collection has no field of vectors named w"},
        {VECTOR, ",'data': [[1, 2]], 'limit': 'x'",
         "1100,'message':'limit: no whole number, or one that does not fit"},
        {VECTOR, ",'data': [[1, 2]], 'limit': 2147483648",
         "1100,'message':'limit: no whole number, or one that does not fit"},
        {VECTOR, ",'data': [[1, 2]], 'offset': -1",
         "1100,'message':'offset: no whole number, or one that does not fit"},
        {VECTOR, ",'data': [[1, 2]], 'searchParams': 1",
         "1100,'message':'searchParams: a number where an object is wanted"},
        {VECTOR, ",'data': [[1, 2]], 'searchParams': {'params': []}",
         "1100,'message':'searchParams.params: an array where an object is wanted"},
        {VECTOR, ",'data': [[1, 2]], 'searchParams': {'ef': 1, 'params': {'ef': 2}}",
         "1100,'message':'searchParams.ef: another value than in params beside it"},
        {VECTOR, ",'data': [[1, 2]], 'consistencyLevel': 'Weak'",
         "1100,'message':'consistencyLevel: \\'Weak\\' is no ConsistencyLevel"},
        {VECTOR, ",'data': [[1, 2]], 'groupingField': 1",
         "1100,'message':'groupingField: a number where a string is wanted"},
        {VECTOR, ",'data': [[1, 2]], 'strictGroupSize': 1",
         "1100,'message':'strictGroupSize: a number where a boolean is wanted"},
        {VECTOR, ",'data': [[1, 2]], 'exprParams': {'x': null}",
         "1100,'message':'exprParams.x: null where a boolean, a number, a string or an array is "
         "wanted"},
    };
    for (size_t i = 0; i < COUNT(faults); i++)
        expect_fault("entities/search", &faults[i]);
}

Test(rest_search, faults_of_hybrid_searches_say_where_they_are)
{
    static const struct fault faults[] = {
        {VECTOR, ",'search': {}", "1100,'message':'search: an object where an array is wanted"},
        {VECTOR, ",'search': [1]", "1100,'message':'search[0]: a number where an object is wanted"},
        {VECTOR, ",'search': [{}]",
         "1802,'message':'search[0].data: a required field, and missing"},
        {VECTOR, ",'search': [{'data': [[1]]}]",
         "1100,'message':'search[0].data[0]: 1 numbers where 2 are wanted, the dimension"},
        {VECTOR, ",'search': [], 'rerank': []",
         "1100,'message':'rerank: an array where an object is wanted"},
        {VECTOR, ",'search': [], 'rerank': {'strategy': 1}",
         "1100,'message':'rerank.strategy: a number where a string is wanted"},
    };
    for (size_t i = 0; i < COUNT(faults); i++)
        expect_fault("entities/hybrid_search", &faults[i]);
}

Test(rest_search, what_is_missing_is_said_before_any_call)
{
    rows_talk_answer(rows_talk("entities/search", "{'collectionName': 'docs'}"),
                     "{'code':1802,'message':'data: a required field, and missing'}");
    rows_talk_answer(rows_talk("entities/hybrid_search", "{'collectionName': 'docs'}"),
                     "{'code':1802,'message':'search: a required field, and missing'}");
}

Test(rest_search, a_read_that_failed_for_any_reason_is_tried_with_a_fresh_schema)
{
    struct rest *rest = describe("entities/get", ID, ",'id': 1");
    talk_reply(rest, "1{3:65535 2'no field id'}");
    cr_expect(rows_talk_is_fresh(rest));
    talk_reply(rest, "1{} 2{4{2'k' 3:1 5:5}}");
    talk_call(rest, "Query", "3'docs' 12:1 11:2 4'k in [1]' 5'*'");
    rest_free(rest);

    rest = describe("entities/insert", ID, ",'data': [{'id': 1}]");
    talk_reply(rest, "1{3:65535 2'half done'}");
    rows_talk_answer(rest, "{'code':65535,'message':'half done'}");
}

/* ---- exprParams ---- */

static void expect_template(const char *params, const char *message)
{
    char body[512];
    char expected[512];
    snprintf(body, sizeof(body),
             "{'collectionName': 'docs', 'filter': 'f', 'exprParams': {'x': %s}}", params);
    snprintf(expected, sizeof(expected), "3'docs' 5'f' 8{1'x' 2{%s}}", message);
    struct rest *rest = rows_talk("entities/delete", body);
    talk_call(rest, "Delete", expected);
    talk_reply(rest, "1{} 7:3");
    rows_talk_answer(rest, "{'code':0,'data':{'deleteCount':3}}");
}

Test(rest_search, expressions_have_parameters_of_each_kind)
{
    expect_template("true", "1:1");
    expect_template("9007199254740993", "2:9007199254740993");
    expect_template("'\\u0061'", "4'a'");
    expect_template("[]", "5{}");
    expect_template("[true, false]", "5{1{1[1 0]}}");
    expect_template("[1, 2]", "5{2{1[1 2]}}");
    expect_template("[1, 2.5]", "5{3{1<1 2.5>}}");
    expect_template("['a', '']", "5{4{1'a' 1''}}");
    expect_template("[[1], ['a']]", "5{5{1{2{1[1]}} 1{4{1'a'}}}}");
    expect_template("[1, 'a']", "5{6{1'1' 1'\"a\"'}}");
}

/* ---- query and get ---- */

static void expect_query(const char *more, const char *message)
{
    char body[512];
    snprintf(body, sizeof(body), "{'collectionName': 'docs' %s}", more);
    struct rest *rest = rows_talk("entities/query", body);
    talk_call(rest, "Query", message);
    rest_free(rest);
}

Test(rest_search, queries)
{
    expect_query("", "3'docs' 12:1 11:2 5'*' 9{1'limit' 2'100'}");
    expect_query(", 'filter': 'a', 'limit': 0, 'offset': 2, 'outputFields': ['a'], "
                 "'partitionNames': ['p'], 'consistencyLevel': 'Eventually'",
                 "3'docs' 4'a' 5'a' 6'p' 11:3 9{1'offset' 2'2'}");
    expect_query(", 'outputFields': ['count(*)']", "3'docs' 5'count(*)' 12:1 11:2");
    rows_talk_answer(rows_talk("entities/query", "{'collectionName': 'docs', "
                                                 "'outputFields': [1]}"),
                     "{'code':1100,'message':'outputFields[0]: a number where a string is "
                     "wanted'}");
}

static void expect_get(const char *fields, const char *id, const char *expression)
{
    char more[256];
    char expected[512];
    snprintf(more, sizeof(more), ",'id': %s", id);
    struct rest *rest = describe("entities/get", fields, more);
    snprintf(expected, sizeof(expected), "3'docs' 12:1 11:2 4'%s' 5'*'", expression);
    talk_call(rest, "Query", expected);
    rest_free(rest);
}

Test(rest_search, rows_are_got_by_their_keys)
{
    static const struct fault faults[] = {
        {ID, ",'id': 'a'", "1806,'message':'id: a string where a whole number is wanted"},
        {ID, ",'id': [1, 1.5]", "1806,'message':'id[1]: 1.5 is no Int64"},
        {"4{2'k' 3:1 5:21}", ",'id': [{}]",
         "1806,'message':'id[0]: an object where a string is wanted"},
        {VECTOR, ",'id': 1", "1806,'message':'id: the collection has no primary key"},
    };
    expect_get(ID, "7", "id in [7]");
    expect_get(ID, "['9223372036854775807', -1]", "id in [9223372036854775807,-1]");
    expect_get(ID, "[]", "id in []");
    expect_get("4{2'k' 3:1 5:21}", "['a\\'\\\\b']", "k in [\"a\\\"\\\\b\"]");
    for (size_t i = 0; i < COUNT(faults); i++)
        expect_fault("entities/get", &faults[i]);
    rows_talk_answer(rows_talk("entities/get", "{'collectionName': 'docs'}"),
                     "{'code':1802,'message':'id: a required field, and missing'}");
}
