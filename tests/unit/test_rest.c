/* SPDX-License-Identifier: Apache-2.0 */
/* Each kind that a row of the table may have, there and back; and every error. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/rest/route.h"
#include "rest_talk.h"
#include "wire_text.h"

#define EMPTY_ANSWER "{\"code\":0,\"data\":{}}"
#define NAME         "{\"collectionName\":\"c\"}"

/* ---- the table ---- */

Test(rest, every_route_is_found_and_has_what_it_needs)
{
    size_t count;
    const struct rest_route *routes = rest_routes(&count);
    cr_expect_eq(count, 105);
    for (size_t i = 0; i < count; i++) {
        const struct rest_route *route = &routes[i];
        cr_expect_eq(rest_find(span_text(route->path)), route, "%s", route->path);
        cr_expect_str_eq(rest_route_path(route), route->path);
        if (i > 0)
            cr_expect_lt(strcmp(routes[i - 1].path, route->path), 0, "%s", route->path);
        cr_expect_eq(!route->plan, !route->method, "%s", route->path);
        if (route->method)
            cr_expect_not_null(rpc_find(span_text(route->method)), "%s", route->method);
        for (size_t j = 0; route->method && j < route->request->count; j++)
            cr_expect_neq(route->request->fields[j].path[0], 0, "%s", route->path);
    }
}

Test(rest, what_is_no_route_is_not_found)
{
    static const char *const paths[] = {
        "",
        "/",
        "/v2/vectordb/",
        "/v2/vectordb/collections/lis",
        "/v2/vectordb/collections/lists",
        "/v2/vectordb/collections/list/",
        "/v1/vector/insert",
        "v2/vectordb/collections/list",
    };
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        cr_expect_null(rest_find(span_text(paths[i])), "%s", paths[i]);
}

static enum rpc_class class_of(const char *path)
{
    return rest_route_class(rest_find(span_text(path)));
}

Test(rest, a_route_needs_the_right_of_its_call_or_its_own)
{
    cr_expect_eq(class_of("/v2/vectordb/collections/create"), RPC_CLASS_SCHEMA);
    cr_expect_eq(class_of("/v2/vectordb/users/create"), RPC_CLASS_RBAC);
    cr_expect_eq(class_of("/v2/vectordb/jobs/import/create"), RPC_CLASS_WRITE);
    cr_expect_eq(class_of("/v2/vectordb/jobs/import/list"), RPC_CLASS_READ);
    cr_expect_eq(class_of("/v2/vectordb/quotacenter/describe"), RPC_CLASS_ADMIN);
}

Test(rest, forwarded_with_the_body_s_database)
{
    union rest_next next;
    struct rest *rest = talk("jobs/import/list",
                             "{ \"a\\n\" : [1.50] ,\"dbName\":\"d\\u0062\",\"b\":{\"dbName\":2}}");
    cr_assert_eq(rest_next(rest, &next), REST_FORWARD);
    cr_expect(span_is(next.forward.database, "db"));
    cr_expect(span_is(blob_span(next.forward.body), "{\"a\\n\":[1.50],\"b\":{\"dbName\":2}}"));
    rest_free(rest);
    rest = talk("segments/describe", "{}");
    cr_assert_eq(rest_next(rest, &next), REST_FORWARD);
    cr_expect_eq(next.forward.database.length, 0);
    cr_expect(span_is(blob_span(next.forward.body), "{}"));
    rest_free(rest);
}

/* ---- requests ---- */

Test(rest, texts)
{
    talk_once("collections/drop", "{\"dbName\":\"db\",\"collectionName\":\"a\\\"\\u00e9\"}",
              "DropCollection", "2'db' 3'a\"\xc3\xa9'", "", EMPTY_ANSWER);
    talk_once("collections/drop", "{\"collectionName\":\"c\",\"dbName\":null,\"more\":[1]}",
              "DropCollection", "3'c'", "", EMPTY_ANSWER);
    talk_once("partitions/load", "{\"collectionName\":\"c\",\"partitionNames\":[\"p\",\"\",\"q\"]}",
              "LoadPartitions", "3'c' 4'p' 4'' 4'q'", "", EMPTY_ANSWER);
    talk_once("collections/rename",
              "{\"collectionName\":\"c\",\"newCollectionName\":\"n\",\"newDbName\":\"m\"}",
              "RenameCollection", "3'c' 4'n' 5'm'", "", EMPTY_ANSWER);
}

