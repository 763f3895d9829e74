# SPDX-License-Identifier: Apache-2.0
"""Requests against the rules of gRPC: each fails alone, and is told why. And messages of any size."""
import grpc
import pytest
from pymilvus.grpc_gen import milvus_pb2

from bouncer import configuration
from channel import own_text
from codes import ADMISSION, INVALID_ARGUMENT, OK, RESOURCE_EXHAUSTED, UNIMPLEMENTED
from fake import PREFIX, answer
from h2 import H2
from h2_connection import PREFACE, prefixed
from test_limits import query_of

KIB = 1024
LIMIT = 64 * KIB
SEARCH = milvus_pb2.SearchRequest()


@pytest.fixture
def bouncer(start_bouncer, fake):
    return start_bouncer(configuration(fake.upstream, limits={"max_message": "64KiB"}))


@pytest.fixture
def client(bouncer, fake):
    """Is served before and after, and what it does wrong does not arrive upstream."""
    with bouncer.h2() as client:
        assert client.call("Query").code == OK
        yield client
        assert client.call("Query").code == OK
        assert fake.count("Query") == 2
        assert fake.count("Search") == 0


@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS", "post"])
def test_http_method(client, method):
    reply = client.call("Search", SEARCH, replace={":method": method})
    assert reply.http_status == 405
    assert reply.values("allow") == ["POST"]


CONTENT_TYPES = ["", "a", "application/json", "application/grp", "application/grpc-web", "application/grpcx", "grpc"]


@pytest.mark.parametrize("content_type", [None, *CONTENT_TYPES])
def test_content_type(client, content_type):
    assert client.call("Search", SEARCH, replace={"content-type": content_type}).http_status == 415


def test_large_body_that_is_no_grpc(client):
    """As curl sends a file: its answer does not wait for a window."""
    stream = client.open("/upload", replace={"content-type": "application/json", "te": None})
    client.offer(stream, b"{" * 200_000)
    assert client.reply(stream).http_status == 415


def test_body_that_never_ends_and_is_no_grpc(start_bouncer, fake):
    """It is answered when frame_timeout is over, and nothing else has to happen for that."""
    with start_bouncer(configuration(fake.upstream, limits={"frame_timeout": "300ms"})).h2() as client:
        stream = client.open("/upload", replace={"content-type": "application/json", "te": None})
        assert client.reply(stream).http_status == 415


def test_get_without_a_body(client):
    stream = client.open("/", end=True, replace={":method": "GET", "content-type": None, "te": None})
    assert client.reply(stream).http_status == 405


@pytest.mark.parametrize("path", ["/", "/Search", "//", "/a/", "//b", "/a/b/c", f"{PREFIX}/Search", "/a/" + "b" * 300])
def test_path_that_names_no_method(client, path):
    """grpc/doc/PROTOCOL-HTTP2.md: such a path is UNIMPLEMENTED."""
    reply = client.call(path, SEARCH)
    assert reply.code in (UNIMPLEMENTED, INVALID_ARGUMENT)
    assert reply.text.startswith("milvus-bouncer:")


def test_no_message(client):
    without_data, with_empty_data = client.open("Search", end=True), client.open("Search")
    client.send_data(with_empty_data, b"", end=True)
    for stream in (without_data, with_empty_data):
        reply = client.reply(stream)
        assert reply.code == INVALID_ARGUMENT
        assert reply.text.startswith(own_text(ADMISSION)), reply.text


@pytest.mark.parametrize("data", [b"\0", prefixed(b"")[:4], prefixed(b"abc")[:5], prefixed(b"abc")[:-1]])
def test_message_that_is_cut(client, data):
    stream = client.open("Search")
    client.send_data(stream, data, end=True)
    reply = client.reply(stream)
    assert reply.code == INVALID_ARGUMENT
    assert reply.text.startswith(own_text(ADMISSION)), reply.text


@pytest.mark.parametrize("data", [prefixed(b"") + prefixed(b""), prefixed(b"") + b"\0", prefixed(b"") + b"x" * 100])
def test_more_than_one_message(client, data):
    stream = client.open("Search")
    client.send_data(stream, data, end=True)
    reply = client.reply(stream)
    assert reply.code == INVALID_ARGUMENT
    assert reply.text.startswith(own_text(ADMISSION)), reply.text


