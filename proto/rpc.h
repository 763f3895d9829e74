/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of each RPC of Milvus: the table in proto/rpcs.def, which explains the columns. */
#ifndef PROTO_RPC_H
#define PROTO_RPC_H

#include "proto/wire.h"

enum rpc_cache {
    RPC_CACHE_NONE,
    RPC_CACHE_KEEP_SCHEMA,
    RPC_CACHE_KEEP_SESSION,
    RPC_CACHE_CLEAR_COLLECTION,
    RPC_CACHE_CLEAR_DATABASE,
    RPC_CACHE_CLEAR_ALL,
};

enum rpc_status {
    RPC_STATUS_DIRECT,
    RPC_STATUS_FIELD1,
    RPC_STATUS_FIELD2,
    RPC_STATUS_FIELD3,
    RPC_STATUS_NONE,
    RPC_STATUS_STREAM,
};

/* The rights that RPCs need: name, word. */
#define RPC_RIGHTS(X)                                                                              \
    X(READ, "read")                                                                                \
    X(WRITE, "write")                                                                              \
    X(SCHEMA, "schema")                                                                            \
    X(RBAC, "rbac")                                                                                \
    X(ADMIN, "admin")

/* And SESSION: what clients open with, which needs none. */
#define RPC_CLASSES(X)                                                                             \
    RPC_RIGHTS(X)                                                                                  \
    X(SESSION, "session")

#define X(name, word) RPC_CLASS_##name,
enum rpc_class { RPC_CLASSES(X) RPC_CLASS_COUNT };
#undef X

struct rpc {
    const char *name;            /* "Search" */
    const char *path;            /* "/milvus.proto.milvus.MilvusService/Search" */
    struct wire_path database;   /* number 0: the request names none */
    struct wire_path collection; /* the same */
    enum rpc_class class;
    enum rpc_cache cache;
    enum rpc_status status;
};

/* The RPC of a method as clients write it: "Search", or "milvus.proto.milvus.MilvusService/Search"
 * with or without a slash before it. NULL for one that the table does not know. */
const struct rpc *rpc_find(struct span method);

/* "read". Static text. */
const char *rpc_class_word(enum rpc_class class);

/* The table, row by row. */
size_t rpc_count(void);
const struct rpc *rpc_at(size_t row);

/* Whether the text is a method's name at all: an identifier, or service and method with one slash
 * between. */
bool rpc_method_valid(struct span method);

/* The longest method that rpc_method_path() takes, in bytes. */
#define RPC_METHOD_MAX 255

/* Writes the path of a valid method, known or not, as HTTP/2 carries it, with a NUL. */
void rpc_method_path(struct span method, char *to);
#define RPC_PATH_MAX (RPC_METHOD_MAX + sizeof("/milvus.proto.milvus.MilvusService/"))

/* The outcome within a reply, as its Status says; one that does not stand is a success, as proto3
 * has it. False: replies of this RPC have none, or this one is malformed. */
bool rpc_read_status(const struct rpc *rpc, struct span reply, struct wire_status *ret_status)
    __attribute__((warn_unused_result));

#endif
