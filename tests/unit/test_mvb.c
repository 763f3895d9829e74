/* SPDX-License-Identifier: Apache-2.0 */
/* libmvb against a scripted server. */
#include <criterion/criterion.h>
#include <errno.h>
#include <mvb.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "plain_server.h"

#define BIG (4u << 20)

static struct plain_server server;
static struct mvb *mvb;
static struct mvb_reply reply;

static void begin(void (*script)(struct plain_server *))
{
    const char *error;
    plain_server_start(&server, script);
    cr_assert_eq(mvb_open(&mvb, server.address, &error), 0);
}

static void end(void)
{
    mvb_reply_clear(&reply);
    mvb_close(mvb);
    plain_server_stop(&server);
}

static unsigned call(uint32_t timeout)
{
    mvb_reply_clear(&reply);
    return mvb_call(mvb, NULL, "Search", "req", 3, timeout, &reply);
}

static void got(const char *data)
{
    cr_assert_eq(reply.code, MVB_OK, "%s", reply.message);
    cr_assert_eq(reply.size, strlen(data));
    cr_assert_eq(memcmp(reply.data, data, reply.size), 0);
    cr_assert_str_eq(reply.message, "");
}

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void read_one_call(struct plain_server *self)
{
    int fd = plain_accept(self);
    struct plain_request request = plain_read(fd);
    cr_assert_eq(request.type, 1);
    cr_assert_eq(request.text, 11);
    cr_assert_eq(request.length, 15);
    cr_assert_arr_eq(request.body, "Search\0salesreq", 15);
    cr_assert(request.timeout > 0 && request.timeout <= 5000);
    free(request.body);
    plain_reply(fd, request.id, "answer");
    close(fd);
}

Test(mvb, sends_what_the_protocol_says)
{
    begin(read_one_call);
    mvb_call(mvb, "sale", "Search", "sreq", 4, 5000, &reply);
    got("answer");
    end();
}

static void split_reply(struct plain_server *self)
{
    uint8_t bytes[512];
    int fd = plain_accept(self);
    uint32_t id = plain_read_id(fd);
    size_t size = plain_encode(
        &(struct plain_frame){.type = 2, .id = id, .text = "warm", .data = "abcdef"}, bytes);
    for (size_t i = 0; i < size; i++) {
        cr_assert_eq(write(fd, bytes + i, 1), 1);
        nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
    }
    close(fd);
}

Test(mvb, takes_a_reply_byte_by_byte)
{
    begin(split_reply);
    call(5000);
    got("abcdef");
    end();
}

static void answer_others_first(struct plain_server *self)
{
    int fd = plain_accept(self);
    uint32_t id = plain_read_id(fd);
    plain_send(fd, &(struct plain_frame){.type = 6});
    plain_reply(fd, id + 7, "not yours");
    plain_send(fd, &(struct plain_frame){.type = 6, .id = id});
    plain_reply(fd, id, "yours");
    uint32_t next = plain_read_id(fd);
    cr_assert_neq(next, id);
    plain_reply(fd, next, "again");
    close(fd);
}

Test(mvb, drops_pongs_and_strangers_and_keeps_the_connection)
{
    begin(answer_others_first);
    call(5000);
    got("yours");
    call(0);
    got("again");
    cr_assert_eq(server.accepted, 1);
    end();
}

static void refuse(struct plain_server *self)
{
    int fd = plain_accept(self);
    plain_send(fd, &(struct plain_frame){.type = 2,
                                         .code = 8,
                                         .id = plain_read_id(fd),
                                         .phase = 2,
                                         .text = "milvus-bouncer: queue full"});
    close(fd);
}

Test(mvb, tells_the_daemons_failure)
{
    begin(refuse);
    cr_assert_eq(call(5000), MVB_RESOURCE_EXHAUSTED);
    cr_assert_eq(reply.phase, MVB_PHASE_QUEUE);
    cr_assert_not(reply.local);
    cr_assert_str_eq(reply.message, "milvus-bouncer: queue full");
    cr_assert_str_eq(mvb_code_name(reply.code), "RESOURCE_EXHAUSTED");
    cr_assert_str_eq(mvb_phase_name(reply.phase), "queue");
    end();
}

