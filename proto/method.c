/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/method.h"

#include <stdlib.h>
#include <string.h>

#include "milvus/milvus.pb-c.h"
#include "proto/json_near.h"

#define DESCRIPTOR(message) &milvus__proto__milvus__##message##__descriptor

/* R(name, request, reply); S for those that answer with a common.Status. In strcmp() order. */
#define R(name, request, reply) {#name, DESCRIPTOR(request), DESCRIPTOR(reply)},
#define S(name, request)        {#name, DESCRIPTOR(request), &milvus__proto__common__status__descriptor},
/* clang-format off */
static const struct method methods[] = {
    S(AddCollectionField, add_collection_field_request)
    S(AlterAlias, alter_alias_request)
    S(AlterCollection, alter_collection_request)
    S(AlterCollectionField, alter_collection_field_request)
    S(AlterDatabase, alter_database_request)
    S(AlterIndex, alter_index_request)
    R(CheckHealth, check_health_request, check_health_response)
    R(Connect, connect_request, connect_response)
    S(CreateAlias, create_alias_request)
    S(CreateCollection, create_collection_request)
    S(CreateCredential, create_credential_request)
    S(CreateDatabase, create_database_request)
    S(CreateIndex, create_index_request)
    S(CreatePartition, create_partition_request)
    S(CreateRole, create_role_request)
    R(Delete, delete_request, mutation_result)
    S(DeleteCredential, delete_credential_request)
    R(DescribeAlias, describe_alias_request, describe_alias_response)
    R(DescribeCollection, describe_collection_request, describe_collection_response)
    R(DescribeDatabase, describe_database_request, describe_database_response)
    R(DescribeIndex, describe_index_request, describe_index_response)
    S(DropAlias, drop_alias_request)
    S(DropCollection, drop_collection_request)
    S(DropDatabase, drop_database_request)
    S(DropIndex, drop_index_request)
    S(DropPartition, drop_partition_request)
    S(DropRole, drop_role_request)
    R(Flush, flush_request, flush_response)
    R(GetCollectionStatistics, get_collection_statistics_request, get_collection_statistics_response)
    R(GetCompactionState, get_compaction_state_request, get_compaction_state_response)
    R(GetFlushState, get_flush_state_request, get_flush_state_response)
    R(GetLoadState, get_load_state_request, get_load_state_response)
    R(GetLoadingProgress, get_loading_progress_request, get_loading_progress_response)
    R(GetPartitionStatistics, get_partition_statistics_request, get_partition_statistics_response)
    R(GetVersion, get_version_request, get_version_response)
    R(HasCollection, has_collection_request, bool_response)
    R(HasPartition, has_partition_request, bool_response)
    R(HybridSearch, hybrid_search_request, search_results)
    R(Insert, insert_request, mutation_result)
    R(ListAliases, list_aliases_request, list_aliases_response)
    R(ListCredUsers, list_cred_users_request, list_cred_users_response)
    R(ListDatabases, list_databases_request, list_databases_response)
    S(LoadCollection, load_collection_request)
    S(LoadPartitions, load_partitions_request)
    R(ManualCompaction, manual_compaction_request, manual_compaction_response)
    S(OperatePrivilege, operate_privilege_request)
    S(OperatePrivilegeV2, operate_privilege_v2_request)
    S(OperateUserRole, operate_user_role_request)
    R(Query, query_request, query_results)
    S(ReleaseCollection, release_collection_request)
    S(ReleasePartitions, release_partitions_request)
    S(RenameCollection, rename_collection_request)
    R(Search, search_request, search_results)
    R(SelectGrant, select_grant_request, select_grant_response)
    R(SelectRole, select_role_request, select_role_response)
    R(SelectUser, select_user_request, select_user_response)
    R(ShowCollections, show_collections_request, show_collections_response)
    R(ShowPartitions, show_partitions_request, show_partitions_response)
    R(TruncateCollection, truncate_collection_request, truncate_collection_response)
    S(UpdateCredential, update_credential_request)
    R(Upsert, upsert_request, mutation_result)
};
/* clang-format on */
#undef R
#undef S

#define METHOD_COUNT (sizeof(methods) / sizeof(*methods))

static int compare_name(const void *name, const void *method)
{
    return strcmp(name, ((const struct method *)method)->name);
}

const struct method *method_find(const char *name)
{
    static const char service[] = "milvus.proto.milvus.MilvusService/";
    if (*name == '/')
        name++;
    if (strncmp(name, service, sizeof(service) - 1) == 0)
        name += sizeof(service) - 1;
    return bsearch(name, methods, METHOD_COUNT, sizeof(*methods), compare_name);
}

const struct method *method_all(size_t *ret_count)
{
    *ret_count = METHOD_COUNT;
    return methods;
}

/* Letters apart; a part of a name, or one that goes on, is a near miss too. */
static unsigned name_distance(const char *typed, const char *name)
{
    unsigned distance = json_near(typed, name);
    if (distance == JSON_NEAR_NONE && *typed &&
        (strcasestr(name, typed) || strcasestr(typed, name)))
        return 16;
    return distance;
}

size_t method_near(const char *typed, const char **ret_names, size_t most)
{
    size_t count = 0;
    for (unsigned distance = 0; distance <= 32 && count < most; distance++) {
        for (size_t i = 0; i < METHOD_COUNT && count < most; i++) {
            if (name_distance(typed, methods[i].name) == distance)
                ret_names[count++] = methods[i].name;
        }
    }
    return count;
}

const Milvus__Proto__Common__Status *method_status(const ProtobufCMessage *reply)
{
    const ProtobufCMessageDescriptor *status = &milvus__proto__common__status__descriptor;
    if (reply->descriptor == status)
        return (const void *)reply;
    for (unsigned i = 0; i < reply->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &reply->descriptor->fields[i];
        if (field->descriptor == status && field->label != PROTOBUF_C_LABEL_REPEATED)
            return *(void *const *)((const char *)reply + field->offset);
    }
    return NULL;
}
