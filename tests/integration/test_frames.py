# SPDX-License-Identifier: Apache-2.0
"""The plain protocol on a connection: what works, and that whoever breaks it is cut alone, after being told why."""
import select
import socket
import struct

import pytest
from pymilvus.grpc_gen import milvus_pb2

from bouncer import configuration, one_pool
from codes import CANCELLED, INVALID_ARGUMENT, OK, RESOURCE_EXHAUSTED
from fake import Gate, answer, hang
from mvb1 import CANCEL, HEADER, MAGIC, PING, REPLY, REQUEST, Frame, request
from plain import Plain
from waiting import LIMIT, eventually

VERSION = milvus_pb2.GetVersionRequest()
MIB = 1 << 20


def header(length=0, kind=REQUEST, code=0, text_length=0, ident=1):
    return HEADER.pack(length, kind, code, text_length, ident, 0)


def echo_collection(call, context):
    return milvus_pb2.QueryResults(collection_name=call.message().collection_name).SerializeToString()


@pytest.fixture
def bouncer(start_bouncer, fake):
    return start_bouncer(configuration(fake.upstream, limits={"frame_timeout": "500ms", "max_message": "1MiB"}))


@pytest.fixture
def bystander(bouncer):
    """A client that is connected all the time and must not notice anything."""
    with bouncer.plain() as client:
        client.ping()
        yield client
        client.call("GetVersion", VERSION)


@pytest.mark.parametrize(
    "data, reason",
    [
        (header(kind=9), "type"),
        (header(kind=REPLY), "type"),
        (header(length=1 << 31, text_length=6), "2147483647"),
        (header(length=3, text_length=4) + b"abc", "length"),
        (header(length=0, text_length=0), "method"),
        (header(length=6, code=7, text_length=6) + b"Search", "byte 5"),
        (header(kind=CANCEL, length=1) + b"x", "length"),
        (header(kind=PING, length=1) + b"x", "length"),
        (b"GET / HTTP/1.1\r\n\r\n", "type"),
        (bytes(range(255, 128, -1)), "type"),
    ],
)
def test_frame_against_the_rules(bouncer, bystander, data, reason):
    with bouncer.plain() as client:
        client.raw(data)
        assert reason in client.goaway().text.decode()


def test_wrong_magic(bouncer, bystander):
    with Plain(bouncer.address, greeting=b"MVB9") as client:
        assert "MVB1" in client.goaway().text.decode()


def test_id_that_is_under_way(bouncer, bystander, fake):
    fake.on("Search", hang)
    with bouncer.plain() as client:
        frame = request(7, "Search", milvus_pb2.SearchRequest()).pack()
        client.raw(frame + frame)
        assert "under way" in client.goaway().text.decode()
    eventually(lambda: all(call.ended.is_set() for call in fake.asked("Search")), "no request is left upstream")


def test_id_may_be_used_again_after_its_reply(bouncer, fake):
    with bouncer.plain() as client:
        for _ in range(3):
            client.raw(request(7, "GetVersion", VERSION).pack())
            assert client.reply(7).code == OK


@pytest.mark.parametrize("sent", [1, 15, 16, 20])
def test_slow_frame(bouncer, bystander, sent):
    with bouncer.plain() as client:
        client.raw(request(1, "Search", milvus_pb2.SearchRequest(dsl="x" * 100)).pack()[:sent])
        assert client.goaway().text


def test_idle_connection_is_no_slow_frame(bouncer):
    with bouncer.plain() as idle, bouncer.plain() as slow:
        idle.ping()
        slow.raw(b"\0")
        assert slow.goaway().text
        idle.ping()


def test_frame_in_pieces(bouncer):
    with Plain(bouncer.address, greeting=b"") as client:
        for byte in MAGIC + request(1, "GetVersion", VERSION).pack():
            client.raw(bytes([byte]))
        assert client.reply(1).code == OK


@pytest.mark.parametrize("cut", [0, 3, 10, 16, 30])
def test_truncated_frame(bouncer, bystander, cut):
    with bouncer.plain() as client:
        client.raw(request(1, "Search", milvus_pb2.SearchRequest(dsl="x" * 100)).pack()[:cut])
    with bouncer.plain() as client:
        client.ping()


