# SPDX-License-Identifier: Apache-2.0
"""Streams: messages pass one by one in both directions, held back by whoever is slow, to whatever end."""
import gzip
import threading

import grpc
import pytest
from pymilvus.grpc_gen import milvus_pb2

from bouncer import IS_SANITIZED, configuration
from channel import own_text
from codes import CANCELLED, DEADLINE_EXCEEDED, OK, UNAVAILABLE, UPSTREAM
from fake import Gate, with_metadata
from fake_streams import echo, echo_until_cancelled, send, swallow
from h2_connection import prefixed
from test_databases import databases
from test_limits import query_of
from waiting import LIMIT, eventually, settled
from wire import EMPTY, WireReply

pytestmark = pytest.mark.each_transport

KIB, MIB = 1 << 10, 1 << 20
KNOWN = ["DumpMessages", "CreateReplicateStream"]
UNKNOWN = ["NoSuchStream", "/grpc.no.Such/Stream"]
EVERY = KNOWN + UNKNOWN
COUNT, SIZE = 10_000, 6 * KIB  # a stream that must not be taken in whole
HELD = 24 * MIB  # of its 60 MB, at most: by sockets, gRPC's windows, and the daemon


@pytest.fixture
def bouncer(start_bouncer, stream_fake):
    return start_bouncer(configuration(stream_fake.upstream))


def numbered(count, size=0):
    return [b"%d" % n + b"." * size for n in range(count)]


class Feed:
    """Requests that are sent when they are told, by whoever iterates over it."""

    def __init__(self):
        self.ready = threading.Condition()
        self.messages, self.is_done = [], False

    def put(self, *messages, done=False):
        with self.ready:
            self.messages += messages
            self.is_done = done
            self.ready.notify()

    def __iter__(self):
        return self

    def __next__(self):
        with self.ready:
            self.ready.wait_for(lambda: self.messages or self.is_done)
            if not self.messages:
                raise StopIteration
            return self.messages.pop(0)


@pytest.mark.parametrize("method", ["DumpMessages", *UNKNOWN])
def test_server_streams(bouncer, stream_fake, method):
    stream_fake.on_stream(method, send(numbered(500)))
    with bouncer.channel() as client:
        assert list(client.stream(method, [b"all"])) == numbered(500)
    assert stream_fake.wait_for(method).received == [b"all"]


@pytest.mark.parametrize("method", ["CreateReplicateStream", *UNKNOWN])
def test_client_streams(bouncer, stream_fake, method):
    stream_fake.on_stream(method, swallow)
    with bouncer.channel() as client:
        assert list(client.stream(method, numbered(500))) == [b"500"]
    assert stream_fake.wait_for(method).received == numbered(500)


@pytest.mark.parametrize("method", EVERY)
def test_both_stream_in_turns(bouncer, stream_fake, method):
    """Each message passes although no other follows it."""
    stream_fake.on_stream(method, echo)
    feed = Feed()
    with bouncer.channel() as client:
        replies = client.stream(method, feed)
        for message in numbered(50):
            feed.put(message)
            assert next(replies) == message
        feed.put(done=True)
        assert list(replies) == []
        assert replies.code() == grpc.StatusCode.OK


@pytest.mark.parametrize("method", EVERY)
def test_no_message_either_way(bouncer, stream_fake, method):
    stream_fake.on_stream(method, echo)
    with bouncer.channel() as client:
        assert list(client.stream(method, [])) == []
    assert stream_fake.wait_for(method).received == []


def test_empty_messages(bouncer, stream_fake):
    stream_fake.on_stream("CreateReplicateStream", echo)
    with bouncer.channel() as client:
        assert list(client.stream("CreateReplicateStream", [b""] * 5)) == [b""] * 5


def test_head_comes_before_the_first_message(bouncer, stream_fake):
    stream_fake.on_stream("CreateReplicateStream", with_metadata(echo, (("x-head", "1"),), (("x-tail", "2"),)))
    feed = Feed()
    with bouncer.channel() as client:
        replies = client.stream("CreateReplicateStream", feed)
        assert ("x-head", "1") in replies.initial_metadata()
        feed.put(b"message", done=True)
        assert list(replies) == [b"message"]
        assert ("x-tail", "2") in replies.trailing_metadata()


def test_server_goes_on_after_the_client_has_ended(bouncer, stream_fake):
    def count_then_send(call, context):
        yield from numbered(sum(1 for _ in call.requests))

    stream_fake.on_stream("CreateReplicateStream", count_then_send)
    with bouncer.channel() as client:
        assert list(client.stream("CreateReplicateStream", numbered(30))) == numbered(30)


