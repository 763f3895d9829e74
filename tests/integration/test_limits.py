# SPDX-License-Identifier: Apache-2.0
"""What happens at each limit, and on either side of it."""
import pytest
from pymilvus.grpc_gen import milvus_pb2

from bouncer import configuration, one_pool
from codes import ADMISSION, OK, QUEUE, RESOURCE_EXHAUSTED, is_own
from fake import Gate, answer, hang
from mvb1 import PING, PONG, Frame
from plain import Plain
from waiting import eventually

pytestmark = pytest.mark.each_transport

SEARCH = milvus_pb2.SearchRequest()
KIB = 1024


def query_of(size):
    """A request of exactly this many bytes."""
    message = milvus_pb2.QueryRequest(expr="x" * (size - 100))
    message.expr += "x" * (size - message.ByteSize())
    assert message.ByteSize() == size
    return message


def wait_for_own_questions(client):
    """What the daemon asks Milvus when it has connected takes places, too: these answers come after its own."""
    client.call("Connect", milvus_pb2.ConnectRequest())
    client.call("GetVersion", milvus_pb2.GetVersionRequest())


def test_queue_full(start_bouncer, fake):
    gate = Gate(answer(milvus_pb2.SearchResults()))
    fake.on("Search", gate)
    settings = {"pool_size": 1, "max_in_flight": 1, "queue_size": 2}
    with start_bouncer(one_pool(fake.upstream, **settings)).plain() as client:
        wait_for_own_questions(client)
        taken = [client.send("Search", SEARCH)]
        fake.wait_for("Search")
        taken += [client.send("Search", SEARCH) for _ in range(2)]
        error = client.fails("Search", SEARCH)
        assert is_own(error, RESOURCE_EXHAUSTED, QUEUE), error
        gate.open()
        assert [client.reply(ident).code for ident in taken] == [OK] * 3
        client.call("Search", SEARCH)
    assert fake.count("Search") == 4


def test_queue_timeout(start_bouncer, fake):
    gate = Gate(answer(milvus_pb2.SearchResults()))
    fake.on("Search", gate)
    with start_bouncer(one_pool(fake.upstream, max_in_flight=1, queue_timeout="200ms")).plain() as client:
        first = client.send("Search", SEARCH)
        fake.wait_for("Search")
        error = client.fails("Search", SEARCH)
        assert is_own(error, RESOURCE_EXHAUSTED, QUEUE), error
        gate.open()
        assert client.reply(first).code == OK
        client.call("Search", SEARCH)
    assert fake.count("Search") == 2


def test_first_come_first_served(start_bouncer, fake):
    gate = Gate(answer(milvus_pb2.QueryResults()))
    fake.on("Query", gate)
    bouncer = start_bouncer(one_pool(fake.upstream, max_in_flight=1))
    clients = [bouncer.plain() for _ in range(3)]
    first = clients[0].send("Query", milvus_pb2.QueryRequest(expr="first"))
    fake.wait_for("Query")
    order = [str(n) for n in range(12)]
    idents = []
    for n, expr in enumerate(order):
        client = clients[n % 3]
        idents.append((client, client.send("Query", milvus_pb2.QueryRequest(expr=expr))))
        client.ping()  # it has been read before the next is sent
    gate.open()
    assert clients[0].reply(first).code == OK
    assert all(client.reply(ident).code == OK for client, ident in idents)
    assert [call.message().expr for call in fake.asked("Query")] == ["first", *order]
    for client in clients:
        client.close()


def test_max_in_flight(start_bouncer, fake):
    gate = Gate(answer(milvus_pb2.SearchResults()))
    fake.on("Search", gate)
    with start_bouncer(one_pool(fake.upstream, max_in_flight=4)).plain() as client:
        idents = [client.send("Search", SEARCH) for _ in range(40)]
        fake.wait_for("Search", 4)
        client.ping()
        gate.open()
        assert all(client.reply(ident).code == OK for ident in idents)
    assert fake.peak == 4


def test_cancelled_request_makes_room(start_bouncer, fake):
    fake.on("Search", hang)
    with start_bouncer(one_pool(fake.upstream, max_in_flight=1)).plain() as client:
        ident = client.send("Search", SEARCH)
        fake.wait_for("Search")
        client.cancel(ident)
        client.call("Query", milvus_pb2.QueryRequest())


def gets_in(bouncer):
    with bouncer.plain() as client:
        client.raw(Frame(PING, 1).pack())
        return client.frame().kind == PONG


def test_max_clients(start_bouncer, fake):
    bouncer = start_bouncer(configuration(fake.upstream, limits={"max_clients": 3}))
    eventually(lambda: bouncer.count_clients() == 0, "the client that looked for the daemon is gone")
    clients = [bouncer.plain() for _ in range(3)]
    for client in clients:
        client.ping()
    with bouncer.plain() as fourth:
        goaway = fourth.goaway()
        assert goaway.code == RESOURCE_EXHAUSTED
        assert "max_clients" in goaway.text.decode()
    clients.pop().close()
    eventually(lambda: gets_in(bouncer), "there is room again")
    for client in clients:
        client.ping()
        client.close()


def test_silent_client_above_max_clients(start_bouncer, fake):
    bouncer = start_bouncer(configuration(fake.upstream, limits={"max_clients": 1}))
    eventually(lambda: bouncer.count_clients() == 0, "the client that looked for the daemon is gone")
    with bouncer.plain() as client:
        client.ping()
        with Plain(bouncer.address, greeting=b"") as silent:
            assert silent.goaway().code == RESOURCE_EXHAUSTED


def test_max_message_of_a_request(start_bouncer, fake):
    limit = 64 * KIB
    bouncer = start_bouncer(configuration(fake.upstream, limits={"max_message": "64KiB"}))
    with bouncer.plain() as client:
        client.call("Query", query_of(limit))
        for size in (limit + 1, 40 * limit):
            error = client.fails("Query", query_of(size))
            assert is_own(error, RESOURCE_EXHAUSTED, ADMISSION), error
            assert str(size) in error.message and str(limit) in error.message
        client.call("Query", query_of(limit))
    assert fake.count("Query") == 2


def test_max_message_of_a_reply(start_bouncer, fake):
    bouncer = start_bouncer(configuration(fake.upstream, limits={"max_message": "64KiB"}))
    fitting, large = 60 * KIB, 70 * KIB
    with bouncer.plain() as client:
        fake.on("Query", answer(milvus_pb2.QueryResults(collection_name="x" * fitting)))
        assert len(client.call("Query", milvus_pb2.QueryRequest()).collection_name) == fitting
        fake.on("Query", answer(milvus_pb2.QueryResults(collection_name="x" * large)))
        error = client.fails("Query", milvus_pb2.QueryRequest())
        assert error.code == RESOURCE_EXHAUSTED
        assert str(64 * KIB) in error.message
        client.ping()


def test_other_clients_during_a_large_message(start_bouncer, fake):
    bouncer = start_bouncer(configuration(fake.upstream))
    size = 32 * KIB * KIB
    fake.on("Query", answer(milvus_pb2.QueryResults(collection_name="x" * size)))
    with bouncer.plain() as large, bouncer.plain() as small:
        ident = large.send("Query", query_of(size))
        small.call("Search", SEARCH)
        reply = milvus_pb2.QueryResults.FromString(large.reply(ident).payload)
        assert len(reply.collection_name) == size
