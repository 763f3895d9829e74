# SPDX-License-Identifier: Apache-2.0
"""Those that wait for a full pool are taken in turn: a greedy client's many requests, and a modest one's few.

Shown by the order of calls at the upstream. The first is held there until all have been read by the daemon, and then
one goes after the other.
"""
import contextlib
import os

import numpy
import pytest
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

import messages
from bouncer import configuration, one_pool
from codes import OK
from fake import Gate, answer
from users import INDEXER, WEB, Crowd, CrowdOf, public_folder
from waiting import eventually

each_protocol = pytest.mark.parametrize("protocol", ["plain", "grpc"])
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be other users")

GREEDY, MODEST = 60, 5  # requests


def query(who):
    return milvus_pb2.QueryRequest(collection_name=who)


@contextlib.contextmanager
def waiting(*crowds):
    """Crowds whose requests wait; each has all its answers at the end."""
    with contextlib.ExitStack() as stack:
        for crowd in crowds:
            stack.callback(crowd.close)
        yield
        for crowd in crowds:
            assert set(crowd.codes()) == {OK}


def places(order, who):
    return [place for place, name in enumerate(order) if name == who]


def expect_turns(order, others=1):
    """Before each request of the modest one at most one of each other, besides the first that was under way."""
    modest = places(order, "modest")
    assert len(modest) == MODEST and len(places(order, "greedy")) == len(order) - MODEST
    assert all(place <= 1 + (others + 1) * (1 + number) for number, place in enumerate(modest)), modest


@pytest.fixture
def gate(fake):
    gate = Gate(answer(milvus_pb2.QueryResults()))
    fake.on("Query", gate)
    yield gate
    gate.open()


@pytest.fixture
def start(start_bouncer, fake):
    """start(): a daemon with a pool of one slot, where every user finds it, and at TCP."""
    with public_folder() as folder:

        def start_at_folder(**sections):
            listen = [{"address": f"unix:{folder}/milvus.sock", "mode": "0666"}]
            bouncer = start_bouncer(one_pool(fake.upstream, max_in_flight=1) | {"listen": listen, **sections}, wait=False)
            bouncer.address = listen[0]["address"]
            eventually(lambda: f"listening on {bouncer.address}" in bouncer.log_text(), "it listens")
            return bouncer

        yield start_at_folder


def order_at(fake):
    """Who asked, in the order of the calls."""
    return [call.message().collection_name for call in fake.asked("Query")]


@each_protocol
def test_connections_of_one_user(start, fake, gate, protocol):
    address = start().address
    greedy = Crowd(address, protocol, "Query", query("greedy"), GREEDY)
    modest = Crowd(address, protocol, "Query", query("modest"), MODEST)
    with waiting(greedy, modest):
        fake.wait_for("Query")
        gate.open()
    expect_turns(order_at(fake))


def test_one_speaks_plain_and_one_grpc(start, fake, gate):
    address = start().address
    greedy = Crowd(address, "plain", "Query", query("greedy"), GREEDY)
    modest = Crowd(address, "grpc", "Query", query("modest"), MODEST)
    with waiting(greedy, modest):
        fake.wait_for("Query")
        gate.open()
    expect_turns(order_at(fake))


@needs_root
@each_protocol
def test_users_whatever_connections_they_have(start, fake, gate, protocol):
    """The greedy one opens six; it is one user all the same."""
    address = start().address
    greedy = [Crowd(address, protocol, "Query", query("greedy"), GREEDY // 6) for _ in range(6)]
    modest = CrowdOf(WEB, address, protocol, "Query", query("modest"), MODEST)
    with waiting(*greedy, modest):
        fake.wait_for("Query")
        gate.open()
    expect_turns(order_at(fake))


@needs_root
def test_three_users(start, fake, gate):
    address = start().address
    greedy = [Crowd(address, "plain", "Query", query("greedy"), GREEDY)]
    greedy.append(CrowdOf(INDEXER, address, "grpc", "Query", query("greedy"), GREEDY))
    modest = CrowdOf(WEB, address, "plain", "Query", query("modest"), MODEST)
    with waiting(*greedy, modest):
        fake.wait_for("Query")
        gate.open()
    expect_turns(order_at(fake), others=2)


@each_protocol
def test_connections_over_tcp(start_bouncer, fake, gate, protocol):
    bouncer = start_bouncer(one_pool(fake.upstream, max_in_flight=1), tcp=True)
    greedy = Crowd(bouncer.tcp_address, protocol, "Query", query("greedy"), GREEDY)
    modest = Crowd(bouncer.tcp_address, protocol, "Query", query("modest"), MODEST)
    with waiting(greedy, modest):
        fake.wait_for("Query")
        gate.open()
    expect_turns(order_at(fake))


def test_requests_of_one_connection_keep_their_order(start, fake, gate):
    address = start().address
    with waiting(*(Crowd(address, "plain", "Query", query(f"c{number}"), 1) for number in range(9))):
        fake.wait_for("Query")
        gate.open()
    assert order_at(fake) == [f"c{number}" for number in range(9)], "each connection's turn came as it had come"


# ---- searches that travel together ----

VECTORS = {"greedy": [0.0, 0.0], "modest": [1.0, 1.0]}


def vectors_of(call):
    """Whose they are, in the order of the call."""
    group = common_pb2.PlaceholderGroup.FromString(call.message().placeholder_group)
    values = [list(numpy.frombuffer(value, "<f4")) for value in group.placeholders[0].values]
    return [who for value in values for who in VECTORS if VECTORS[who] == value]


def find_one_each(call, _):
    count = len(vectors_of(call))
    results = schema_pb2.SearchResultData(num_queries=count, top_k=1, scores=[0.5] * count, topks=[1] * count)
    results.ids.int_id.data.extend(range(count))
    return milvus_pb2.SearchResults(results=results).SerializeToString()


@each_protocol
def test_searches_that_travel_together(start_bouncer, fake, protocol):
    """Of one collection, where a call may carry two vectors: one is the modest one's."""
    gate = Gate(find_one_each)
    fake.on("Search", gate)
    settings = {"upstream": "main", "merge": {"calls": 1, "max_vectors": 2}}
    bouncer = start_bouncer(configuration(fake.upstream, databases={"default": settings}))
    crowds = [
        Crowd(bouncer.address, protocol, "Search", messages.search("c", VECTORS[who], 1), count)
        for who, count in [("greedy", GREEDY), ("modest", MODEST)]
    ]
    with waiting(*crowds):
        fake.wait_for("Search")
        gate.open()
    calls = [vectors_of(call) for call in fake.asked("Search")]
    assert len(calls) <= (GREEDY + MODEST) / 2 + 2, "they were not merged"
    assert [sorted(call) for call in calls[1 : 1 + MODEST]] == [["greedy", "modest"]] * MODEST
