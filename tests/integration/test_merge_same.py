# SPDX-License-Identifier: Apache-2.0
"""Searches of all kinds, many at once, are answered as each of them was alone; what differs is the server's own."""
import collections
import threading
import time

import numpy
import pytest
from pymilvus.grpc_gen import milvus_pb2

import merge_compare
import merge_data
from bouncer import one_pool
from merge_collections import OF_LITE, OF_MILVUS
from merge_compare import Different, differences
from merge_crowd import MANY, Crowd, questions
from merge_cut import cut
from merge_shapes import draw_shapes
from merged import merged

pytestmark = [pytest.mark.release_only, pytest.mark.timeout(400)]

SHAPES = 64
SEARCHES = 10_000  # of each server


class Searched:
    """A server with its collections, and what it answers to each question alone."""

    def __init__(self, server, collections, own):
        self.server, self.own = server, own
        self.names = [collection.name for collection in collections]
        self.direct = server.direct()
        at_once(lambda collection: merge_data.fill(server.direct(), collection), collections)
        shapes = draw_shapes(numpy.random.default_rng(2024), collections, SHAPES)
        self.by_shape = [questions(self.direct, shape) for shape in shapes]

    def close(self):
        for name in self.names:
            merge_data.drop(self.direct, name)
        self.direct.close()


def at_once(work, items):
    failures = []

    def run(item):
        try:
            work(item)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(item,)) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


@pytest.fixture(scope="module", params=["lite", "milvus"])
def searched(request):
    collections, own = {
        "lite": (OF_LITE, merge_compare.OF_LITE),
        "milvus": (OF_MILVUS, merge_compare.OF_MILVUS),
    }[request.param]
    searched = Searched(request.getfixturevalue(request.param), collections, own)
    yield searched
    searched.close()


def explain(question, reply, own):
    try:
        return differences(question.alone, reply, own)
    except Different as error:
        raise Different(f"{question.shape}\n{error}") from None


def test_same_as_alone(searched, start_bouncer):
    server = searched.server
    bouncer = start_bouncer(one_pool(server.upstream), server.network)
    start = time.monotonic()
    Crowd(bouncer, searched.by_shape, SEARCHES, lambda question, reply: explain(question, reply, searched.own)).run()
    print(f"{SEARCHES} searches in {time.monotonic() - start:.1f} s")
    print(told := merged(bouncer))
    assert told.searches > SEARCHES / 2, "most were merged"
    assert told.failed + told.lost + told.not_understood == 0


def singles(by_shape):
    """The questions of a shape that have one vector each."""
    return by_shape[: -len(MANY)]


def test_differences_are_the_servers_own(searched):
    """Many vectors sent to the server itself, and the reply cut by hand: each difference that is let pass is there."""
    found = collections.Counter()
    for by_shape in searched.by_shape:
        alone = singles(by_shape)
        data = alone[0].shape.request(range(len(alone)))
        reply = milvus_pb2.SearchResults.FromString(searched.direct.call_bytes("Search", data))
        for question, part in zip(alone, cut(reply, [1] * len(alone))):
            as_cut = restore(part, milvus_pb2.SearchResults.FromString(question.alone))
            found.update(explain(question, as_cut.SerializeToString(), searched.own))
    assert set(found) == searched.own


def restore(part, alone):
    """Gives a part what is of the whole reply: top_k, and the size of sparse vectors."""
    part.results.top_k = alone.results.top_k
    for field, of_alone in zip(part.results.fields_data, alone.results.fields_data):
        if field.vectors.HasField("sparse_float_vector"):
            field.vectors.sparse_float_vector.dim = of_alone.vectors.sparse_float_vector.dim
    return part
