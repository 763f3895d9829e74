# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 used against the daemon: each limit is told to who crosses it, and hurts nobody else."""
import struct
import time

import pytest
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from pymilvus.grpc_gen import milvus_pb2

from bouncer import configuration, http2
from codes import OK, RESOURCE_EXHAUSTED
from fake import Gate, answer, hang
from fake_streams import echo
from h2 import grpc_headers
from h2_connection import (
    CANCEL,
    COMPRESSION_ERROR,
    ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR,
    NO_ERROR,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    prefixed,
    raw_frame,
)
from waiting import eventually

KIB, MIB = 1 << 10, 1 << 20
ALLOWED = 20  # a minute: one each three seconds comes back
SEARCH = milvus_pb2.SearchRequest(collection_name="c")
INITIAL_WINDOW = SettingsFrame.INITIAL_WINDOW_SIZE


# Frames that are of no use, one by one; each generator opens what it needs.


def pings(client):
    while True:
        yield PingFrame(0, opaque_data=b"flooding")


def settings(client):
    while True:
        yield SettingsFrame(0, settings={SettingsFrame.ENABLE_PUSH: 0})


def priorities(client):
    number = 1
    while True:
        number += 2
        yield PriorityFrame(number, stream_weight=number % 256)


def windows_of_connection(client):
    while True:
        yield WindowUpdateFrame(0, window_increment=1)


def windows_of_stream(client):
    stream = client.ask("Search", SEARCH)
    while True:
        yield WindowUpdateFrame(stream, window_increment=1)


def empty_data(client):
    stream = client.open("Search")
    while True:
        yield DataFrame(stream)


def padding_alone(client):
    stream = client.open("Search")
    while True:
        yield DataFrame(stream, flags=["PADDED"], pad_length=5)


def unasked_pongs(client):
    while True:
        yield PingFrame(0, opaque_data=b"flooding", flags=["ACK"])


def rapid_resets(client):
    while True:
        client.last_stream += 2
        headers = client.headers_frame(client.last_stream, grpc_headers("Search"))
        yield Raw(headers.serialize() + RstStreamFrame(client.last_stream, error_code=CANCEL).serialize())


def resets_of_whole_calls(client):
    while True:
        yield RstStreamFrame(client.ask("Search", SEARCH), error_code=CANCEL)


def windows_that_overflow(client):
    while True:
        yield WindowUpdateFrame(client.ask("Search", SEARCH), window_increment=2**31 - 1)


def malformed_heads(client):
    while True:
        client.last_stream += 2
        yield client.headers_frame(client.last_stream, [*grpc_headers("Search"), ("Upper-Case", "x")], True)


def malformed_calls(client):
    while True:
        client.last_stream += 2
        headers = client.headers_frame(client.last_stream, grpc_headers("Search"))
        data = DataFrame(client.last_stream, data=b"\x07\0\0\0\0", flags=["END_STREAM"])
        yield Raw(headers.serialize() + data.serialize())


class Raw:
    """Bytes in the place of a frame."""

    def __init__(self, data):
        self.data = data

    def serialize(self):
        return self.data


FLOODS = [
    ("max_pings", pings),
    ("max_settings", settings),
    ("max_priorities", priorities),
    ("max_window_updates", windows_of_connection),
    ("max_window_updates", windows_of_stream),
    ("max_empty_frames", empty_data),
    ("max_empty_frames", padding_alone),
    ("max_empty_frames", unasked_pongs),
    ("max_resets", rapid_resets),
    ("max_resets", resets_of_whole_calls),
    ("max_stream_errors", windows_that_overflow),
    ("max_stream_errors", malformed_heads),
    ("max_stream_errors", malformed_calls),
]


@pytest.fixture
def start(start_bouncer, fake):
    """start(key=value): a daemon with these limits of an HTTP/2 connection, where searches hang."""
    fake.on("Search", hang)
    return lambda **limits: start_bouncer(http2(fake.upstream, **limits))


def cut(client):
    """The text of the GOAWAY that says it was too much."""
    goaway = client.goaway()
    assert goaway.code == ENHANCE_YOUR_CALM, goaway
    return goaway.text


@pytest.mark.parametrize("key, flood", FLOODS, ids=lambda value: getattr(value, "__name__", None))
def test_flood(start, key, flood):
    """The rate is crossed: those who do so are cut, and told why; others are served on."""
    bouncer = start(**{key: ALLOWED})
    with bouncer.h2() as bystander, bouncer.h2() as client:
        assert bystander.call("Query").code == OK
        client.settled()
        for _, frame in zip(range(ALLOWED + 10), flood(client)):
            client.answer(frame)
        assert f"limits.http2.{key}" in cut(client)
        assert bystander.call("Query").code == OK
    eventually(lambda: f"limits.http2.{key}" in bouncer.log_text(), "the log says so, too")


