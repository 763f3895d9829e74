# SPDX-License-Identifier: Apache-2.0
"""What clients of HTTP/2 can make the daemon hold: its memory has a bound, whoever is slow."""
import contextlib
import itertools
import struct

import pytest
from hyperframe.frame import DataFrame, SettingsFrame

from bouncer import IS_SANITIZED, configuration, one_pool
from codes import OK
from fake import Gate
from h2_connection import prefixed, raw_frame
from test_limits import query_of
from waiting import LIMIT, eventually, settled

KIB, MIB = 1 << 10, 1 << 20
CLIENTS = 50
OVERHEAD = 32 * MIB  # of connections, of gRPC, of the allocator
KEPT = 64 * MIB  # of what has been freed


class Memory:
    """What the daemon holds beyond what it held when this was made. A sanitizer holds as much as it likes."""

    def __init__(self, bouncer):
        self.bouncer = bouncer
        self.before = bouncer.memory()
        bouncer.forget_peak()

    def grown(self):
        return self.bouncer.memory() - self.before

    def stayed_below(self, bound):
        return IS_SANITIZED or self.bouncer.peak_memory() - self.before < bound

    def goes_back(self):
        eventually(lambda: IS_SANITIZED or self.grown() < KEPT, "the memory is given back")


@pytest.fixture
def crowd():
    """crowd(bouncer, {...}, ...): so many clients, connected to the end of the test, with these options in turn."""
    with contextlib.ExitStack() as stack:

        def connect(bouncer, *options):
            each = itertools.islice(itertools.cycle(options or [{}]), CLIENTS)
            return [stack.enter_context(bouncer.h2(**options_of_one)) for options_of_one in each]

        yield connect


def is_served(bouncer):
    with bouncer.h2() as client:
        return client.call("GetVersion").code == OK


def test_large_replies_that_are_not_read(start_bouncer, fake, crowd):
    """Each is held, at most as gRPC received it and once more as it is sent, until its client takes it or leaves."""
    size = 4 * MIB
    fake.on("Query", lambda call, context: b"y" * size)
    bouncer = start_bouncer(configuration(fake.upstream))
    memory = Memory(bouncer)
    clients = crowd(bouncer, {"updates": False}, {"settings": {SettingsFrame.INITIAL_WINDOW_SIZE: 0}})
    streams = [client.ask("Query") for client in clients]
    fake.wait_for("Query", CLIENTS)
    eventually(lambda: fake.under_way == 0, "all are answered")
    settled(bouncer.memory)
    assert is_served(bouncer)
    assert memory.stayed_below(2 * CLIENTS * size + OVERHEAD)
    clients[0].updates = True
    clients[0].widen(0, MIB)
    clients[0].widen(streams[0], MIB)
    assert len(clients[0].reply(streams[0]).message()) == size
    for client in clients:
        client.close()
    memory.goes_back()


def test_client_that_asks_on_without_reading(start_bouncer, fake):
    """What it asks while it does not take what it has, waits: neither held nor asked upstream."""
    count, size = 150, 2 * MIB
    at_once = 32  # of replies to one client (daemon/call_unary.c)
    fake.on("Query", lambda call, context: b"y" * size)
    bouncer = start_bouncer(configuration(fake.upstream))
    memory = Memory(bouncer)
    with bouncer.h2(updates=False) as client:
        first = client.ask("Query")
        client.until(lambda: client.streams[first].data, "the first begins to come")
        more = [client.ask("Query") for _ in range(count)]
        client.ping()
        assert settled(lambda: fake.count("Query")) == 1
        assert is_served(bouncer)
        client.updates = True
        client.read_available()
        for stream in (0, first):
            client.widen(stream, MIB)
        for stream in [first, *more]:
            assert len(client.reply(stream).message()) == size
    assert fake.count("Query") == 1 + count
    assert memory.stayed_below(2 * at_once * size + OVERHEAD)


def test_messages_that_are_promised(start_bouncer, fake, crowd):
    """A prefix that announces 64 MiB costs nothing by itself."""
    bouncer = start_bouncer(configuration(fake.upstream))
    memory = Memory(bouncer)
    for client in crowd(bouncer):
        client.settled()
        for _ in range(20):
            stream = client.open("Query")
            client.send(DataFrame(stream, data=struct.pack(">BI", 0, 64 * MIB) + b"little"))
        client.ping()
    assert is_served(bouncer)
    assert memory.stayed_below(OVERHEAD)


def test_windows_that_are_used_up(start_bouncer, fake, crowd):
    """What streams may send unasked is held; more is not asked for."""
    window, streams = 64 * KIB, 12
    limits = {"max_message": "4MiB", "http2": {"stream_window": "64KiB", "max_buffered": "4MiB"}}
    bouncer = start_bouncer(configuration(fake.upstream, limits=limits))
    memory = Memory(bouncer)
    data = prefixed(b"\0" * 4 * MIB)
    sent = 0
    for client in crowd(bouncer):
        client.settled()
        client.until(lambda client=client: client.window > streams * window, "the connection's window")
        numbers = [client.open("Query") for _ in range(streams)]
        for number in numbers:
            rest = client.send_some(number, memoryview(data))
            sent += len(data) - len(rest)
        client.ping()
    assert sent >= CLIENTS * streams * window
    assert is_served(bouncer)
    assert memory.stayed_below(CLIENTS * (4 * MIB + streams * window) + OVERHEAD)


