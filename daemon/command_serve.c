/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/command_serve.h"

#include <getopt.h>
#include <stdlib.h>

#include "daemon/daemon.h"
#include "daemon/paths.h"

#define LISTEN_MAX 64 /* addresses on one command line */

enum { EXIT_FAULT = 1, EXIT_USAGE = 2 };

struct arguments {
    const char *file;
    const char *upstream;
    const char *token_file;
    bool allow_plaintext;
    const char *listen[LISTEN_MAX];
    size_t listen_count;
    bool help;
};

static const char usage_text[] =
    "Usage: milvus-bouncer serve [-c FILE]\n"
    "       milvus-bouncer serve --upstream URI [--token-file FILE] [--allow-plaintext]\n"
    "                            [--listen ADDRESS]...\n";

static const char help_text[] =
    "Serves in the foreground and logs to stderr; SIGTERM or SIGINT drains and ends it, SIGHUP\n"
    "reads the configuration again.\n\n"
    "  -c, --config=FILE      the configuration (" PATH_CONFIGURATION ")\n"
    "      --upstream=URI     without a file: http://HOST:PORT or https://HOST:PORT\n"
    "      --token-file=FILE  a token, or user:password, for that upstream\n"
    "      --allow-plaintext  http:// to another host, where credentials can be read on the way\n"
    "      --listen=ADDRESS   unix:/path, 127.0.0.1:19530 or [::1]:19530; may stand several times\n"
    "                         (unix:/run/milvus-bouncer/milvus.sock)\n"
    "  -h, --help\n\n"
    "Exit code: 0 after a drain; 1 a fault in the configuration; 2 usage; 3 an address could not "
    "be bound.\n";

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"upstream", required_argument, NULL, 'u'},
    {"token-file", required_argument, NULL, 't'},
    {"allow-plaintext", no_argument, NULL, 'p'},
    {"listen", required_argument, NULL, 'l'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static int take(struct arguments *arguments, int option)
{
    switch (option) {
    case 'c':
        arguments->file = optarg;
        return 0;
    case 'u':
        arguments->upstream = optarg;
        return 0;
    case 't':
        arguments->token_file = optarg;
        return 0;
    case 'p':
        arguments->allow_plaintext = true;
        return 0;
    case 'l':
        if (arguments->listen_count == LISTEN_MAX)
            return -1;
        arguments->listen[arguments->listen_count++] = optarg;
        return 0;
    case 'h':
        arguments->help = true;
        return 0;
    default:
        return -1;
    }
}

static int parse(int argc, char **argv, struct arguments *arguments)
{
    int option;
    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        if (take(arguments, option) != 0)
            return -1;
    }
    bool direct =
        arguments->token_file || arguments->allow_plaintext || arguments->listen_count > 0;
    if (optind < argc || (arguments->file && arguments->upstream))
        return -1;
    return direct && !arguments->upstream ? -1 : 0;
}

static int load(const struct arguments *arguments, const char *file, struct conf **ret_conf)
{
    struct conf_faults faults;
    int result = arguments->upstream
                     ? conf_from_arguments(arguments->upstream, arguments->token_file,
                                           arguments->allow_plaintext, arguments->listen,
                                           arguments->listen_count, ret_conf, &faults)
                     : conf_load(file, ret_conf, &faults);
    if (result != 0)
        conf_faults_print(&faults, file, stderr);
    conf_faults_free(&faults);
    return result;
}

int command_serve(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct conf *conf;
    if (parse(argc, argv, &arguments) != 0) {
        fputs(usage_text, stderr);
        return EXIT_USAGE;
    }
    if (arguments.help) {
        printf("%s\n%s", usage_text, help_text);
        return 0;
    }
    const char *file = arguments.file ? arguments.file : PATH_CONFIGURATION;
    if (load(&arguments, file, &conf) != 0)
        return EXIT_FAULT;
    int result = (int)daemon_run(conf, arguments.upstream ? NULL : file);
    conf_free(conf);
    return result;
}
