# SPDX-License-Identifier: Apache-2.0
"""Rows for the collections that are searched (merge_collections.py), the same in every run.

Components of vectors are small whole numbers, so that distances are exact: it does not matter in which order a server
adds them up, and whatever differs between two answers is no rounding.
"""
import json

import numpy
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

from messages import checked, pairs
from waiting import eventually

ROWS, GROWING, DIM, BITS = 1200, 150, 16, 256  # Milvus builds no index of less than 1024 rows
SPARSE_DIM, SPARSE_MAX = 200, 8
PARTITIONS = ["_default", "first", "second", "empty"]
INDEX_LIMIT = 120  # seconds; Milvus builds one after another

INT_BITS = {schema_pb2.Int8: 8, schema_pb2.Int16: 16, schema_pb2.Int32: 32}
SLOTS = {
    schema_pb2.Bool: "bool_data",
    schema_pb2.Int8: "int_data",
    schema_pb2.Int16: "int_data",
    schema_pb2.Int32: "int_data",
    schema_pb2.Int64: "long_data",
    schema_pb2.Float: "float_data",
    schema_pb2.Double: "double_data",
    schema_pb2.VarChar: "string_data",
    schema_pb2.JSON: "json_data",
    schema_pb2.Geometry: "geometry_wkt_data",
    schema_pb2.Timestamptz: "string_data",
}


def scalar_value(field, n, rng):
    """Of row n, as Python has it."""
    kind = field.element or field.kind
    if field.kind == schema_pb2.Array:
        element = field._replace(kind=kind, element=0)
        return [scalar_value(element, n, rng) for _ in range(n % 4)]
    if kind in INT_BITS:
        return int(rng.integers(-(1 << INT_BITS[kind] - 1), 1 << INT_BITS[kind] - 1))
    return {
        schema_pb2.Bool: lambda: n % 3 == 0,
        schema_pb2.Int64: lambda: int(rng.integers(-(1 << 62), 1 << 62)),
        schema_pb2.Float: lambda: float(numpy.float32(rng.normal())),
        schema_pb2.Double: lambda: float(rng.normal()),
        schema_pb2.VarChar: lambda: f"text {n} " + "é" * (n % 7),
        schema_pb2.JSON: lambda: json.dumps({"n": n, "even": n % 2 == 0, "list": [n] * (n % 3)}).encode(),
        schema_pb2.Geometry: lambda: f"POINT ({n} {n % 90})",
        schema_pb2.Timestamptz: lambda: f"2024-03-{1 + n % 28:02}T{n % 24:02}:30:00Z",
    }[kind]()


def scalar_column(field, rows, rng):
    data = schema_pb2.FieldData(field_name=field.name, type=field.kind)
    values = [scalar_value(field, n, rng) for n in rows]
    if field.nullable:
        data.valid_data.extend(n % 4 != 1 for n in rows)
    if field.kind == schema_pb2.Array:
        data.scalars.array_data.element_type = field.element
        for value in values:
            getattr(data.scalars.array_data.data.add(), SLOTS[field.element]).data.extend(value)
    else:
        getattr(data.scalars, SLOTS[field.kind]).data.extend(values)
    return data


def key_column(collection, rows):
    key = collection.key
    data = schema_pb2.FieldData(field_name=key.name, type=key.kind)
    values = [n * 7 - 1000 if key.kind == schema_pb2.Int64 else f"key {n * 7}" for n in rows]
    getattr(data.scalars, SLOTS[key.kind]).data.extend(values)
    return data


def dense(rng, count):
    """Their products with one another add up below 2^24: exact in 32 bits."""
    return rng.integers(-400, 401, (count, DIM)).astype("<f4")


