# SPDX-License-Identifier: Apache-2.0
"""Clients that take their time: with a head, a message, or what they are answered. Who only is slow is served."""
import select
import time

import pytest
from hyperframe.frame import HeadersFrame, SettingsFrame
from pymilvus.grpc_gen import milvus_pb2

from bouncer import configuration
from channel import own_text
from codes import ADMISSION, DEADLINE_EXCEEDED, OK
from fake import hang
from h2 import H2, grpc_headers
from h2_connection import prefixed
from waiting import eventually

KIB, MIB = 1 << 10, 1 << 20
SEARCH = milvus_pb2.SearchRequest(collection_name="c")
INITIAL_WINDOW = SettingsFrame.INITIAL_WINDOW_SIZE


@pytest.fixture
def hurried(start_bouncer, fake):
    """A daemon without much patience."""
    fake.on("Search", hang)
    fake.on("Query", lambda call, context: b"y" * (8 * MIB))
    limits = {"frame_timeout": "500ms", "stall_timeout": "700ms"}
    return start_bouncer(configuration(fake.upstream, limits=limits))


@pytest.mark.parametrize("size", [0, 20])
def test_head_that_never_ends(hurried, size):
    """HEADERS, perhaps with something in it, and then silence; pings in between do not help."""
    with hurried.h2() as bystander, hurried.h2() as client:
        client.settled()
        client.send(HeadersFrame(1, data=client.encoder.encode(grpc_headers("Search"))[:size]))
        assert "frame_timeout" in client.goaway().text
        bystander.ping()


@pytest.mark.parametrize("part", [9, 12])
def test_head_whose_first_frame_never_ends(hurried, part):
    with hurried.h2() as bystander, hurried.h2() as client:
        client.settled()
        client.raw(client.headers_frame(1, grpc_headers("Search"), True).serialize()[:part])
        assert "frame_timeout" in client.goaway().text
        bystander.ping()


def test_preface_that_never_ends(hurried):
    with H2(hurried.address, preface=False) as client:
        client.raw(b"PRI * HTTP/2.0\r\n")
        assert client.at_end()


@pytest.mark.parametrize("data", [b"", b"\0\0", b"\0\0\0\x10\0", b"\0\0\0\x10\0half of it"])
def test_message_that_never_ends(hurried, fake, data):
    """It alone fails, the other calls of the connection go on."""
    with hurried.h2() as client:
        under_way = client.ask("Search", SEARCH)
        slow = client.open("Insert")
        client.send_data(slow, data)
        sooner = client.open("Insert", ("grpc-timeout", "200m"))
        client.send_data(sooner, data)
        for stream in (sooner, slow):
            reply = client.reply(stream)
            assert reply.code == DEADLINE_EXCEEDED
            assert reply.text.startswith(own_text(ADMISSION)), reply.text
        assert client.call("GetVersion").code == OK
        assert not client.streams[under_way].ended
        assert not client.goaways
    assert fake.count("Insert") == 0


def test_message_in_time(hurried, fake):
    with hurried.h2() as client:
        stream = client.open("Insert")
        for byte in prefixed(b"\x0a\x02ab"):
            client.send_data(stream, bytes([byte]))
            client.read_within(0.01)
        client.send_data(stream, b"", end=True)
        assert client.reply(stream).code == OK


@pytest.mark.parametrize("opening", [{"settings": {INITIAL_WINDOW: 0}}, {"updates": False}])
def test_windows_that_stay_shut(hurried, opening):
    """The client reads what comes, and asks for nothing."""
    with hurried.h2() as bystander, hurried.h2(**opening) as client:
        client.ask("Query")
        start = time.monotonic()
        assert "stall_timeout" in client.goaway().text
        assert time.monotonic() - start > 0.5
        assert bystander.call("GetVersion").code == OK


def wait_for_clients(bouncer, count):
    eventually(lambda: bouncer.count_clients() == count, f"{count} clients are connected")


def test_client_that_never_reads(hurried):
    wait_for_clients(hurried, 0)  # the one that looked for the daemon is gone
    with hurried.h2() as bystander, hurried.h2() as client:
        client.ping()
        bystander.ping()
        client.ask("Query")
        wait_for_clients(hurried, 1)
        assert bystander.call("GetVersion").code == OK
    eventually(lambda: "stall_timeout" in hurried.log_text(), "the log says why")


def test_client_of_the_plain_protocol_that_never_reads(hurried):
    wait_for_clients(hurried, 0)
    with hurried.plain() as client:
        client.ping()
        client.send("Query", milvus_pb2.QueryRequest())
        wait_for_clients(hurried, 0)
    eventually(lambda: "stall_timeout" in hurried.log_text(), "the log says why")


def test_client_that_reads_slowly(hurried):
    """But reads: it gets all, however long that takes."""
    with hurried.h2(updates=False) as client:
        stream = client.ask("Query")
        start, step = time.monotonic(), 2 * MIB
        while not client.streams[stream].ended:
            while client.read_within(0.4):
                pass
            client.widen(0, step)
            client.widen(stream, step)
        assert time.monotonic() - start > 1.4
        assert len(client.streams[stream].message()) == 8 * MIB


def test_client_that_reads_all_the_time_and_widens_seldom(start_bouncer, fake):
    """Its windows are large, and given back by halves, further apart than stall_timeout."""
    window, step = MIB, 32 * KIB
    fake.on("Query", lambda call, context: b"y" * (window + step))
    bouncer = start_bouncer(configuration(fake.upstream, limits={"stall_timeout": "700ms"}))
    with H2(bouncer.address, settings={INITIAL_WINDOW: window}, updates=False) as client:
        client.widen(0, window)
        stream = client.ask("Query")
        start = time.monotonic()
        while len(client.streams[stream].data) < window:
            client.read_within(0.1)
            select.select([], [], [], 0.02)  # slower than the daemon could send
        assert time.monotonic() - start > 1
        client.updates = True
        client.widen(0, window)
        client.widen(stream, window)
        assert len(client.reply(stream).message()) == window + step


@pytest.mark.parametrize("part", [1, 12, -1])
def test_trailing_fields_that_come_in_pieces(hurried, part):
    """They are no head that never ends, nor is one that is reset for what stands in it."""
    with hurried.h2() as client:
        client.settled()
        stream = client.open("GetVersion")
        client.send_data(stream, prefixed(b""))
        trailers = client.headers_frame(stream, [("x-trailer", "1")], end_stream=True).serialize()
        broken = client.headers_frame(stream + 2, [*grpc_headers("GetVersion"), ("Upper", "x")], True).serialize()
        for frame in (trailers, broken):
            client.raw(frame[:part])
            with hurried.h2() as other:
                other.ping()
            client.raw(frame[part:])
        assert client.reply(stream).code == OK
        client.until(lambda: client.stream(stream + 2).reset is not None, "the other is reset")
        assert client.read_within(1) is None  # longer than frame_timeout
        client.ping()
