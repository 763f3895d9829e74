# SPDX-License-Identifier: Apache-2.0
"""Every request ends in time, whatever the upstream does, and says in which phase its time ran out."""
import time

import pytest
from pymilvus.grpc_gen import milvus_pb2

from bouncer import configuration, one_pool
from codes import CONNECT, DEADLINE_EXCEEDED, QUEUE, UNAVAILABLE, UPSTREAM, is_own
from fake import answer, hang, late
from processes import free_port
from servers import Lite

pytestmark = pytest.mark.each_transport

SHORT = "300ms"
SEARCH, QUERY = milvus_pb2.SearchRequest(), milvus_pb2.QueryRequest()
COLLECTIONS = milvus_pb2.ShowCollectionsRequest()


def ends_in_time(client, code, phase, method="Search", message=SEARCH, timeout=0):
    """The request fails as told, and after about 0.3 s: far from the many seconds of any other limit."""
    start = time.monotonic()
    error = client.fails(method, message, timeout=timeout)
    elapsed = time.monotonic() - start
    assert is_own(error, code, phase), error
    assert 0.25 < elapsed < 8, elapsed


def test_client_timeout(start_bouncer, fake):
    fake.on("Search", hang)
    with start_bouncer(one_pool(fake.upstream)).plain() as client:
        ends_in_time(client, DEADLINE_EXCEEDED, UPSTREAM, timeout=0.3)
        assert fake.wait_for("Search").time_remaining < 0.31  # Milvus is told what is left


@pytest.mark.parametrize(
    "settings, method, message, timeout",
    [
        ({"timeouts": {"Search": SHORT}}, "Search", SEARCH, 0),
        ({"timeouts": {"default": SHORT, "Search": "1m"}}, "Query", QUERY, 0),
        ({"max_timeout": SHORT}, "Query", QUERY, 0),
        ({"max_timeout": SHORT}, "Search", SEARCH, 60),
    ],
)
def test_timeout_of_the_configuration(start_bouncer, fake, settings, method, message, timeout):
    fake.on(method, hang)
    with start_bouncer(one_pool(fake.upstream, **settings)).plain() as client:
        ends_in_time(client, DEADLINE_EXCEEDED, UPSTREAM, method, message, timeout)


@pytest.mark.parametrize(
    "settings, timeout, wanted",
    [
        ({"timeouts": {"default": "50s"}}, 0, 50),
        ({"timeouts": {"default": "50s", "Search": "40s"}}, 0, 40),
        ({"timeouts": {"Search": "40s"}}, 45, 45),
        ({"max_timeout": "35s"}, 3600, 35),
        ({}, 0, 30),
    ],
)
def test_deadline_that_travels_upstream(start_bouncer, fake, settings, timeout, wanted):
    with start_bouncer(one_pool(fake.upstream, **settings)).plain() as client:
        client.call("Search", SEARCH, timeout=timeout)
    # gRPC rounds what is left up to three digits when it travels.
    assert wanted - 8 < fake.wait_for("Search").time_remaining <= wanted * 1.01


def test_time_in_the_queue_is_spent(start_bouncer, fake):
    fake.on("Search", late(1, milvus_pb2.SearchResults()))
    with start_bouncer(one_pool(fake.upstream, max_in_flight=1)).plain() as client:
        first = client.send("Search", SEARCH)
        fake.wait_for("Search")
        client.call("Query", QUERY, timeout=20)
        assert client.reply(first).code == 0
    assert fake.wait_for("Query").time_remaining < 19.5


def test_deadline_in_the_queue(start_bouncer, fake):
    fake.on("Search", hang)
    with start_bouncer(one_pool(fake.upstream, max_in_flight=1)).plain() as client:
        client.send("Search", SEARCH)
        fake.wait_for("Search")
        ends_in_time(client, DEADLINE_EXCEEDED, QUEUE, "Query", QUERY, timeout=0.3)
        assert fake.count("Query") == 0


def test_answer_after_the_deadline_is_dropped(start_bouncer, fake):
    fake.on("Search", late(1, milvus_pb2.SearchResults(collection_name="late")))
    with start_bouncer(one_pool(fake.upstream)).plain() as client:
        ends_in_time(client, DEADLINE_EXCEEDED, UPSTREAM, timeout=0.3)
        fake.on("Query", late(1.5, milvus_pb2.QueryResults(collection_name="mine")))
        assert client.call("Query", QUERY).collection_name == "mine"  # and nothing else has come
        assert not client.arrived


def test_deadline_before_a_connection(start_bouncer, black_hole):
    with start_bouncer(one_pool(black_hole.upstream)).plain() as client:
        ends_in_time(client, DEADLINE_EXCEEDED, CONNECT, timeout=0.3)


def test_connect_timeout(start_bouncer, black_hole):
    upstream = {**black_hole.upstream, "connect_timeout": SHORT}
    with start_bouncer(one_pool(upstream)).plain() as client:
        ends_in_time(client, UNAVAILABLE, CONNECT, timeout=60)


def test_nobody_listens(start_bouncer):
    upstream = {"uri": f"http://127.0.0.1:{free_port()}", "connect_timeout": SHORT}
    with start_bouncer(one_pool(upstream)).plain() as client:
        error = client.fails("Search", SEARCH, timeout=60)
        assert is_own(error, UNAVAILABLE, CONNECT), error


def test_black_hole_holds_up_its_own_database_only(start_bouncer, black_hole, fake):
    databases = {"stuck": {"upstream": "hole"}, "default": {"upstream": "main"}}
    config = configuration(fake.upstream, databases=databases)
    config["upstreams"]["hole"] = black_hole.upstream
    with start_bouncer(config).plain() as client:
        stuck = client.send("Search", SEARCH, "stuck", timeout=0.5)
        assert client.call("Search", SEARCH) is not None
        assert client.reply(stuck).code == DEADLINE_EXCEEDED


def test_stopped_upstream(start_bouncer, tmp_path):
    """SIGSTOP: the connection stands, and nothing comes any more."""
    lite = Lite(tmp_path / "lite")
    try:
        with start_bouncer(one_pool(lite.upstream)).plain() as client:
            client.call("ShowCollections", COLLECTIONS)
            lite.pause()
            ends_in_time(client, DEADLINE_EXCEEDED, UPSTREAM, "ShowCollections", COLLECTIONS, timeout=0.3)
            client.ping()
            lite.resume()
            assert client.call("ShowCollections", COLLECTIONS).status.code == 0
    finally:
        lite.stop()


def test_hundreds_end_in_time_together(start_bouncer, fake):
    fake.on("Search", hang)
    settings = {"max_in_flight": 50, "queue_size": 500}
    with start_bouncer(one_pool(fake.upstream, **settings)).plain() as client:
        start = time.monotonic()
        idents = [client.send("Search", SEARCH, timeout=0.5) for _ in range(400)]
        replies = [client.reply(ident) for ident in idents]
        assert time.monotonic() - start < 10
        assert {reply.code for reply in replies} == {DEADLINE_EXCEEDED}
        assert {reply.extra for reply in replies} <= {QUEUE, UPSTREAM}
        fake.on("Search", answer(milvus_pb2.SearchResults()))
        assert client.call("Search", SEARCH) is not None
