# SPDX-License-Identifier: Apache-2.0
"""Searches drawn at random: shapes, which agree in all but the vectors, and the requests of a shape."""
import json
from typing import NamedTuple

import numpy
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

import merge_data
from merge_collections import Collection, Vector
from merge_data import PARTITIONS
from messages import pairs

VECTORS = 20  # that are searched for, of each kind
PLACEHOLDERS = {  # of a field's kind
    schema_pb2.BinaryVector: common_pb2.PlaceholderType.BinaryVector,
    schema_pb2.FloatVector: common_pb2.PlaceholderType.FloatVector,
    schema_pb2.SparseFloatVector: common_pb2.PlaceholderType.SparseFloatVector,
}
# The guarantee timestamps are those that pymilvus sends.
CONSISTENCY = [
    {"use_default_consistency": True, "guarantee_timestamp": 1},
    {"consistency_level": common_pb2.Session, "guarantee_timestamp": 1},
    {"consistency_level": common_pb2.Bounded, "guarantee_timestamp": 2},
    {"consistency_level": common_pb2.Eventually, "guarantee_timestamp": 1},
    {"consistency_level": common_pb2.Customized, "guarantee_timestamp": 1},
]
STRONG = {"consistency_level": common_pb2.Strong}
LIMITS = {1: 6, 3: 5, 10: 12, 17: 5, 100: 3, 1000: 1}  # and how often
RADIUS = {"L2": (2.0e5, 4.0e5, 6.0e5), "IP": (2.0e5, 4.0e5, 6.0e5), "COSINE": (0.5, 0.7), "HAMMING": (90, 105)}
RANDOM = numpy.random.default_rng(66)
SEARCHED = {kind: merge_data.vectors_of(kind, RANDOM, VECTORS) for kind in PLACEHOLDERS}


class Shape(NamedTuple):
    collection: Collection
    vector: Vector
    limit: int
    fields: dict  # of the request
    params: dict  # of the search

    def is_strong(self):
        return self.fields.get("consistency_level") == common_pb2.Strong

    def request(self, numbers):
        """For the vectors with these numbers, in bytes."""
        return self.message([SEARCHED[self.vector.kind][number] for number in numbers]).SerializeToString()

    def message(self, values):
        placeholder = common_pb2.PlaceholderValue(tag="$0", type=PLACEHOLDERS[self.vector.kind], values=values)
        return milvus_pb2.SearchRequest(
            collection_name=self.collection.name,
            placeholder_group=common_pb2.PlaceholderGroup(placeholders=[placeholder]).SerializeToString(),
            nq=len(values),
            dsl_type=common_pb2.BoolExprV1,
            search_params=pairs(topk=self.limit, **self.params),
            **self.fields,
        )


def draw(rng, choices):
    """One of them; of a dict, as often as it says."""
    if isinstance(choices, dict):
        weights = numpy.array(list(choices.values()), dtype=float)
        return list(choices)[rng.choice(len(choices), p=weights / weights.sum())]
    return choices[rng.integers(len(choices))]


def filters(collection):
    """And how often."""
    if not collection.filtered:
        return {"": 1}
    key = collection.key
    by_key = f"{key.name} > 2000" if key.kind == schema_pb2.Int64 else f'{key.name} like "key 1%"'
    nothing = f"{key.name} == -5" if key.kind == schema_pb2.Int64 else f'{key.name} == "nobody"'
    return {
        "": 8,
        by_key: 1,
        "flag == true": 1,
        "large > 0 and medium < 0": 1,
        'text like "text 1%"': 1,
        'json["n"] < 600': 1,
        "exact > 2.2": 1,  # some dozen rows
        "extra in [3, 5, 900, 1340]": 1,
        nothing: 1,
    }


def output_fields(rng, collection, vector):
    every = [field.name for field in collection.scalars]
    some = rng.choice(every, 3, replace=False).tolist()
    return draw(rng, [[], [], ["*"], some, some, every, [vector.name], ["extra"], ["$meta", collection.key.name]])


def draw_params(rng, vector):
    params = {}
    inner = {"ef": 2500} if vector.index == "HNSW" else {"nprobe": 8} if vector.index == "IVF_FLAT" else {}
    if vector.metric in RADIUS and rng.random() < 0.2:
        inner["radius"] = draw(rng, RADIUS[vector.metric])
    if rng.random() < 0.15:
        params["offset"] = draw(rng, {1: 3, 5: 3, 40: 3, 1400: 1})
    if rng.random() < 0.8:
        params["ignore_growing"] = "false"
    params["round_decimal"] = draw(rng, {-1: 5, 0: 1, 6: 1})
    return {"anns_field": vector.name, "metric_type": vector.metric, "params": json.dumps(inner), **params}


def draw_shapes(rng, collections, count):
    """One in sixteen is Strong: alone, each waits for Milvus's next tick."""
    return [draw_shape(rng, collections, STRONG if n % 16 == 7 else CONSISTENCY[n % 5]) for n in range(count)]


def draw_shape(rng, collections, consistency):
    collection = draw(rng, collections)
    vector = draw(rng, collection.vectors)
    fields = {"dsl": draw(rng, filters(collection)), "output_fields": output_fields(rng, collection, vector)}
    if rng.random() < 0.25:
        fields["partition_names"] = draw(rng, [["first"], ["second", "_default"], PARTITIONS, ["empty"]])
    limit = draw(rng, LIMITS)
    return Shape(collection, vector, limit, {**fields, **consistency}, draw_params(rng, vector))
