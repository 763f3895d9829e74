# SPDX-License-Identifier: Apache-2.0
"""Requests of Milvus for a collection with an INT64 key `id` and a FLOAT_VECTOR `embedding`."""
import json

import numpy
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

KEY, VECTOR = "id", "embedding"


def checked(reply):
    """The reply, if it says that Milvus did what was asked: failures of Milvus stand in its body."""
    status = reply if isinstance(reply, common_pb2.Status) else reply.status
    if status.code != 0 or status.error_code != 0:
        raise RuntimeError(f"Milvus refused: {status}")
    return reply


def pairs(**values):
    return [common_pb2.KeyValuePair(key=key, value=str(value)) for key, value in values.items()]


def create_collection(name, dim, auto_id=False):
    """auto_id: Milvus makes the keys."""
    key = schema_pb2.FieldSchema(
        name=KEY, data_type=schema_pb2.Int64, is_primary_key=True, autoID=auto_id
    )
    vector = schema_pb2.FieldSchema(
        name=VECTOR, data_type=schema_pb2.FloatVector, type_params=pairs(dim=dim)
    )
    schema = schema_pb2.CollectionSchema(name=name, fields=[key, vector], autoID=auto_id)
    return milvus_pb2.CreateCollectionRequest(
        collection_name=name,
        schema=schema.SerializeToString(),
        shards_num=1,
        consistency_level=common_pb2.Strong,
    )


def insert(name, ids, vectors):
    """ids: integers, None where Milvus makes them; vectors: a numpy array with a row for each of them."""
    fields = []
    if ids is not None:
        key = schema_pb2.FieldData(field_name=KEY, type=schema_pb2.Int64)
        key.scalars.long_data.data.extend(ids)
        fields.append(key)
    vector = schema_pb2.FieldData(field_name=VECTOR, type=schema_pb2.FloatVector)
    vector.vectors.dim = vectors.shape[1]
    vector.vectors.float_vector.data.extend(vectors.ravel())
    fields.append(vector)
    return milvus_pb2.InsertRequest(
        collection_name=name, fields_data=fields, num_rows=len(vectors)
    )


def create_index(name):
    return milvus_pb2.CreateIndexRequest(
        collection_name=name,
        field_name=VECTOR,
        extra_params=pairs(index_type="AUTOINDEX", metric_type="L2"),
    )


def search(name, vector, limit):
    values = numpy.asarray(vector, dtype="<f4").tobytes()
    placeholder = common_pb2.PlaceholderValue(
        tag="$0", type=common_pb2.PlaceholderType.FloatVector, values=[values]
    )
    group = common_pb2.PlaceholderGroup(placeholders=[placeholder])
    return milvus_pb2.SearchRequest(
        collection_name=name,
        placeholder_group=group.SerializeToString(),
        dsl_type=common_pb2.DslType.BoolExprV1,
        search_params=pairs(
            anns_field=VECTOR, topk=limit, metric_type="L2", params=json.dumps({}), round_decimal=-1
        ),
        nq=1,
        consistency_level=common_pb2.Strong,
    )


def count(name):
    return milvus_pb2.QueryRequest(
        collection_name=name, output_fields=["count(*)"], consistency_level=common_pb2.Strong
    )
