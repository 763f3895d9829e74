/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/forward_head.h"

#include <stdio.h>
#include <stdlib.h>

#include "pool/pool.h"
#include "proto/base64.h"

#define HOST_TEXT_MAX (URI_HOST_MAX + sizeof("[]:65535"))

static void add(struct evkeyvalq *head, const char *name, const char *value)
{
    if (evhttp_add_header(head, name, value) != 0)
        abort();
}

static void add_host(struct evkeyvalq *head, const struct endpoint *endpoint)
{
    char text[HOST_TEXT_MAX];
    bool is_ipv6 = strchr(endpoint->host, ':');
    snprintf(text, sizeof(text), is_ipv6 ? "[%s]:%u" : "%s:%u", endpoint->host, endpoint->port);
    add(head, "Host", text);
}

static void add_span(struct evkeyvalq *head, const char *name, const char *scheme,
                     struct span value)
{
    char *text;
    if (asprintf(&text, "%s%.*s", scheme, SPAN_ARGS(value)) < 0)
        abort();
    add(head, name, text);
    explicit_bzero(text, strlen(text));
    free(text);
}

static void add_authorization(struct evkeyvalq *head, struct span authorization)
{
    uint8_t *secret = malloc(base64_bound(authorization.length));
    if (!secret)
        abort();
    ptrdiff_t length = base64_decode(authorization, secret);
    if (length > 0 && !memchr(secret, ':', (size_t)length))
        add_span(head, "Authorization", "Bearer ", span_of(secret, (size_t)length));
    else if (length > 0)
        add_span(head, "Authorization", "Basic ", authorization);
    explicit_bzero(secret, base64_bound(authorization.length));
    free(secret);
}

void forward_head(struct evkeyvalq *head, const struct request *request,
                  const struct endpoint *endpoint)
{
    add_host(head, endpoint);
    add(head, "Content-Type", "application/json");
    add(head, "Connection", "close");
    add_span(head, "DB-Name", "", request->upstream_name);
    add_authorization(head, pool_authorization(request->pool));
}