static void leave_when_idle(struct plain_server *self)
{
    int fd = plain_accept(self);
    plain_reply(fd, plain_read_id(fd), "first");
    plain_goaway(fd, 0, "draining");
    int next = plain_accept(self);
    plain_reply(next, plain_read_id(next), "second");
    cr_assert(plain_closed(fd));
    close(fd);
    close(next);
}

Test(mvb, goes_to_a_new_connection_after_goaway)
{
    begin(leave_when_idle);
    call(5000);
    got("first");
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    call(5000);
    got("second");
    end();
}

static void refuse_by_drain(struct plain_server *self)
{
    int fd = plain_accept(self);
    uint32_t id = plain_read_id(fd);
    plain_goaway(fd, 14, "draining");
    plain_send(fd, &(struct plain_frame){.type = 2, .code = 14, .id = id, .phase = 1});
    int next = plain_accept(self);
    plain_reply(next, plain_read_id(next), "second");
    close(fd);
    close(next);
}

Test(mvb, repeats_what_a_drain_refused)
{
    begin(refuse_by_drain);
    call(5000);
    got("second");
    cr_assert_eq(server.accepted, 2);
    end();
}

static void answer_under_drain(struct plain_server *self)
{
    int fd = plain_accept(self);
    uint32_t id = plain_read_id(fd);
    plain_goaway(fd, 0, "draining");
    plain_reply(fd, id, "finished");
    cr_assert(plain_closed(fd));
    close(fd);
}

Test(mvb, waits_for_what_is_under_way_at_goaway)
{
    begin(answer_under_drain);
    call(5000);
    got("finished");
    end();
}

static void end_with_reason(struct plain_server *self)
{
    int fd = plain_accept(self);
    plain_read_id(fd);
    plain_goaway(fd, 3, "milvus-bouncer: bad frame");
    close(fd);
}

Test(mvb, tells_why_a_goaway_ended_the_connection)
{
    begin(end_with_reason);
    cr_assert_eq(call(5000), MVB_INVALID_ARGUMENT);
    cr_assert_not(reply.local);
    cr_assert_str_eq(reply.message, "milvus-bouncer: bad frame");
    cr_assert_eq(server.accepted, 1);
    end();
}

static void die_draining(struct plain_server *self)
{
    int fd = plain_accept(self);
    plain_read_id(fd);
    plain_goaway(fd, 14, "draining");
    close(fd);
}

Test(mvb, never_repeats_what_a_drain_cut_off)
{
    begin(die_draining);
    cr_assert_eq(call(5000), MVB_UNAVAILABLE);
    cr_assert(reply.local);
    cr_assert_eq(reply.phase, MVB_PHASE_UPSTREAM);
    cr_assert_eq(server.accepted, 1);
    end();
}

static void die_with_request(struct plain_server *self)
{
    int fd = plain_accept(self);
    plain_read_id(fd);
    close(fd);
}

Test(mvb, never_repeats_what_may_have_begun)
{
    begin(die_with_request);
    cr_assert_eq(call(5000), MVB_UNAVAILABLE);
    cr_assert(reply.local);
    cr_assert_eq(reply.phase, MVB_PHASE_UPSTREAM);
    cr_assert_not_null(strstr(reply.message, "may have been carried out"));
    cr_assert_eq(server.accepted, 1);
    end();
}

static void die_in_the_middle(struct plain_server *self)
{
    int fd = plain_accept(self);
    close(fd); /* most of the request still to come */
    int next = plain_accept(self);
    struct plain_request request = plain_read(next);
    cr_assert_eq(request.length, BIG + 6);
    free(request.body);
    plain_reply(next, request.id, "whole");
    close(next);
}

Test(mvb, repeats_what_was_not_sent_as_a_whole)
{
    begin(die_in_the_middle);
    char *request = calloc(1, BIG);
    mvb_call(mvb, NULL, "Insert", request, BIG, 5000, &reply);
    got("whole");
    free(request);
    end();
}