Test(rest, numbers_booleans_and_constants)
{
    talk_once("resource_groups/transfer_replica",
              "{\"sourceRgName\":\"a\",\"targetRgName\":\"b\",\"collectionName\":\"c\","
              "\"replicaNum\":9007199254740993}",
              "TransferReplica", "2'a' 3'b' 4'c' 5:9007199254740993", "", EMPTY_ANSWER);
    talk_once("collections/compact", "{\"collectionName\":\"c\",\"isClustering\":true}",
              "ManualCompaction", "3:1 4'c'", "2:449999999999999999",
              "{\"code\":0,\"data\":{\"compactionID\":449999999999999999}}");
    talk_once("collections/refresh_load", NAME, "LoadCollection", "3'c' 6:1", "", EMPTY_ANSWER);
    talk_once("users/grant_role", "{\"userName\":\"u\",\"roleName\":\"r\"}", "OperateUserRole",
              "2'u' 3'r' 4:0", "", EMPTY_ANSWER);
    talk_once("jobs/snapshot/describe", "{\"jobId\":\"9223372036854775807\"}",
              "GetRestoreSnapshotState", "2:9223372036854775807", "2{1:7 5:3}",
              "{\"code\":0,\"data\":{\"jobId\":\"7\",\"snapshotName\":\"\",\"dbName\":\"\","
              "\"collectionName\":\"\",\"state\":\"RestoreSnapshotCompleted\",\"progress\":0,"
              "\"reason\":\"\",\"startTime\":0,\"timeCost\":0}}");
}

Test(rest, fields_of_messages_within)
{
    talk_once("roles/grant_privilege",
              "{\"roleName\":\"r\",\"objectType\":\"Global\",\"objectName\":\"*\","
              "\"privilege\":\"p\",\"dbName\":\"d\"}",
              "OperatePrivilege", "2{1{1'r'}} 2{2{1'Global'}} 2{3'*'} 2{4{2{1'p'}}} 2{5'd'} 3:0",
              "", EMPTY_ANSWER);
    talk_once("privilege_groups/add_privileges_to_group",
              "{\"privilegeGroupName\":\"g\",\"privileges\":[\"Search\",\"Query\"]}",
              "OperatePrivilegeGroup", "2'g' 3{1'Search'} 3{1'Query'} 4:0", "", EMPTY_ANSWER);
    talk_once("collections/fields/drop", "{\"collectionName\":\"c\",\"fieldId\":101}",
              "AlterCollectionSchema", "3'c' 5{2{2:101}}", "", EMPTY_ANSWER);
}

Test(rest, pairs_of_whatever_value)
{
    talk_once("collections/alter_properties",
              "{\"collectionName\":\"c\",\"properties\":{\"a\":\"t\\n\",\"b\":1.50,\"c\":true,"
              "\"d\":{\"e\": [1]}}}",
              "AlterCollection",
              "3'c' 5{1'a' 2x740a'} 5{1'b' 2'1.50'} 5{1'c' 2'true'} 5{1'd' 2'{\"e\": [1]}'}", "",
              EMPTY_ANSWER);
    talk_once("databases/drop_properties", "{\"dbName\":\"d\",\"propertyKeys\":[\"k\"]}",
              "AlterDatabase", "2'd' 5'k'", "", EMPTY_ANSWER);
}

Test(rest, passwords_go_in_base64)
{
    talk_once("users/create", "{\"userName\":\"u\",\"password\":\"P@ss\\\"1\"}", "CreateCredential",
              "2'u' 3'UEBzcyIx'", "", EMPTY_ANSWER);
    talk_once("users/update_password",
              "{\"userName\":\"u\",\"password\":\"old\",\"newPassword\":\"new1\"}",
              "UpdateCredential", "2'u' 3'b2xk' 4'bmV3MQ=='", "", EMPTY_ANSWER);
}

