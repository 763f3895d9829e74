/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "milvus/milvus.pb-c.h"
#include "proto/json.h"
#include "proto/json_near.h"
#include "proto/method.h"

#define MESSAGE(name) (&milvus__proto__milvus__##name##__descriptor)
#define SCHEMA(name)  (&milvus__proto__schema__##name##__descriptor)
#define COMMON(name)  (&milvus__proto__common__##name##__descriptor)

static ProtobufCMessage *must_read(const ProtobufCMessageDescriptor *type, const char *text)
{
    json_error_t where;
    json_t *json = json_loads(text, JSON_ALLOW_NUL, &where);
    cr_assert_not_null(json, "%s: %s", text, where.text);
    ProtobufCMessage *message = NULL;
    char *error = NULL;
    int failed = json_pb_read(json, type, &message, &error);
    cr_assert_eq(failed, 0, "%s: %s", text, error);
    json_decref(json);
    return message;
}

/* Packs and unpacks on the way, so that what is compared has been on the wire. */
static char *print_through_wire(ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = malloc(size + 1);
    protobuf_c_message_pack(message, bytes);
    protobuf_c_message_free_unpacked(message, NULL);

    char *error = NULL;
    json_t *json = NULL;
    ProtobufCMessage *again = NULL;
    int failed = json_pb_unpack(type, span_of(bytes, size), JSON_PB_LIMITS, &again, &error);
    cr_assert_eq(failed, 0, "%s", error);
    failed = json_pb_write(again, &json, &error);
    cr_assert_eq(failed, 0, "%s", error);
    char *text = json_pb_text(json, 0);
    json_decref(json);
    protobuf_c_message_free_unpacked(again, NULL);
    free(bytes);
    return text;
}

static void becomes(const ProtobufCMessageDescriptor *type, const char *given, const char *expected)
{
    char *text = print_through_wire(must_read(type, given));
    cr_assert_str_eq(text, expected);
    free(text);
}

static void stays(const ProtobufCMessageDescriptor *type, const char *text)
{
    becomes(type, text, text);
}