@pytest.mark.parametrize("key, flood", FLOODS, ids=lambda value: getattr(value, "__name__", None))
def test_just_below(start, key, flood):
    """As many as are allowed; the settings that open the connection are among them."""
    bouncer = start(**{key: ALLOWED})
    with bouncer.h2() as client:
        allowed = ALLOWED - (key == "max_settings")
        if key == "max_pings":
            allowed -= 1  # the one by which this test knows that all have been read
        for _, frame in zip(range(allowed), flood(client)):
            client.send(frame)
        client.ping()
        assert client.call("Query").code == OK
        assert not client.goaways


def test_allowance_comes_back(start):
    """600 a minute are ten a second."""
    with start(max_settings=600).h2() as client:
        frames = settings(client)
        for _ in range(590):
            client.send(next(frames))
        client.ping()
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            client.send(next(frames))
            client.ping()
            client.read_within(0.12)
        assert not client.goaways


def test_pings_and_windows_that_replies_bring_about(start):
    """Go's gRPC pings while data comes in, to measure the line; every library widens windows."""
    with start(max_pings=5, max_window_updates=10).h2() as client:
        for _ in range(50):
            assert client.call("Query").code == OK
            client.ping()
            client.widen(0, 1)
        assert not client.goaways


def test_pings_between_the_messages_of_a_stream(start_bouncer, stream_fake):
    stream_fake.on_stream("CreateReplicateStream", echo)
    with start_bouncer(http2(stream_fake.upstream, max_pings=5)).h2() as client:
        stream = client.open("CreateReplicateStream")
        for number in range(1, 50):
            client.send_data(stream, prefixed(b"message"))
            client.until(lambda: len(client.streams[stream].messages()) == number, "the echo")
            client.ping()
        client.send_data(stream, b"", end=True)
        assert client.reply(stream).code == OK
        assert not client.goaways


@pytest.mark.parametrize("under_way", [False, True])
def test_client_that_cancels_often(start_bouncer, fake, under_way):
    """2,000 requests with the limits that are the default, in waves."""
    fake.on("Search", hang)
    with start_bouncer(configuration(fake.upstream)).h2() as client:
        for wave in range(1, 41):
            streams = [client.ask("Search", SEARCH) for _ in range(50)]
            if under_way:
                fake.wait_for("Search", 50 * wave)
            for stream in streams:
                client.reset(stream)
        assert client.call("Query").code == OK
        assert not client.goaways
    eventually(lambda: fake.under_way == 0, "nothing is left upstream")


def test_client_that_resets_what_is_answered(start):
    """Its reset crosses with the answer, or comes after it: some libraries do so each time."""
    with start(max_resets=5, max_stream_errors=5).h2() as client:
        for _ in range(100):
            stream = client.ask("Query")
            client.reply(stream)
            client.reset(stream)
        assert client.call("Query").code == OK


def head_of_size(size):
    """The headers of a call that count as so many bytes (RFC 9113 section 6.5.2)."""
    headers = grpc_headers("Query")
    rest = size - sum(len(name) + len(value) + 32 for name, value in headers)
    while rest > 0:
        length = min(rest, 4000) if rest > 4100 or rest <= 4000 else 2000
        headers.append(("x-much", "x" * (length - len("x-much") - 32)))
        rest -= length
    return headers


def test_max_header_list(start):
    with start(max_header_list="8KiB").h2() as client:
        client.settled()
        assert client.peer[SettingsFrame.MAX_HEADER_LIST_SIZE] == 8 * KIB
        for size, code in [(8 * KIB, OK), (8 * KIB + 1, RESOURCE_EXHAUSTED), (60 * KIB, RESOURCE_EXHAUSTED)] * 2:
            stream = client.open_with(head_of_size(size))
            client.send_data(stream, prefixed(b""), end=True)
            reply = client.reply(stream)
            assert reply.code == code
            if code != OK:
                assert "max_header_list" in reply.text and reply.text.startswith("milvus-bouncer:")
        assert client.call("Query").code == OK


def test_header_bomb(start):
    """One entry of the table, referred to ten thousand times: few bytes that stand for many."""
    bouncer = start()
    with bouncer.h2() as client:
        bomb = ("x-bomb", "x" * 3900)
        assert client.call("Query", b"", bomb).code == OK
        before = bouncer.memory()
        stream = client.open_with([*grpc_headers("Query"), *[bomb] * 10000])
        client.send_data(stream, prefixed(b""), end=True)
        assert client.reply(stream).code == RESOURCE_EXHAUSTED
        assert bouncer.memory() - before < 8 * MIB
        assert client.call("Query").code == OK


def test_header_lists_beyond_count_as_errors(start):
    with start(max_header_list="4KiB", max_stream_errors=ALLOWED).h2() as client:
        for _ in range(ALLOWED + 5):
            client.open_with(head_of_size(5 * KIB))
        assert "limits.http2.max_stream_errors" in cut(client)