Test(rest, objects_and_maps_of_them)
{
    talk_once("resource_groups/create",
              "{\"name\":\"g\",\"config\":{\"requests\":{\"node_num\":1},\"limits\":{\"node_num\":"
              "2},\"transfer_from\":[{\"resource_group\":\"h\"},{\"resource_group\":\"i\"}],"
              "\"node_filter\":{\"node_labels\":{\"zone\":\"a\"}}}}",
              "CreateResourceGroup", "2'g' 3{1{1:1} 2{1:2} 3{1'h'} 3{1'i'} 5{1{1'zone' 2'a'}}}", "",
              EMPTY_ANSWER);
    talk_once("resource_groups/alter",
              "{\"resource_groups\":{\"g\":{\"requests\":{\"node_num\":0},\"limits\":{\"node_num\":"
              "1}}}}",
              "UpdateResourceGroups", "2{1'g' 2{1{1:0} 2{1:1}}}", "", EMPTY_ANSWER);
    talk_once("collections/fields/add",
              "{\"collectionName\":\"c\",\"schema\":{\"fieldName\":\"f\",\"dataType\":\"Int64\","
              "\"nullable\":true,\"defaultValue\":\"-9223372036854775808\"}}",
              "AlterCollectionSchema", "3'c' 5{1{1{1{2'f' 5:5 11{3:-9223372036854775808} 15:1}}}}",
              "", EMPTY_ANSWER);
    talk_once("collections/add_function",
              "{\"collectionName\":\"c\",\"function\":{\"name\":\"f\",\"type\":\"BM25\","
              "\"inputFieldNames\":[\"t\"],\"outputFieldNames\":[\"s\"],\"params\":{}}}",
              "AddCollectionFunction", "3'c' 5{1'f' 4:1 5't' 7's'}", "", EMPTY_ANSWER);
    talk_once("common/run_analyzer",
              "{\"text\":[\"a b\"],\"analyzerParams\":{\"type\":\"standard\"},\"withDetail\":true}",
              "RunAnalyzer", "2'{\"type\":\"standard\"}' 3'a b' 4:1",
              "2{1{1'a' 3:1} 1{1'b' 2:2 3:3 4:1}}",
              "{\"code\":0,\"data\":[{\"tokens\":[{\"token\":\"a\",\"end_offset\":1},{\"token\":"
              "\"b\",\"start_offset\":2,\"end_offset\":3,\"position\":1}]}]}");
}

/* ---- answers ---- */

Test(rest, lists_of_names)
{
    talk_once("collections/list", "{}", "ShowCollections", "", "2'a' 2'b\"'",
              "{\"code\":0,\"data\":[\"a\",\"b\\\"\"]}");
    talk_once("collections/list", "{\"dbName\":\"d\"}", "ShowCollections", "2'd'", "",
              "{\"code\":0,\"data\":[]}");
    talk_once("users/describe", "{\"userName\":\"u\"}", "SelectUser", "2{1'u'} 3:1",
              "2{1{1'u'} 2{1'r'} 2{1's'}}", "{\"code\":0,\"data\":[\"r\",\"s\"]}");
    talk_once("roles/list", "{\"dbName\":\"d\"}", "SelectRole", "", "2{1{1'r'}} 2{1{1's'}}",
              "{\"code\":0,\"data\":[\"r\",\"s\"]}");
}

Test(rest, booleans_and_counts)
{
    talk_once("collections/has", NAME, "HasCollection", "3'c'", "2:1",
              "{\"code\":0,\"data\":{\"has\":true}}");
    talk_once("partitions/has", "{\"collectionName\":\"c\",\"partitionName\":\"p\"}",
              "HasPartition", "3'c' 4'p'", "", "{\"code\":0,\"data\":{\"has\":false}}");
    talk_once("collections/get_stats", NAME, "GetCollectionStatistics", "3'c'",
              "2{1'x' 2'1'} 2{1'row_count' 2'42'}", "{\"code\":0,\"data\":{\"rowCount\":42}}");
    talk_once("collections/get_stats", NAME, "GetCollectionStatistics", "3'c'", "",
              "{\"code\":0,\"data\":{\"rowCount\":0}}");
}

Test(rest, objects_of_replies)
{
    talk_once("databases/describe", "{\"dbName\":\"d\"}", "DescribeDatabase", "2'd'",
              "2'd' 3:7 5{1'k' 2'v'}",
              "{\"code\":0,\"data\":{\"dbName\":\"d\",\"dbID\":7,\"properties\":[{\"key\":\"k\","
              "\"value\":\"v\"}]}}");
    talk_once("roles/describe", "{\"roleName\":\"r\"}", "SelectGrant", "2{1{1'r'}}",
              "2{1{1'r'} 2{1'Global'} 3'*' 4{1{1'root'} 2{1'All'}} 5'default'}",
              "{\"code\":0,\"data\":[{\"objectType\":\"Global\",\"objectName\":\"*\",\"grantor\":"
              "\"root\",\"privilege\":\"All\",\"dbName\":\"default\"}]}");
    talk_once("privilege_groups/list", "{}", "ListPrivilegeGroups", "",
              "2{1'g' 2{1'a'} 2{1'b'}} 2{1'h'}",
              "{\"code\":0,\"data\":{\"privilegeGroups\":[{\"privilegeGroupName\":\"g\","
              "\"privileges\":\"a,b\"},{\"privilegeGroupName\":\"h\",\"privileges\":\"\"}]}}");
    talk_once("resource_groups/describe", "{\"name\":\"g\"}", "DescribeResourceGroup", "2'g'",
              "2{1'g' 2:1 4{1'c' 2:3} 7{1{1:1}} 8{1:9 2'a' 3'h'}}",
              "{\"code\":0,\"data\":{\"name\":\"g\",\"capacity\":1,\"num_available_node\":0,"
              "\"num_loaded_replica\":{\"c\":3},\"num_outgoing_node\":{},\"num_incoming_node\":{},"
              "\"config\":{\"requests\":{\"node_num\":1}},\"nodes\":[{\"node_id\":9,\"address\":"
              "\"a\",\"hostname\":\"h\"}]}}");
}

