/* SPDX-License-Identifier: Apache-2.0 */
#include "plain_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void must(int ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    abort();
}

static void *run_script(void *server)
{
    ((struct plain_server *)server)->script(server);
    return NULL;
}

static void start(struct plain_server *server, void (*script)(struct plain_server *),
                  const struct sockaddr *sockaddr, socklen_t length)
{
    server->script = script;
    server->accepted = 0;
    server->listener = socket(sockaddr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(bind(server->listener, sockaddr, length) == 0, "bind");
    must(listen(server->listener, 16) == 0, "listen");
}

static void run(struct plain_server *server)
{
    must(pthread_create(&server->thread, NULL, run_script, server) == 0, "pthread_create");
}

void plain_server_start(struct plain_server *server, void (*script)(struct plain_server *))
{
    struct sockaddr_un sockaddr = {.sun_family = AF_UNIX};
    strcpy(server->folder, "/tmp/plain-XXXXXX");
    must(mkdtemp(server->folder) != NULL, "mkdtemp");
    snprintf(sockaddr.sun_path, sizeof(sockaddr.sun_path), "%s/s", server->folder);
    snprintf(server->address, sizeof(server->address), "unix:%s/s", server->folder);
    start(server, script, (struct sockaddr *)&sockaddr, sizeof(sockaddr));
    run(server);
}

void plain_server_start_inet(struct plain_server *server, void (*script)(struct plain_server *))
{
    struct sockaddr_in sockaddr = {.sin_family = AF_INET};
    socklen_t length = sizeof(sockaddr);
    sockaddr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->folder[0] = '\0';
    start(server, script, (struct sockaddr *)&sockaddr, sizeof(sockaddr));
    must(getsockname(server->listener, (struct sockaddr *)&sockaddr, &length) == 0, "getsockname");
    snprintf(server->address, sizeof(server->address), "127.0.0.1:%u", ntohs(sockaddr.sin_port));
    run(server);
}

void plain_server_stop(struct plain_server *server)
{
    pthread_join(server->thread, NULL);
    close(server->listener);
    if (server->folder[0] == '\0')
        return;
    unlink(server->address + strlen("unix:"));
    rmdir(server->folder);
}

static void read_exactly(int fd, void *to, size_t size)
{
    while (size > 0) {
        ssize_t got = read(fd, to, size);
        must(got > 0, "the client's bytes");
        to = (char *)to + got;
        size -= (size_t)got;
    }
}

int plain_accept(struct plain_server *server)
{
    char preface[4];
    int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
    must(fd >= 0, "accept");
    server->accepted++;
    read_exactly(fd, preface, sizeof(preface));
    must(memcmp(preface, "MVB1", 4) == 0, "the preface");
    return fd;
}

static uint32_t get32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, 4);
    return ntohl(value);
}

static void put32(uint8_t *at, uint32_t value)
{
    value = htonl(value);
    memcpy(at, &value, 4);
}

struct plain_request plain_read(int fd)
{
    uint8_t header[16];
    read_exactly(fd, header, sizeof(header));
    struct plain_request request = {
        .length = get32(header),
        .type = header[4],
        .text = (uint16_t)(header[6] << 8 | header[7]),
        .id = get32(header + 8),
        .timeout = get32(header + 12),
    };
    request.body = calloc(1, request.length + 1);
    read_exactly(fd, request.body, request.length);
    return request;
}

uint32_t plain_read_id(int fd)
{
    struct plain_request request = plain_read(fd);
    free(request.body);
    return request.id;
}

size_t plain_encode(const struct plain_frame *frame, uint8_t to[512])
{
    size_t text = frame->text ? strlen(frame->text) : 0;
    size_t data = frame->data ? strlen(frame->data) : 0;
    memset(to, 0, 16);
    put32(to, (uint32_t)(text + data));
    to[4] = frame->type;
    to[5] = frame->code;
    to[7] = (uint8_t)text;
    put32(to + 8, frame->id);
    put32(to + 12, frame->phase);
    if (text > 0)
        memcpy(to + 16, frame->text, text);
    if (data > 0)
        memcpy(to + 16 + text, frame->data, data);
    return 16 + text + data;
}

void plain_send(int fd, const struct plain_frame *frame)
{
    uint8_t bytes[512];
    size_t size = plain_encode(frame, bytes);
    must(send(fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size, "send");
}

void plain_reply(int fd, uint32_t id, const char *data)
{
    plain_send(fd, &(struct plain_frame){.type = 2, .id = id, .data = data});
}

void plain_goaway(int fd, uint8_t code, const char *text)
{
    plain_send(fd, &(struct plain_frame){.type = 4, .code = code, .text = text});
}

int plain_closed(int fd)
{
    char byte;
    return read(fd, &byte, 1) <= 0;
}
