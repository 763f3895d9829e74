/* SPDX-License-Identifier: Apache-2.0 */
/* Routes that take more than one call, or more than a row says. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "rest_talk.h"

#define EMPTY_ANSWER "{\"code\":0,\"data\":{}}"
#define NAME         "{\"collectionName\":\"c\"}"

/* ---- collections/create ---- */

Test(rest_plans, a_collection_by_its_dimension)
{
    struct rest *rest =
        talk("collections/create", "{\"dbName\":\"d\",\"collectionName\":\"c\",\"dimension\":5}");
    talk_call(rest, "CreateCollection",
              "2'd' 3'c'"
              "4{1'c' 5:1 4{2'id' 3:1 5:5} 4{2'vector' 5:101 6{1'dim' 2'5'}}}"
              "5:1 6:2");
    talk_reply(rest, "");
    talk_call(rest, "CreateIndex",
              "2'd' 3'c' 4'vector' 6'vector' 5{1'metric_type' 2'COSINE'}"
              "5{1'index_type' 2'AUTOINDEX'}");
    talk_reply(rest, "");
    talk_call(rest, "LoadCollection", "2'd' 3'c'");
    talk_reply(rest, "");
    talk_answer(rest, 200, EMPTY_ANSWER);
}

Test(rest_plans, a_collection_by_its_dimension_and_all_that_may_be_said)
{
    struct rest *rest =
        talk("collections/create",
             "{\"collectionName\":\"c\",\"dimension\":\"5\",\"idType\":\"VarChar\",\"autoID\":true,"
             "\"metricType\":\"L2\",\"primaryFieldName\":\"k\",\"vectorFieldName\":\"v\","
             "\"description\":\"what\",\"params\":{\"max_length\":64,\"enableDynamicField\":false,"
             "\"shardsNum\":2,\"partitionsNum\":\"16\",\"consistencyLevel\":\"Strong\","
             "\"ttlSeconds\":60,\"partitionKeyIsolation\":true}}");
    talk_call(rest, "CreateCollection",
              "3'c'"
              "4{1'c' 2'what' 3:1 4{2'k' 3:1 8:1 5:21 6{1'max_length' 2'64'}}"
              "4{2'v' 5:101 6{1'dim' 2'5'}}}"
              "5:1 6:2 7{1'collection.ttl.seconds' 2'60'}"
              "7{1'partitionkey.isolation' 2'true'} 5:2 6:0 8:16");
    talk_reply(rest, "");
    talk_call(rest, "CreateIndex",
              "3'c' 4'v' 6'v' 5{1'metric_type' 2'L2'} 5{1'index_type' 2'AUTOINDEX'}");
    talk_fail(rest, CODE_UNAVAILABLE, "milvus-bouncer: draining");
    talk_answer(rest, 503, "{\"code\":14,\"message\":\"milvus-bouncer: draining\"}");
}

#define FIELDS                                                                                     \
    "\"fields\":[{\"fieldName\":\"k\",\"dataType\":\"Int64\",\"isPrimary\":true},"                 \
    "{\"fieldName\":\"v\",\"dataType\":\"FloatVector\",\"elementTypeParams\":{\"dim\":4}},"        \
    "{\"fieldName\":\"t\",\"dataType\":\"Array\",\"elementDataType\":\"VarChar\","                 \
    "\"elementTypeParams\":{\"max_capacity\":3,\"max_length\":\"9\"},\"isPartitionKey\":false,"    \
    "\"multiAnalyzerParam\":{\"by_field\":\"l\"}}]"

