/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/command_check.h"

#include <getopt.h>
#include <stdlib.h>

#include "auth/credential.h"
#include "auth/rules.h"
#include "conf/conf.h"
#include "daemon/connect_check.h"
#include "daemon/paths.h"

static const char usage_text[] = "Usage: milvus-bouncer check [-c FILE] [--connect]\n";

static const char help_text[] =
    "Says every fault of a configuration: FILE:LINE:COLUMN: what is wrong and what would be "
    "right.\n\n"
    "  -c, --config=FILE  the configuration (" PATH_CONFIGURATION ")\n"
    "      --connect      also tries each database's upstream with each of its credentials\n"
    "  -h, --help\n\n"
    "Exit code: 0 all is well; 1 a fault; 2 usage.\n";

/* Reads the secret as serve would. 0, or -1 after saying what is wrong with it. */
static int check_credential(const char *file, const struct conf_credential *conf)
{
    struct credential *credential;
    char *error;
    if (credential_open(conf, &credential, &error) == 0) {
        credential_close(credential);
        return 0;
    }
    fprintf(stderr, "%s:%u:%u: %s\n", file, conf->line, conf->column,
            error ? error : "no memory for a credential");
    free(error);
    return -1;
}

static int check_credentials(const char *file, const struct conf *conf)
{
    int result = 0;
    for (size_t i = 0; i < conf->upstream_count; i++) {
        if (check_credential(file, &conf->upstreams[i].credential) != 0)
            result = -1;
    }
    for (size_t i = 0; i < conf->database_count; i++) {
        const struct conf_database *database = &conf->databases[i];
        if (database->own_credential && check_credential(file, &database->credential) != 0)
            result = -1;
    }
    for (size_t i = 0; i < conf->rule_count; i++) {
        const struct conf_credential *credential = &conf->rules[i].credential;
        if (conf_credential_is_given(credential) && check_credential(file, credential) != 0)
            result = -1;
    }
    return result;
}

static int check_tokens(const char *file, const struct conf *conf)
{
    struct tokens *tokens;
    struct conf_fault fault;
    if (rules_open_tokens(conf, 0, &tokens, &fault) == 0) {
        tokens_close(tokens);
        return 0;
    }
    fprintf(stderr, "%s:%u:%u: %s\n", file, fault.line, fault.column,
            fault.text ? fault.text : "no memory for the tokens");
    free(fault.text);
    return -1;
}

static int check(const char *file, bool connect)
{
    struct conf *conf;
    struct conf_faults faults;
    if (conf_load(file, &conf, &faults) != 0) {
        conf_faults_print(&faults, file, stderr);
        conf_faults_free(&faults);
        return 1;
    }
    int result = check_credentials(file, conf);
    if (check_tokens(file, conf) != 0)
        result = -1;
    if (result == 0 && connect)
        result = connect_check(conf);
    conf_free(conf);
    conf_faults_free(&faults);
    if (result != 0)
        return 1;
    printf("%s: ok\n", file);
    return 0;
}

int command_check(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"connect", no_argument, NULL, 'C'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    const char *file = PATH_CONFIGURATION;
    bool connect = false;
    int option;
    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        if (option == 'h') {
            printf("%s\n%s", usage_text, help_text);
            return 0;
        }
        if (option == '?') {
            fputs(usage_text, stderr);
            return 2;
        }
        if (option == 'c')
            file = optarg;
        if (option == 'C')
            connect = true;
    }
    if (optind < argc) {
        fputs(usage_text, stderr);
        return 2;
    }
    return check(file, connect);
}
