/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/grpc_head.h"

#include <stdlib.h>

#include "proto/grpc_text.h"

#define CONTENT_TYPE "application/grpc"

static bool starts(struct span text, const char *with)
{
    return span_is(span_cut(text, strlen(with)), with);
}

static void take_method(struct grpc_head *head, struct span value)
{
    head->post = span_is(value, "POST");
}

/* "application/grpc", perhaps with "+proto" and the like. */
static void take_content_type(struct grpc_head *head, struct span value)
{
    size_t length = strlen(CONTENT_TYPE);
    head->grpc = starts(value, CONTENT_TYPE) &&
                 (value.length == length || value.at[length] == '+' || value.at[length] == ';');
}

static size_t keep(char *to, size_t size, struct span value)
{
    struct span kept = span_cut(value, size);
    if (kept.length > 0)
        memcpy(to, kept.at, kept.length);
    return kept.length;
}

static void take_path(struct grpc_head *head, struct span value)
{
    head->path_length = keep(head->path, sizeof(head->path), value);
}

static void take_database(struct grpc_head *head, struct span value)
{
    if (head->has_database)
        return;
    head->has_database = true;
    head->database_length = keep(head->database, sizeof(head->database), value);
}

static void take_timeout(struct grpc_head *head, struct span value)
{
    head->has_timeout = true;
    head->bad_timeout = !grpc_timeout_read(value, &head->timeout);
}

static void take_authorization(struct grpc_head *head, struct span value)
{
    if (!head->keeps_authorization || head->authorization.text)
        return;
    head->authorization.text = malloc(value.length + 1);
    if (!head->authorization.text)
        abort();
    head->authorization.length = keep(head->authorization.text, value.length, value);
}

static void take_encoding(struct grpc_head *head, struct span value)
{
    head->bad_encoding = !encoding_read(value, &head->encoding);
}

/* Of the transport, of the daemon, or of nobody's concern. */
static void drop(struct grpc_head *head, struct span value)
{
    (void)head, (void)value;
}

static const struct rule {
    const char *name;
    size_t length;
    void (*take)(struct grpc_head *head, struct span value);
} rules[] = {
#define RULE(name, take)                                                                           \
    {                                                                                              \
        name, sizeof(name) - 1, take                                                               \
    }
    RULE(":method", take_method),
    RULE(":path", take_path),
    RULE(":scheme", drop),
    RULE(":authority", drop),
    RULE("content-type", take_content_type),
    RULE("dbname", take_database),
    RULE("grpc-timeout", take_timeout),
    RULE("grpc-encoding", take_encoding),
    RULE("te", drop),
    RULE("user-agent", drop),
    RULE("authorization", take_authorization),
    RULE("log-level", drop),
    RULE("log_level", drop),
    RULE("content-length", drop),
    RULE("host", drop),
    RULE("proxy-authorization", drop),
#undef RULE
};

/* Names that gRPC keeps for itself, but for those of tracing, which are the application's. */
static bool is_reserved(struct span name)
{
    return starts(name, "grpc-") && !span_is(name, "grpc-trace-bin") &&
           !span_is(name, "grpc-tags-bin");
}

void grpc_head_take(struct grpc_head *head, struct span name, struct span value)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (rules[i].length != name.length || memcmp(rules[i].name, name.at, name.length) != 0)
            continue;
        rules[i].take(head, value);
        return;
    }
    if (!is_reserved(name))
        metadata_add(&head->metadata, name, value);
}

enum grpc_head_fault grpc_head_check(const struct grpc_head *head)
{
    if (!head->post)
        return GRPC_HEAD_METHOD;
    if (!head->grpc)
        return GRPC_HEAD_CONTENT;
    if (head->bad_timeout)
        return GRPC_HEAD_TIMEOUT;
    return head->bad_encoding ? GRPC_HEAD_ENCODING : GRPC_HEAD_GOOD;
}

void grpc_head_forget_authorization(struct grpc_head *head)
{
    if (head->authorization.text)
        explicit_bzero(head->authorization.text, head->authorization.length);
    free(head->authorization.text);
    head->authorization.text = NULL;
    head->authorization.length = 0;
}

void grpc_head_clear(struct grpc_head *head)
{
    grpc_head_forget_authorization(head);
    metadata_clear(&head->metadata);
}
