# SPDX-License-Identifier: Apache-2.0
"""Upstreams that die, come back, and close connections: service comes back by itself, no mutation is sent twice."""
import collections
import threading

import numpy
import pytest
from pymilvus.grpc_gen import milvus_pb2

import messages
from bouncer import one_pool
from codes import OK, UNAVAILABLE, UPSTREAM, is_own
from fake import Fake, answer, hang
from goaway import GoawayProxy
from messages import checked
from mvb1 import RequestError
from servers import Lite
from waiting import eventually

pytestmark = pytest.mark.each_transport

CLIENTS, INSERTS = 8, 60
COLLECTIONS = milvus_pb2.ShowCollectionsRequest()


def insert_of(text):
    return milvus_pb2.InsertRequest(collection_name=text, num_rows=1)


def test_killed_and_brought_back(start_bouncer, tmp_path):
    lite = Lite(tmp_path / "lite")
    try:
        with start_bouncer(one_pool({**lite.upstream, "connect_timeout": "1s"})).plain() as client:
            checked(client.call("ShowCollections", COLLECTIONS))
            lite.stop()
            error = client.fails("ShowCollections", COLLECTIONS, timeout=20)
            assert error.code == UNAVAILABLE, error
            lite.start()

            def served():
                try:
                    return checked(client.call("ShowCollections", COLLECTIONS))
                except RequestError as error:
                    assert error.code == UNAVAILABLE, error
                    return None

            eventually(served, "service is back")
    finally:
        lite.stop()


def test_request_waits_for_an_upstream_that_comes_within_its_deadline(start_bouncer, tmp_path):
    lite = Lite(tmp_path / "lite")
    try:
        lite.stop()
        with start_bouncer(one_pool({**lite.upstream, "connect_timeout": "1m"})).plain() as client:
            ident = client.send("ShowCollections", COLLECTIONS, timeout=60)
            client.ping()
            lite.start()
            assert client.reply(ident).code == OK
    finally:
        lite.stop()


def inserted(fake):
    """What arrived, and how often."""
    return collections.Counter(call.message().collection_name for call in fake.asked("Insert"))


def test_mutation_that_may_have_begun_is_not_repeated(start_bouncer, fake, goaway_before_fake):
    """The connection breaks while they are under way."""
    fake.on("Insert", hang)
    texts = [str(n) for n in range(5)]
    with start_bouncer(one_pool(goaway_before_fake.upstream)).plain() as client:
        idents = [client.send("Insert", insert_of(text)) for text in texts]
        fake.wait_for("Insert", len(idents))
        goaway_before_fake.stop()
        fake.on("Insert", answer(milvus_pb2.MutationResult()))
        goaway_before_fake.start()
        for ident in idents:
            error = RequestError(client.reply(ident))
            assert is_own(error, UNAVAILABLE, UPSTREAM), error
        client.call("Insert", insert_of("after"), timeout=20)
    assert inserted(fake) == collections.Counter([*texts, "after"])


def in_parallel(bouncer, work):
    """work(client, number) by CLIENTS clients at once; what they returned, none of them failed."""
    results = {}

    def run(number):
        with bouncer.plain() as client:
            results[number] = work(client, number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == CLIENTS, "a client failed"
    return results


@pytest.mark.parametrize("at_once", [1, 4])
def test_goaway_every_ten_requests(start_bouncer, fake, goaway_before_fake, at_once):
    """Nothing fails, and each insert arrives exactly once."""
    fake.on("Insert", answer(milvus_pb2.MutationResult(insert_cnt=1)))

    def insert_all(client, number):
        codes = collections.Counter()
        for start in range(0, INSERTS, at_once):
            texts = [f"{number}-{n}" for n in range(start, start + at_once)]
            idents = [client.send("Insert", insert_of(text)) for text in texts]
            codes.update(client.reply(ident).code for ident in idents)
        return codes

    results = in_parallel(start_bouncer(one_pool(goaway_before_fake.upstream)), insert_all)
    assert sum(results.values(), collections.Counter()) == {OK: CLIENTS * INSERTS}
    assert set(inserted(fake).values()) == {1}
    assert len(inserted(fake)) == CLIENTS * INSERTS
    assert goaway_before_fake.connections() >= CLIENTS * INSERTS / 10


def test_goaway_before_milvus(start_bouncer, lite, name, tmp_path):
    """The rows are counted in Milvus: each insert makes a key of its own, a repeated one would add a row."""
    proxy = GoawayProxy(tmp_path / "nginx", lite.port)
    try:
        bouncer = start_bouncer(one_pool(proxy.upstream))
        with bouncer.plain() as client:
            checked(client.call("CreateCollection", messages.create_collection(name, 2, auto_id=True)))
            checked(client.call("CreateIndex", messages.create_index(name)))
            checked(client.call("LoadCollection", milvus_pb2.LoadCollectionRequest(collection_name=name)))
        row = messages.insert(name, None, numpy.array([[0.5, 0.5]]))
        in_parallel(bouncer, lambda client, number: [checked(client.call("Insert", row)) for _ in range(25)])
        with bouncer.plain() as client:
            rows = checked(client.call("Query", messages.count(name))).fields_data[0].scalars.long_data.data
        assert list(rows) == [CLIENTS * 25]
    finally:
        proxy.stop()


def test_upstream_that_closes_idle_connections(start_bouncer):
    """The connection is gone before the next request: that one certainly never began."""
    first = Fake()
    with start_bouncer(one_pool(first.upstream)).plain() as client:
        client.call("Insert", insert_of("before"))
        first.stop()
        second = Fake(first.port)
        try:
            client.call("Insert", insert_of("after"), timeout=20)
            assert second.count("Insert") == 1
        finally:
            second.stop()
