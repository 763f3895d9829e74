/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/command_check.h"

static char folder[] = "/tmp/mvb-check-XXXXXX";

static void enter(void)
{
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
    umask(027); /* secrets are not for others */
    cr_redirect_stdout();
    cr_redirect_stderr();
}

static void leave(void)
{
    unlink("c.yaml");
    unlink("token");
    unlink("password");
    unlink("other");
    cr_expect_eq(rmdir(folder), 0);
}

TestSuite(command_check, .init = enter, .fini = leave);

static void put(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static int run(const char *file)
{
    char command[] = "check", option[] = "-c";
    char *arguments[] = {command, option, (char *)file, NULL};
    return command_check(3, arguments);
}

#define CREDENTIALS                                                                                \
    "upstreams:\n"                                                                                 \
    "  main: {uri: 'https://h:1', token_file: token}\n"                                            \
    "databases:\n"                                                                                 \
    "  a: {upstream: main}\n"                                                                      \
    "  b: {upstream: main, user: u, password_file: password}\n"                                    \
    "access:\n"                                                                                    \
    "  - {match: {uid: 1}, allow: read, user: u, password_file: other}\n"

Test(command_check, says_ok)
{
    put("token", "t");
    put("password", "p");
    put("other", "o");
    put("c.yaml", CREDENTIALS);
    cr_assert_eq(run("c.yaml"), 0);
    fflush(stdout);
    cr_assert_stdout_eq_str("c.yaml: ok\n");
}

Test(command_check, names_every_fault)
{
    put("c.yaml", "admin: 1\nupstreams: {m: {uri: 'https://h'}}\ndatabases: {a: {}}\n");
    cr_assert_eq(run("c.yaml"), 1);
    fflush(stderr);
    cr_assert_stderr_eq_str(
        "c.yaml:1:1: \"admin\" comes with a later version of milvus-bouncer; remove it\n"
        "c.yaml:3:13: \"a\" lacks the key \"upstream\"; write the name of one of \"upstreams\"\n");
}

Test(command_check, reads_every_credential)
{
    put("token", "");
    put("password", "a\nb\n");
    put("other", "\n");
    put("c.yaml", CREDENTIALS);
    cr_assert_eq(run("c.yaml"), 1);
    fflush(stderr);
    cr_assert_stderr_eq_str(
        "c.yaml:2:42: cannot take the token from token: it is empty; write the secret into it\n"
        "c.yaml:5:47: cannot take the password from password: it has several lines; write the "
        "secret in one\n"
        "c.yaml:7:60: cannot take the password from other: it is empty; write the secret into "
        "it\n");
}

Test(command_check, needs_the_file)
{
    cr_assert_eq(run("nope.yaml"), 1);
    fflush(stderr);
    cr_assert_stderr_eq_str("cannot read nope.yaml: No such file or directory\n");
}

Test(command_check, knows_its_usage)
{
    char command[] = "check", more[] = "more";
    char *arguments[] = {command, more, NULL};
    cr_assert_eq(command_check(2, arguments), 2);
    fflush(stderr);
    cr_assert_stderr_eq_str("Usage: milvus-bouncer check [-c FILE] [--connect]\n");
}
