/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "rows_talk.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define QUERY  "{'collectionName': 'docs'}"
#define SCHEMA "1{} 2{4{2'id' 3:1 5:5} 4{2'v' 5:101 6{1'dim' 2'2'}}}"
#define SEARCH "{'collectionName': 'docs', 'data': [[1, 2]]}"

struct column {
    const char *columns; /* FieldData of a QueryResults */
    const char *rows;
};

static void expect_query(struct rest *rest, const char *reply, const char *data)
{
    char message[2048];
    char answer[2048];
    rows_talk_method(rest, "Query");
    snprintf(message, sizeof(message), "1{} %s", reply);
    talk_reply(rest, message);
    snprintf(answer, sizeof(answer), "{'code':0,'cost':0,'data':%s}", data);
    rows_talk_answer(rest, answer);
}

Test(rest_results, each_type_at_the_ends_of_its_range)
{
    static const struct column columns[] = {
        {"2{1:1 2'x' 3{1{1[1 0]}}}", "[{'x':true},{'x':false}]"},
        {"2{1:2 2'x' 3{2{1[-128 127]}}}", "[{'x':-128},{'x':127}]"},
        {"2{1:3 2'x' 3{2{1[-32768 32767]}}}", "[{'x':-32768},{'x':32767}]"},
        {"2{1:4 2'x' 3{2{1[-2147483648 2147483647]}}}", "[{'x':-2147483648},{'x':2147483647}]"},
        {"2{1:5 2'x' 3{3{1[-9223372036854775808 9223372036854775807]}}}",
         "[{'x':'-9223372036854775808'},{'x':'9223372036854775807'}]"},
        {"2{1:10 2'x' 3{4{1(3.4028235e38 0.1)}}}", "[{'x':3.4028235e+38},{'x':0.1}]"},
        {"2{1:11 2'x' 3{5{1<1.7976931348623157e308 0.1>}}}",
         "[{'x':1.7976931348623157e+308},{'x':0.1}]"},
        {"2{1:21 2'x' 3{6{1'' 1'\xc3\xa4\"'}}}", "[{'x':''},{'x':'\xc3\xa4\\''}]"},
        {"2{1:25 2'x' 3{6{1'a'}}}", "[{'x':'a'}]"},
        {"2{1:23 2'x' 3{9{1'{\"a\":1}'}}}", "[{'x':'{\\'a\\':1}'}]"},
        {"2{1:24 2'x' 3{12{1'POINT (1 2)'}}}", "[{'x':'POINT (1 2)'}]"},
        {"2{1:24 2'x' 3{10{1x0001'}}}", "[{'x':'AAE='}]"},
        {"2{1:26 2'x' 3{6{1'2024'}}}", "[{'x':'2024'}]"},
        {"2{1:26 2'x' 3{11{1[-1]}}}", "[{'x':'-1'}]"},
    };
    for (size_t i = 0; i < COUNT(columns); i++)
        expect_query(rows_talk("entities/query", QUERY), columns[i].columns, columns[i].rows);
}

Test(rest_results, vectors_of_each_kind)
{
    static const struct column columns[] = {
        {"2{1:101 2'x' 4{1:2 2{1(1 -0.5 0.1 1e10)}}}", "[{'x':[1,-0.5]},{'x':[0.1,10000000000]}]"},
        {"2{1:100 2'x' 4{1:16 3x00ffff00'}}", "[{'x':'AP8='},{'x':'/wA='}]"},
        {"2{1:102 2'x' 4{1:1 4x0102'}}", "[{'x':'AQI='}]"},
        {"2{1:103 2'x' 4{1:1 5x0102'}}", "[{'x':'AQI='}]"},
        {"2{1:104 2'x' 4{1:4294967295 6{1x000000000000003ffeffffff0000803f' 1'' 2:4294967295}}}",
         "[{'x':{'0':0.5,'4294967294':1}},{'x':{}}]"},
        {"2{1:105 2'x' 4{1:2 7x807f'}}", "[{'x':'gH8='}]"},
    };
    for (size_t i = 0; i < COUNT(columns); i++)
        expect_query(rows_talk("entities/query", QUERY), columns[i].columns, columns[i].rows);
}

Test(rest_results, arrays_as_milvus_prints_them)
{
    static const struct column columns[] = {
        {"2{1:22 2'x' 3{8{1{1{1[1 0]}} 2:1}}}",
         "[{'x':{'Data':{'BoolData':{'data':[true,false]}}}}]"},
        {"2{1:22 2'x' 3{8{1{2{1[-1]}} 2:2}}}", "[{'x':{'Data':{'IntData':{'data':[-1]}}}}]"},
        {"2{1:22 2'x' 3{8{1{3{1[9007199254740993]}} 1{3{}} 2:5}}}",
         "[{'x':{'Data':{'LongData':{'data':[9007199254740993]}}}},"
         "{'x':{'Data':{'LongData':{'data':[]}}}}]"},
        {"2{1:22 2'x' 3{8{1{4{1(0.5)}}}}}", "[{'x':{'Data':{'FloatData':{'data':[0.5]}}}}]"},
        {"2{1:22 2'x' 3{8{1{5{1<0.1>}}}}}", "[{'x':{'Data':{'DoubleData':{'data':[0.1]}}}}]"},
        {"2{1:22 2'x' 3{8{1{6{1'a' 1''}}}}}", "[{'x':{'Data':{'StringData':{'data':['a','']}}}}]"},
        {"2{1:22 2'x' 3{8{1{}}}}", "[{'x':{'Data':null}}]"},
        {"2{1:22 2'x' 3{8{1{} 2:3}}}", "[{'x':{'Data':{'IntData':{'data':[]}}}}]"},
    };
    for (size_t i = 0; i < COUNT(columns); i++)
        expect_query(rows_talk("entities/query", QUERY), columns[i].columns, columns[i].rows);
}

