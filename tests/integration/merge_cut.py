# SPDX-License-Identifier: Apache-2.0
"""A reply to many vectors, cut by hand: what each caller is owed, and the proof of whose a difference is."""
from pymilvus.grpc_gen import milvus_pb2, schema_pb2

from messages import checked

# Bytes of a number.
FLAT_VECTORS = {"binary_vector": 1 / 8, "float16_vector": 2, "bfloat16_vector": 2, "int8_vector": 1}


def cut_scalars(scalars, start, end):
    part = schema_pb2.ScalarField()
    kind = scalars.WhichOneof("data")
    getattr(part, kind).SetInParent()
    if kind == "array_data":
        part.array_data.element_type = scalars.array_data.element_type
    getattr(part, kind).data.extend(getattr(scalars, kind).data[start:end])
    return part


def cut_vectors(vectors, start, end):
    part = schema_pb2.VectorField(dim=vectors.dim)
    kind = vectors.WhichOneof("data")
    if kind == "float_vector":
        part.float_vector.data.extend(vectors.float_vector.data[start * vectors.dim : end * vectors.dim])
    elif kind == "sparse_float_vector":
        part.sparse_float_vector.dim = vectors.sparse_float_vector.dim
        part.sparse_float_vector.contents.extend(vectors.sparse_float_vector.contents[start:end])
    else:
        size = int(FLAT_VECTORS[kind] * vectors.dim)
        setattr(part, kind, getattr(vectors, kind)[start * size : end * size])
    return part


def cut_field(field, start, end):
    part = schema_pb2.FieldData()
    part.CopyFrom(field)
    for name in ("scalars", "vectors"):
        part.ClearField(name)
    del part.valid_data[:]
    part.valid_data.extend(field.valid_data[start:end])
    if field.HasField("scalars"):
        part.scalars.CopyFrom(cut_scalars(field.scalars, start, end))
    if field.HasField("vectors"):
        part.vectors.CopyFrom(cut_vectors(field.vectors, start, end))
    return part


def cut_ids(ids, start, end):
    part = schema_pb2.IDs()
    kind = ids.WhichOneof("id_field")
    if kind:
        getattr(part, kind).data.extend(getattr(ids, kind).data[start:end])
        getattr(part, kind).SetInParent()
    return part


def cut(reply, counts):
    """The replies of callers who asked so many vectors each; their top_k is left for the comparison to judge."""
    whole = checked(reply).results
    parts, query, row = [], 0, 0
    for count in counts:
        topks = whole.topks[query : query + count]
        end = row + sum(topks)
        part = milvus_pb2.SearchResults()
        part.CopyFrom(reply)
        part.results.num_queries = count
        for name in ("topks", "scores", "distances", "recalls", "fields_data"):
            part.results.ClearField(name)
        part.results.topks.extend(topks)
        for name in ("scores", "distances", "recalls"):
            getattr(part.results, name).extend(getattr(whole, name)[row:end])
        if whole.HasField("ids"):
            part.results.ids.CopyFrom(cut_ids(whole.ids, row, end))
        part.results.fields_data.extend(cut_field(field, row, end) for field in whole.fields_data)
        parts.append(part)
        query, row = query + count, end
    return parts
