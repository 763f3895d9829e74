/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "rows_talk.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define ID          "4{1:100 2'id' 3:1 5:5}"
#define NULLABLE    "15:1"
#define DEFAULT     "11{6'x'}"
#define DIM(digits) "6{1'dim' 2'" digits "'}"

static char text[4096];

static const char *description(const char *fields)
{
    snprintf(text, sizeof(text), "1{} 2{1'docs' %s} 12'docs'", fields);
    return text;
}

static struct rest *describe(const char *route, const char *fields, const char *data)
{
    char body[2048];
    snprintf(body, sizeof(body), "{'collectionName': 'docs', 'data': %s}", data);
    struct rest *rest = rows_talk(route, body);
    talk_call(rest, "DescribeCollection", "3'docs'");
    cr_expect(!rows_talk_is_fresh(rest));
    talk_reply(rest, description(fields));
    return rest;
}

struct column {
    const char *fields;
    const char *data;
    const char *columns;
};

static void expect_column(const struct column *column, const char *count)
{
    char expected[2048];
    struct rest *rest = describe("entities/insert", column->fields, column->data);
    snprintf(expected, sizeof(expected), "3'docs' %s 7:%s", column->columns, count);
    talk_call(rest, "Insert", expected);
    rest_free(rest);
}

/* A field x of a type, and its values. */
#define SCALAR(TYPE, MORE, DATA, COLUMN)                                                           \
    {                                                                                              \
        "4{1:101 2'x' 5:" #TYPE " " MORE "}", DATA, "5{1:" #TYPE " 2'x' 5:101 " COLUMN "}"         \
    }

Test(rest_rows, each_type_takes_the_ends_of_its_range)
{
    static const struct column two[] = {
        SCALAR(1, "", "[{'x': true}, {'x': 'false'}]", "3{1{1[1 0]}}"),
        SCALAR(2, "", "[{'x': -128}, {'x': '127'}]", "3{2{1[-128 127]}}"),
        SCALAR(3, "", "[{'x': -32768}, {'x': 32767.0}]", "3{2{1[-32768 32767]}}"),
        SCALAR(4, "", "[{'x': -2147483648}, {'x': 2147483647}]", "3{2{1[-2147483648 2147483647]}}"),
        SCALAR(5, "", "[{'x': -9223372036854775808}, {'x': '9223372036854775807'}]",
               "3{3{1[-9223372036854775808 9223372036854775807]}}"),
        SCALAR(10, "", "[{'x': 3.4028235e38}, {'x': '-1e-45'}]", "3{4{1(3.4028235e38 -1e-45)}}"),
        SCALAR(11, "", "[{'x': 1.7976931348623157e308}, {'x': 5e-324}]",
               "3{5{1<1.7976931348623157e308 5e-324>}}"),
        SCALAR(21, "", "[{'x': ''}, {'x': '\\u00e4\\ud83d\\ude00b'}]",
               "3{6{1'' 1'\xc3\xa4\xf0\x9f\x98\x80"
               "b'}}"),
        SCALAR(21, "", "[{'x': 1.50}, {'x': true}]", "3{6{1'1.50' 1'true'}}"),
        SCALAR(23, "", "[{'x': {'a' : [1.0]}}, {'x': 'plain'}]",
               "3{9{1'{\"a\" : [1.0]}' 1'\"plain\"'}}"),
        SCALAR(23, "", "[{'x': '{\\\"a\\\":1}'}, {'x': 1e2}]", "3{9{1'{\"a\":1}' 1'1e2'}}"),
        SCALAR(23, "", "[{'x': '1],[2'}, {'x': '1,2'}]", "3{9{1'\"1],[2\"' 1'\"1,2\"'}}"),
        SCALAR(24, "", "[{'x': 'POINT (1 2)'}, {'x': 'b'}]", "3{12{1'POINT (1 2)' 1'b'}}"),
        SCALAR(25, "", "[{'x': 'long'}, {'x': 'b'}]", "3{6{1'long' 1'b'}}"),
        SCALAR(26, "", "[{'x': '2024-01-01T00:00:00Z'}, {'x': 'b'}]",
               "3{6{1'2024-01-01T00:00:00Z' 1'b'}}"),
    };
    for (size_t i = 0; i < COUNT(two); i++)
        expect_column(&two[i], "2");
}

