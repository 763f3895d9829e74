# SPDX-License-Identifier: Apache-2.0
"""Routes whose RPC neither Milvus Lite nor Milvus 2.3.5 has, or does here: what is asked, and by which RPC."""
from typing import NamedTuple


class Refused(NamedTuple):
    method: str
    fields: dict  # of the body
    server: str = "lite"


LIMITS = {"requests": {"node_num": 1}, "limits": {"node_num": 1}}
ROLE = {"roleName": "reader", "privilege": "Search", "dbName": "default", "collectionName": "books"}
BOOKS = {"collectionName": "books"}
GROUP = {"privilegeGroupName": "readers", "privileges": ["Search"]}
FUNCTION = {"name": "words", "type": "BM25", "inputFieldNames": ["text"], "outputFieldNames": ["sparse"], "params": {}}
FIELD = {"fieldName": "more", "dataType": "Int64", "nullable": True}
STRUCT = {
    "fieldName": "pages", "dataType": "ArrayOfStruct",
    "elementTypeParams": {"max_capacity": 4}, "fields": [{"fieldName": "number", "dataType": "Array", "elementDataType": "Int64"}],
}  # fmt: skip
SPARSE_INDEX = {"fieldName": "sparse", "indexType": "AUTOINDEX", "metricType": "BM25"}

REFUSED = {
    "collections/add_function": Refused("AddCollectionFunction", {**BOOKS, "function": FUNCTION}),
    "collections/alter_function": Refused(
        "AlterCollectionFunction", {**BOOKS, "functionName": "words", "function": FUNCTION}
    ),
    "collections/drop_function": Refused("DropCollectionFunction", {**BOOKS, "functionName": "words"}),
    "collections/add_function_field": Refused(
        "AlterCollectionSchema",
        {**BOOKS, "function": FUNCTION, "outputField": {"fieldName": "sparse", "dataType": "SparseFloatVector"},
         "indexParams": SPARSE_INDEX},
    ),
    "collections/drop_function_field": Refused("AlterCollectionSchema", {**BOOKS, "functionName": "words"}),
    "collections/fields/alter_properties": Refused(
        "AlterCollectionField", {**BOOKS, "fieldName": "title", "fieldParams": {"max_length": 100}}
    ),
    "collections/fields/add": Refused("AlterCollectionSchema", {**BOOKS, "schema": FIELD}),
    "collections/fields/drop": Refused("AlterCollectionSchema", {**BOOKS, "fieldName": "more"}),
    "collections/struct_fields/add": Refused("AddCollectionStructField", {**BOOKS, "schema": STRUCT}),
    "roles/alter": Refused("AlterRole", {"roleName": "reader"}),
    "roles/grant_privilege_v2": Refused("OperatePrivilegeV2", ROLE, "milvus"),
    "roles/revoke_privilege_v2": Refused("OperatePrivilegeV2", ROLE, "milvus"),
    "privilege_groups/create": Refused("CreatePrivilegeGroup", GROUP, "milvus"),
    "privilege_groups/drop": Refused("DropPrivilegeGroup", GROUP, "milvus"),
    "privilege_groups/list": Refused("ListPrivilegeGroups", {}, "milvus"),
    "privilege_groups/add_privileges_to_group": Refused("OperatePrivilegeGroup", GROUP, "milvus"),
    "privilege_groups/remove_privileges_from_group": Refused("OperatePrivilegeGroup", GROUP, "milvus"),
    "indexes/alter_properties": Refused(
        "AlterIndex", {**BOOKS, "indexName": "nearby", "properties": {"mmap.enabled": True}}, "milvus"
    ),
    "indexes/drop_properties": Refused(
        "AlterIndex", {**BOOKS, "indexName": "nearby", "propertyKeys": ["mmap.enabled"]}, "milvus"
    ),
    "jobs/snapshot/restore_external": Refused(
        "RestoreExternalSnapshot", {"targetCollectionName": "books", "snapshotMetadataUri": "s3://b/s.json"}
    ),
    "jobs/snapshot/export": Refused("ExportSnapshot", {"name": "s", **BOOKS, "targetS3Path": "s3://b/s"}),
    "jobs/snapshot/describe": Refused("GetRestoreSnapshotState", {"jobId": "7"}),
    "jobs/snapshot/list": Refused("ListRestoreSnapshotJobs", BOOKS),
    "jobs/external_collection/refresh": Refused("RefreshExternalCollection", BOOKS),
    "jobs/external_collection/describe": Refused("GetRefreshExternalCollectionProgress", {"jobId": "7"}),
    "jobs/external_collection/list": Refused("ListRefreshExternalCollectionJobs", BOOKS),
    "resource_groups/alter": Refused("UpdateResourceGroups", {"resource_groups": {"mine": LIMITS}}, "milvus"),
    "file_resources/add": Refused("AddFileResource", {"name": "words", "path": "words.txt"}),
    "file_resources/remove": Refused("RemoveFileResource", {"name": "words"}),
    "file_resources/list": Refused("ListFileResources", {}),
    "common/run_analyzer": Refused("RunAnalyzer", {"text": ["some words"], "analyzerParams": "{}"}),
}  # fmt: skip

# What Milvus's gRPC service does not offer, and the body of each.
INTERNAL = {
    "jobs/import/list": {},
    "jobs/import/create": {**BOOKS, "files": [["a.parquet"]]},
    "jobs/import/get_progress": {"jobId": "7"},
    "jobs/import/describe": {"jobId": "7"},
    "jobs/import/commit": {"jobId": "7"},
    "jobs/import/abort": {"jobId": "7"},
    "segments/describe": {"collectionID": 1, "segmentIDs": [1]},
    "quotacenter/describe": {},
}
