# SPDX-License-Identifier: Apache-2.0
"""Of many calls that a client asks at once, the replies of all but the first wait with the upstream until it reads."""
import time

import grpc
import pytest
from pymilvus.grpc_gen import milvus_pb2

from bouncer import one_pool
from channel import own_text
from codes import DEADLINE_EXCEEDED, OK, RESOURCE_EXHAUSTED, UNAVAILABLE, UPSTREAM
from fake import Fake, Gate, answer, fail, with_metadata
from test_h2_memory import KIB, MIB, OVERHEAD, Memory
from waiting import eventually, settled

pytestmark = pytest.mark.each_transport

FREE = 16  # calls that are asked without a thought for their replies (daemon/call_unary.c)
AT_ONCE = FREE + 16  # replies: theirs, and those of others that are let come
PATIENCE = 5  # seconds that replies wait for a client that takes nothing
SLOTS = 8  # of a pool that is soon full
WINDOW = 64 * KIB  # of a reply that waits
THREADS = 128  # of the fake
SIZE = MIB
NUMBER_SIZE = 6


def query(number):
    return milvus_pb2.QueryRequest(expr=f"{number:0{NUMBER_SIZE}}")


def reply_to(call, context):
    return call.message().expr.encode() + b"y" * (SIZE - NUMBER_SIZE)


@pytest.fixture
def gate(fake):
    """Of queries, whose replies are large and begin with the number in the question."""
    gate = Gate(reply_to)
    fake.on("Query", gate)
    return gate


def start(start_bouncer, fake, **settings):
    """A daemon whose own questions are answered."""
    bouncer = start_bouncer(one_pool(fake.upstream, **settings))
    with bouncer.h2() as client:
        assert client.call("Connect").code == client.call("GetVersion").code == OK
    return bouncer


def ask(client, count, *more):
    """So many queries in one go; their streams, in order."""
    return [client.ask("Query", query(number), *more) for number in range(count)]


def begin_to_read(client, streams):
    client.updates = True
    client.read_available()
    for stream in (0, *(stream for stream in streams if client.streams[stream].data)):
        client.widen(stream, MIB)


def sip(client):
    """Takes a little, as a client that is only slow."""
    client.widen(0, KIB)
    client.read_available()


def is_right(client, stream, number):
    message = client.reply(stream).message()
    return len(message) == SIZE and int(message[:NUMBER_SIZE]) == number


def expect_all(client, streams):
    assert all(is_right(client, stream, number) for number, stream in enumerate(streams))


def is_served(bouncer, limit="10S"):
    with bouncer.h2() as client:
        return client.call("Search", b"", ("grpc-timeout", limit)).code == OK


def test_replies_wait_until_the_client_reads(start_bouncer, fake, gate):
    """The daemon does not hold them, others are served, and in the end all come whole."""
    count = 200
    bound = 2 * AT_ONCE * SIZE + count * WINDOW + OVERHEAD  # twice: in gRPC's buffers, and in those for the client
    assert bound < count * SIZE * 3 / 5
    bouncer = start(start_bouncer, fake)
    memory = Memory(bouncer)
    with bouncer.h2(updates=False) as client:
        streams = ask(client, count)
        fake.wait_for("Query", THREADS)
        gate.open()
        eventually(lambda: sip(client) or fake.count("Query") == count, "all are asked")
        eventually(lambda: sip(client) or fake.under_way == 0, "all are answered, as far as the fake knows")
        settled(bouncer.memory)
        sip(client)
        assert memory.stayed_below(bound)
        began = time.monotonic()
        assert is_served(bouncer)
        assert time.monotonic() - began < 5
        assert not any(client.streams[stream].ended for stream in streams)
        begin_to_read(client, streams)
        expect_all(client, streams)
    assert fake.count("Query") == count
    assert memory.stayed_below(bound)


def test_client_that_reads_all_along(start_bouncer, fake, gate):
    bouncer = start(start_bouncer, fake)
    gate.open()
    with bouncer.h2() as client:
        expect_all(client, ask(client, 100))