Test(rest_rows, arrays_of_each_type)
{
    static const struct column one[] = {
        SCALAR(22, "10:1", "[{'x': [true, false]}]", "3{8{1{1{1[1 0]}} 2:1}}"),
        SCALAR(22, "10:2", "[{'x': [-128, 127]}]", "3{8{1{2{1[-128 127]}} 2:2}}"),
        SCALAR(22, "10:5", "[{'x': [9007199254740993, '-1']}]",
               "3{8{1{3{1[9007199254740993 -1]}} 2:5}}"),
        SCALAR(22, "10:5", "[{'x': []}]", "3{8{1{3{}} 2:5}}"),
        SCALAR(22, "10:10", "[{'x': [0.5]}]", "3{8{1{4{1(0.5)}} 2:10}}"),
        SCALAR(22, "10:11", "[{'x': [0.5]}]", "3{8{1{5{1<0.5>}} 2:11}}"),
        SCALAR(22, "10:21", "[{'x': ['a', '']}]", "3{8{1{6{1'a' 1''}} 2:21}}"),
    };
    for (size_t i = 0; i < COUNT(one); i++)
        expect_column(&one[i], "1");
}

Test(rest_rows, vectors_of_each_kind)
{
    static const struct column two[] = {
        SCALAR(101, DIM("2"), "[{'x': [1, -0.5]}, {'x':[ 1e1 ,0.1]}]",
               "4{1:2 2{1(1 -0.5 10 0.1)}}"),
        SCALAR(100, DIM("16"), "[{'x': 'AP8='}, {'x': '/wA'}]", "4{1:16 3x00ffff00'}"),
        /* a third, halves to even, the largest, the smallest, half of it and what is more */
        SCALAR(102, DIM("7"),
               "[{'x': [0.33333334, 2049, 2051, -65504, 5.9604645e-8, 2.9802322e-8, 3e-8]}, "
               "{'x': 'AAABAAIAAwAEAAUABgA='}]",
               "4{1:7 4x553500680268fffb0100000001000000010002000300040005000600'}"),
        SCALAR(103, DIM("2"), "[{'x': [1.00390625, -3.3895314e38]}, {'x': 'AQACAA=='}]",
               "4{1:2 5x803f7fff01000200'}"),
        SCALAR(104, "",
               "[{'x': {'4294967294': 1, '0': 0.5}}, {'x': {'indices': [7, 1], 'values': [2, 3]}}]",
               "4{1:4294967295 6{1x000000000000003ffeffffff0000803f' 1x010000000000404007000000000"
               "00040' 2:4294967295}}"),
        SCALAR(105, DIM("2"), "[{'x': [-128, 127]}, {'x': 'AAE='}]", "4{1:2 7x807f0001'}"),
    };
    for (size_t i = 0; i < COUNT(two); i++)
        expect_column(&two[i], "2");
}

Test(rest_rows, values_may_be_lacking_where_the_schema_says_so)
{
    static const struct column three[] = {
        SCALAR(5, NULLABLE, "[{'x': null}, {'x': 7}, {}]", "7[0 1 0] 3{3{1[7]}}"),
        SCALAR(21, DEFAULT, "[{}, {'x': 'a'}, {'x': null}]", "7[0 1 0] 3{6{1'a'}}"),
        SCALAR(5, NULLABLE, "[{}, {}, {}]", "7[0 0 0] 3{3{}}"),
        SCALAR(101, DIM("1") NULLABLE, "[{}, {'x': [1]}, {}]", "7[0 1 0] 4{1:1 2{1(1)}}"),
    };
    for (size_t i = 0; i < COUNT(three); i++)
        expect_column(&three[i], "3");
}

