# SPDX-License-Identifier: Apache-2.0
"""Collections that have, between them, every kind of field and vector that a server offers."""
from typing import NamedTuple

from pymilvus.grpc_gen import schema_pb2


class Scalar(NamedTuple):
    name: str
    kind: int
    element: int = 0  # of an array
    nullable: bool = False
    default: bool = False  # has a default value, which rows of all partitions but one are left to


class Vector(NamedTuple):
    name: str
    kind: int
    metric: str
    index: str
    params: dict = {}


class Collection(NamedTuple):
    name: str
    key: Scalar
    scalars: list
    vectors: list
    sealed: bool = True  # most rows are in indexed segments; else all are searched one by one
    filtered: bool = True  # searched with filters


INT_KEY, TEXT_KEY = Scalar("id", schema_pb2.Int64), Scalar("name", schema_pb2.VarChar)
ARRAYS = [schema_pb2.Bool, schema_pb2.Int16, schema_pb2.Int64, schema_pb2.Float, schema_pb2.Double, schema_pb2.VarChar]
SCALARS = [
    Scalar("flag", schema_pb2.Bool),
    Scalar("tiny", schema_pb2.Int8),
    Scalar("small", schema_pb2.Int16),
    Scalar("medium", schema_pb2.Int32),
    Scalar("large", schema_pb2.Int64),
    Scalar("single", schema_pb2.Float),
    Scalar("exact", schema_pb2.Double),
    Scalar("text", schema_pb2.VarChar),
    Scalar("json", schema_pb2.JSON),
    *(Scalar(f"array_{kind}", schema_pb2.Array, kind) for kind in ARRAYS),
]
NULLABLE = [scalar._replace(name=f"{scalar.name}_or_null", nullable=True) for scalar in SCALARS]
LITE_ONLY = [
    Scalar("by_default", schema_pb2.Int64, default=True),
    Scalar("place", schema_pb2.Geometry),
    Scalar("time", schema_pb2.Timestamptz),
]
GRAPH, LISTS = {"M": 8, "efConstruction": 64}, {"nlist": 8}


def floats(metric, index, params=None, name="vector"):
    return Vector(name, schema_pb2.FloatVector, metric, index, params or {})


def bits(metric, index):
    return Vector("vector", schema_pb2.BinaryVector, metric, index)


# Milvus 2.3.5 has one vector field a collection, and neither null nor default. Where a search of its HNSW begins
# depends on those before it: under a filter it finds other rows from time to time, alone as well. Of float16 it gives
# wrong answers, alone as well, so there is nothing to compare with.
OF_MILVUS = [
    Collection("merge_graph", INT_KEY, SCALARS, [floats("L2", "HNSW", GRAPH)], filtered=False),
    Collection("merge_lists", TEXT_KEY, SCALARS, [floats("COSINE", "IVF_FLAT", LISTS)]),
    Collection("merge_inner", TEXT_KEY, SCALARS, [floats("IP", "FLAT")], sealed=False),
    Collection("merge_hamming", INT_KEY, SCALARS, [bits("HAMMING", "BIN_FLAT")], sealed=False),
    Collection("merge_jaccard", INT_KEY, SCALARS, [bits("JACCARD", "BIN_FLAT")], sealed=False),
]
OF_LITE = [
    Collection(
        "merge_every",
        INT_KEY,
        SCALARS + NULLABLE + LITE_ONLY,
        [
            floats("L2", "HNSW", GRAPH),
            floats("IP", "FLAT", name="inner"),
            Vector("sparse", schema_pb2.SparseFloatVector, "IP", "SPARSE_INVERTED_INDEX", {}),
        ],
    ),
    Collection(
        "merge_texts", TEXT_KEY, SCALARS, [floats("COSINE", "AUTOINDEX"), floats("L2", "IVF_FLAT", LISTS, name="lists")]
    ),
]
