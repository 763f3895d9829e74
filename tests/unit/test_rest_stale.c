/* SPDX-License-Identifier: Apache-2.0 */
/* Inserts whose schema is not the last, and what becomes of their replies. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "rows_talk.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define ID       "4{1:100 2'id' 3:1 5:5}"
#define NULLABLE "15:1"

static char text[4096];

static const char *description(const char *fields)
{
    snprintf(text, sizeof(text), "1{} 2{1'docs' %s} 12'docs'", fields);
    return text;
}

#define OLD ID " 4{2'x' 5:5}"
#define NEW ID " 4{2'x' 5:21}"
#define ONE "{'collectionName': 'docs', 'dbName': 'd', 'data': [{'id': 1, 'x': 'a'}]}"

Test(rest_stale, a_conversion_that_fails_is_tried_with_a_fresh_schema)
{
    struct rest *rest = rows_talk("entities/insert", ONE);
    talk_call(rest, "DescribeCollection", "2'd' 3'docs'");
    talk_reply(rest, description(OLD));
    talk_call(rest, "DescribeCollection", "2'd' 3'docs'");
    cr_expect(rows_talk_is_fresh(rest));
    talk_reply(rest, description(NEW));
    talk_call(rest, "Insert",
              "2'd' 3'docs' 5{1:5 2'id' 5:100 3{3{1[1]}}} 5{1:21 2'x' 3{6{1'a'}}} 7:1");
    talk_reply(rest, "1{6{1'report_value' 2'7'}} 2{1{1[1]}} 6:1");
    rows_talk_answer(rest, "{'code':0,'cost':7,'data':{'insertCount':1,'insertIds':['1']}}");
}

Test(rest_stale, what_milvus_refuses_is_tried_with_a_fresh_schema_once)
{
    static const char *const refusals[] = {"1{1:62}", "1{3:109}", "1{3:100}", "1{3:1100 2'no'}",
                                           "1{1:6 3:6}"};
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct rest *rest = rows_talk("entities/insert", ONE);
        talk_reply(rest, description(NEW));
        rows_talk_method(rest, "Insert");
        talk_reply(rest, refusals[i]);
        cr_expect(rows_talk_is_fresh(rest));
        talk_reply(rest, description(NEW " 4{2'y' 5:21 " NULLABLE "}"));
        rows_talk_method(rest, "Insert");
        talk_reply(rest, "1{3:1100 2'still'}");
        rows_talk_answer(rest, "{'code':1100,'message':'still'}");
    }
}

Test(rest_stale, the_first_refusal_stands_where_the_schema_is_the_same)
{
    struct rest *rest = rows_talk("entities/insert", ONE);
    talk_reply(rest, description(NEW));
    talk_reply(rest, "1{3:1100 2'no'}");
    talk_reply(rest, description(NEW));
    rows_talk_answer(rest, "{'code':1100,'message':'no'}");
}

Test(rest_stale, what_the_fresh_description_says_goes_and_a_lost_one_does_not_hide_the_first)
{
    struct rest *rest = rows_talk("entities/insert", ONE);
    talk_reply(rest, description(OLD));
    talk_reply(rest, "1{3:100 2'gone'}");
    rows_talk_answer(rest, "{'code':100,'message':'gone'}");

    rest = rows_talk("entities/insert", ONE);
    talk_reply(rest, description(OLD));
    talk_fail(rest, CODE_UNAVAILABLE, "away");
    rows_talk_answer(
        rest, "{'code':1804,'message':'data[0].x: a string where a whole number is wanted'}");
}

Test(rest_stale, other_refusals_end_at_once)
{
    struct rest *rest = rows_talk("entities/insert", ONE);
    talk_reply(rest, description(NEW));
    talk_reply(rest, "1{1:49 2'slow down'}");
    rows_talk_answer(rest, "{'code':8,'message':'slow down'}");

    rest = rows_talk("entities/insert", ONE);
    talk_fail(rest, CODE_UNAVAILABLE, "away");
    talk_answer(rest, 503, "{\"code\":14,\"message\":\"away\"}");
}

Test(rest_stale, descriptions_that_are_none)
{
    static const char *const descriptions[] = {
        "1{} 2'x'", "1{}", "1{} 2{4{2'x' 5:101 6{1'dim' 2'4294967296'}}}", "1{} 2{4{1:1}}"};
    for (size_t i = 0; i < COUNT(descriptions); i++) {
        struct rest *rest = rows_talk("entities/insert", ONE);
        talk_reply(rest, descriptions[i]);
        rows_talk_answer(
            rest,
            "{'code':65535,'message':'milvus-bouncer: the collection`s description is malformed'}");
    }
}

Test(rest_stale, malformed_results)
{
    static const char *const replies[] = {"1{} 2{1'x'}", "1{} 2{1{1'\xff'}}", "1{} 2{2{1:1}}"};
    for (size_t i = 0; i < COUNT(replies); i++) {
        struct rest *rest = rows_talk("entities/insert", ONE);
        talk_reply(rest, description(NEW));
        talk_reply(rest, replies[i]);
        rows_talk_answer(rest, "{'code':1805,'message':'the upstream`s reply: malformed'}");
    }
}

Test(rest_stale, ids_are_numbers_for_who_asks_and_texts_where_they_are)
{
    struct rest *rest = rows_talk_int64("entities/upsert", ONE);
    talk_reply(rest, description(NEW));
    talk_reply(rest, "1{} 2{1{1[9223372036854775807 -1]}} 8:2");
    rows_talk_answer(
        rest, "{'code':0,'cost':0,'data':{'upsertCount':2,'upsertIds':[9223372036854775807,-1]}}");

    rest = rows_talk("entities/upsert", ONE);
    talk_reply(rest, description(NEW));
    talk_reply(rest, "1{} 2{2{1'a' 1'b'}} 8:2");
    rows_talk_answer(rest, "{'code':0,'cost':0,'data':{'upsertCount':2,'upsertIds':['a','b']}}");
}