static void refuse_big(struct plain_server *self)
{
    int fd = plain_accept(self);
    plain_goaway(fd, 8, "too large");
    cr_assert_not(plain_closed(fd)); /* the request's first byte */
    shutdown(fd, SHUT_RDWR);
    close(fd);
}

Test(mvb, hears_a_goaway_while_it_sends)
{
    begin(refuse_big);
    char *request = calloc(1, BIG);
    cr_assert_eq(mvb_call(mvb, NULL, "Insert", request, BIG, 5000, &reply), MVB_RESOURCE_EXHAUSTED);
    cr_assert_str_eq(reply.message, "too large");
    free(request);
    end();
}

static void close_when_idle(struct plain_server *self)
{
    for (int i = 0; i < 2; i++) {
        int fd = plain_accept(self);
        plain_reply(fd, plain_read_id(fd), "x");
        close(fd);
    }
}

Test(mvb, reconnects_where_the_daemon_went_away)
{
    begin(close_when_idle);
    for (int i = 0; i < 2; i++) {
        call(5000);
        got("x");
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    end();
}

static void hang(struct plain_server *self)
{
    int fd = plain_accept(self);
    plain_read_id(fd);
    int next = plain_accept(self);
    cr_assert(plain_closed(fd));
    plain_reply(next, plain_read_id(next), "alive");
    close(fd);
    close(next);
}

Test(mvb, gives_up_on_a_daemon_that_hangs)
{
    begin(hang);
    int64_t start = now();
    cr_assert_eq(call(100), MVB_DEADLINE_EXCEEDED);
    cr_assert(reply.local);
    cr_assert(now() - start >= 100 + MVB_GRACE_MS);
    cr_assert(now() - start < 100 + MVB_GRACE_MS + 1000);
    call(5000);
    got("alive");
    end();
}

static void never_accept(struct plain_server *self)
{
    (void)self;
}

Test(mvb, gives_up_sending_at_the_timeout)
{
    begin(never_accept);
    char *request = calloc(1, BIG);
    int64_t start = now();
    cr_assert_eq(mvb_call(mvb, NULL, "Insert", request, BIG, 200, &reply), MVB_DEADLINE_EXCEEDED);
    cr_assert(now() - start < 1000);
    free(request);
    end();
}

Test(mvb, tells_that_there_is_no_daemon)
{
    const char *error;
    cr_assert_eq(mvb_open(&mvb, "unix:/nonexistent/socket", &error), 0);
    cr_assert_eq(call(1000), MVB_UNAVAILABLE);
    cr_assert_eq(reply.phase, MVB_PHASE_CONNECT);
    cr_assert(reply.local);
    cr_assert_str_eq(reply.message,
                     "cannot connect to unix:/nonexistent/socket: No such file or directory");
    mvb_reply_clear(&reply);
    cr_assert_str_eq(reply.message, "");
    mvb_close(mvb);
}

static void speak_http(struct plain_server *self)
{
    int fd = plain_accept(self);
    plain_read_id(fd);
    cr_assert_eq(write(fd, "HTTP/1.1 400 Bad Request\r\n", 26), 26);
    cr_assert(plain_closed(fd));
    close(fd);
}

Test(mvb, tells_that_it_is_no_daemon)
{
    begin(speak_http);
    cr_assert_eq(call(5000), MVB_INTERNAL);
    cr_assert(reply.local);
    end();
}

static void serve_parent_and_child(struct plain_server *self)
{
    int parent = plain_accept(self);
    plain_reply(parent, plain_read_id(parent), "parent");
    int child = plain_accept(self);
    plain_reply(child, plain_read_id(child), "child");
    cr_assert(plain_closed(child));
    plain_reply(parent, plain_read_id(parent), "parent");
    close(parent);
    close(child);
}

/* What the child of a fork() does; its exit code. */
static int use_in_child(void)
{
    bool right = call(5000) == MVB_OK && reply.size == 5 && memcmp(reply.data, "child", 5) == 0;
    mvb_close(mvb);
    return right ? 0 : 1;
}

Test(mvb, child_of_fork_connects_by_itself)
{
    begin(serve_parent_and_child);
    call(5000);
    got("parent");
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(use_in_child());
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    call(5000);
    got("parent");
    cr_assert_eq(server.accepted, 2);
    end();
}

static void answer_ping(struct plain_server *self)
{
    int fd = plain_accept(self);
    struct plain_request request = plain_read(fd);
    cr_assert_eq(request.type, 5);
    cr_assert_eq(request.length, 0);
    free(request.body);
    plain_send(fd, &(struct plain_frame){.type = 6});
    plain_send(fd, &(struct plain_frame){.type = 6, .id = request.id});
    close(fd);
}

Test(mvb, pings)
{
    begin(answer_ping);
    cr_assert_eq(mvb_ping(mvb, 5000, &reply), MVB_OK, "%s", reply.message);
    end();
}

static void echo_big(struct plain_server *self)
{
    int fd = plain_accept(self);
    struct plain_request request = plain_read(fd);
    uint8_t header[512];
    plain_encode(&(struct plain_frame){.type = 2, .id = request.id}, header);
    header[1] = BIG >> 16;
    cr_assert_eq(write(fd, header, 16), 16);
    size_t sent = 0;
    while (sent < BIG) {
        ssize_t wrote = write(fd, request.body + request.text + sent, BIG - sent);
        cr_assert(wrote > 0);
        sent += (size_t)wrote;
    }
    free(request.body);
    close(fd);
}

Test(mvb, carries_large_messages_over_tcp)
{
    const char *error;
    plain_server_start_inet(&server, echo_big);
    cr_assert_eq(mvb_open(&mvb, server.address, &error), 0);
    char *request = malloc(BIG);
    for (size_t i = 0; i < BIG; i++)
        request[i] = (char)(i * 31 + (i >> 8));
    cr_assert_eq(mvb_call(mvb, NULL, "Insert", request, BIG, 10000, &reply), MVB_OK, "%s",
                 reply.message);
    cr_assert_eq(reply.size, BIG);
    cr_assert_eq(memcmp(reply.data, request, BIG), 0);
    free(request);
    end();
}

Test(mvb, refuses_what_cannot_be_sent)
{
    const char *error;
    cr_assert_eq(mvb_open(&mvb, "unix:/nonexistent/socket", &error), 0);
    cr_assert_eq(mvb_call(mvb, NULL, "", NULL, 0, 0, &reply), MVB_INVALID_ARGUMENT);
    cr_assert(reply.local);
    mvb_reply_clear(&reply);
    mvb_close(mvb);
    mvb_close(NULL);
    mvb_reply_clear(NULL);
}

static void bad_address(const char *address, const char *expected)
{
    const char *error = NULL;
    struct mvb *untouched = NULL;
    cr_assert_eq(mvb_open(&untouched, address, &error), -1, "%s", address);
    cr_assert_null(untouched);
    cr_assert_not_null(strstr(error, expected), "%s: %s", address, error);
}

Test(mvb, reads_addresses)
{
    const char *good[] = {"unix:/a", "127.0.0.1:1", "[::1]:65535"};
    const char *error;
    for (size_t i = 0; i < 3; i++) {
        struct mvb *opened;
        cr_assert_eq(mvb_open(&opened, good[i], &error), 0, "%s", good[i]);
        mvb_close(opened);
    }
    char path[300] = "unix:/";
    memset(path + 6, 'a', sizeof(path) - 7);
    bad_address(path, "too long");
    bad_address("unix:relative", "must start with /");
    bad_address("localhost:19530", "host must be a number");
    bad_address("127.0.0.1", "expected unix:");
    bad_address("127.0.0.1:0", "port");
    bad_address("127.0.0.1:65536", "port");
    bad_address("127.0.0.1:+1", "port");
    bad_address("[::1]", "expected unix:");
    bad_address("[127.0.0.1]:1", "host must be a number");
    bad_address("::1:19530", "host must be a number");
    bad_address("", "expected unix:");
}