def bits(rng, count):
    return rng.integers(0, 256, (count, BITS // 8), dtype="u1")


def sparse(rng, count):
    """Rows of (index, value) pairs, as Milvus lays them out."""
    rows = []
    for _ in range(count):
        indices = numpy.sort(rng.choice(SPARSE_DIM, 1 + rng.integers(SPARSE_MAX), replace=False))
        pairs_of_row = numpy.empty(len(indices), dtype=[("index", "<u4"), ("value", "<f4")])
        pairs_of_row["index"], pairs_of_row["value"] = indices, rng.integers(1, 400, len(indices))
        rows.append(pairs_of_row.tobytes())
    return rows


def vectors_of(kind, rng, count):
    """In bytes, as a placeholder has them."""
    if kind == schema_pb2.SparseFloatVector:
        return sparse(rng, count)
    made = bits(rng, count) if kind == schema_pb2.BinaryVector else dense(rng, count)
    return [row.tobytes() for row in made]


def vector_column(field, count, rng):
    data = schema_pb2.FieldData(field_name=field.name, type=field.kind)
    values = vectors_of(field.kind, rng, count)
    if field.kind == schema_pb2.SparseFloatVector:
        data.vectors.dim = data.vectors.sparse_float_vector.dim = SPARSE_DIM
        data.vectors.sparse_float_vector.contents.extend(values)
    elif field.kind == schema_pb2.BinaryVector:
        data.vectors.dim, data.vectors.binary_vector = BITS, b"".join(values)
    else:
        data.vectors.dim = DIM
        data.vectors.float_vector.data.extend(numpy.frombuffer(b"".join(values), "<f4"))
    return data


def dynamic_column(rows):
    data = schema_pb2.FieldData(field_name="$meta", type=schema_pb2.JSON, is_dynamic=True)
    texts = [json.dumps({"extra": n} if n % 2 else {"extra": n, "only_even": "x" * (n % 5)}) for n in rows]
    data.scalars.json_data.data.extend(text.encode() for text in texts)
    return data


def scalar_schema(field):
    schema = schema_pb2.FieldSchema(
        name=field.name, data_type=field.kind, element_type=field.element, nullable=field.nullable
    )
    if schema_pb2.VarChar in (field.kind, field.element):
        schema.type_params.extend(pairs(max_length=200))
    if field.element:
        schema.type_params.extend(pairs(max_capacity=8))
    if field.default:
        schema.default_value.long_data = 4711
    return schema


def vector_schema(field):
    schema = schema_pb2.FieldSchema(name=field.name, data_type=field.kind)
    if field.kind != schema_pb2.SparseFloatVector:
        schema.type_params.extend(pairs(dim=BITS if field.kind == schema_pb2.BinaryVector else DIM))
    return schema


def drop(direct, name):
    checked(direct.call("DropCollection", milvus_pb2.DropCollectionRequest(collection_name=name)))


def create(direct, collection):
    key = scalar_schema(collection.key)
    key.is_primary_key = True
    fields = [key, *map(scalar_schema, collection.scalars), *map(vector_schema, collection.vectors)]
    schema = schema_pb2.CollectionSchema(name=collection.name, fields=fields, enable_dynamic_field=True)
    request = milvus_pb2.CreateCollectionRequest(
        collection_name=collection.name,
        schema=schema.SerializeToString(),
        shards_num=1,
        consistency_level=common_pb2.Bounded,
    )
    checked(direct.call("CreateCollection", request))
    for partition in PARTITIONS[1:]:
        request = milvus_pb2.CreatePartitionRequest(collection_name=collection.name, partition_name=partition)
        checked(direct.call("CreatePartition", request))


def insert(direct, collection, rows, partition, rng):
    columns = [key_column(collection, rows)]
    given = [field for field in collection.scalars if not field.default or partition == PARTITIONS[0]]
    columns += [scalar_column(field, rows, rng) for field in given]
    columns += [vector_column(field, len(rows), rng) for field in collection.vectors]
    request = milvus_pb2.InsertRequest(
        collection_name=collection.name,
        partition_name=partition,
        fields_data=[*columns, dynamic_column(rows)],
        num_rows=len(rows),
    )
    checked(direct.call("Insert", request))


def insert_all(direct, collection, rows, partitions, rng):
    """Spread over the partitions."""
    for number, partition in enumerate(partitions):
        insert(direct, collection, rows[number :: len(partitions)], partition, rng)


def flush(direct, collection):
    reply = checked(direct.call("Flush", milvus_pb2.FlushRequest(collection_names=[collection.name])))
    segments = reply.coll_segIDs[collection.name].data
    request = milvus_pb2.GetFlushStateRequest(segmentIDs=segments, collection_name=collection.name)
    eventually(lambda: direct.call("GetFlushState", request).flushed, f"{collection.name} is flushed")


def index(direct, collection, field):
    params = pairs(index_type=field.index, metric_type=field.metric, params=json.dumps(field.params))
    request = milvus_pb2.CreateIndexRequest(
        collection_name=collection.name, field_name=field.name, extra_params=params, index_name=field.name
    )
    checked(direct.call("CreateIndex", request))

    def is_built():
        reply = direct.call("DescribeIndex", milvus_pb2.DescribeIndexRequest(collection_name=collection.name))
        return all(one.state == common_pb2.Finished for one in checked(reply).index_descriptions)

    eventually(is_built, f"the index of {field.name} is built", INDEX_LIMIT)


def load(direct, name):
    checked(direct.call("LoadCollection", milvus_pb2.LoadCollectionRequest(collection_name=name)))

    def is_loaded():
        reply = direct.call("GetLoadState", milvus_pb2.GetLoadStateRequest(collection_name=name))
        return checked(reply).state == common_pb2.LoadStateLoaded

    eventually(is_loaded, f"{name} is loaded")


def fill(direct, collection):
    """Creates it with its rows; the last partition stays empty, two have only such that no index holds."""
    rng = numpy.random.default_rng(6)
    create(direct, collection)
    insert(direct, collection, range(ROWS), PARTITIONS[0], rng)
    if collection.sealed:
        flush(direct, collection)
    for field in collection.vectors:
        index(direct, collection, field)
    load(direct, collection.name)
    insert_all(direct, collection, range(ROWS, ROWS + GROWING), PARTITIONS[:3], rng)
    count = milvus_pb2.QueryRequest(
        collection_name=collection.name, output_fields=["count(*)"], consistency_level=common_pb2.Strong
    )
    [rows_there] = checked(direct.call("Query", count)).fields_data[0].scalars.long_data.data
    assert rows_there == ROWS + GROWING