Test(rest_results, values_that_are_lacking_are_null_in_either_form)
{
    static const struct column columns[] = {
        {"2{1:5 2'x' 3{3{1[7]}} 7[0 1 0]}", "[{'x':null},{'x':'7'},{'x':null}]"},
        {"2{1:5 2'x' 3{3{1[0 7 0]}} 7[0 1 0]}", "[{'x':null},{'x':'7'},{'x':null}]"},
        {"2{1:21 2'x' 3{6{1'' 1'a'}} 7[0 1]}", "[{'x':null},{'x':'a'}]"},
        {"2{1:10 2'x' 3{4{1(0 1)}} 7[0 1]}", "[{'x':null},{'x':1}]"},
        {"2{1:101 2'x' 4{1:2 2{1(0 0 1 2)}} 7[0 1]}", "[{'x':null},{'x':[1,2]}]"},
        {"2{1:101 2'x' 4{1:2 2{1(1 2)}} 7[0 1]}", "[{'x':null},{'x':[1,2]}]"},
        {"2{1:104 2'x' 4{6{1'' 1x010000000000003f'}} 7[0 1]}", "[{'x':null},{'x':{'1':0.5}}]"},
        {"2{1:22 2'x' 3{8{1{} 1{3{1[1]}}}} 7[0 1]}",
         "[{'x':null},{'x':{'Data':{'LongData':{'data':[1]}}}}]"},
        {"2{1:5 2'x' 7[0 0]}", "[{'x':null},{'x':null}]"},
        {"2{1:5 2'x' 3{3{1[1 2]}}} 2{1:23 2'$meta' 6:1 3{9{1'{\"a\":1}'}} 7[0 1]}",
         "[{'x':'1'},{'x':'2','a':1}]"},
    };
    for (size_t i = 0; i < COUNT(columns); i++)
        expect_query(rows_talk("entities/query", QUERY), columns[i].columns, columns[i].rows);
}

#define META                                                                                       \
    "2{1:23 2'$meta' 6:1 3{9{1'{\"a\":1,\"b\":[1.0,null],\"\\\\u0063\":9007199254740993}'}}}"

Test(rest_results, keys_of_the_dynamic_field_stand_in_the_row)
{
    static const struct column columns[] = {
        {META, "[{'a':1,'b':[1.0,null],'\\\\u0063':9007199254740993}]"},
        {META " 4'$meta'", "[{'a':1,'b':[1.0,null],'\\\\u0063':9007199254740993}]"},
        {META " 4'id' 4'b'", "[{'b':[1.0,null]}]"},
        {META " 4'x'", "[{}]"},
        {"2{1:23 2'$meta' 6:1 3{9{1'null' 1''}}}", "[{},{}]"},
        {"2{1:23 2'$meta' 3{9{1'{\"a\":1}'}}}", "[{'a':1}]"},
    };
    for (size_t i = 0; i < COUNT(columns); i++)
        expect_query(rows_talk("entities/query", QUERY), columns[i].columns, columns[i].rows);
}

Test(rest_results, int64_are_numbers_for_who_asks)
{
    expect_query(rows_talk_int64("entities/query", QUERY),
                 "2{1:5 2'x' 3{3{1[9223372036854775807]}}}", "[{'x':9223372036854775807}]");
}

Test(rest_results, no_rows)
{
    static const char *const replies[] = {"", "2{1:5 2'x'}",
                                          "2{1:5 2'x' 3{3{}}} 2{1:101 2'v' 4{}}"};
    for (size_t i = 0; i < COUNT(replies); i++)
        expect_query(rows_talk("entities/query", QUERY), replies[i], "[]");
}

static void expect_malformed(const char *route, const char *body, const char *reply,
                             const char *why)
{
    char answer[256];
    struct rest *rest = rows_talk(route, body);
    talk_reply(rest, reply);
    snprintf(answer, sizeof(answer), "{'code':1805,'message':'the upstream`s reply: %s'}", why);
    rows_talk_answer(rest, answer);
}