Test(rest_plans, a_collection_by_its_schema)
{
    struct rest *rest = talk(
        "collections/create",
        "{\"collectionName\":\"c\",\"schema\":{\"autoId\":true,\"enableDynamicField\":true," FIELDS
        "},\"indexParams\":[{\"fieldName\":\"v\",\"metricType\":\"IP\",\"indexName\":\"i\","
        "\"indexType\":\"HNSW\",\"params\":{\"M\":16}},{\"fieldName\":\"t\",\"params\":"
        "{\"index_type\":\"INVERTED\"}}]}");
    talk_call(rest, "CreateCollection",
              "3'c'"
              "4{1'c' 3:1 4{2'k' 3:1 5:5 8:1} 4{2'v' 5:101 6{1'dim' 2'4'}}"
              "4{2't' 5:22 6{1'max_capacity' 2'3'} 6{1'max_length' 2'9'} 10:21 13:0 "
              "6{1'multi_analyzer_params' 2'{\"by_field\":\"l\"}'}} 5:1}"
              "5:1 6:2");
    talk_reply(rest, "");
    talk_call(rest, "CreateIndex",
              "3'c' 4'v' 6'i' 5{1'index_type' 2'HNSW'} 5{1'metric_type' 2'IP'}"
              "5{1'params' 2'{\"M\":16}'}");
    talk_reply(rest, "");
    talk_call(rest, "CreateIndex",
              "3'c' 4't' 5{1'index_type' 2'INVERTED'}"
              "5{1'params' 2'{\"index_type\":\"INVERTED\"}'}");
    talk_reply(rest, "");
    talk_call(rest, "LoadCollection", "3'c'");
    talk_reply(rest, "1:1 2'no' 3:65535");
    talk_answer(rest, 200, "{\"code\":65535,\"message\":\"no\"}");
}

Test(rest_plans, a_collection_without_an_index_is_not_loaded)
{
    static const char *const indexes[] = {"", ",\"indexParams\":[]", ",\"indexParams\":null"};
    for (size_t i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++) {
        char body[1024];
        snprintf(body, sizeof(body), "{\"collectionName\":\"c\",\"schema\":{" FIELDS "}%s}",
                 indexes[i]);
        struct rest *rest = talk("collections/create", body);
        talk_reply(rest, "");
        talk_answer(rest, 200, EMPTY_ANSWER);
    }
}

