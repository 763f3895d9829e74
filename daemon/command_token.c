/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/command_token.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <termios.h>
#include <unistd.h>

#include "auth/token_hash.h"
#include "auth/tokens_file.h"
#include "proto/base64.h"

#define DRAWN_BYTES 32 /* of a random secret */
#define DRAWN_SIZE  BASE64_SIZE(DRAWN_BYTES)

enum { EXIT_FAULT = 1, EXIT_USAGE = 2 };

static const char usage_text[] = "Usage: milvus-bouncer token [--random] NAME\n";

static const char help_text[] =
    "Prints a line for tokens_file, NAME and a salted hash of the token's secret. The secret is "
    "one\n"
    "line of standard input, or is asked for at a terminal. Clients show NAME:SECRET: as token, "
    "or\n"
    "NAME as user and SECRET as password.\n\n"
    "  -r, --random  draws a secret and prints NAME:SECRET to standard error; the better choice\n"
    "  -h, --help\n\n"
    "Exit code: 0; 1 no secret could be had; 2 usage.\n";

/* Room for the longest secret, its line end and a NUL, and a byte to see that it is longer. */
struct secret {
    char text[TOKEN_SECRET_MAX + 4];
    size_t length;
};

static int fail(const char *what)
{
    fprintf(stderr, "token: %s\n", what);
    return -1;
}

/* A line, without stdio's buffers, which nobody wipes. What is longer than any secret is cut, but
 * longer still. */
static int read_line(int file, struct secret *secret)
{
    secret->length = 0;
    while (secret->length < sizeof(secret->text)) {
        char *to = secret->text + secret->length;
        ssize_t got = read(file, to, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail("cannot read the secret");
        if (got == 0 || *to == '\n')
            break;
        secret->length++;
    }
    if (secret->length > 0 && secret->text[secret->length - 1] == '\r')
        secret->length--;
    return 0;
}

/* With a prompt, and without showing what is typed. */
static int ask(const char *prompt, struct secret *secret)
{
    struct termios shown;
    fputs(prompt, stderr);
    if (tcgetattr(STDIN_FILENO, &shown) != 0)
        return fail("cannot ask at this terminal");
    struct termios hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    int result = read_line(STDIN_FILENO, secret);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    fputc('\n', stderr);
    return result;
}

static int ask_twice(struct secret *secret)
{
    struct secret again;
    int result = ask("secret: ", secret) == 0 ? ask("again: ", &again) : -1;
    if (result == 0 &&
        !span_equal(span_of(secret->text, secret->length), span_of(again.text, again.length)))
        result = fail("the two are not the same");
    explicit_bzero(&again, sizeof(again));
    return result;
}

static int read_secret(struct secret *secret)
{
    int result = isatty(STDIN_FILENO) ? ask_twice(secret) : read_line(STDIN_FILENO, secret);
    if (result != 0)
        return -1;
    if (secret->length == 0)
        return fail("the secret is empty");
    if (secret->length > TOKEN_SECRET_MAX)
        return fail("the secret is longer than 511 bytes");
    if (memchr(secret->text, '\0', secret->length))
        return fail("the secret holds a NUL");
    return 0;
}
_Static_assert(TOKEN_SECRET_MAX == 511, "the text above names it");

/* In the URL alphabet without padding, which stands anywhere without quotes. */
static int draw_secret(struct secret *secret)
{
    uint8_t bytes[DRAWN_BYTES];
    if (getentropy(bytes, sizeof(bytes)) != 0)
        return fail("the kernel has no random numbers");
    base64_encode(span_of(bytes, sizeof(bytes)), secret->text);
    explicit_bzero(bytes, sizeof(bytes));
    secret->length = 0;
    for (size_t i = 0; i < DRAWN_SIZE && secret->text[i] != '='; i++) {
        char *at = &secret->text[secret->length++];
        *at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
    }
    return 0;
}

static int print_line(const char *name, struct secret *secret, bool drawn)
{
    char *hash = token_hash_make(span_of(secret->text, secret->length), drawn);
    if (!hash)
        return fail("the secret cannot be hashed");
    printf("%s:%s\n", name, hash);
    if (drawn)
        fprintf(stderr, "the token is %s:%.*s\n", name, (int)secret->length, secret->text);
    free(hash);
    return 0;
}

static int make(const char *name, bool drawn)
{
    struct secret secret = {0};
    int result = drawn ? draw_secret(&secret) : read_secret(&secret);
    if (result == 0)
        result = print_line(name, &secret, drawn);
    explicit_bzero(&secret, sizeof(secret));
    return result;
}

int command_token(int argc, char **argv)
{
    static const struct option options[] = {
        {"random", no_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    bool drawn = false;
    int option;
    while ((option = getopt_long(argc, argv, "rh", options, NULL)) != -1) {
        if (option == 'h') {
            printf("%s\n%s", usage_text, help_text);
            return 0;
        }
        if (option != 'r') {
            fputs(usage_text, stderr);
            return EXIT_USAGE;
        }
        drawn = true;
    }
    if (optind + 1 != argc) {
        fputs(usage_text, stderr);
        return EXIT_USAGE;
    }
    if (!token_name_valid(span_text(argv[optind]))) {
        fail("a name has 1 to 64 printable characters without blanks and colons, and no # first");
        return EXIT_USAGE;
    }
    return make(argv[optind], drawn) == 0 ? 0 : EXIT_FAULT;
}
