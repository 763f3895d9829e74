/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of a gRPC request (grpc/doc/PROTOCOL-HTTP2.md, Requests), read field by field: what we
 * need of it, and the metadata that goes on to the upstream. Credentials and the log level are the
 * daemon's affair, fields of the transport and of gRPC end here; of credentials nothing is kept
 * unless the caller wants to look at them.
 */
#ifndef PROTO_GRPC_HEAD_H
#define PROTO_GRPC_HEAD_H

#include "proto/encoding.h"
#include "proto/metadata.h"
#include "proto/rpc.h"

#define GRPC_HEAD_DATABASE_MAX 256 /* bytes kept: more than any valid name has */

enum grpc_head_fault {
    GRPC_HEAD_GOOD,
    GRPC_HEAD_METHOD,   /* not POST: HTTP status 405 */
    GRPC_HEAD_CONTENT,  /* content-type other than application/grpc: HTTP status 415 */
    GRPC_HEAD_TIMEOUT,  /* grpc-timeout malformed */
    GRPC_HEAD_ENCODING, /* grpc-encoding unknown: UNIMPLEMENTED, with grpc-accept-encoding */
};

/* A struct of zeros is an empty head. */
struct grpc_head {
    bool post;
    bool grpc;
    bool bad_timeout;
    bool bad_encoding;
    bool has_timeout;
    bool has_database;
    bool keeps_authorization; /* set by the caller, before the first field */
    enum encoding encoding;
    int64_t timeout; /* ms */
    size_t path_length;
    size_t database_length;
    struct {
        char *text; /* the first value; owned, NULL without one */
        size_t length;
    } authorization;
    struct metadata metadata;      /* to be passed on */
    char path[RPC_METHOD_MAX + 1]; /* one byte more than is valid, so that what was cut is not */
    char
        database[GRPC_HEAD_DATABASE_MAX]; /* the first value of "dbname", which counts for Milvus */
};

void grpc_head_take(struct grpc_head *head, struct span name, struct span value);

/* Once all fields are taken. */
enum grpc_head_fault grpc_head_check(const struct grpc_head *head);

static inline struct span grpc_head_path(const struct grpc_head *head)
{
    return span_of(head->path, head->path_length);
}

static inline struct span grpc_head_database(const struct grpc_head *head)
{
    return span_of(head->database, head->database_length);
}

/* The value of `authorization`, where it is kept; empty without one, and once it is forgotten. */
static inline struct span grpc_head_authorization(const struct grpc_head *head)
{
    return span_of(head->authorization.text, head->authorization.length);
}

/* Wipes it. */
void grpc_head_forget_authorization(struct grpc_head *head);

/* Frees what it holds. */
void grpc_head_clear(struct grpc_head *head);

#endif