@pytest.mark.parametrize("flag", [2, 3, 128, 255])
def test_prefix_that_is_malformed(client, flag):
    reply = client.call("Search", SEARCH, flag=flag)
    assert reply.code == INVALID_ARGUMENT
    assert reply.text.startswith(own_text(ADMISSION)), reply.text


@pytest.mark.parametrize("data", [b"\xff" * 50, b"\x0a\xff", b"\x08"])
def test_message_that_is_no_protobuf(client, data):
    reply = client.call("Search", data)
    assert reply.code == INVALID_ARGUMENT
    assert reply.text.startswith(own_text(ADMISSION)), reply.text


def test_max_message_of_a_request(bouncer, fake):
    with bouncer.h2() as client:
        assert client.call("Query", query_of(LIMIT)).code == OK
        for size in (LIMIT + 1, 40 * LIMIT):
            stream = client.open("Query")
            client.offer(stream, prefixed(query_of(size)))
            reply = client.reply(stream)
            assert reply.code == RESOURCE_EXHAUSTED
            assert reply.text.startswith(own_text(ADMISSION)), reply.text
            assert str(size) in reply.text and str(LIMIT) in reply.text
        assert client.call("Query", query_of(LIMIT)).code == OK
    assert fake.count("Query") == 2


def test_sdk_learns_that_its_message_is_too_large(bouncer, fake):
    with bouncer.channel() as client:
        for size in (LIMIT + 1, 400 * LIMIT):
            error = client.fails("Query", query_of(size))
            assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert str(size) in error.details() and str(LIMIT) in error.details()
        client.call("Query", query_of(LIMIT))
    assert fake.count("Query") == 1


def test_max_message_of_a_reply(bouncer, fake):
    fitting, large = 60 * KIB, 70 * KIB
    with bouncer.channel() as client:
        fake.on("Query", answer(milvus_pb2.QueryResults(collection_name="x" * fitting)))
        assert len(client.call("Query", milvus_pb2.QueryRequest()).collection_name) == fitting
        fake.on("Query", answer(milvus_pb2.QueryResults(collection_name="x" * large)))
        error = client.fails("Query", milvus_pb2.QueryRequest())
        assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert str(LIMIT) in error.details()
        fake.on("Query", answer(milvus_pb2.QueryResults()))
        client.call("Query", milvus_pb2.QueryRequest())


@pytest.mark.parametrize("size", [0, 1, 16384, 65535, 65536, 200000])
def test_replies_of_any_size(start_bouncer, fake, size):
    """Around the borders of frames and windows."""
    fake.on("Query", lambda call, context: b"y" * size)
    with start_bouncer(configuration(fake.upstream)).h2() as client:
        assert client.call("Query", milvus_pb2.QueryRequest(expr="x" * size)).message() == b"y" * size


def test_reply_through_a_small_window(start_bouncer, fake):
    """The client widens it by a few bytes at a time."""
    fake.on("Query", lambda call, context: bytes(range(256)) * 4)
    bouncer = start_bouncer(configuration(fake.upstream))
    with H2(bouncer.address, settings={0x4: 7}) as client:
        assert client.call("Query").message() == bytes(range(256)) * 4


def test_preface_that_goes_wrong(bouncer):
    """It is cut; before it can be told from another protocol, by that one's means."""
    for length in range(1, len(PREFACE)):
        with H2(bouncer.address, preface=False) as client, bouncer.h2() as other:
            client.raw(PREFACE[:length] + b"~~~~")
            other.ping()
            if length >= 4:
                assert client.goaway().text
            else:
                assert b"milvus-bouncer:" in client.sock.recv(1 << 16)


def test_preface_in_pieces(bouncer):
    with H2(bouncer.address, preface=False) as client:
        for byte in PREFACE + bytes.fromhex("000000040000000000"):
            client.raw(bytes([byte]))
        assert client.call("Query").code == OK
