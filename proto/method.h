/* SPDX-License-Identifier: Apache-2.0 */
/* The RPCs whose messages proto/milvus/ knows: those that can be read from JSON and printed. Every
 * RPC, known or not, can be forwarded; for what is known of those see proto/rpc.h. */
#ifndef PROTO_METHOD_H
#define PROTO_METHOD_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

struct method {
    const char *name; /* "Search" */
    const ProtobufCMessageDescriptor *request;
    const ProtobufCMessageDescriptor *reply;
};

/* By name, or service and name: "milvus.proto.milvus.MilvusService/Search", with or without a
 * slash before it. NULL for one that is not known. */
const struct method *method_find(const char *name);

/* Fills ret_names with up to `most` names like the mistyped one, the nearest first; returns how
 * many. The texts are static. */
size_t method_near(const char *typed, const char **ret_names, size_t most);

/* All of them, in the order of their names. */
const struct method *method_all(size_t *ret_count);

struct Milvus__Proto__Common__Status;

/* How a reply says it went; NULL when it says nothing, which is a success. Within the reply. */
const struct Milvus__Proto__Common__Status *method_status(const ProtobufCMessage *reply);

#endif
