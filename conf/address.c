/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "conf/port.h"

#define UNIX_PREFIX   "unix:"
#define UNIX_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)
_Static_assert(UNIX_PATH_MAX == 107, "the text below names it");

#define FORMS "unix:/path, 127.0.0.1:19530 or [::1]:19530"

/* Each function of these reads one form: NULL, or the text of what would be right. */

static const char *parse_unix(const char *path, struct address *address)
{
    if (*path == '@')
        return "abstract sockets are not supported, as they have no permissions; write unix:/path";
    if (*path != '/')
        return "a socket's path is absolute; write unix:/path";
    size_t length = strlen(path);
    if (length > UNIX_PATH_MAX)
        return "a socket's path is at most 107 bytes; choose a shorter one";
    struct sockaddr_un *sockaddr = (struct sockaddr_un *)&address->sockaddr;
    sockaddr->sun_family = AF_UNIX;
    memcpy(sockaddr->sun_path, path, length + 1);
    address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    return NULL;
}

static const char *parse_v6(const char *host, uint16_t port, struct address *address)
{
    struct sockaddr_in6 *sockaddr = (struct sockaddr_in6 *)&address->sockaddr;
    if (inet_pton(AF_INET6, host, &sockaddr->sin6_addr) != 1)
        return "no IPv6 address stands in the brackets; write it as [::1]:19530";
    sockaddr->sin6_family = AF_INET6;
    sockaddr->sin6_port = htons(port);
    address->length = sizeof(*sockaddr);
    return NULL;
}

static const char *parse_v4(const char *host, uint16_t port, struct address *address)
{
    struct sockaddr_in *sockaddr = (struct sockaddr_in *)&address->sockaddr;
    if (inet_pton(AF_INET, host, &sockaddr->sin_addr) != 1)
        return "a host is written in numbers, names are not resolved; write 127.0.0.1:19530 or "
               "[::1]:19530";
    sockaddr->sin_family = AF_INET;
    sockaddr->sin_port = htons(port);
    address->length = sizeof(*sockaddr);
    return NULL;
}

static const char *parse_host(char *host, uint16_t port, struct address *address)
{
    size_t length = strlen(host);
    if (length == 0)
        return "the host is missing; write 127.0.0.1:19530 for this machine alone, "
               "0.0.0.0:19530 or [::]:19530 for every network";
    if (host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        return parse_v6(host + 1, port, address);
    }
    if (strchr(host, ':'))
        return "an IPv6 address stands in brackets; write [::1]:19530";
    return parse_v4(host, port, address);
}

static const char *parse_tcp(const char *text, struct address *address)
{
    char host[ADDRESS_TEXT_MAX];
    strcpy(host, text);
    char *colon = strrchr(host, ':');
    if (!colon)
        return "an address is written as " FORMS;
    uint16_t port;
    if (port_parse(colon + 1, &port) != 0)
        return "the port is a number from 0 to 65535; write 127.0.0.1:19530 or [::1]:19530";
    *colon = '\0';
    return parse_host(host, port, address);
}

static const char *parse(const char *text, struct address *address)
{
    if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
        return parse_unix(text + strlen(UNIX_PREFIX), address);
    if (strlen(text) >= sizeof(address->text))
        return "an address is shorter, and written as " FORMS;
    return parse_tcp(text, address);
}

int address_parse(const char *text, struct address *ret_address, const char **ret_error)
{
    struct address address = {0};
    const char *error = parse(text, &address);
    if (error) {
        *ret_error = error;
        return -1;
    }
    strcpy(address.text, text);
    *ret_address = address;
    return 0;
}

bool address_is_unix(const struct address *address)
{
    return address->sockaddr.ss_family == AF_UNIX;
}

const char *address_path(const struct address *address)
{
    if (!address_is_unix(address))
        return NULL;
    return ((const struct sockaddr_un *)&address->sockaddr)->sun_path;
}

bool address_is_local(const struct address *address)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address->sockaddr;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address->sockaddr;
    switch (address->sockaddr.ss_family) {
    case AF_UNIX:
        return true;
    case AF_INET:
        return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    case AF_INET6:
        return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    default:
        return false;
    }
}
