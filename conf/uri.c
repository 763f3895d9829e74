/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/uri.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "conf/port.h"

#define FORMS           "http://HOST:PORT or https://HOST:PORT"
#define HOST_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_"

static const struct scheme {
    const char *prefix;
    uint16_t port;
    bool secure;
} schemes[] = {{"http://", 19530, false}, {"https://", 443, true}};

/* Each function below reads a part: NULL, or the text of what would be right. */

static const char *parse_port(const char *text, struct uri *uri)
{
    if (*text == '\0')
        return NULL;
    uint16_t port;
    if (*text != ':' || port_parse(text + 1, &port) != 0 || port == 0)
        return "the port is a number from 1 to 65535; write " FORMS;
    uri->port = port;
    return NULL;
}

static const char *parse_v6(const char *text, struct uri *uri)
{
    struct in6_addr number;
    size_t length = strcspn(text, "]");
    if (text[length] != ']' || length > URI_HOST_MAX)
        return "an IPv6 address stands in brackets; write http://[::1]:19530";
    memcpy(uri->host, text, length);
    if (inet_pton(AF_INET6, uri->host, &number) != 1)
        return "no IPv6 address stands in the brackets; write http://[::1]:19530";
    return parse_port(text + length + 1, uri);
}

static const char *parse_name(const char *text, struct uri *uri)
{
    size_t length = strspn(text, HOST_CHARACTERS);
    if (length == 0)
        return "the host is missing; write " FORMS;
    if (length > URI_HOST_MAX)
        return "a host's name is at most 255 bytes; write " FORMS;
    memcpy(uri->host, text, length);
    if (text[length] != '\0' && text[length] != ':')
        return "a host's name has letters, digits, dots and hyphens; write " FORMS;
    return parse_port(text + length, uri);
}

static const char *parse_authority(const char *text, struct uri *uri)
{
    if (strchr(text, '@'))
        return "a user and password do not belong in a URI; write " FORMS
               " and name them by user and password_file";
    if (strpbrk(text, "/?#"))
        return "a path or query has no meaning here; write " FORMS " and nothing behind it";
    if (*text == '[')
        return parse_v6(text + 1, uri);
    return parse_name(text, uri);
}

static const char *parse(const char *text, struct uri *uri)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
        size_t length = strlen(schemes[i].prefix);
        if (strncmp(text, schemes[i].prefix, length) != 0)
            continue;
        uri->secure = schemes[i].secure;
        uri->port = schemes[i].port;
        return parse_authority(text + length, uri);
    }
    return "a URI starts with http:// or https://; write " FORMS;
}

int uri_parse(const char *text, struct uri *ret_uri, const char **ret_error)
{
    struct uri uri = {0};
    const char *error = parse(text, &uri);
    if (error) {
        *ret_error = error;
        return -1;
    }
    *ret_uri = uri;
    return 0;
}

#define LOOPBACK_NET 127 /* RFC 1122 section 3.2.1.3 */

bool uri_is_this_host(const char *host)
{
    struct in_addr ipv4;
    struct in6_addr ipv6;
    if (inet_pton(AF_INET, host, &ipv4) == 1)
        return *(const uint8_t *)&ipv4 == LOOPBACK_NET;
    if (inet_pton(AF_INET6, host, &ipv6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&ipv6) ||
               (IN6_IS_ADDR_V4MAPPED(&ipv6) && ipv6.s6_addr[12] == LOOPBACK_NET);
    return strcasecmp(host, "localhost") == 0;
}