def test_server_ends_while_the_client_goes_on(bouncer, stream_fake):
    def one_is_enough(call, context):
        yield next(call.requests)
        context.set_trailing_metadata((("x-tail", "2"),))
        context.abort(grpc.StatusCode.OUT_OF_RANGE, "enough")

    stream_fake.on_stream("CreateReplicateStream", one_is_enough)
    with bouncer.h2() as client:
        stream = client.open("CreateReplicateStream")
        client.send_data(stream, prefixed(b"one"))
        reply = client.reply(stream)
        assert reply.messages() == [(0, b"one")]
        assert (reply.code, reply.text, reply.values("x-tail", -1)) == (11, "enough", ["2"])
        client.send_data(stream, prefixed(b"two"), end=True)  # crosses with it: no harm
        assert client.call("GetVersion").code == OK


@pytest.mark.parametrize("count", [0, 20])
def test_failure_after_some_messages(bouncer, stream_fake, count):
    def fail_then(call, context):
        yield from numbered(count)
        context.abort(grpc.StatusCode.DATA_LOSS, "lost: käse\n")

    stream_fake.on_stream("DumpMessages", fail_then)
    with bouncer.channel() as client:
        replies = client.stream("DumpMessages", [b""])
        received = []
        with pytest.raises(grpc.RpcError) as raised:
            for message in replies:
                received.append(message)
    assert received == numbered(count)
    assert (raised.value.code(), raised.value.details()) == (grpc.StatusCode.DATA_LOSS, "lost: käse\n")


def test_metadata_of_a_stream(start_bouncer, stream_fake):
    stream_fake.on_stream("CreateReplicateStream", echo)
    served = databases(analytics={"name": "analytics_v2"})
    metadata = [("dbname", "analytics"), ("authorization", "mine"), ("log-level", "debug"), ("x-bytes-bin", b"\0\xff")]
    with start_bouncer(configuration(stream_fake.upstream, databases=served)).channel() as client:
        assert list(client.stream("CreateReplicateStream", [b"1"], metadata, timeout=20)) == [b"1"]
    call = stream_fake.wait_for("CreateReplicateStream")
    assert call.values("dbname") == ["analytics_v2"]
    assert call.values("x-bytes-bin") == [b"\0\xff"]
    assert not call.values("authorization") and not call.values("log-level")
    assert 15 < call.time_remaining <= 20.2


def test_stream_of_a_database_that_is_not_served(start_bouncer, stream_fake):
    config = configuration(stream_fake.upstream, databases=databases(known={}))
    with start_bouncer(config).channel() as client:
        with pytest.raises(grpc.RpcError) as raised:
            list(client.stream("CreateReplicateStream", numbered(10)))
    assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert stream_fake.count("CreateReplicateStream") == 0


def test_large_messages(bouncer, stream_fake):
    messages = numbered(6, 5 * MIB)
    stream_fake.on_stream("CreateReplicateStream", echo)
    with bouncer.channel() as client:
        assert list(client.stream("CreateReplicateStream", messages)) == messages


@pytest.mark.parametrize("sizes", [(20_000, 60_000), (1, 65_530, 1, 65_531), (40_000, 40_000, 40_000)])
def test_window_is_given_back_as_messages_come(bouncer, stream_fake, sizes):
    """Also within one that was let in unasked, after others have used up a part of the window."""
    stream_fake.on_stream("CreateReplicateStream", echo)
    with bouncer.h2() as client:
        client.settled()
        stream = client.open("CreateReplicateStream")
        for count, size in enumerate(sizes, 1):
            client.send_data(stream, prefixed(b"x" * size))
            client.until(lambda n=count: len(client.streams[stream].messages()) == n, f"{size} bytes are echoed")
        client.send_data(stream, b"", end=True)
        assert client.reply(stream).code == OK


def test_small_messages_in_a_burst(bouncer, stream_fake):
    """More than the server takes at once, as fast as a library sends them."""
    may_read = threading.Event()

    def echo_later(call, context):
        may_read.wait(LIMIT)
        yield from call.requests

    stream_fake.on_stream("CreateReplicateStream", echo_later)
    with bouncer.channel() as client:
        replies = client.stream("CreateReplicateStream", numbered(5000))
        stream_fake.wait_for("CreateReplicateStream")
        may_read.set()
        assert list(replies) == numbered(5000)