Test(rest_results, malformed_replies_are_refused)
{
    static const struct column replies[] = {
        {"2:1", "malformed"},
        {"2'x'", "malformed"},
        {"2{1:5 2'x' 3'x'}", "malformed"},
        {"2{1:5 2'x' 3{3'x'}}", "malformed"},
        {"2{1:5 2'x' 3{3{1x80'}}}", "malformed"},
        {"2{1:5 2'x' 3{3{1xffffffffffffffffffff01'}}}", "malformed"},
        {"2{1:10 2'x' 3{4{1x000000'}}}", "malformed"},
        {"2{1:11 2'x' 3{5{1x00000000'}}}", "malformed"},
        {"2{1:21 2'x' 3{6{1:1}}}", "malformed"},
        {"2{1:22 2'x' 3{8{1'x'}}}", "malformed"},
        {"2{1:22 2'x' 3{8{1{3{1x80'}}}}}", "malformed"},
        {"2{1:22 2'x' 3{8{1{3:1}}}}", "malformed"},
        {"2{1:101 2'x' 4{1:2 2{1(1)}}}", "malformed"},
        {"2{1:101 2'x' 4{2{1(1)}}}", "malformed"},
        {"2{1:101 2'x' 4{1:4294967297 2{1(1)}}}", "malformed"},
        {"2{1:100 2'x' 4{1:4 3x00'}}", "malformed"},
        {"2{1:102 2'x' 4{1:2 4x0000'}}", "malformed"},
        {"2{1:104 2'x' 4{6{1x00000000'}}}", "malformed"},
        {"2{1:5 2'x' 3{3{1[1]}} 7[2]}", "malformed"},
        {"2{1:5 2'x' 6:1}", "malformed"},
        {"2{1:5 2'x' 3{3{1[1 2]}} 7[1 0 1 1]}",
         "of another number of values than rows that have one"},
        {"2{1:5 2'x' 3{3{1[1 2]}}} 2{1:5 2'y' 3{3{1[1]}}}",
         "of another number of rows than others"},
        {"2{1:23 2'$meta' 6:1 3{9{1'[1]'}}}", "of keys without a field that are no JSON object"},
        {"2{1:23 2'$meta' 6:1 3{9{1'{'}}}", "of keys without a field that are no JSON object"},
        {"2{1:27 2'x'}", "of a type that is not served over REST"},
        {"2{1:200 2's'}", "of a type that is not served over REST"},
        {"2{1:106 2's'}", "of a type that is not served over REST"},
    };
    for (size_t i = 0; i < COUNT(replies); i++)
        expect_malformed("entities/query", QUERY, replies[i].columns, replies[i].rows);
}

/* ---- hits ---- */

static void expect_hits(const char *body, const char *reply, const char *rest_of_answer)
{
    char answer[2048];
    struct rest *rest = rows_talk("entities/search", body);
    talk_reply(rest, SCHEMA);
    rows_talk_method(rest, "Search");
    talk_reply(rest, reply);
    snprintf(answer, sizeof(answer), "{'code':0,%s}", rest_of_answer);
    rows_talk_answer(rest, answer);
}

Test(rest_results, hits_have_an_id_and_a_distance)
{
    expect_hits(SEARCH,
                "1{6{1'report_value' 2'6'}} 2{1:1 2:2 3{1:5 2'id' 3{3{1[4 5]}}} 3{1:21 2't' "
                "3{6{1'a' 1'b'}}} 3{1:5 2'distance' 3{3{1[8 9]}}} 4(0.1 3.4028235e38) 5{1{1[1 2]}} "
                "6[2] 7't'}",
                "'cost':6,'data':[{'distance':0.1,'id':'1','t':'a'},{'distance':3.4028235e+38,'id':"
                "'2','t':'b'}],'topks':[2]");
    expect_hits(
        SEARCH, "1{} 2{4(1 2) 5{2{1'a' 1'b'}} 6[1 0 1]}",
        "'cost':0,'data':[{'distance':1,'id':'a'},{'distance':2,'id':'b'}],'topks':[1,0,1]");
    expect_hits(SEARCH, "1{} 2{1:1 3{1:21 2't'} 3{1:22 2'y' 3{8{2:5}}} 6[0]}",
                "'cost':0,'data':[],'topks':[0]");
    expect_hits(SEARCH, "1{}", "'cost':0,'data':[],'topks':[]");
}

Test(rest_results, malformed_hits_are_refused)
{
    static const struct column replies[] = {
        {"1{} 2'x'", "malformed"},
        {"1{} 2{5'x'}", "malformed"},
        {"1{} 2{4x0000'}", "malformed"},
        {"1{} 2{4(1) 5{1{1[1 2]}}}", "of another number of scores than ids"},
        {"1{} 2{4(1) 5{1{1[1]}} 3{1:5 2'x' 3{3{1[1 2]}}}}",
         "of another number of rows than others"},
        {"1{} 2{4(1) 5{1{1[1]}} 3{1:5 2'x'}}", "of another number of rows than others"},
    };
    for (size_t i = 0; i < COUNT(replies); i++) {
        char answer[256];
        struct rest *rest = rows_talk("entities/search", SEARCH);
        talk_reply(rest, SCHEMA);
        talk_reply(rest, replies[i].columns);
        snprintf(answer, sizeof(answer), "{'code':1805,'message':'the upstream`s reply: %s'}",
                 replies[i].rows);
        rows_talk_answer(rest, answer);
    }
}