def test_large_messages_to_an_upstream_that_does_not_answer(start_bouncer, fake):
    """Beyond max_buffered the client keeps them; they are sent and answered when there is room."""
    count, size, buffered = 40, MIB, 8 * MIB
    gate = Gate(lambda call, context: b"")
    fake.on("Query", gate)
    limits = {"max_message": "4MiB", "http2": {"max_buffered": "8MiB"}}
    bouncer = start_bouncer(configuration(fake.upstream, limits=limits))
    memory = Memory(bouncer)
    with bouncer.h2() as client:
        client.settled()
        data = prefixed(query_of(size))
        rests = {client.open("Query"): memoryview(data) for _ in range(count)}
        send_what_is_let_in(client, rests)
        sent = sum(len(data) - len(rest) for rest in rests.values())
        assert buffered - size < sent < buffered + count * 64 * KIB + size
        assert is_served(bouncer)
        assert settled(lambda: fake.count("Query")) == buffered // size
        assert memory.stayed_below(2 * buffered + OVERHEAD)
        gate.open()
        for stream, rest in rests.items():
            if rest:
                client.send_data(stream, rest, end=True)
        for stream in rests:
            assert client.reply(stream).code == OK


def send_what_is_let_in(client, rests):
    """Sends of all streams until the windows are used up and stay so; whole ones are ended."""
    while True:
        before = {stream: len(rest) for stream, rest in rests.items()}
        for stream in rests:
            if rests[stream]:
                rests[stream] = client.send_some(stream, rests[stream])
                if not rests[stream]:
                    client.send(DataFrame(stream, flags=["END_STREAM"]))
        if before == {stream: len(rest) for stream, rest in rests.items()} and not client.read_within(1):
            return


def test_tiny_messages_that_wait(start_bouncer, stream_fake):
    """Each is of five bytes; what is held for them has to do with what was sent."""
    streams, window = 50, 64 * KIB
    stream_fake.on_stream("CreateReplicateStream", lambda call, context: call.ended.wait(LIMIT) and iter(()))
    bouncer = start_bouncer(configuration(stream_fake.upstream))
    memory = Memory(bouncer)
    with bouncer.h2() as client:
        client.settled()
        for _ in range(streams):
            client.offer(client.open("CreateReplicateStream"), prefixed(b"") * window, patience=0.02)
        client.ping()
        assert is_served(bouncer)
        assert memory.stayed_below(4 * streams * window + OVERHEAD)


def test_large_message_waits_for_others_of_its_connection(start_bouncer, fake):
    """Small ones pass it by."""
    gate = Gate(lambda call, context: b"")
    fake.on("Query", gate)
    limits = {"max_message": "1MiB", "http2": {"max_buffered": "1MiB"}}
    with start_bouncer(configuration(fake.upstream, limits=limits)).h2() as client:
        client.settled()
        large = prefixed(query_of(MIB * 3 // 4))
        first, second = client.open("Query"), client.open("Query")
        client.send_data(first, large, end=True)
        fake.wait_for("Query")
        rest = client.offer(second, large)
        assert rest
        assert client.call("Search", query_of(KIB)).code == OK
        gate.open()
        client.send_data(second, rest, end=True)
        assert client.reply(first).code == client.reply(second).code == OK


@pytest.mark.parametrize("method", ["Search", "NoSuchStream"])
def test_window_that_grows_with_the_settings(start_bouncer, fake, method):
    """Of a message that waits for room already, begun before the client knew them."""
    limits = {"max_message": "1MiB", "http2": {"max_buffered": "1MiB", "stream_window": "256KiB"}}
    with start_bouncer(configuration(fake.upstream, limits=limits)).h2() as client:
        large = prefixed(query_of(MIB * 3 // 4))
        first, second = client.open("Query"), client.open(method)
        client.send_data(first, large[:KIB])
        rest = client.send_some(second, memoryview(large))
        rest = client.offer(second, rest)
        assert len(large) - len(rest) >= 256 * KIB
        client.send_data(first, large[KIB:], end=True)
        client.send_data(second, rest, end=True)
        assert client.reply(first).code == client.reply(second).code == OK


def test_idle_connections(start_bouncer, fake):
    """After a call each."""
    count, bound = 500, 32 * KIB
    bouncer = start_bouncer(one_pool(fake.upstream))
    with contextlib.ExitStack() as stack:
        warm = [stack.enter_context(bouncer.h2()) for _ in range(20)]
        assert all(client.call("Query").code == OK for client in warm)
        memory = Memory(bouncer)
        clients = [stack.enter_context(bouncer.h2()) for _ in range(count)]
        assert all(client.call("Query").code == OK for client in clients)
        assert memory.stayed_below(count * bound)


def test_flood_of_what_must_be_answered(start_bouncer, fake):
    """By a client that does not read the answers: it is cut before they become many."""
    limits = {"stall_timeout": "500ms", "http2": {"max_pings": 10_000_000, "max_settings": 10_000_000}}
    bouncer = start_bouncer(configuration(fake.upstream, limits=limits))
    memory = Memory(bouncer)
    with bouncer.h2() as client:
        client.settled()
        client.sock.settimeout(2)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError, TimeoutError):
            for _ in range(200):
                client.raw((raw_frame(0x6, 0, b"flooding") + raw_frame(0x4)) * 1000)
        eventually(lambda: "client cut off" in bouncer.log_text(), "it is cut")
        assert is_served(bouncer)
        assert memory.stayed_below(OVERHEAD)