@pytest.mark.parametrize("cut", [1, 15, 30])
def test_input_that_ends_in_a_frame(bouncer, cut):
    with bouncer.plain() as client:
        client.raw(request(1, "Search", milvus_pb2.SearchRequest(dsl="x" * 100)).pack()[:cut])
        client.half_close()
        assert client.goaway().code == INVALID_ARGUMENT


def test_message_that_is_no_protobuf(bouncer, bystander):
    with bouncer.plain() as client:
        client.raw(Frame(REQUEST, 1, b"Search", b"\xff" * 50).pack())
        assert client.reply(1).code == INVALID_ARGUMENT
        client.ping()


@pytest.mark.parametrize("text", [b"\xff\xfe", b"Sea rch", b"\0default", b"a/b/c", b"Search\0\xff"])
def test_text_that_names_no_method(bouncer, bystander, text):
    with bouncer.plain() as client:
        client.raw(Frame(REQUEST, 1, text).pack())
        reply = client.reply(1)
        assert reply.code == INVALID_ARGUMENT
        assert reply.text.startswith(b"milvus-bouncer:")
        client.ping()


def test_many_under_way_and_replies_in_any_order(bouncer, fake):
    gate = Gate(echo_collection)
    fake.on("Query", gate)
    with bouncer.plain() as client:
        held = {client.send("Query", milvus_pb2.QueryRequest(collection_name=f"c{n}")): f"c{n}" for n in range(100)}
        fake.wait_for("Query", len(held))
        assert client.call("GetVersion", VERSION).version  # sent last, answered first
        gate.open()
        for ident in reversed(held):
            reply = milvus_pb2.QueryResults.FromString(client.reply(ident).payload)
            assert reply.collection_name == held[ident]


def test_cancel(bouncer, fake):
    fake.on("Search", hang)
    with bouncer.plain() as client:
        ident = client.send("Search", milvus_pb2.SearchRequest())
        call = fake.wait_for("Search")
        client.cancel(ident)
        assert client.reply(ident).code == CANCELLED
        eventually(call.was_cancelled, "it is cancelled upstream")
        client.ping()


def test_cancel_of_what_is_not_under_way(bouncer):
    with bouncer.plain() as client:
        client.cancel(99)
        ident = client.send("GetVersion", VERSION)
        assert client.reply(ident).code == OK
        client.cancel(ident)
        client.ping()
        assert not client.arrived


def test_cancel_in_the_queue(start_bouncer, fake):
    fake.on("Search", hang)
    bouncer = start_bouncer(one_pool(fake.upstream, max_in_flight=1))
    with bouncer.plain() as client:
        first = client.send("Search", milvus_pb2.SearchRequest())
        fake.wait_for("Search")
        second = client.send("Search", milvus_pb2.SearchRequest())
        client.cancel(second)
        assert client.reply(second).code == CANCELLED
        client.cancel(first)
        assert client.reply(first).code == CANCELLED
    assert fake.count("Search") == 1


def test_ping_while_requests_are_under_way(bouncer, fake):
    fake.on("Search", hang)
    with bouncer.plain() as client:
        client.send("Search", milvus_pb2.SearchRequest())
        fake.wait_for("Search")
        client.ping(123)


def test_half_closed_client_gets_its_replies(bouncer, fake):
    gate = Gate(answer(milvus_pb2.SearchResults()))
    fake.on("Search", gate)
    with bouncer.plain() as client:
        idents = [client.send("Search", milvus_pb2.SearchRequest()) for _ in range(5)]
        client.half_close()
        fake.wait_for("Search", len(idents))
        gate.open()
        for ident in idents:
            assert client.reply(ident).code == OK
        assert client.at_end()


def test_half_closed_client_without_requests_is_closed(bouncer):
    with bouncer.plain() as client:
        client.half_close()
        assert client.at_end()


def test_requests_of_a_vanished_client_are_cancelled(bouncer, bystander, fake):
    fake.on("Search", hang)
    client = bouncer.plain()
    for _ in range(5):
        client.send("Search", milvus_pb2.SearchRequest())
    fake.wait_for("Search", 5)
    client.close()
    eventually(lambda: all(call.was_cancelled() for call in fake.asked("Search")), "its requests are cancelled")