static void refused(const ProtobufCMessageDescriptor *type, const char *text, const char *expected)
{
    json_t *json = json_loads(text, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
    cr_assert_not_null(json, "%s", text);
    ProtobufCMessage *message = NULL;
    char *error = NULL;
    cr_assert_eq(json_pb_read(json, type, &message, &error), -1, "%s was read", text);
    cr_assert_null(message);
    cr_assert_str_eq(error, expected);
    free(error);
    json_decref(json);
}

Test(json, keeps_each_kind_of_scalar)
{
    stays(SCHEMA(value_field), "{\"bool_data\":true}");
    stays(SCHEMA(value_field), "{\"bool_data\":false}");
    stays(SCHEMA(value_field), "{\"int_data\":-2147483648}");
    stays(SCHEMA(value_field), "{\"long_data\":0}");
    stays(SCHEMA(value_field), "{\"float_data\":0.1}");
    stays(SCHEMA(value_field), "{\"double_data\":0.1}");
    stays(SCHEMA(value_field), "{\"string_data\":\"\"}");
    stays(SCHEMA(value_field), "{\"bytes_data\":\"AAH/\"}");
    stays(MESSAGE(insert_request), "{\"hash_keys\":[0,4294967295],\"num_rows\":7}");
}

Test(json, keeps_each_kind_of_column)
{
    stays(SCHEMA(field_data), "{\"type\":\"Int64\",\"field_name\":\"id\",\"scalars\":"
                              "{\"long_data\":{\"data\":[1,-1]}},\"valid_data\":[true,false]}");
    stays(SCHEMA(scalar_field), "{\"bool_data\":{\"data\":[true,false]}}");
    stays(SCHEMA(scalar_field), "{\"double_data\":{\"data\":[1.0,-0.0,1e+300]}}");
    stays(SCHEMA(scalar_field), "{\"string_data\":{\"data\":[\"\",\"\xc3\xa4\\n\\u0001\\\\\"]}}");
    stays(SCHEMA(scalar_field), "{\"json_data\":{\"data\":[\"e30=\"]}}");
    stays(SCHEMA(scalar_field), "{\"array_data\":{\"data\":[{\"int_data\":{\"data\":[1]}},{}],"
                                "\"element_type\":\"Int32\"}}");
    stays(SCHEMA(vector_field), "{\"dim\":2,\"float_vector\":{\"data\":[0.25,3.4028235e+38]}}");
    stays(SCHEMA(vector_field), "{\"dim\":8,\"binary_vector\":\"/w==\"}");
    stays(SCHEMA(vector_field),
          "{\"sparse_float_vector\":{\"contents\":[\"AAAAAA==\"],\"dim\":1}}");
}

Test(json, keeps_maps)
{
    stays(COMMON(status), "{\"code\":5,\"extra_info\":{\"a\":\"1\",\"\":\"\"}}");
    stays(MESSAGE(flush_response), "{\"coll_segIDs\":{\"c\":{\"data\":[1]},\"d\":{}},"
                                   "\"coll_seal_times\":{\"c\":0}}");
}

Test(json, takes_camel_case_and_null)
{
    becomes(MESSAGE(search_request), "{\"dbName\":\"a\",\"collectionName\":\"b\",\"nq\":null}",
            "{\"db_name\":\"a\",\"collection_name\":\"b\"}");
    stays(MESSAGE(mutation_result), "{\"IDs\":{\"int_id\":{}},\"insert_cnt\":1}");
}

Test(json, int64_beyond_exact_doubles_is_text)
{
    stays(SCHEMA(value_field), "{\"long_data\":9007199254740992}");
    becomes(SCHEMA(value_field), "{\"long_data\":9007199254740993}",
            "{\"long_data\":\"9007199254740993\"}");
    stays(SCHEMA(value_field), "{\"long_data\":\"-9223372036854775808\"}");
    stays(SCHEMA(value_field), "{\"long_data\":\"9223372036854775807\"}");
    becomes(SCHEMA(value_field), "{\"long_data\":\"-0\"}", "{\"long_data\":0}");
    becomes(SCHEMA(value_field), "{\"long_data\":1e3}", "{\"long_data\":1000}");
    stays(MESSAGE(mutation_result), "{\"timestamp\":\"18446744073709551615\"}");
}

Test(json, integers_out_of_range_are_refused)
{
    refused(SCHEMA(value_field), "{\"int_data\":2147483648}",
            "int_data: expected an integer from -2147483648 to 2147483647");
    refused(SCHEMA(value_field), "{\"long_data\":\"9223372036854775808\"}",
            "long_data: expected an integer from -9223372036854775808 to 9223372036854775807");
    refused(SCHEMA(value_field), "{\"long_data\":\"18446744073709551616\"}",
            "long_data: expected an integer of 64 bits at most");
    refused(SCHEMA(value_field), "{\"long_data\":1.5}",
            "long_data: expected an integer of 64 bits at most");
    refused(MESSAGE(insert_request), "{\"num_rows\":-1}",
            "num_rows: expected an integer from 0 to 4294967295");
}

Test(json, floats_are_shortest_and_specials_are_text)
{
    stays(SCHEMA(float_array), "{\"data\":[0.1,1e-45,16777216.0,3.1415927,-0.0]}");
    stays(SCHEMA(double_array), "{\"data\":[0.1,0.30000000000000004,5e-324,1e+22]}");
    stays(SCHEMA(float_array), "{\"data\":[\"NaN\",\"Infinity\",\"-Infinity\"]}");
    stays(SCHEMA(double_array), "{\"data\":[\"NaN\",\"Infinity\",\"-Infinity\"]}");
    becomes(SCHEMA(float_array), "{\"data\":[1,\"2.5\"]}", "{\"data\":[1.0,2.5]}");
    refused(SCHEMA(float_array), "{\"data\":[1e39]}",
            "data[0]: expected a number that a float can hold");
    refused(SCHEMA(double_array), "{\"data\":[\"nan\"]}",
            "data[0]: expected a number, \"NaN\", \"Infinity\" or \"-Infinity\"");
}

Test(json, every_float_comes_back)
{
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t bits = i * 214013u;
        float value;
        memcpy(&value, &bits, sizeof(value));
        if (!isfinite(value))
            continue;
        Milvus__Proto__Schema__FloatArray array = MILVUS__PROTO__SCHEMA__FLOAT_ARRAY__INIT;
        array.data = &value;
        array.n_data = 1;
        json_t *json;
        char *error;
        ProtobufCMessage *again = NULL;
        cr_assert_eq(json_pb_write((const ProtobufCMessage *)&array, &json, &error), 0);
        char *text = json_pb_text(json, 0);
        json_decref(json);
        again = must_read(SCHEMA(float_array), text);
        cr_assert_eq(memcmp(((Milvus__Proto__Schema__FloatArray *)again)->data, &value, 4), 0, "%s",
                     text);
        protobuf_c_message_free_unpacked(again, NULL);
        free(text);
    }
}