Test(rest_rows, keys_without_a_field_go_to_the_dynamic_one)
{
    static const struct column two[] = {
        {ID " 5:1", "[{'id': 1, 'b': [1.0, null], 'c\\u0041': 'x'}, {'id': 2}]",
         "5{1:5 2'id' 5:100 3{3{1[1 2]}}} "
         "5{1:23 2'$meta' 6:1 3{9{1'{\"b\":[1.0, null],\"c\\u0041\":\"x\"}' 1'{}'}}}"},
    };
    for (size_t i = 0; i < COUNT(two); i++)
        expect_column(&two[i], "2");
}

Test(rest_rows, ids_that_milvus_makes_and_outputs_of_functions_are_left_out)
{
    static const struct column one[] = {
        {"4{2'id' 3:1 5:5 8:1} 4{2'x' 5:21} 4{2'y' 5:104 16:1}", "[{'x': 'a'}]",
         "5{1:21 2'x' 3{6{1'a'}}}"},
        {"4{2'id' 3:1 5:5 8:1} 4{2'x' 5:21}", "[{'x': 'a', 'id': null}]",
         "5{1:21 2'x' 3{6{1'a'}}}"},
        {"4{2'id' 3:1 5:5 8:1} 6{1'allow_insert_auto_id' 2'true'}", "[{'id': 3}]",
         "5{1:5 2'id' 3{3{1[3]}}}"},
        {"4{2'x' 5:21} 4{2'y' 5:21} 7{4:2 7'y'}", "[{'x': 'a'}]", "5{1:21 2'x' 3{6{1'a'}}}"},
    };
    for (size_t i = 0; i < COUNT(one); i++)
        expect_column(&one[i], "1");
}

struct fault {
    const char *fields;
    const char *data;
    const char *message;
};

/* The same schema comes fresh: the first answer stands. */
static void expect_fault(const char *route, const struct fault *fault)
{
    char answer[1024];
    struct rest *rest = describe(route, fault->fields, fault->data);
    talk_call(rest, "DescribeCollection", "3'docs'");
    cr_expect(rows_talk_is_fresh(rest));
    talk_reply(rest, description(fault->fields));
    snprintf(answer, sizeof(answer), "{'code':1804,'message':'%s'}", fault->message);
    rows_talk_answer(rest, answer);
}

#define X(TYPE, MORE) "4{2'x' 5:" #TYPE " " MORE "}"

