/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rpc.h"

#include <ctype.h>
#include <stdlib.h>

#define SERVICE               "milvus.proto.milvus.MilvusService/"
#define NESTED(outer, number) ((outer) << 8 | (number))
#define PATH(field)                                                                                \
    {                                                                                              \
        .outer = (field) >> 8, .number = (field)&0xff                                              \
    }

static const struct rpc rpcs[] = {
#define RPC(rpc, database_at, collection_at, class_of, repeatable, cached, status_at)              \
    {.name = #rpc,                                                                                 \
     .path = "/" SERVICE #rpc,                                                                     \
     .database = PATH(database_at),                                                                \
     .collection = PATH(collection_at),                                                            \
     .class = RPC_CLASS_##class_of,                                                                \
     .cache = RPC_CACHE_##cached,                                                                  \
     .status = RPC_STATUS_##status_at},
#include "proto/rpcs.def"
#undef RPC
};

const char *rpc_class_word(enum rpc_class class)
{
    static const char *const words[] = {
#define X(name, word) word,
        RPC_CLASSES(X)
#undef X
    };
    return words[class];
}

size_t rpc_count(void)
{
    return sizeof(rpcs) / sizeof(rpcs[0]);
}

const struct rpc *rpc_at(size_t row)
{
    return &rpcs[row];
}

static int compare(const void *key, const void *element)
{
    const struct span *name = key;
    const struct rpc *rpc = element;
    size_t length = strlen(rpc->name);
    int order = memcmp(name->at, rpc->name, length < name->length ? length : name->length);
    if (order != 0)
        return order;
    return (name->length > length) - (name->length < length);
}

static struct span without_prefix(struct span text, const char *prefix)
{
    size_t length = strlen(prefix);
    if (text.length < length || memcmp(text.at, prefix, length) != 0)
        return text;
    return span_of(text.at + length, text.length - length);
}

const struct rpc *rpc_find(struct span method)
{
    struct span name = without_prefix(without_prefix(method, "/"), SERVICE);
    return bsearch(&name, rpcs, rpc_count(), sizeof(rpcs[0]), compare);
}

static bool is_name_byte(uint8_t byte)
{
    return isalnum(byte) || byte == '_' || byte == '.';
}

bool rpc_method_valid(struct span method)
{
    struct span rest = without_prefix(method, "/");
    bool absolute = rest.length < method.length;
    if (method.length > RPC_METHOD_MAX)
        return false;
    const uint8_t *slash = memchr(rest.at, '/', rest.length);
    if ((absolute && !slash) || slash == rest.at || rest.length == 0)
        return false;
    if (rest.at[rest.length - 1] == '/')
        return false;
    for (size_t i = 0; i < rest.length; i++) {
        if (!is_name_byte(rest.at[i]) && rest.at + i != slash)
            return false;
    }
    return true;
}

void rpc_method_path(struct span method, char *to)
{
    struct span rest = without_prefix(method, "/");
    const char *service = memchr(rest.at, '/', rest.length) ? "/" : "/" SERVICE;
    size_t length = strlen(service);
    rest = span_cut(rest, RPC_METHOD_MAX);
    memcpy(to, service, length);
    memcpy(to + length, rest.at, rest.length);
    to[length + rest.length] = '\0';
}

bool rpc_read_status(const struct rpc *rpc, struct span reply, struct wire_status *ret_status)
{
    if (rpc->status == RPC_STATUS_NONE || rpc->status == RPC_STATUS_STREAM)
        return false;
    if (rpc->status == RPC_STATUS_DIRECT)
        return wire_read_status(reply, ret_status);
    uint16_t number = (uint16_t)(rpc->status - RPC_STATUS_FIELD1 + 1);
    struct span status;
    return wire_find_bytes(reply, (struct wire_path){.number = number}, &status) &&
           wire_read_status(status, ret_status);
}