Test(json, enums_by_name_or_number)
{
    stays(SCHEMA(field_schema), "{\"data_type\":\"FloatVector\"}");
    becomes(SCHEMA(field_schema), "{\"data_type\":101}", "{\"data_type\":\"FloatVector\"}");
    stays(SCHEMA(field_schema), "{\"data_type\":9999}");
    refused(SCHEMA(field_schema), "{\"data_type\":\"FloatVectr\"}",
            "data_type: unknown DataType \"FloatVectr\"; did you mean \"FloatVector\"?");
}

Test(json, schema_is_an_object)
{
    stays(MESSAGE(create_collection_request),
          "{\"collection_name\":\"c\",\"schema\":{\"name\":\"c\",\"fields\":[{\"name\":\"id\","
          "\"is_primary_key\":true,\"data_type\":\"Int64\"}]}}");
    becomes(MESSAGE(create_collection_request), "{\"schema\":\"CgFj\"}",
            "{\"schema\":{\"name\":\"c\"}}");
    stays(MESSAGE(create_collection_request), "{\"schema\":\"/w==\"}");
    refused(MESSAGE(create_collection_request), "{\"schema\":{\"fields\":[{},{},{\"nam\":\"x\"}]}}",
            "schema.fields[2].nam: unknown field; did you mean \"name\"?");
    refused(MESSAGE(create_collection_request), "{\"schema\":[]}",
            "schema: expected an object or base64, got a list");
}

Test(json, placeholders_are_numbers)
{
    const char *text = "{\"placeholder_group\":{\"placeholders\":[{\"tag\":\"$0\",\"type\":"
                       "\"FloatVector\",\"values\":[[0.5,-1.0],[]]}]},\"nq\":2}";
    stays(MESSAGE(search_request), text);
    Milvus__Proto__Common__PlaceholderValue *value =
        (void *)must_read(COMMON(placeholder_value), "{\"values\":[[1]],\"type\":\"FloatVector\"}");
    cr_assert_eq(value->values[0].len, 4);
    cr_assert_arr_eq(value->values[0].data, "\x00\x00\x80\x3f", 4);
    protobuf_c_message_free_unpacked((ProtobufCMessage *)value, NULL);
    stays(COMMON(placeholder_value), "{\"type\":\"BinaryVector\",\"values\":[\"/w==\"]}");
    refused(COMMON(placeholder_value), "{\"type\":\"Int8Vector\",\"values\":[[1]]}",
            "values as numbers need \"type\": \"FloatVector\"");
    refused(COMMON(placeholder_value), "{\"type\":\"FloatVector\",\"values\":[[1,\"x\"]]}",
            "values[0][1]: expected a number, \"NaN\", \"Infinity\" or \"-Infinity\"");
}

