/* SPDX-License-Identifier: Apache-2.0 */
#include "address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static int fail(const char **ret_error, const char *text)
{
    *ret_error = text;
    return -1;
}

static int parse_unix(const char *path, struct mvb_address *ret_address, const char **ret_error)
{
    struct sockaddr_un sockaddr = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (*path != '/')
        return fail(ret_error, "the path behind unix: must start with /");
    if (length >= sizeof(sockaddr.sun_path))
        return fail(ret_error, "the path behind unix: is too long for a socket");
    memcpy(sockaddr.sun_path, path, length + 1);
    memset(ret_address, 0, sizeof(*ret_address));
    memcpy(&ret_address->sockaddr, &sockaddr, sizeof(sockaddr));
    ret_address->length = sizeof(sockaddr);
    return 0;
}

static bool parse_port(const char *text, in_port_t *ret_port)
{
    char *end;
    if (!isdigit((unsigned char)*text))
        return false;
    unsigned long port = strtoul(text, &end, 10);
    if (*end || port == 0 || port > UINT16_MAX)
        return false;
    *ret_port = htons((uint16_t)port);
    return true;
}

static bool fill(int family, const char *host, in_port_t port, struct mvb_address *ret_address)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = port};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = port};
    bool is_v6 = family == AF_INET6;
    void *number = is_v6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr;
    if (inet_pton(family, host, number) != 1)
        return false;
    memset(ret_address, 0, sizeof(*ret_address));
    ret_address->length = is_v6 ? sizeof(v6) : sizeof(v4);
    memcpy(&ret_address->sockaddr, is_v6 ? (void *)&v6 : (void *)&v4, ret_address->length);
    return true;
}

static int parse_inet(const char *text, struct mvb_address *ret_address, const char **ret_error)
{
    char host[INET6_ADDRSTRLEN];
    in_port_t port;
    bool bracket = *text == '[';
    const char *end = bracket ? strchr(text, ']') : strrchr(text, ':');
    const char *start = text + bracket;
    if (!end || end[bracket] != ':' || (size_t)(end - start) >= sizeof(host))
        return fail(ret_error, "expected unix:/path, 127.0.0.1:19530 or [::1]:19530");
    memcpy(host, start, (size_t)(end - start));
    host[end - start] = '\0';
    if (!parse_port(end + bracket + 1, &port))
        return fail(ret_error, "the port must be a number from 1 to 65535");
    if (!fill(bracket ? AF_INET6 : AF_INET, host, port, ret_address))
        return fail(ret_error, "the host must be a number, as in 127.0.0.1:19530 or [::1]:19530");
    return 0;
}

int mvb_address_parse(const char *text, struct mvb_address *ret_address, const char **ret_error)
{
    static const char prefix[] = "unix:";
    if (strncmp(text, prefix, sizeof(prefix) - 1) == 0)
        return parse_unix(text + sizeof(prefix) - 1, ret_address, ret_error);
    return parse_inet(text, ret_address, ret_error);
}