Test(rest_rows, faults_say_where_they_are)
{
    static const struct fault faults[] = {
        {ID, "{}", "data: an object where an array of rows is wanted"},
        {ID, "[]", "data: no rows"},
        {ID, "[{'id': 1}, 7]", "data[1]: a number where an object is wanted"},
        {ID, "[{'id': 1}, {}]", "data[1].id: missing"},
        {ID, "[{'id': null}]", "data[0].id: null, and the field is not nullable"},
        {ID, "[{'id': 1, 'id': 2}]", "data[0].id: stands twice"},
        {ID, "[{'id': 1, 'y': 2}]",
         "data[0].y: no such field, and the collection has no dynamic field"},
        {ID " 5:1", "[{'id': 1, '$meta': {}}]",
         "data[0].$meta: the dynamic field`s keys stand in the row itself"},
        {"4{2'id' 3:1 5:5 8:1}", "[{'id': 1}]",
         "data[0].id: Milvus makes the values of this field (autoId)"},
        {X(1, ""), "[{'x': 1}]", "data[0].x: a number where true or false is wanted"},
        {X(2, ""), "[{'x': 128}]", "data[0].x: 128 is no Int8"},
        {X(2, ""), "[{'x': -129}]", "data[0].x: -129 is no Int8"},
        {X(3, ""), "[{'x': 32768}]", "data[0].x: 32768 is no Int16"},
        {X(4, ""), "[{'x': -2147483649}]", "data[0].x: -2147483649 is no Int32"},
        {X(5, ""), "[{'x': 9223372036854775808}]", "data[0].x: 9223372036854775808 is no Int64"},
        {X(5, ""), "[{'x': 1.5}]", "data[0].x: 1.5 is no Int64"},
        {X(5, ""), "[{'x': '1 '}]", "data[0].x: a string where a whole number is wanted"},
        {X(5, ""), "[{'x': ''}]", "data[0].x: a string where a whole number is wanted"},
        {X(10, ""), "[{'x': 3.5e38}]", "data[0].x: 3.5e38 is no Float"},
        {X(10, ""), "[{'x': 'NaN'}]", "data[0].x: a string where a number is wanted"},
        {X(11, ""), "[{'x': 1e309}]", "data[0].x: 1e309 is no Double"},
        {X(21, ""), "[{'x': {}}]", "data[0].x: an object where a string is wanted"},
        {X(22, "10:2"), "[{'x': [1, 128]}]", "data[0].x[1]: 128 is no Int8"},
        {X(22, "10:5"), "[{'x': [1, null]}]", "data[0].x[1]: null where a whole number is wanted"},
        {X(22, "10:5"), "[{'x': 'a'}]", "data[0].x: a string where an array is wanted"},
        {X(22, "10:23"), "[{'x': []}]", "data[0].x: arrays of JSON are not served over REST"},
        {X(27, ""), "[{'x': 'C'}]", "data[0].x: Mol is not served over REST"},
        {"9{2's'}", "[{'s': []}]", "data[0].s: ArrayOfStruct is not served over REST"},
        {X(101, DIM("2")), "[{'x': [1, 2]}, {'x': [1]}]",
         "data[1].x: 1 numbers where 2 are wanted, the dimension"},
        {X(101, DIM("2")), "[{'x': [1, 2, 3]}]",
         "data[0].x: 3 numbers where 2 are wanted, the dimension"},
        {X(101, DIM("2")), "[{'x': [1, 'a']}]", "data[0].x[1]: a string where a number is wanted"},
        {X(101, DIM("2")), "[{'x': [1, 1e39]}]", "data[0].x[1]: 1e39 is none of FloatVector"},
        {X(101, DIM("2")), "[{'x': 'AAAA'}]",
         "data[0].x: a string where an array of numbers is wanted"},
        {X(101, ""), "[{'x': [1]}]", "data[0].x: the schema has a FloatVector without a dimension"},
        {X(100, DIM("8")), "[{'x': [1]}]",
         "data[0].x: an array where a string of base64 is wanted"},
        {X(100, DIM("8")), "[{'x': 'AAA='}]",
         "data[0].x: 2 bytes where 1 are wanted, by the dimension"},
        {X(100, DIM("8")), "[{'x': '!'}]", "data[0].x: the string is no base64"},
        {X(102, DIM("1")), "[{'x': [65520]}]", "data[0].x[0]: 65520 is none of Float16Vector"},
        {X(103, DIM("1")), "[{'x': [3.4e38]}]", "data[0].x[0]: 3.4e38 is none of BFloat16Vector"},
        {X(105, DIM("1")), "[{'x': [128]}]", "data[0].x[0]: 128 is none of Int8Vector"},
        {X(105, DIM("1")), "[{'x': [1e99]}]", "data[0].x[0]: 1e99 is none of Int8Vector"},
        {X(105, DIM("1")), "[{'x': [0.5]}]", "data[0].x[0]: 0.5 is none of Int8Vector"},
        {X(104, ""), "[{'x': [1]}]",
         "data[0].x: an array where an object of indices and values is wanted"},
        {X(104, ""), "[{'x': {'4294967295': 1}}]",
         "data[0].x.4294967295: the key is no index from 0 to 4294967294"},
        {X(104, ""), "[{'x': {'-1': 1}}]",
         "data[0].x.-1: the key is no index from 0 to 4294967294"},
        {X(104, ""), "[{'x': {'a': 1}}]", "data[0].x.a: the key is no index from 0 to 4294967294"},
        {X(104, ""), "[{'x': {'1': 1, '01': 1}}]",
         "data[0].x.01: the key is no index from 0 to 4294967294"},
        {X(104, ""), "[{'x': {'1': 1, '1': 2}}]", "data[0].x: an index stands twice"},
        {X(104, ""), "[{'x': {'1': 'a'}}]", "data[0].x.1: a string where a number is wanted"},
        {X(104, ""), "[{'x': {'indices': [1], 'values': []}}]",
         "data[0].x: indices and values differ in length"},
        {X(104, ""), "[{'x': {'indices': [], 'values': [1]}}]",
         "data[0].x: indices and values differ in length"},
        {X(104, ""), "[{'x': {'indices': [-1], 'values': [1]}}]",
         "data[0].x.indices[0]: no index from 0 to 4294967294"},
        {X(104, ""), "[{'x': {'indices': 1, 'values': [1]}}]",
         "data[0].x.indices: a number where an array is wanted"},
    };
    for (size_t i = 0; i < COUNT(faults); i++)
        expect_fault("entities/insert", &faults[i]);
}