Test(json, errors_name_the_path)
{
    refused(MESSAGE(search_request), "[]", "expected an object, got a list");
    refused(MESSAGE(search_request), "{\"zzz\":1}", "zzz: unknown field of SearchRequest");
    refused(MESSAGE(search_request), "{\"dsl\":1}", "dsl: expected a text, got a number");
    refused(MESSAGE(search_request), "{\"dsl\":\"a\\u0000b\"}", "dsl: a text with a NUL character");
    refused(MESSAGE(search_request), "{\"output_fields\":{}}",
            "output_fields: expected a list, got an object");
    refused(MESSAGE(search_request), "{\"output_fields\":[\"a\",null]}",
            "output_fields[1]: expected a text, got null");
    refused(MESSAGE(search_request), "{\"not_return_all_meta\":\"true\"}",
            "not_return_all_meta: expected true or false, got a text");
    refused(MESSAGE(search_request), "{\"ids\":{},\"placeholder_group\":{}}",
            "placeholder_group: excludes another key that is given");
    refused(MESSAGE(search_request), "{\"db_name\":\"a\",\"dbName\":\"b\"}", "dbName: given twice");
    refused(COMMON(status), "{\"extra_info\":{\"a\":1}}",
            "extra_info[\"a\"]: expected a text, got a number");
    refused(SCHEMA(vector_field), "{\"binary_vector\":\"!\"}", "binary_vector: expected base64");
}

Test(json, text_that_is_no_utf8_is_an_error)
{
    Milvus__Proto__Common__Status status = MILVUS__PROTO__COMMON__STATUS__INIT;
    char reason[] = "\xff";
    status.reason = reason;
    json_t *json = NULL;
    char *error = NULL;
    cr_assert_eq(json_pb_write((const ProtobufCMessage *)&status, &json, &error), -1);
    cr_assert_str_eq(error, "reason: not UTF-8");
    free(error);
}

/* ScalarField.array_data (8) > ArrayArray.data (1), as often as asked; lengths fit two bytes. */
static size_t nest(uint8_t *to, size_t room, unsigned levels)
{
    size_t length = 0;
    uint8_t *end = to + room;
    for (unsigned i = 0; i < 2 * levels; i++) {
        uint8_t *at = end - length;
        at[-1] = (uint8_t)(length >> 7);
        at[-2] = (uint8_t)(length & 0x7f) | 0x80;
        at[-3] = i % 2 ? 0x42 : 0x0a;
        length += 3;
    }
    memmove(to, end - length, length);
    return length;
}

static int unpack(const ProtobufCMessageDescriptor *type, const void *bytes, size_t length,
                  struct json_pb_limits limits, char **ret_error)
{
    ProtobufCMessage *message = NULL;
    int failed = json_pb_unpack(type, span_of(bytes, length), limits, &message, ret_error);
    protobuf_c_message_free_unpacked(message, NULL);
    return failed;
}

Test(json, depth_of_bytes_is_limited)
{
    uint8_t bytes[2048];
    char *error = NULL;
    size_t length = nest(bytes, sizeof(bytes), 31);
    cr_assert_eq(unpack(SCHEMA(scalar_field), bytes, length, JSON_PB_LIMITS, &error), 0, "%s",
                 error);
    length = nest(bytes, sizeof(bytes), 32);
    cr_assert_eq(unpack(SCHEMA(scalar_field), bytes, length, JSON_PB_LIMITS, &error), -1);
    cr_assert(strstr(error, "nested deeper than 64 messages"), "%s", error);
    free(error);
}

Test(json, depth_of_json_is_limited)
{
    json_t *json = json_object();
    for (int i = 0; i < 32; i++)
        json = json_pack("{s:{s:[o]}}", "array_data", "data", json);
    ProtobufCMessage *message = NULL;
    char *error = NULL;
    cr_assert_eq(json_pb_read(json, SCHEMA(scalar_field), &message, &error), -1);
    cr_assert(strstr(error, "nested deeper than 64 messages"), "%s", error);
    free(error);
    json_decref(json);
}

Test(json, elements_are_limited)
{
    static const uint8_t texts[] = {0x0a, 0, 0x0a, 0, 0x0a, 0};
    static const uint8_t packed[] = {0x0a, 4, 1, 1, 1, 1};
    struct json_pb_limits limits = {.depth = 4, .elements = 3};
    char *error = NULL;
    cr_assert_eq(unpack(SCHEMA(string_array), texts, 6, limits, &error), 0);
    cr_assert_eq(unpack(SCHEMA(long_array), packed, 6, limits, &error), -1);
    cr_assert_str_eq(error, "data: more than 3 elements in one message");
    free(error);
}