def test_replies_that_wait_hold_their_slots(start_bouncer, fake, gate):
    """The first sixteen replies come, whether the client reads or not; then the places are taken."""
    bouncer = start(start_bouncer, fake, max_in_flight=SLOTS)
    with bouncer.h2(updates=False) as client, bouncer.channel() as other:
        streams = ask(client, 40)
        client.ping()
        gate.open()
        fake.wait_for("Query", FREE + SLOTS)
        error = other.fails("Search", b"", timeout=1)
        assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert fake.count("Search") == 0
        assert fake.count("Query") == FREE + SLOTS
        begin_to_read(client, streams)
        expect_all(client, streams)
    assert is_served(bouncer)


def ask_more_than_come(client, fake, gate, *more):
    """Of a daemon with SLOTS; the replies of the last SLOTS of these wait."""
    streams = ask(client, FREE + SLOTS, *more)
    client.ping()
    gate.open()
    fake.wait_for("Query", FREE + SLOTS)
    return streams[:FREE], streams[FREE:]


def expect_as_before(bouncer, client):
    """Nothing of what has gone wrong is counted any more."""
    assert is_served(bouncer)
    expect_all(client, ask(client, 3 * FREE))


def test_client_that_takes_nothing(start_bouncer, fake, gate):
    """It does not keep others from the slots for long."""
    bouncer = start(start_bouncer, fake, max_in_flight=SLOTS)
    with bouncer.h2(updates=False) as client:
        come, waiting = ask_more_than_come(client, fake, gate)
        began = time.monotonic()
        assert is_served(bouncer, "30S")
        assert time.monotonic() - began > PATIENCE / 2
        for stream in waiting:
            reply = client.reply(stream)
            assert reply.code == RESOURCE_EXHAUSTED
            assert reply.text.startswith(own_text(UPSTREAM) + "the upstream has answered"), reply.text
        begin_to_read(client, come)
        expect_all(client, come)
        expect_as_before(bouncer, client)


def test_client_that_takes_little(start_bouncer, fake, gate):
    """It keeps its slots."""
    bouncer = start(start_bouncer, fake, max_in_flight=SLOTS)
    with bouncer.h2(updates=False) as client:
        come, waiting = ask_more_than_come(client, fake, gate)
        end = time.monotonic() + 1.5 * PATIENCE
        while time.monotonic() < end:
            sip(client)
            client.read_within(0.2)
        begin_to_read(client, come)
        expect_all(client, come + waiting)


def test_deadline_of_a_reply_that_waits(start_bouncer, fake, gate):
    bouncer = start(start_bouncer, fake, max_in_flight=SLOTS)
    with bouncer.h2(updates=False) as client:
        began = time.monotonic()
        come, waiting = ask_more_than_come(client, fake, gate, ("grpc-timeout", "4S"))
        for stream in waiting:
            reply = client.reply(stream)
            assert reply.code == DEADLINE_EXCEEDED
            assert reply.text == own_text(UPSTREAM) + "the request's deadline has passed"
        assert 3.9 < time.monotonic() - began < 10
        assert is_served(bouncer)
        begin_to_read(client, come)
        expect_all(client, come)
        expect_as_before(bouncer, client)


def test_reset_of_a_call_whose_reply_waits(start_bouncer, fake, gate):
    bouncer = start(start_bouncer, fake, max_in_flight=SLOTS)
    with bouncer.h2(updates=False) as client:
        come, waiting = ask_more_than_come(client, fake, gate)
        for stream in waiting:
            client.reset(stream)
        assert is_served(bouncer)
        begin_to_read(client, come)
        expect_all(client, come)
        expect_as_before(bouncer, client)


def test_reset_of_calls_that_are_let_come(start_bouncer, fake, gate):
    """In whatever state they are."""
    bouncer = start(start_bouncer, fake)
    with bouncer.h2() as client:
        for _ in range(3):
            streams = ask(client, 3 * FREE)
            client.ping()
            gate.open()
            client.until(lambda streams=streams: client.streams[streams[0]].ended, "the first reply")
            for stream in streams:
                client.reset(stream)
            client.ping()
        expect_as_before(bouncer, client)


def test_client_that_leaves_while_its_replies_wait(start_bouncer, fake, gate):
    bouncer = start(start_bouncer, fake, max_in_flight=SLOTS)
    with bouncer.h2(updates=False) as client:
        ask_more_than_come(client, fake, gate)
    assert is_served(bouncer)


