/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <string.h>
#include <unistd.h>

#include "daemon/command_call.h"
#include "plain_server.h"

static struct plain_server server;

/* `call -s ADDRESS A B C`; those that are NULL are not given. */
static int call(const char *address, const char *a, const char *b, const char *c)
{
    const char *given[] = {"call", "-s", address, a, b, c, NULL};
    char *argv[sizeof(given) / sizeof(*given)];
    memcpy(argv, given, sizeof(given)); /* getopt's type, though it writes to none of them */
    int argc = 0;
    while (argv[argc])
        argc++;
    return command_call(argc, argv);
}

static void answer(struct plain_server *self, const struct plain_frame *frame)
{
    int fd = plain_accept(self);
    struct plain_frame sent = *frame;
    sent.type = 2;
    sent.id = plain_read_id(fd);
    plain_send(fd, &sent);
    close(fd);
}

/* GetVersionResponse{status: {}, version: "v2"} */
static void answer_version(struct plain_server *self)
{
    answer(self, &(struct plain_frame){.data = "\x12\x02v2"});
}

Test(command_call, prints_the_reply, .init = cr_redirect_stdout)
{
    plain_server_start(&server, answer_version);
    cr_assert_eq(call(server.address, "GetVersion", NULL, NULL), 0);
    fflush(stdout);
    cr_assert_stdout_eq_str("{\n  \"version\": \"v2\"\n}\n");
    plain_server_stop(&server);
}

/* Status{code: 100, reason: "none"} */
static void answer_status(struct plain_server *self)
{
    answer(self, &(struct plain_frame){.data = "\x12\x04none\x18\x64"});
}

static void redirect_both(void)
{
    cr_redirect_stdout();
    cr_redirect_stderr();
}

Test(command_call, tells_milvus_error, .init = redirect_both)
{
    plain_server_start(&server, answer_status);
    cr_assert_eq(call(server.address, "DropCollection", "{\"collectionName\":\"c\"}", NULL), 1);
    fflush(stdout);
    cr_assert_stdout_eq_str("{\n  \"reason\": \"none\",\n  \"code\": 100\n}\n");
    cr_assert_stderr_eq_str("call: Milvus answers code 100: none\n");
    plain_server_stop(&server);
}

static void answer_failure(struct plain_server *self)
{
    answer(self, &(struct plain_frame){.code = 8, .phase = 2, .text = "milvus-bouncer: full"});
}

Test(command_call, tells_the_daemons_error, .init = cr_redirect_stderr)
{
    plain_server_start(&server, answer_failure);
    cr_assert_eq(call(server.address, "-t", "5s", "GetVersion"), 1);
    cr_assert_stderr_eq_str("call: RESOURCE_EXHAUSTED (phase queue): milvus-bouncer: full\n");
    plain_server_stop(&server);
}

static void usage(const char *a, const char *b, const char *c, const char *expected)
{
    cr_assert_eq(call("unix:/nonexistent/s", a, b, c), 2);
    cr_assert_stderr_eq_str(expected);
}

Test(command_call, refuses_an_unknown_method, .init = cr_redirect_stderr)
{
    usage("Serch", NULL, NULL, "call: unknown method Serch; did you mean Search?\n");
}

Test(command_call, refuses_an_unknown_field, .init = cr_redirect_stderr)
{
    usage("Search", "{\"nqq\": 1}", NULL, "call: nqq: unknown field; did you mean \"nq\"?\n");
}

Test(command_call, refuses_what_is_no_json, .init = cr_redirect_stderr)
{
    cr_assert_eq(call("unix:/nonexistent/s", "Search", "{", NULL), 2);
    cr_assert_eq(call("unix:/nonexistent/s", "Search", "@/nonexistent/file", NULL), 2);
}

Test(command_call, refuses_a_timeout_without_unit, .init = cr_redirect_stderr)
{
    usage("-t", "5", "Search", "call: a timeout is a number with a unit, 500ms, 10s or 5m: 5\n");
}

Test(command_call, refuses_an_address, .init = cr_redirect_stderr)
{
    cr_assert_eq(call("localhost:1", "GetVersion", NULL, NULL), 2);
}

Test(command_call, needs_a_method, .init = cr_redirect_stderr)
{
    cr_assert_eq(call("unix:/nonexistent/s", NULL, NULL, NULL), 2);
}

Test(command_call, helps, .init = cr_redirect_stdout)
{
    cr_assert_eq(call("unix:/nonexistent/s", "--help", NULL, NULL), 0);
}

Test(command_call, tells_that_there_is_no_daemon, .init = cr_redirect_stderr)
{
    cr_assert_eq(call("unix:/nonexistent/s", "GetVersion", NULL, NULL), 1);
}