Test(rest_plans, collections_that_cannot_be)
{
    static const char *const wrong[][3] = {
        {"", "1802", "dimension: a required field, and missing"},
        {",\"dimension\":0", "1802", "dimension: a required field, and missing"},
        {",\"dimension\":1.5", "1100", "dimension: no whole number, or one that does not fit"},
        {",\"dimension\":5,\"idType\":\"Float\"", "1100", "idType: neither Int64 nor VarChar"},
        {",\"dimension\":5,\"idType\":\"VarChar\"", "1802",
         "params.max_length: a required field, and missing"},
        {",\"dimension\":5,\"autoID\":1", "1100", "autoID: a number where a boolean is wanted"},
        {",\"dimension\":5,\"params\":1", "1100", "params: a number where an object is wanted"},
        {",\"dimension\":5,\"params\":{\"enableDynamicField\":1}", "1100",
         "params.enableDynamicField: a number where a boolean is wanted"},
        {",\"dimension\":5,\"params\":{\"consistencyLevel\":\"Bound\"}", "1100",
         "params.consistencyLevel: \\\"Bound\\\" is no ConsistencyLevel"},
        {",\"schema\":1", "1100", "schema: a number where an object is wanted"},
        {",\"schema\":{\"fields\":1}", "1100", "schema.fields: a number where an array is wanted"},
        {",\"schema\":{\"fields\":[1]}", "1100",
         "schema.fields[0]: a number where an object is wanted"},
        {",\"schema\":{\"fields\":[{\"fieldName\":\"k\"}]}", "1802",
         "schema.fields[0].dataType: a required field, and missing"},
        {",\"schema\":{\"fields\":[{\"fieldName\":\"k\",\"dataType\":\"Int64\"}],\"functions\":"
         "[{\"name\":\"f\"}]}",
         "1802", "schema.functions[0].type: a required field, and missing"},
        {",\"schema\":{\"fields\":[{\"fieldName\":\"k\",\"dataType\":\"Int64\"}]},"
         "\"indexParams\":[{\"fieldName\":\"x\"}]",
         "1802", "indexParams[0].fieldName: the schema has no such field"},
        {",\"schema\":{\"fields\":[{\"fieldName\":\"k\",\"dataType\":\"Int64\"}]},"
         "\"indexParams\":[{\"indexName\":\"x\"}]",
         "1802", "indexParams[0].fieldName: a required field, and missing"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char body[512];
        snprintf(body, sizeof(body), "{\"collectionName\":\"c\"%s}", wrong[i][0]);
        talk_refused("collections/create", body, atoi(wrong[i][1]), wrong[i][2]);
    }
}

static void refuse_many(size_t count, const char *start, const char *end, const char *message)
{
    char body[16384] = "";
    size_t length = (size_t)snprintf(body, sizeof(body), "%s0", start);
    for (size_t i = 1; i < count; i++)
        length += (size_t)snprintf(body + length, sizeof(body) - length, ",0");
    snprintf(body + length, sizeof(body) - length, "%s", end);
    talk_refused("collections/create", body, 1100, message);
}

Test(rest_plans, schemas_have_a_limit)
{
    static const char schema[] = "{\"collectionName\":\"c\",\"schema\":{\"fields\":[";
    refuse_many(1024, schema, "]}}", "schema.fields[0]: a number where an object is wanted");
    refuse_many(1025, schema, "]}}", "schema.fields: more than 1024 elements");
    refuse_many(1025, "{\"collectionName\":\"c\",\"schema\":{" FIELDS "},\"indexParams\":[", "]}",
                "indexParams: more than 1024 elements");
}

/* ---- collections/describe ---- */

#define DESCRIPTION                                                                                \
    "2{1'c' 2'what' 4{1:100 2'k' 3:1 5:5 8:1} 4{1:101 2'v' 5:101 6{1'dim' 2'4'}}"                  \
    "4{1:102 2'a' 5:22 10:21 11{3:7} 15:1} 5:1}"                                                   \
    "3:449 8:1 11:2 12'c' 13{1'p' 2'q'} 15:1"

#define DESCRIBED                                                                                  \
    "{\"code\":0,\"data\":{\"description\":\"what\",\"fields\":["                                  \
    "{\"id\":100,\"name\":\"k\",\"primaryKey\":true,\"description\":\"\",\"type\":\"Int64\","      \
    "\"autoId\":true,\"partitionKey\":false,\"clusteringKey\":false,\"nullable\":false},"          \
    "{\"id\":101,\"name\":\"v\",\"primaryKey\":false,\"description\":\"\",\"type\":"               \
    "\"FloatVector\",\"params\":[{\"key\":\"dim\",\"value\":\"4\"}],\"autoId\":false,"             \
    "\"partitionKey\":false,\"clusteringKey\":false,\"nullable\":false},"                          \
    "{\"id\":102,\"name\":\"a\",\"primaryKey\":false,\"description\":\"\",\"type\":\"Array\","     \
    "\"autoId\":false,\"elementType\":\"VarChar\",\"defaultValue\":{\"Data\":{\"LongData\":7}},"   \
    "\"partitionKey\":false,\"clusteringKey\":false,\"nullable\":true}],"                          \
    "\"enableDynamicField\":true,\"functions\":[],\"collectionID\":449,\"shardsNum\":1,"           \
    "\"consistencyLevel\":\"Bounded\",\"collectionName\":\"c\","                                   \
    "\"properties\":[{\"key\":\"p\",\"value\":\"q\"}],\"partitionsNum\":1,"

Test(rest_plans, a_description)
{
    struct rest *rest = talk("collections/describe", NAME);
    talk_call(rest, "DescribeCollection", "3'c'");
    talk_reply(rest, DESCRIPTION);
    talk_call(rest, "GetLoadState", "2'c'");
    talk_reply(rest, "2:3");
    talk_call(rest, "DescribeIndex", "3'c' 4'v'");
    talk_reply(rest, "2{1'i' 3{1'metric_type' 2'IP'} 4'v'}");
    talk_call(rest, "ListAliases", "3'c'");
    talk_reply(rest, "4'a' 4'b'");
    talk_answer(rest, 200,
                DESCRIBED "\"load\":\"LoadStateLoaded\",\"indexes\":[{\"indexName\":\"i\","
                          "\"metricType\":\"IP\",\"fieldName\":\"v\"}],\"aliases\":[\"a\",\"b\"],"
                          "\"autoId\":true},\"message\":\"\"}");
}

Test(rest_plans, a_description_without_what_failed)
{
    struct rest *rest = talk("collections/describe", NAME);
    talk_reply(rest, DESCRIPTION);
    talk_fail(rest, CODE_UNIMPLEMENTED, "no load state");
    talk_reply(rest, "1{2'no index' 3:700}");
    talk_reply(rest, "");
    talk_answer(rest, 200,
                DESCRIBED "\"load\":\"\",\"indexes\":[],\"aliases\":[],\"autoId\":true},"
                          "\"message\":\"no load state; no index\"}");
}

Test(rest_plans, no_description)
{
    struct rest *rest = talk("collections/describe", NAME);
    talk_reply(rest, "1{1:4 2'none' 3:100}");
    talk_answer(rest, 200, "{\"code\":100,\"message\":\"none\"}");
}

/* ---- loaded, flushed, compacted ---- */

Test(rest_plans, load_states)
{
    struct rest *rest =
        talk("collections/get_load_state", "{\"collectionName\":\"c\",\"partitionNames\":[\"p\"]}");
    talk_call(rest, "GetLoadState", "2'c' 3'p'");
    talk_reply(rest, "2:3");
    talk_call(rest, "GetLoadingProgress", "2'c' 3'p'");
    talk_reply(rest, "2:100");
    talk_answer(rest, 200,
                "{\"code\":0,\"data\":{\"loadState\":\"LoadStateLoaded\",\"loadProgress\":100},"
                "\"message\":\"\"}");
    rest = talk("collections/get_load_state", NAME);
    talk_reply(rest, "2:2");
    talk_reply(rest, "2:7");
    talk_answer(rest, 200,
                "{\"code\":0,\"data\":{\"loadState\":\"LoadStateLoading\",\"loadProgress\":7},"
                "\"message\":\"\"}");
    rest = talk("collections/get_load_state", NAME);
    talk_reply(rest, "2:2");
    talk_fail(rest, CODE_UNIMPLEMENTED, "no");
    talk_answer(rest, 200,
                "{\"code\":0,\"data\":{\"loadState\":\"LoadStateLoading\",\"loadProgress\":-1},"
                "\"message\":\"no\"}");
    rest = talk("collections/get_load_state", NAME);
    talk_reply(rest, "2:1");
    talk_answer(rest, 200, "{\"code\":0,\"data\":{\"loadState\":\"LoadStateNotLoad\"}}");
    rest = talk("collections/get_load_state", NAME);
    talk_reply(rest, "");
    talk_answer(rest, 200,
                "{\"code\":100,\"message\":\"collectionName: there is no such collection\"}");
}

static uint32_t delay_of(struct rest *rest)
{
    union rest_next next;
    cr_assert_eq(rest_next(rest, &next), REST_CALL);
    return next.call.delay;
}

Test(rest_plans, a_flush_waits_until_all_is_flushed)
{
    struct rest *rest = talk("collections/flush", "{\"dbName\":\"d\",\"collectionName\":\"c\"}");
    talk_call(rest, "Flush", "2'd' 3'c'");
    talk_reply(rest, "3{1'c' 2{1[7 300]}} 6{1'c' 2:99}");
    talk_call(rest, "GetFlushState", "1[7 300] 2:99 3'd' 4'c'");
    cr_expect_eq(delay_of(rest), 0);
    for (int i = 0; i < 3; i++) {
        talk_reply(rest, "");
        talk_call(rest, "GetFlushState", "1[7 300] 2:99 3'd' 4'c'");
        cr_expect_eq(delay_of(rest), 500);
    }
    talk_reply(rest, "2:1");
    talk_answer(rest, 200, EMPTY_ANSWER);
    talk_once("collections/flush", NAME, "Flush", "3'c'", "3{1'c'} 6{1'c' 2:99}", EMPTY_ANSWER);
}

Test(rest_plans, a_compaction_s_state_says_which_it_is_of)
{
    talk_once("collections/get_compaction_state", "{\"jobID\":\"9007199254740993\"}",
              "GetCompactionState", "1:9007199254740993", "2:2 5:4",
              "{\"code\":0,\"data\":{\"compactionID\":9007199254740993,\"state\":\"Completed\","
              "\"executingPlanNumber\":0,\"timeoutPlanNumber\":0,\"completedPlanNumber\":4}}");
}

/* ---- indexes ---- */

Test(rest_plans, indexes_one_after_the_other)
{
    struct rest *rest =
        talk("indexes/create", "{\"collectionName\":\"c\",\"indexParams\":[{\"fieldName\":\"a\"},"
                               "{\"fieldName\":\"b\",\"metricType\":\"IP\"}]}");
    talk_call(rest, "CreateIndex", "3'c' 4'a' 5{1'index_type' 2'AUTOINDEX'}");
    talk_reply(rest, "");
    talk_call(rest, "CreateIndex",
              "3'c' 4'b' 5{1'index_type' 2'AUTOINDEX'} 5{1'metric_type' 2'IP'}");
    talk_reply(rest, "");
    talk_answer(rest, 200, EMPTY_ANSWER);
}

Test(rest_plans, of_indexes_that_are_wrong_none_is_made)
{
    talk_refused("indexes/create", NAME, 1802, "indexParams: a required field, and missing");
    talk_refused("indexes/create", "{\"indexParams\":[]}", 1802,
                 "collectionName: a required field, and missing");
    talk_refused("indexes/create",
                 "{\"collectionName\":\"c\",\"indexParams\":[{\"fieldName\":\"a\"},{\"fieldName\":"
                 "\"b\",\"params\":[]}]}",
                 1100, "indexParams[1].params: an array where an object is wanted");
}

Test(rest_plans, names_of_indexes_that_there_may_not_be)
{
    talk_once("indexes/list", NAME, "DescribeIndex", "3'c'", "2{1'i'} 2{1'j'}",
              "{\"code\":0,\"data\":[\"i\",\"j\"]}");
    talk_once("indexes/list", NAME, "DescribeIndex", "3'c'", "1{1:25 2'none' 3:700}",
              "{\"code\":0,\"data\":[]}");
    talk_once("indexes/list", NAME, "DescribeIndex", "3'c'", "1{2'none' 3:100}",
              "{\"code\":100,\"message\":\"none\"}");
}

/* ---- schemas ---- */

Test(rest_plans, a_function_with_its_field_and_index)
{
    talk_once("collections/add_function_field",
              "{\"collectionName\":\"c\",\"function\":{\"name\":\"f\",\"type\":\"BM25\"},"
              "\"outputField\":{\"fieldName\":\"s\",\"dataType\":\"SparseFloatVector\"},"
              "\"indexParams\":{\"fieldName\":\"s\",\"indexName\":\"i\",\"metricType\":\"BM25\"}}",
              "AlterCollectionSchema",
              "3'c' 5{1{1{1{2's' 5:104} 2'i' 3{1'index_type' 2'AUTOINDEX'}"
              "3{1'metric_type' 2'BM25'}} 2{1'f' 4:1}}}",
              "", EMPTY_ANSWER);
    talk_refused("collections/add_function_field",
                 "{\"collectionName\":\"c\",\"function\":{\"name\":\"f\",\"type\":\"BM25\"},"
                 "\"outputField\":{\"fieldName\":\"s\",\"dataType\":\"SparseFloatVector\"},"
                 "\"indexParams\":{\"fieldName\":\"t\"}}",
                 1100, "indexParams.fieldName: not outputField.fieldName");
    talk_refused("collections/add_function_field",
                 "{\"collectionName\":\"c\",\"outputField\":{\"fieldName\":\"s\",\"dataType\":"
                 "\"SparseFloatVector\"}}",
                 1802, "function: a required field, and missing");
}

Test(rest_plans, a_field_is_dropped_by_one_of_its_names)
{
    talk_once("collections/fields/drop", "{\"collectionName\":\"c\",\"fieldName\":\"f\"}",
              "AlterCollectionSchema", "3'c' 5{2{1'f'}}", "", EMPTY_ANSWER);
    talk_refused("collections/fields/drop", NAME, 1100,
                 "fieldName: either it or fieldId is wanted");
    talk_refused("collections/fields/drop",
                 "{\"collectionName\":\"c\",\"fieldName\":\"f\",\"fieldId\":1}", 1100,
                 "fieldName: either it or fieldId is wanted");
}
