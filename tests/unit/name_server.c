/* SPDX-License-Identifier: Apache-2.0 */
#include "name_server.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* RFC 1035 section 4.1.1 */
#define HEADER_SIZE 12
#define FLAGS       0x8180 /* an answer; recursion is there */
#define TRUNCATED   0x0200
#define NO_NAME     3
#define TYPE_A      1
#define TYPE_AAAA   28

static void write_file(char path[64], const char *name, const char *text)
{
    snprintf(path, 64, "/tmp/mvb-%s-XXXXXX", name);
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void put_16(unsigned char *to, unsigned value)
{
    to[0] = (unsigned char)(value >> 8);
    to[1] = (unsigned char)value;
}

/* Whether the question is for the one name, in any case. */
static bool asks_for_name(const unsigned char *question)
{
    static const char wire[] = "\6milvus\7example";
    return strcasecmp((const char *)question, wire) == 0;
}

/* One record: the question's name, its type, internet, a TTL of 0. */
static size_t put_record(unsigned char *to, unsigned type, const char *address)
{
    int family = type == TYPE_A ? AF_INET : AF_INET6;
    unsigned length = type == TYPE_A ? 4 : 16;
    put_16(to, 0xc000 | HEADER_SIZE);
    put_16(to + 2, type);
    put_16(to + 4, 1);
    memset(to + 6, 0, 4);
    put_16(to + 10, length);
    cr_assert_eq(inet_pton(family, address, to + 12), 1, "%s", address);
    return 12 + length;
}

static size_t put_records(unsigned char *reply, size_t length, unsigned type, const char *addresses)
{
    char copy[512];
    char *rest = copy;
    unsigned count = 0;
    snprintf(copy, sizeof(copy), "%s", addresses);
    for (char *one; (one = strsep(&rest, " "));) {
        if (!*one)
            continue;
        length += put_record(reply + length, type, one);
        count++;
    }
    put_16(reply + 6, count);
    return length;
}

static void on_question(evutil_socket_t fd, short what, void *argument)
{
    (void)what;
    struct name_server *server = argument;
    unsigned char message[1024] = {0};
    struct sockaddr_in from;
    socklen_t from_length = sizeof(from);
    ssize_t got = recvfrom(fd, message, 512, 0, (struct sockaddr *)&from, &from_length);
    cr_assert_gt(got, HEADER_SIZE);
    const unsigned char *question = message + HEADER_SIZE;
    const unsigned char *behind = question + strlen((const char *)question) + 1;
    unsigned type = behind[1];
    const char *addresses = type == TYPE_A ? server->ipv4 : server->ipv6;
    server->questions++;
    server->ipv6_questions += type == TYPE_AAAA;
    if (!addresses)
        return;
    bool known = asks_for_name(question);
    put_16(message + 2, FLAGS | (known ? 0 : NO_NAME) | (server->cut ? TRUNCATED : 0));
    size_t length = (size_t)(behind + 4 - message);
    if (known)
        length = put_records(message, length, type, addresses);
    sendto(fd, message, length, 0, (struct sockaddr *)&from, from_length);
}

void name_server_open(struct name_server *server, struct event_base *loop, const char *hosts)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    char text[64];
    *server = (struct name_server){.ipv4 = "", .ipv6 = ""};
    server->socket = socket(AF_INET, SOCK_DGRAM, 0);
    cr_assert_eq(bind(server->socket, (struct sockaddr *)&address, length), 0);
    cr_assert_eq(getsockname(server->socket, (struct sockaddr *)&address, &length), 0);
    server->readable = event_new(loop, server->socket, EV_READ | EV_PERSIST, on_question, server);
    event_add(server->readable, NULL);
    snprintf(text, sizeof(text), "nameserver 127.0.0.1:%u\n", ntohs(address.sin_port));
    write_file(server->resolv_conf, "resolv", text);
    write_file(server->hosts, "hosts", hosts);
}

void name_server_close(struct name_server *server)
{
    unlink(server->resolv_conf);
    unlink(server->hosts);
    event_free(server->readable);
    close(server->socket);
}
