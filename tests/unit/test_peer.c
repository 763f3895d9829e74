/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/asker.h"
#include "auth/peer.h"

Test(peer, of_a_unix_socket_is_a_process)
{
    int ends[2];
    char text[PEER_TEXT_MAX];
    char expected[PEER_TEXT_MAX];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    peer_describe(ends[0], text);
    snprintf(expected, sizeof(expected), "pid %d, uid %u", (int)getpid(), getuid());
    cr_expect_str_eq(text, expected);
    cr_expect_not(peer_is_tcp(ends[0]));
    peer_own_address(ends[0], text);
    cr_expect_str_eq(text, "");
    close(ends[0]);
    close(ends[1]);
}

Test(peer, of_tcp_is_an_address)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    char text[PEER_TEXT_MAX];
    char expected[PEER_TEXT_MAX];
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(listener, (struct sockaddr *)&address, length), 0);
    cr_assert_eq(listen(listener, 1), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    cr_assert_eq(connect(client, (struct sockaddr *)&address, length), 0);
    peer_describe(client, text);
    snprintf(expected, sizeof(expected), "127.0.0.1:%u", ntohs(address.sin_port));
    cr_expect_str_eq(text, expected);
    cr_expect(peer_is_tcp(client));
    peer_own_address(listener, text);
    cr_expect_str_eq(text, expected);
    close(client);
    close(listener);
}

Test(peer, user_and_groups_of_a_unix_socket)
{
    const gid_t groups[] = {7, 4000000000, 9};
    bool root = geteuid() == 0;
    if (root)
        cr_assert_eq(setgroups(3, groups), 0);
    int ends[2];
    uid_t uid;
    gid_t gid;
    size_t count;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    cr_assert(peer_user(ends[0], &uid, &gid));
    cr_expect_eq(uid, geteuid());
    cr_expect_eq(gid, getegid());
    gid_t *got = peer_groups(ends[0], &count);
    cr_expect_eq(count, (size_t)getgroups(0, NULL));
    cr_expect(!root || (count == 3 && got[2] == 4000000000));
    free(got);
    close(ends[0]);
    close(ends[1]);
}

Test(peer, of_tcp_is_no_user)
{
    uid_t uid;
    gid_t gid;
    size_t count;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_expect_not(peer_user(fd, &uid, &gid));
    cr_expect_null(peer_groups(fd, &count));
    cr_expect_eq(count, 0);
    close(fd);
    cr_expect_not(peer_user(-1, &uid, &gid));
}

Test(peer, of_no_socket_is_gone)
{
    char text[PEER_TEXT_MAX];
    peer_describe(-1, text);
    cr_expect_str_eq(text, "gone");
    cr_expect_not(peer_is_tcp(-1));
}

Test(asker, is_the_user_of_a_unix_socket)
{
    int ends[2];
    int others[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, others), 0);
    cr_expect_eq(asker_of_socket(ends[0], &ends), asker_of_socket(others[0], &others));
    cr_expect_neq(asker_of_socket(ends[0], &ends), 0);
    for (size_t i = 0; i < 2; i++) {
        close(ends[i]);
        close(others[i]);
    }
}

Test(asker, is_the_connection_of_tcp)
{
    int sockets[] = {socket(AF_INET, SOCK_STREAM, 0), socket(AF_INET, SOCK_STREAM, 0)};
    uint64_t asker = asker_of_socket(sockets[0], &sockets[0]);
    cr_expect_eq(asker_of_socket(sockets[0], &sockets[0]), asker);
    cr_expect_neq(asker_of_socket(sockets[1], &sockets[1]), asker);
    close(sockets[0]);
    close(sockets[1]);
}

Test(asker, is_the_name_of_a_token)
{
    cr_expect_eq(asker_of_token("web"), asker_of_token("web"));
    cr_expect_neq(asker_of_token("web"), asker_of_token("app"));
    cr_expect_neq(asker_of_token(""), 0);
}