Test(rest_rows, an_upsert_takes_all_ids_and_may_be_partial)
{
    static const struct fault no_id = {"4{2'id' 3:1 5:5 8:1}", "[{}]", "data[0].id: missing"};
    expect_fault("entities/upsert", &no_id);

    struct rest *rest = rows_talk(
        "entities/upsert",
        "{'collectionName': 'docs', 'partitionName': 'p', 'partialUpdate': true, 'fieldOps': "
        "[{'fieldName': 'x', 'op': 'ARRAY_APPEND'}], 'data': [{'id': 1, 'x': null}]}");
    talk_reply(rest, description(ID " " X(5, NULLABLE) X(21, "")));
    talk_call(rest, "Upsert",
              "3'docs' 4'p' 9:1 11{1'x' 2:1} 5{1:5 2'id' 5:100 3{3{1[1]}}} "
              "5{1:5 2'x' 7[0] 3{3{}}} 7:1");
    rest_free(rest);
}

Test(rest_rows, a_partial_update_has_a_field_in_all_rows_or_in_none)
{
    static const char fields[] = ID " 4{2'x' 5:21}";
    static const char *const data[] = {"[{'id': 1, 'x': 'a'}, {'id': 2}]",
                                       "[{'id': 1}, {'id': 2, 'x': 'a'}]"};
    static const char *const answers[] = {
        "{'code':1804,'message':'data[1].x: missing; all rows have it, or none'}",
        "{'code':1804,'message':'data[1].x: data[0] has no value for it; all rows have, or none'}"};
    for (size_t i = 0; i < COUNT(data); i++) {
        char body[256];
        snprintf(body, sizeof(body),
                 "{'collectionName': 'docs', 'partialUpdate': true, 'data': %s}", data[i]);
        struct rest *rest = rows_talk("entities/upsert", body);
        talk_reply(rest, description(fields));
        talk_reply(rest, description(fields));
        rows_talk_answer(rest, answers[i]);
    }
}

Test(rest_rows, what_is_missing_is_said_before_any_call)
{
    rows_talk_answer(rows_talk("entities/insert", "{'collectionName': 'docs'}"),
                     "{'code':1802,'message':'data: a required field, and missing'}");
}

#define LACKING 64 /* fields that may */

/* About as many rows {} as `bytes` of text have; how many bytes they are. */
static struct rest *insert_empty_rows(size_t bytes, size_t *ret_size)
{
    static char body[1 << 18];
    int length = sprintf(body, "{'collectionName':'docs','data':[{}");
    while ((size_t)length < bytes)
        length += sprintf(body + length, ",{}");
    *ret_size = (size_t)(length + sprintf(body + length, "]}"));
    return rows_talk("entities/insert", body);
}

static const char *lacking_fields(void)
{
    static char fields[LACKING * 32];
    size_t size = 0;
    for (int i = 0; i < LACKING; i++)
        size += (size_t)sprintf(fields + size, "4{2'x%d' 5:1 15:1}", i);
    return description(fields);
}

Test(rest_rows, rows_of_nothing_take_no_more_memory_than_they_may)
{
    size_t size;
    char answer[128];
    struct rest *rest = insert_empty_rows(196000, &size);
    talk_reply(rest, lacking_fields());
    rows_talk_method(rest, "Insert");
    rest_free(rest);

    rest = insert_empty_rows(197000, &size);
    talk_reply(rest, lacking_fields());
    talk_reply(rest, lacking_fields());
    snprintf(answer, sizeof(answer),
             "{'code':1804,'message':'data[%zu]: too many rows for so little text and so many "
             "fields'}",
             ((1 << 20) + 16 * size) / LACKING + 1);
    rows_talk_answer(rest, answer);
}
