/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

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

Test(peer, of_no_socket_is_gone)
{
    char text[PEER_TEXT_MAX];
    peer_describe(-1, text);
    cr_expect_str_eq(text, "gone");
    cr_expect_not(peer_is_tcp(-1));
}