@pytest.mark.parametrize("ending", ["close", "reset"])
def test_requests_of_a_vanished_tcp_client_are_cancelled(start_bouncer, fake, ending):
    fake.on("Search", hang)
    bouncer = start_bouncer(configuration(fake.upstream), tcp=True)
    client = Plain(bouncer.tcp_address)
    client.send("Search", milvus_pb2.SearchRequest())
    call = fake.wait_for("Search")
    if ending == "reset":
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    eventually(call.was_cancelled, "its request is cancelled")


def send_until_held_back(client, frames):
    """Sends frames without reading until the socket takes nothing for 2 s; returns how many went out whole."""
    client.sock.setblocking(False)
    sent = 0
    for frame in frames:
        rest = memoryview(frame)
        while rest:
            if not select.select([], [client.sock], [], 2)[1]:
                client.sock.settimeout(LIMIT)
                return sent, rest
            rest = rest[client.sock.send(rest) :]
        sent += 1
    raise AssertionError(f"{sent} requests were taken from a client that reads no reply")


def test_client_that_goes_while_its_questions_wait_for_each_other(start_bouncer, fake):
    """Its first question is dropped, the second takes its place, finds the queue full and fails at once."""
    fake.on("DescribeCollection", hang)
    describe = milvus_pb2.DescribeCollectionRequest(collection_name="books")
    bouncer = start_bouncer(one_pool(fake.upstream, max_in_flight=1, queue_size=1))
    with bouncer.plain() as other:
        other.call("GetVersion", VERSION)
        client = bouncer.plain()
        client.send("DescribeCollection", describe)
        fake.wait_for("DescribeCollection")
        client.send("DescribeCollection", describe)
        client.ping()
        ident = other.send("Query", milvus_pb2.QueryRequest())
        other.ping()
        client.close()
        assert other.reply(ident).code == OK


def test_connection_rests_after_a_message_that_is_too_large(start_bouncer, fake):
    """What is skipped is no frame under way: neither frame_timeout nor the next request's deadline counts from it."""
    limits = {"max_message": "1KiB", "frame_timeout": "300ms"}
    with start_bouncer(configuration(fake.upstream, limits=limits)).plain() as client:
        large = request(1, "Query", milvus_pb2.QueryRequest(expr="x" * 5000)).pack()
        client.raw(large[:3000])
        assert client.reply(1).code == RESOURCE_EXHAUSTED
        client.raw(large[3000:])
        client.ping()
        assert not select.select([client.sock], [], [], 0.6)[0], "something was said to an idle client"
        client.call("GetVersion", VERSION, timeout=0.3)


def test_half_closed_slow_reader_gets_all(start_bouncer, fake):
    """The last moments of a connection last as long as its client goes on reading."""
    size = 8 * MIB
    fake.on("Query", answer(milvus_pb2.QueryResults(collection_name="x" * size)))
    with start_bouncer(configuration(fake.upstream)).plain() as client:
        client.send("Query", milvus_pb2.QueryRequest())
        client.half_close()
        fake.wait_for("Query")
        got = 0
        while True:
            select.select([], [], [], 0.03)  # slower than the one second that a silent client has
            data = client.sock.recv(96 << 10)
            if not data:
                break
            got += len(data)
    assert got > size


def test_slow_reader_is_held_back(start_bouncer, fake):
    bouncer = start_bouncer(one_pool(fake.upstream, max_in_flight=8, queue_size=8))
    fake.on("Query", answer(milvus_pb2.QueryResults(collection_name="x" * MIB)))
    size = 16 * 1024
    frames = (
        request(n, "Query", milvus_pb2.QueryRequest(expr="x" * size)).pack() for n in range(1, 20 * MIB // size * 20)
    )
    before = bouncer.memory()
    with bouncer.plain() as slow, bouncer.plain() as other:
        sent, rest = send_until_held_back(slow, frames)
        assert sent > 0
        assert bouncer.memory() - before < 64 * MIB
        assert other.call("GetVersion", VERSION).version
        fake.on("Query", answer(milvus_pb2.QueryResults()))
        assert other.call("Query", milvus_pb2.QueryRequest()) is not None
        read = [slow.frame() for _ in range(sent)]  # and the rest of its requests is taken while it reads
        slow.raw(rest)
        assert sorted(frame.id for frame in read) == list(range(1, sent + 1))
        assert slow.reply(sent + 1)
