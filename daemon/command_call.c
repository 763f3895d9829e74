/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/command_call.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/value.h"
#include "milvus/common.pb-c.h"
#include "mvb.h"
#include "proto/json.h"
#include "proto/method.h"

#define ADDRESS_DEFAULT "unix:/run/milvus-bouncer/milvus.sock"

enum { EXIT_OK, EXIT_ERROR, EXIT_USAGE };

struct options {
    const char *address;
    const char *database; /* NULL: none named */
    const char *method;
    const char *json;
    uint32_t timeout; /* ms, 0: the daemon's own */
};

static const char usage_text[] =
    "Usage: milvus-bouncer call [-s ADDRESS] [-d DATABASE] [-t TIMEOUT] METHOD [JSON]\n";

static const char help_text[] =
    "One RPC to Milvus through the daemon; prints the reply as JSON.\n\n"
    "  METHOD                 Search, ListDatabases, ...\n"
    "  JSON                   the request, {} without it; - reads it from stdin, @FILE from a "
    "file\n"
    "  -s, --server=ADDRESS   unix:/path, 127.0.0.1:19530 or [::1]:19530\n"
    "                         (" ADDRESS_DEFAULT ")\n"
    "  -d, --database=NAME    the database, for requests that name none\n"
    "  -t, --timeout=TIME     500ms, 10s, 5m; the daemon's own without it\n"
    "  -h, --help\n\n"
    "Exit code: 0; 1 an error from Milvus or the daemon; 2 a fault in the command or the "
    "request.\n";

static int fail_usage(void)
{
    fputs(usage_text, stderr);
    return -1;
}

static int parse_timeout(const char *text, uint32_t *ret_timeout)
{
    int64_t value;
    if (value_parse(value_durations, text, &value) != 0 || value <= 0 || value > INT32_MAX) {
        fprintf(stderr, "call: a timeout is a number with a unit, 500ms, 10s or 5m: %s\n", text);
        return -1;
    }
    *ret_timeout = (uint32_t)value;
    return 0;
}

static int parse_option(int option, struct options *options)
{
    switch (option) {
    case 's':
        options->address = optarg;
        return 0;
    case 'd':
        options->database = optarg;
        return 0;
    case 't':
        return parse_timeout(optarg, &options->timeout);
    default:
        return fail_usage();
    }
}

/* 0 go on; 1 help was asked for; -1 after saying what is wrong. */
static int parse_options(int argc, char **argv, struct options *ret_options)
{
    static const struct option table[] = {
        {"server", required_argument, NULL, 's'},
        {"database", required_argument, NULL, 'd'},
        {"timeout", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.address = ADDRESS_DEFAULT, .json = "{}"};
    int option;
    optind = 0; /* scans anew, whatever main() has scanned */
    while ((option = getopt_long(argc, argv, "s:d:t:h", table, NULL)) != -1) {
        if (option == 'h')
            return 1;
        if (parse_option(option, &options) != 0)
            return -1;
    }
    if (argc - optind < 1 || argc - optind > 2)
        return fail_usage();
    options.method = argv[optind];
    if (argc - optind == 2)
        options.json = argv[optind + 1];
    *ret_options = options;
    return 0;
}

static const struct method *find_method(const char *name)
{
    const char *near[5];
    const struct method *method = method_find(name);
    if (method)
        return method;
    fprintf(stderr, "call: unknown method %s", name);
    size_t count = method_near(name, near, sizeof(near) / sizeof(*near));
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, "%s%s", i == 0 ? "; did you mean " : ", ", near[i]);
    fprintf(stderr, "%s\n", count > 0 ? "?" : "");
    return NULL;
}

static json_t *load_json(const char *source, json_error_t *ret_fault)
{
    if (strcmp(source, "-") == 0)
        return json_loadf(stdin, JSON_REJECT_DUPLICATES, ret_fault);
    if (*source == '@')
        return json_load_file(source + 1, JSON_REJECT_DUPLICATES, ret_fault);
    return json_loads(source, JSON_REJECT_DUPLICATES, ret_fault);
}

