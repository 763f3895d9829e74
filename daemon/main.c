/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "daemon/command_call.h"
#include "daemon/command_check.h"
#include "daemon/command_serve.h"
#include "daemon/command_token.h"
#include "daemon/process.h"

#define EXIT_USAGE 2

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *does;
} commands[] = {
    {"serve", command_serve, "the daemon, in the foreground"},
    {"check", command_check, "says what is wrong with a configuration"},
    {"call", command_call, "one RPC to Milvus through the daemon"},
    {"token", command_token, "makes a line of tokens_file"},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *to)
{
    fputs("Usage: milvus-bouncer COMMAND [OPTION]...\n\n", to);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(to, "  %-6s %s\n", commands[i].name, commands[i].does);
    fputs("\n  --version, --help; COMMAND --help\n", to);
}

/* What could not be printed was not said. */
static int printed(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    perror("milvus-bouncer: standard output");
    return code == 0 ? 1 : code;
}

int main(int argc, char **argv)
{
    process_close();
    if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
        puts("milvus-bouncer " MVB_VERSION);
        return printed(0);
    }
    if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
        print_help(stdout);
        return printed(0);
    }
    for (size_t i = 0; argc >= 2 && i < COMMAND_COUNT; i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return printed(commands[i].run(argc - 1, argv + 1));
    }
    print_help(stderr);
    return EXIT_USAGE;
}