def test_upstream_that_is_gone_while_replies_wait(start_bouncer, gate, fake):
    """Those that were not there are not made up."""
    bouncer = start(start_bouncer, fake, max_in_flight=SLOTS)
    with bouncer.h2(updates=False) as client:
        come, waiting = ask_more_than_come(client, fake, gate)
        eventually(lambda: fake.under_way == 0, "all are answered, as far as the fake knows")
        fake.stop()
        begin_to_read(client, come)
        expect_all(client, come)
        for stream in waiting:
            reply = client.reply(stream)
            assert reply.code == UNAVAILABLE
            assert not reply.data
        again = Fake(fake.port)
        try:
            again.on("Query", gate)
            eventually(lambda: is_served(bouncer, "1S"), "the upstream is back")
            expect_as_before(bouncer, client)
        finally:
            again.stop()


def test_drain_while_replies_wait(start_bouncer, fake, gate):
    bouncer = start(start_bouncer, fake, max_in_flight=SLOTS)
    with bouncer.h2(updates=False) as client:
        come, waiting = ask_more_than_come(client, fake, gate)
        bouncer.drain()
        client.until(lambda: client.goaways, "a GOAWAY")
        begin_to_read(client, come)
        expect_all(client, come + waiting)
        assert client.at_end()


def test_calls_that_take_long_keep_no_others_waiting(start_bouncer, fake, gate):
    """Once the client has taken what it has, those go on that waited for that."""
    size = 2 * MIB
    others = Gate(answer(milvus_pb2.SearchResults()))
    fake.on("Search", others)
    fake.on("Query", lambda call, context: b"y" * size)
    bouncer = start(start_bouncer, fake)
    with bouncer.h2(updates=False) as client:
        long = [client.ask("Search") for _ in range(FREE)]
        fake.wait_for("Search", FREE)
        first = client.ask("Query")
        client.until(lambda: client.streams[first].data, "the first begins to come")
        second = client.ask("Query", b"", ("grpc-timeout", "10S"))
        client.ping()
        assert settled(lambda: fake.count("Query")) == 1
        begin_to_read(client, [first])
        assert len(client.reply(first).message()) == len(client.reply(second).message()) == size
        others.open()
        assert all(client.reply(stream).code == OK for stream in long)


@pytest.mark.parametrize("behaviour", [answer(milvus_pb2.QueryResults()), fail(grpc.StatusCode.ABORTED, "no luck")])
def test_what_travels_beside_is_the_same(start_bouncer, fake, behaviour):
    """For calls whose reply was let come as for those before them."""
    gate = Gate(with_metadata(behaviour, (("x-head", "1"),), (("x-tail", "2"),)))
    fake.on("Query", gate)
    bouncer = start(start_bouncer, fake)
    with bouncer.h2() as client:
        streams = ask(client, 3 * FREE)
        fake.wait_for("Query", len(streams))
        gate.open()
        first, *others = [client.reply(stream) for stream in streams]
        assert first.values("x-head") == ["1"]
        assert first.values("x-tail", -1) == ["2"]
        for reply in others:
            assert (reply.blocks, reply.data) == (first.blocks, first.data)


def test_answers_from_memory(start_bouncer, fake):
    """They come by themselves: what is asked upstream is asked for all."""
    gate = Gate(answer(milvus_pb2.DescribeCollectionResponse(collectionID=1)))
    fake.on("DescribeCollection", gate)
    bouncer = start(start_bouncer, fake)
    message = milvus_pb2.DescribeCollectionRequest(collection_name="c")
    with bouncer.h2() as client:
        searches = Gate(answer(milvus_pb2.SearchResults()))
        fake.on("Search", searches)
        streams = [client.ask("Search") for _ in range(FREE)]
        streams += [client.ask("DescribeCollection", message)]
        fake.wait_for("DescribeCollection")
        assert client.call("GetVersion").code == OK
        gate.open()
        assert client.reply(streams[-1]).code == OK
        searches.open()
        assert all(client.reply(stream).code == OK for stream in streams)
    assert fake.count("DescribeCollection") == 1


def test_held_calls_are_sent_again(start_bouncer, fake, goaway_before_fake):
    """Those that the upstream did not begin, before it closed the connection."""
    count = 6 * FREE
    gate = Gate(reply_to)
    gate.open()
    fake.on("Query", gate)
    bouncer = start_bouncer(one_pool(goaway_before_fake.upstream))
    with bouncer.h2() as client:
        expect_all(client, ask(client, count))
    assert fake.count("Query") == count
    assert goaway_before_fake.connections() >= count / 10