@pytest.mark.parametrize("allowed", [0, 3])
def test_max_continuations(start, allowed):
    bouncer = start(max_continuations=allowed)
    with bouncer.h2() as bystander, bouncer.h2() as client:
        stream = in_pieces(client, allowed)
        client.send_data(stream, prefixed(b""), end=True)
        assert client.reply(stream).code == OK
        in_pieces(client, allowed + 1)
        assert "limits.http2.max_continuations" in cut(client)
        assert bystander.call("Query").code == OK


def in_pieces(client, continuations):
    """Sends a head with so many CONTINUATION frames."""
    client.last_stream += 2
    stream = client.last_stream
    client.stream(stream)
    block = client.encoder.encode(grpc_headers("Query"))
    size = len(block) // (continuations + 1)
    pieces = [block[n * size : (n + 1) * size] for n in range(continuations)] + [block[continuations * size :]]
    frames = [HeadersFrame(stream, data=pieces[0])] + [ContinuationFrame(stream, data=data) for data in pieces[1:]]
    frames[-1].flags.add("END_HEADERS")
    client.send(*frames)
    return stream


def test_continuations_without_an_end(start):
    with start().h2() as client:
        client.settled()
        client.send(client.headers_frame(1, grpc_headers("Query"), end_headers=False))
        for number in range(1000):
            client.answer(ContinuationFrame(1, data=client.encoder.encode([("x-number", str(number))])))
        assert "limits.http2.max_continuations" in cut(client)


def test_max_streams(start, fake):
    """Before a client can know it, a request too many is refused alone and may be sent again."""
    with start(max_streams=5).h2() as client:
        under_way = [client.ask("Search", SEARCH) for _ in range(5)]
        refused = client.ask("Query")
        assert client.reply(refused).reset == REFUSED_STREAM
        assert client.peer[SettingsFrame.MAX_CONCURRENT_STREAMS] == 5
        fake.wait_for("Search", 5)
        client.reset(under_way[0])
        assert client.call("Query").code == OK
        assert not any(client.streams[stream].ended for stream in under_way[1:])
    assert fake.count("Query") == 1


def test_max_streams_that_the_client_knows(start):
    """Then it is an error of the connection."""
    with start(max_streams=5).h2() as client:
        client.settled()
        for _ in range(6):
            client.ask("Search", SEARCH)
        goaway = client.goaway()
        assert goaway.code == PROTOCOL_ERROR
        assert "max concurrent streams" in goaway.text


def test_refused_streams_count_as_resets(start):
    """Whoever opens streams beyond the limit makes us reset them: as rapid as a reset of its own."""
    with start(max_streams=1, max_resets=ALLOWED).h2() as client:
        for _ in range(ALLOWED + 10):
            client.last_stream += 2
            client.answer(client.headers_frame(client.last_stream, grpc_headers("Query")))
        assert "limits.http2.max_resets" in cut(client)


def test_library_keeps_to_max_streams(start_bouncer, fake):
    """It waits instead of being refused."""
    bouncer = start_bouncer(http2(fake.upstream, max_streams=3))
    gate = Gate(answer(milvus_pb2.SearchResults()))
    fake.on("Search", gate)
    with bouncer.channel() as client:
        futures = [client.start("Search", SEARCH) for _ in range(30)]
        fake.wait_for("Search", 3)
        gate.open()
        for future in futures:
            future.result()
    assert fake.peak == 3


def test_stream_window_is_announced_and_enforced(start):
    with start(stream_window="96KiB").h2() as client:
        client.settled()
        assert client.peer[INITIAL_WINDOW] == 96 * KIB
        stream = client.open("Query")
        client.send(*[DataFrame(stream, data=b"\0" * 16000) for _ in range(20)])
        client.until(lambda: client.goaways or client.streams[stream].ended, "the window is defended")
        assert client.streams[stream].reset == FLOW_CONTROL_ERROR or client.goaways[0].code == FLOW_CONTROL_ERROR


@pytest.mark.parametrize(
    "data",
    [
        raw_frame(0x0, 0, b"data on stream 0"),
        raw_frame(0x1, 2, b"\x82"),
        raw_frame(0x4, 0, b"12345"),
        raw_frame(0x6, 0, b"1234"),
        raw_frame(0x8, 0, struct.pack(">I", 0)),
        raw_frame(0x5, 1, b"push promise"),
        raw_frame(0x9, 1, b"continuation of nothing"),
        raw_frame(0x0, 1, b"", length=1 << 20),
    ],
)
def test_broken_protocol(start, data):
    bouncer = start()
    with bouncer.h2() as bystander, bouncer.h2() as client:
        client.settled()
        client.raw(data)
        goaway = client.goaway()
        assert goaway.code not in (NO_ERROR, ENHANCE_YOUR_CALM)
        assert goaway.text or goaway.code == FRAME_SIZE_ERROR
        assert bystander.call("Query").code == OK


def test_header_compression_that_is_broken(start):
    with start().h2() as client:
        client.send(HeadersFrame(1, data=b"\xff\xff\xff\xff\xff\xff", flags=["END_HEADERS"]))
        assert client.goaway().code == COMPRESSION_ERROR