Test(json, merged_messages_are_limited)
{
    uint8_t bytes[100] = {0};
    char *error = NULL;
    for (size_t i = 0; i < sizeof(bytes); i += 2)
        bytes[i] = 0x0a; /* status, empty */
    cr_assert_eq(unpack(MESSAGE(bool_response), bytes, 34, JSON_PB_LIMITS, &error), 0);
    cr_assert_eq(unpack(MESSAGE(bool_response), bytes, 100, JSON_PB_LIMITS, &error), -1);
    cr_assert_str_eq(error, "status: stands more than once");
    free(error);
}

Test(json, malformed_bytes_are_errors)
{
    char *error = NULL;
    cr_assert_eq(unpack(MESSAGE(bool_response), "\x0a\x05", 2, JSON_PB_LIMITS, &error), -1);
    cr_assert_str_eq(error, "malformed BoolResponse");
    free(error);
    cr_assert_eq(unpack(MESSAGE(bool_response), "\x0a\x01\xff", 3, JSON_PB_LIMITS, &error), -1);
    cr_assert_str_eq(error, "status: malformed Status");
    free(error);
    cr_assert_eq(unpack(MESSAGE(bool_response), NULL, 0, JSON_PB_LIMITS, &error), 0);
}

Test(json, prints_indented)
{
    json_t *json = json_pack("{s:[i,f],s:{},s:[{s:n}]}", "a", 1, 2.5, "b", "c", "d");
    char *text = json_pb_text(json, 2);
    cr_assert_str_eq(text, "{\n  \"a\": [1, 2.5],\n  \"b\": {},\n  \"c\": [\n    {\n"
                           "      \"d\": null\n    }\n  ]\n}");
    free(text);
    json_decref(json);
}

Test(method, is_found_by_either_name)
{
    const struct method *search = method_find("Search");
    cr_assert_not_null(search);
    cr_assert_eq(search->request, MESSAGE(search_request));
    cr_assert_eq(search->reply, MESSAGE(search_results));
    cr_assert_eq(method_find("milvus.proto.milvus.MilvusService/Search"), search);
    cr_assert_eq(method_find("/milvus.proto.milvus.MilvusService/Search"), search);
    cr_assert_null(method_find("other.Service/Search"));
    cr_assert_null(method_find("search"));
    cr_assert_null(method_find(""));
}

Test(method, all_are_found)
{
    size_t count;
    const struct method *methods = method_all(&count);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(method_find(methods[i].name), &methods[i], "%s", methods[i].name);
}

Test(method, near_names_come_nearest_first)
{
    const char *names[3];
    cr_assert_eq(method_near("serch", names, 3) > 0, 1);
    cr_assert_str_eq(names[0], "Search");
    cr_assert_eq(method_near("Alias", names, 3), 3);
    cr_assert_eq(method_near("Xyzzy", names, 3), 0);
}

Test(method, status_wherever_it_stands)
{
    ProtobufCMessage *reply = must_read(MESSAGE(bool_response), "{\"status\":{\"code\":7}}");
    cr_assert_eq(method_status(reply)->code, 7);
    protobuf_c_message_free_unpacked(reply, NULL);
    reply = must_read(COMMON(status), "{\"code\":8}");
    cr_assert_eq(method_status(reply)->code, 8);
    protobuf_c_message_free_unpacked(reply, NULL);
    reply = must_read(MESSAGE(bool_response), "{}");
    cr_assert_null(method_status(reply));
    protobuf_c_message_free_unpacked(reply, NULL);
}

Test(near, counts_letters)
{
    cr_assert_eq(json_near("name", "name"), 0);
    cr_assert_eq(json_near("nam", "name"), 1);
    cr_assert_eq(json_near("NAME", "name"), 0);
    cr_assert_eq(json_near("xyz", "name"), JSON_NEAR_NONE);
    cr_assert_eq(json_near("", "name"), JSON_NEAR_NONE);
}
