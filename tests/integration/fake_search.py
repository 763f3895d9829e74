# SPDX-License-Identifier: Apache-2.0
"""Searches of a fake: the hits of a vector follow from its first number, so that everyone knows his own."""
import threading

import numpy
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

from fake import SUCCESS
from messages import pairs
from waiting import LIMIT

COLLECTION, DIM = "books", 4


def vector(number):
    return numpy.array([number] + [0] * (DIM - 1), dtype="<f4").tobytes()


def placeholders(values, tag="$0", kind=common_pb2.PlaceholderType.FloatVector):
    placeholder = common_pb2.PlaceholderValue(tag=tag, type=kind, values=values)
    return common_pb2.PlaceholderGroup(placeholders=[placeholder]).SerializeToString()


def search_of(*numbers, limit=1, params=None, **fields):
    """A search for these vectors; fields and params replace or add to what there is."""
    request = milvus_pb2.SearchRequest(
        collection_name=COLLECTION,
        placeholder_group=placeholders([vector(number) for number in numbers]),
        nq=len(numbers),
        dsl_type=common_pb2.BoolExprV1,
        search_params=pairs(**{"anns_field": "embedding", "topk": limit, "metric_type": "L2", **(params or {})}),
        output_fields=["title"],
    )
    request.MergeFrom(milvus_pb2.SearchRequest(**fields))
    return request


def asked_for(request):
    """The numbers of the vectors of a search."""
    group = common_pb2.PlaceholderGroup.FromString(request.placeholder_group)
    return [int(numpy.frombuffer(value[:4], "<f4")[0]) for one in group.placeholders for value in one.values]


def found(request):
    """The reply to a search: each vector has as many hits as the limit, from its own number on."""
    limit = int(next(pair.value for pair in request.search_params if pair.key == "topk"))
    keys = [number + rank for number in asked_for(request) for rank in range(limit)]
    reply = milvus_pb2.SearchResults(status=SUCCESS, collection_name=request.collection_name)
    results = reply.results
    results.num_queries, results.top_k = len(asked_for(request)), limit
    results.topks.extend([limit] * results.num_queries)
    results.ids.int_id.data.extend(keys)
    results.scores.extend(key / 2 for key in keys)
    results.output_fields.append("title")
    title = results.fields_data.add(field_name="title", type=schema_pb2.VarChar, field_id=101)
    title.scalars.string_data.data.extend(f"title {key}" for key in keys)
    return reply


def hits(call, context):
    """A behaviour of Search."""
    return found(call.message()).SerializeToString()


class Turnstile:
    """A behaviour that holds calls until they are let through, one by one, in any order."""

    def __init__(self, behaviour=hits):
        self.behaviour = behaviour
        self.permits = threading.Semaphore(0)

    def let(self, calls=1):
        self.permits.release(calls)

    def __call__(self, call, context):
        self.permits.acquire(timeout=LIMIT)
        return self.behaviour(call, context)


def carried(fake):
    """The numbers of the vectors of each call, in the order in which they came."""
    return [asked_for(call.message()) for call in fake.asked("Search")]
