/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/json_embed.h"

#include <string.h>

#include "milvus/milvus.pb-c.h"

static const struct embed {
    const ProtobufCMessageDescriptor *type;
    const char *name;
    const ProtobufCMessageDescriptor *held;
} embeds[] = {
    {&milvus__proto__milvus__create_collection_request__descriptor, "schema",
     &milvus__proto__schema__collection_schema__descriptor},
    {&milvus__proto__milvus__add_collection_field_request__descriptor, "schema",
     &milvus__proto__schema__field_schema__descriptor},
    {&milvus__proto__milvus__search_request__descriptor, "placeholder_group",
     &milvus__proto__common__placeholder_group__descriptor},
    {&milvus__proto__milvus__sub_search_request__descriptor, "placeholder_group",
     &milvus__proto__common__placeholder_group__descriptor},
};

const ProtobufCMessageDescriptor *json_embed_find(const ProtobufCMessageDescriptor *type,
                                                  const char *name)
{
    for (size_t i = 0; i < sizeof(embeds) / sizeof(*embeds); i++) {
        if (embeds[i].type == type && strcmp(embeds[i].name, name) == 0)
            return embeds[i].held;
    }
    return NULL;
}

bool json_embed_is_vector(const ProtobufCMessageDescriptor *type, const char *name)
{
    return type == &milvus__proto__common__placeholder_value__descriptor &&
           strcmp(name, "values") == 0;
}

bool json_embed_is_float_vector(const ProtobufCMessage *message)
{
    if (message->descriptor != &milvus__proto__common__placeholder_value__descriptor)
        return false;
    const Milvus__Proto__Common__PlaceholderValue *value = (const void *)message;
    return value->type == MILVUS__PROTO__COMMON__PLACEHOLDER_TYPE__FloatVector;
}