Test(rest, an_enum_s_unknown_number_is_printed_as_it_is)
{
    talk_once("jobs/snapshot/list", "{}", "ListRestoreSnapshotJobs", "", "2{5:77}",
              "{\"code\":0,\"data\":{\"records\":[{\"jobId\":\"0\",\"snapshotName\":\"\","
              "\"dbName\":\"\",\"collectionName\":\"\",\"state\":\"77\",\"progress\":0,\"reason\":"
              "\"\",\"startTime\":0,\"timeCost\":0}]}}");
}

/* ---- errors ---- */

Test(rest, bodies_that_are_no_objects)
{
    talk_refused("collections/list", "", 1801, "the body is empty; {} is the least");
    talk_refused("collections/list", "[]", 1801, "the body: an array where an object is wanted");
    talk_refused("jobs/import/list", "[]", 1801, "the body: an array where an object is wanted");
    talk_refused("collections/list", "{\"dbName\":1}", 1100,
                 "dbName: a number where a string is wanted");
}

Test(rest, fields_that_are_missing_or_wrong)
{
    static const char *const wrong[][4] = {
        {"collections/drop", "{}", "1802", "collectionName: a required field, and missing"},
        {"collections/drop", "{\"collectionName\":null}", "1802",
         "collectionName: a required field, and missing"},
        {"collections/drop", "{\"collectionName\":\"\"}", "1802",
         "collectionName: a required field, and missing"},
        {"collections/drop", "{\"collectionName\":[]}", "1100",
         "collectionName: an array where a string is wanted"},
        {"partitions/load", "{\"collectionName\":\"c\",\"partitionNames\":[\"a\",1]}", "1100",
         "partitionNames[1]: a number where a string is wanted"},
        {"partitions/load", "{\"collectionName\":\"c\",\"partitionNames\":\"a\"}", "1100",
         "partitionNames: a string where an array is wanted"},
        {"collections/get_compaction_state", "{\"jobID\":1.5}", "1100",
         "jobID: no whole number, or one that does not fit"},
        {"collections/get_compaction_state", "{\"jobID\":9223372036854775808}", "1100",
         "jobID: no whole number, or one that does not fit"},
        {"collections/get_compaction_state", "{\"jobID\":\"1a\"}", "1100",
         "jobID: no whole number, or one that does not fit"},
        {"collections/get_compaction_state", "{\"jobID\":true}", "1100",
         "jobID: a boolean where a whole number is wanted"},
        {"collections/compact", "{\"collectionName\":\"c\",\"isClustering\":1}", "1100",
         "isClustering: a number where a boolean is wanted"},
        {"databases/create", "{\"dbName\":\"d\",\"properties\":[]}", "1100",
         "properties: an array where an object is wanted"},
        {"collections/fields/add", "{\"collectionName\":\"c\",\"schema\":{\"fieldName\":\"f\"}}",
         "1802", "schema.dataType: a required field, and missing"},
        {"collections/fields/add",
         "{\"collectionName\":\"c\",\"schema\":{\"fieldName\":\"f\",\"dataType\":\"int64\"}}",
         "1100", "schema.dataType: \\\"int64\\\" is no DataType"},
        {"resource_groups/alter",
         "{\"resource_groups\":{\"g\":{\"requests\":{\"node_num\":2147483648}}}}", "1100",
         "resource_groups.g.requests.node_num: no whole number, or one that does not fit"},
        {"resource_groups/create",
         "{\"name\":\"g\",\"config\":{\"requests\":{\"node_num\":1},\"limits\":{\"node_num\":1},"
         "\"transfer_to\":[{\"resource_group\":\"a\"},{}]}}",
         "1802", "config.transfer_to[1].resource_group: a required field, and missing"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        talk_refused(wrong[i][0], wrong[i][1], atoi(wrong[i][2]), wrong[i][3]);
}

Test(rest, defaults_fit_their_type)
{
    static const char *const wrong[][3] = {
        {"\"Int8\"", "128", "no whole number, or one that does not fit"},
        {"\"Bool\"", "1", "a number where a boolean is wanted"},
        {"\"Float\"", "\"1\"", "a string where a number is wanted"},
        {"\"VarChar\"", "1", "a number where a string is wanted"},
        {"\"FloatVector\"", "1", "this data type has no default"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char body[256];
        char message[256];
        snprintf(body, sizeof(body),
                 "{\"collectionName\":\"c\",\"schema\":{\"fieldName\":\"f\",\"dataType\":%s,"
                 "\"defaultValue\":%s}}",
                 wrong[i][0], wrong[i][1]);
        snprintf(message, sizeof(message), "schema.defaultValue: %s", wrong[i][2]);
        talk_refused("collections/fields/add", body, 1100, message);
    }
}

Test(rest, passwords_stand_in_no_error)
{
    talk_refused("users/create", "{\"userName\":\"u\",\"password\":[\"geheim\"]}", 1100,
                 "password: an array where a string is wanted");
    talk_refused("users/create", "{\"password\":\"geheim\"}", 1802,
                 "userName: a required field, and missing");
}

Test(rest, what_milvus_says_passes)
{
    talk_once("collections/drop", NAME, "DropCollection", "3'c'", "1:4 2'not found' 3:100",
              "{\"code\":100,\"message\":\"not found\"}");
    talk_once("collections/has", NAME, "HasCollection", "3'c'", "1{1:1 2'why' 3:65535}",
              "{\"code\":65535,\"message\":\"why\"}");
    static const int legacy[][2] = {{4, 100}, {48, 9}, {49, 8}, {62, 109}, {1, 65535}};
    for (size_t i = 0; i < sizeof(legacy) / sizeof(legacy[0]); i++) {
        char status[32];
        char json[64];
        snprintf(status, sizeof(status), "1:%d 2'w'", legacy[i][0]);
        snprintf(json, sizeof(json), "{\"code\":%d,\"message\":\"w\"}", legacy[i][1]);
        talk_once("collections/drop", NAME, "DropCollection", "3'c'", status, json);
    }
}

Test(rest, a_status_of_grpc_s_has_one_of_http_s)
{
    static const struct {
        enum code code;
        unsigned status;
        int of_milvus;
    } cases[] = {
        {CODE_CANCELLED, 500, 1},         {CODE_UNKNOWN, 500, 2},
        {CODE_INVALID_ARGUMENT, 400, 3},  {CODE_DEADLINE_EXCEEDED, 408, 10001},
        {CODE_PERMISSION_DENIED, 403, 7}, {CODE_RESOURCE_EXHAUSTED, 429, 8},
        {CODE_UNIMPLEMENTED, 501, 12},    {CODE_INTERNAL, 500, 13},
        {CODE_UNAVAILABLE, 503, 14},      {CODE_UNAUTHENTICATED, 401, 1800},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char json[64];
        struct rest *rest = talk("collections/list", "{}");
        talk_fail(rest, cases[i].code, "w\"");
        snprintf(json, sizeof(json), "{\"code\":%d,\"message\":\"w\\\"\"}", cases[i].of_milvus);
        talk_answer(rest, cases[i].status, json);
    }
}

static void reply_bytes(struct rest *rest, const char *bytes, size_t length)
{
    struct rest_reply reply = {.code = CODE_OK, .reply = span_of(bytes, length)};
    rest_take(rest, &reply);
}

Test(rest, malformed_replies)
{
    struct rest *rest = talk("collections/list", "{}");
    reply_bytes(rest, "\xff", 1);
    talk_answer(rest, 200,
                "{\"code\":65535,\"message\":\"milvus-bouncer: the upstream's reply is "
                "malformed\"}");
    rest = talk("databases/describe", "{\"dbName\":\"d\"}");
    reply_bytes(rest, "\x2a\x02\x0a\x05", 4); /* a pair that is longer than its field */
    talk_answer(rest, 200,
                "{\"code\":1805,\"message\":\"milvus-bouncer: the upstream's reply is "
                "malformed\"}");
}

Test(rest, errors_that_are_no_route_s)
{
    struct blob *json = rest_error(404, span_text("no \"x\""));
    cr_expect(span_is(blob_span(json), "{\"code\":404,\"message\":\"no \\\"x\\\"\"}"));
    blob_unref(json);
}