def test_later_large_message_of_a_stream_waits_for_room(start_bouncer, stream_fake):
    """While another call has taken it; then it passes."""
    size = 700 * KIB
    gate = Gate(lambda call, context: b"")
    stream_fake.on("Query", gate)
    stream_fake.on_stream("CreateReplicateStream", echo)
    limits = {"max_message": "1MiB", "http2": {"max_buffered": "1MiB"}}
    with start_bouncer(configuration(stream_fake.upstream, limits=limits)).h2() as client:
        client.settled()
        stream, other = client.open("CreateReplicateStream"), client.open("Query")
        message = prefixed(b"x" * size)
        client.send_data(stream, message)
        client.until(lambda: len(client.streams[stream].messages()) == 1, "the first is echoed")
        client.send_data(other, prefixed(query_of(size)), end=True)
        stream_fake.wait_for("Query")
        rest = client.offer(stream, message)
        gate.open()
        client.send_data(stream, rest, end=True)
        assert client.reply(stream).messages() == [(0, b"x" * size)] * 2
        assert client.reply(other).code == client.reply(stream).code == OK


def test_max_message_of_a_streams_messages(start_bouncer, stream_fake):
    stream_fake.on_stream("CreateReplicateStream", echo)
    bouncer = start_bouncer(configuration(stream_fake.upstream, limits={"max_message": "64KiB"}))
    with bouncer.channel() as client:
        fitting, large = b"x" * (64 * KIB), b"x" * (64 * KIB + 1)
        assert list(client.stream("CreateReplicateStream", [fitting] * 3)) == [fitting] * 3
        with pytest.raises(grpc.RpcError) as raised:
            list(client.stream("CreateReplicateStream", [fitting, large]))
        assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert str(len(large)) in raised.value.details() and str(len(fitting)) in raised.value.details()
        stream_fake.on_stream("DumpMessages", send([large]))
        with pytest.raises(grpc.RpcError) as raised:
            list(client.stream("DumpMessages", [b""]))
        assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_compressed_messages_are_passed_as_they_are(start_bouncer, wire):
    """Some of them are, some are not."""
    messages = [(1, gzip.compress(b"one")), (0, b"two"), (1, gzip.compress(b"three")), (0, b"")]
    with start_bouncer(configuration(wire.upstream)).h2() as client:
        stream = client.open("CreateReplicateStream", ("grpc-encoding", "gzip"))
        client.send_data(stream, b"".join(prefixed(data, flag) for flag, data in messages), end=True)
        assert client.reply(stream).code == OK
    call = wire.wait_for("CreateReplicateStream")
    assert call.messages == messages
    assert call.values("grpc-encoding") == ["gzip"]


def test_compressed_messages_of_the_upstream(start_bouncer, wire):
    data = prefixed(gzip.compress(b"one" * 100), 1) + prefixed(b"two")
    wire.on("DumpMessages", WireReply((*EMPTY.head, ("grpc-encoding", "gzip")), data, EMPTY.trailers))
    with start_bouncer(configuration(wire.upstream)).channel() as client:
        assert list(client.stream("DumpMessages", [b""])) == [b"one" * 100, b"two"]


def test_prefix_that_is_malformed_in_mid_stream(bouncer, stream_fake):
    stream_fake.on_stream("CreateReplicateStream", echo_until_cancelled)
    with bouncer.h2() as client:
        stream = client.open("CreateReplicateStream")
        client.send_data(stream, prefixed(b"one"))
        client.until(lambda: client.streams[stream].messages(), "the first is echoed")
        client.send_data(stream, b"\x07\0\0\0\0")
        assert client.reply(stream).code != OK
        assert client.reply(stream).text.startswith("milvus-bouncer:")
        eventually(stream_fake.wait_for("CreateReplicateStream").was_cancelled, "it is cancelled upstream")
        assert client.call("GetVersion").code == OK


def test_input_that_ends_in_a_message(bouncer, stream_fake):
    stream_fake.on_stream("CreateReplicateStream", echo_until_cancelled)
    with bouncer.h2() as client:
        stream = client.open("CreateReplicateStream")
        client.send_data(stream, prefixed(b"one"))
        client.until(lambda: client.streams[stream].messages(), "the first is echoed")
        client.send_data(stream, prefixed(b"two")[:6], end=True)
        assert client.reply(stream).code != OK
        assert client.call("GetVersion").code == OK
    eventually(stream_fake.wait_for("CreateReplicateStream").was_cancelled, "it is cancelled upstream")


@pytest.mark.parametrize("method", EVERY)
def test_cancel_in_the_middle(bouncer, stream_fake, method):
    stream_fake.on_stream(method, echo_until_cancelled)
    feed = Feed()
    with bouncer.channel() as client:
        replies = client.stream(method, feed)
        feed.put(b"one")
        assert next(replies) == b"one"
        replies.cancel()
        eventually(stream_fake.wait_for(method).was_cancelled, "it is cancelled upstream")
        feed.put(done=True)