/* The request that the JSON stands for, or NULL after saying what is wrong with it. */
static ProtobufCMessage *read_request(const struct options *options, const struct method *method)
{
    json_error_t fault;
    ProtobufCMessage *request = NULL;
    char *error;
    json_t *json = load_json(options->json, &fault);
    if (!json) {
        fprintf(stderr, "call: not JSON: line %d, column %d: %s\n", fault.line, fault.column,
                fault.text);
        return NULL;
    }
    if (json_pb_read(json, method->request, &request, &error) != 0) {
        fprintf(stderr, "call: %s\n", error ? error : "no memory");
        free(error);
    }
    json_decref(json);
    return request;
}

static void print_failure(const struct mvb_reply *reply)
{
    fprintf(stderr, "call: %s (phase %s): %s\n", mvb_code_name(reply->code),
            mvb_phase_name(reply->phase), reply->message);
}

/* What Milvus says in the reply's Status. Both codes are 0 where all went well. */
static int report_status(const ProtobufCMessage *reply)
{
    const Milvus__Proto__Common__Status *status = method_status(reply);
    if (!status || (status->code == 0 && status->error_code == 0))
        return EXIT_OK;
    fprintf(stderr, "call: Milvus answers code %d: %s\n",
            status->code != 0 ? status->code : (int)status->error_code, status->reason);
    return EXIT_ERROR;
}

static int print_message(const ProtobufCMessage *reply, char **ret_error)
{
    json_t *json;
    *ret_error = NULL;
    if (json_pb_write(reply, &json, ret_error) != 0)
        return -1;
    char *text = json_pb_text(json, 2);
    json_decref(json);
    int printed = text ? puts(text) : EOF;
    free(text);
    return printed == EOF ? -1 : 0;
}

static int report_unreadable(char *error)
{
    fprintf(stderr, "call: the reply cannot be printed: %s\n", error ? error : strerror(errno));
    free(error);
    return EXIT_ERROR;
}

static int print_reply(const struct method *method, const struct mvb_reply *reply)
{
    ProtobufCMessage *message;
    char *error;
    if (json_pb_unpack(method->reply, span_of(reply->data, reply->size), JSON_PB_LIMITS, &message,
                       &error) != 0)
        return report_unreadable(error);
    int result =
        print_message(message, &error) == 0 ? report_status(message) : report_unreadable(error);
    protobuf_c_message_free_unpacked(message, NULL);
    return result;
}

static int call_packed(struct mvb *mvb, const struct options *options, const struct method *method,
                       struct span request)
{
    struct mvb_reply reply;
    int result = EXIT_ERROR;
    if (mvb_call(mvb, options->database, method->name, request.at, request.length, options->timeout,
                 &reply) == MVB_OK)
        result = print_reply(method, &reply);
    else
        print_failure(&reply);
    mvb_reply_clear(&reply);
    return result;
}

static int call(struct mvb *mvb, const struct options *options, const struct method *method)
{
    ProtobufCMessage *request = read_request(options, method);
    if (!request)
        return EXIT_USAGE;
    size_t size = protobuf_c_message_get_packed_size(request);
    uint8_t *packed = malloc(size ? size : 1);
    if (packed)
        protobuf_c_message_pack(request, packed);
    protobuf_c_message_free_unpacked(request, NULL);
    if (!packed) {
        fprintf(stderr, "call: no memory for the request\n");
        return EXIT_ERROR;
    }
    int result = call_packed(mvb, options, method, span_of(packed, size));
    free(packed);
    return result;
}

int command_call(int argc, char **argv)
{
    struct options options;
    int parsed = parse_options(argc, argv, &options);
    if (parsed > 0) {
        printf("%s%s", usage_text, help_text);
        return EXIT_OK;
    }
    const struct method *method = parsed == 0 ? find_method(options.method) : NULL;
    if (!method)
        return EXIT_USAGE;
    struct mvb *mvb;
    const char *error;
    if (mvb_open(&mvb, options.address, &error) != 0) {
        fprintf(stderr, "call: %s: %s\n", options.address, error);
        return EXIT_USAGE;
    }
    int result = call(mvb, &options, method);
    mvb_close(mvb);
    return result;
}