def test_vanished_clients_streams_are_cancelled(bouncer, stream_fake):
    stream_fake.on_stream("CreateReplicateStream", echo_until_cancelled)
    with bouncer.h2() as client:
        streams = [client.open("CreateReplicateStream") for _ in range(5)]
        for stream in streams:
            client.send_data(stream, prefixed(b"one"))
        client.until(lambda: all(client.streams[stream].messages() for stream in streams), "all are under way")
    calls = stream_fake.asked("CreateReplicateStream")
    eventually(lambda: all(call.was_cancelled() for call in calls), "its streams are cancelled")


def test_deadline_in_the_middle(bouncer, stream_fake):
    stream_fake.on_stream("CreateReplicateStream", echo_until_cancelled)
    with bouncer.h2() as client:
        stream = client.open("CreateReplicateStream", ("grpc-timeout", "500m"))
        client.send_data(stream, prefixed(b"one"))
        reply = client.reply(stream)
        assert reply.messages() == [(0, b"one")]
        assert reply.code == DEADLINE_EXCEEDED
        assert reply.text.startswith(own_text(UPSTREAM)), reply.text
    eventually(stream_fake.wait_for("CreateReplicateStream").was_cancelled, "it ends upstream, too")


def test_upstream_that_dies_in_the_middle(bouncer, stream_fake):
    stream_fake.on_stream("CreateReplicateStream", echo_until_cancelled)
    with bouncer.h2() as client:
        stream = client.open("CreateReplicateStream")
        client.send_data(stream, prefixed(b"one"))
        client.until(lambda: client.streams[stream].messages(), "the first is echoed")
        stream_fake.stop()
        assert client.reply(stream).code in (UNAVAILABLE, CANCELLED)
        client.ping()


def test_many_streams_at_once(bouncer, stream_fake):
    stream_fake.on_stream("CreateReplicateStream", echo)
    with bouncer.channel() as client:
        feeds = [Feed() for _ in range(50)]
        streams = [client.stream("CreateReplicateStream", feed) for feed in feeds]
        for number in range(10):
            for index, feed in enumerate(feeds):
                feed.put(b"%d of %d" % (number, index))
            for index, replies in enumerate(streams):
                assert next(replies) == b"%d of %d" % (number, index)
        for feed, replies in zip(feeds, streams):
            feed.put(done=True)
            assert list(replies) == []


def test_client_that_reads_slowly_holds_the_server_back(bouncer, stream_fake):
    messages = numbered(COUNT, SIZE)
    stream_fake.on_stream("DumpMessages", send(messages))
    with bouncer.h2(updates=False) as slow, bouncer.h2() as other:
        bouncer.forget_peak()
        before = bouncer.memory()
        stream = slow.ask("DumpMessages")
        call = stream_fake.wait_for("DumpMessages")
        taken = settled(lambda: call.sent)
        assert 0 < taken * SIZE < HELD
        assert other.call("GetVersion").code == OK
        slow.read_available()
        slow.updates = True
        slow.widen(0, 1 << 20)
        slow.widen(stream, 1 << 20)
        assert [data for _, data in slow.reply(stream).messages()] == messages
        assert slow.reply(stream).code == OK
        assert IS_SANITIZED or bouncer.peak_memory() - before < HELD


def test_server_that_reads_slowly_holds_the_client_back(bouncer, stream_fake):
    may_read = threading.Event()

    def swallow_later(call, context):
        may_read.wait(LIMIT)
        yield from swallow(call, context)

    stream_fake.on_stream("CreateReplicateStream", swallow_later)
    with bouncer.h2() as client, bouncer.h2() as other:
        bouncer.forget_peak()
        before = bouncer.memory()
        data = b"".join(map(prefixed, numbered(COUNT, SIZE)))
        stream = client.open("CreateReplicateStream")
        rest = client.offer(stream, data)
        assert 0 < len(data) - len(rest) < HELD
        assert other.call("GetVersion").code == OK
        may_read.set()
        client.send_data(stream, rest, end=True)
        assert client.reply(stream).message() == b"%d" % COUNT
        assert IS_SANITIZED or bouncer.peak_memory() - before < HELD


@pytest.mark.parametrize("method", KNOWN)
def test_stream_that_the_real_server_does_not_know(start_bouncer, each_milvus, method):
    """It ends through the daemon as it ends without."""
    bouncer = start_bouncer(configuration(each_milvus.upstream), each_milvus.network)

    def ending(replies):
        with pytest.raises(grpc.RpcError) as raised:
            list(replies)
        return raised.value.code(), raised.value.details()

    direct = each_milvus.direct()
    message = milvus_pb2.DumpMessagesRequest().SerializeToString()
    wanted = direct.channel.stream_stream(f"/milvus.proto.milvus.MilvusService/{method}")(
        iter([message]), metadata=direct.metadata, timeout=LIMIT
    )
    with bouncer.channel() as client:
        assert ending(client.stream(method, [message])) == ending(wanted)
    direct.close()
