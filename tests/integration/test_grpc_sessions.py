# SPDX-License-Identifier: Apache-2.0
"""Connections as SDKs use them: opened together, while the upstream is away, kept for long, drained; and health."""
import threading
import time

import grpc
import pytest
from pymilvus import MilvusClient, MilvusException
from pymilvus.grpc_gen import common_pb2, milvus_pb2

from bouncer import configuration
from channel import own_text
from codes import CONNECT, INVALID_ARGUMENT, OK, RESOURCE_EXHAUSTED
from fake import SUCCESS, VERSION, Gate, answer
from h2 import H2, grpc_headers
from h2_connection import ENHANCE_YOUR_CALM, MAX_STREAM, NO_ERROR
from mvb1 import GOAWAY
from processes import free_port
from test_cache import Schemas, describe_of
from waiting import eventually

SEARCH = milvus_pb2.SearchRequest()
VERSION_REQUEST = milvus_pb2.GetVersionRequest()
CONNECT_REQUEST = milvus_pb2.ConnectRequest(client_info=common_pb2.ClientInfo(sdk_type="test"))
CLIENTS = 100

CHECK, WATCH = "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"
SERVING, NOT_SERVING, SERVICE_UNKNOWN = b"\x08\x01", b"\x08\x02", b"\x08\x03"  # HealthCheckResponse
KNOWN_SERVICES = ["", "milvus.proto.milvus.MilvusService"]


def health_of(service):
    """A HealthCheckRequest."""
    return b"\x0a%c%s" % (len(service), service.encode()) if service else b""


@pytest.fixture
def bouncer(start_bouncer, fake):
    return start_bouncer(configuration(fake.upstream))


# Connect.


def server_info_of(fake, behaviour=lambda answer: answer):
    info = common_pb2.ServerInfo(build_tags=VERSION, deploy_mode="STANDALONE")
    fake.on("Connect", behaviour(answer(milvus_pb2.ConnectResponse(status=SUCCESS, server_info=info, identifier=7))))
    return info


def test_connect_tells_the_upstreams_version(start_bouncer, fake):
    info = server_info_of(fake)
    with start_bouncer(configuration(fake.upstream)).channel() as client:
        reply = client.call("Connect", CONNECT_REQUEST)
        assert reply.status.code == 0
        assert reply.server_info == info


def test_many_connect_at_once(start_bouncer, fake):
    """Upstream is asked once for all of them."""
    gates = []
    info = server_info_of(fake, lambda behaviour: gates.append(Gate(behaviour)) or gates[0])
    bouncer = start_bouncer(configuration(fake.upstream))
    clients = [bouncer.h2() for _ in range(CLIENTS)]
    streams = [client.ask("Connect", CONNECT_REQUEST) for client in clients]
    for client in clients:
        client.ping()
    gates[0].open()
    for client, stream in zip(clients, streams):
        reply = milvus_pb2.ConnectResponse.FromString(client.reply(stream).message())
        assert reply.server_info == info
        client.close()
    assert fake.count("Connect") == 1


def fails_at_once(bouncer, call):
    start = time.monotonic()
    with bouncer.channel() as client:
        error = call(client)
    assert time.monotonic() - start < 5  # connect_timeout is 10 s
    assert error.code() == grpc.StatusCode.UNAVAILABLE
    assert error.details().startswith(own_text(CONNECT)), error.details()


def test_connect_while_the_upstream_is_away(start_bouncer):
    bouncer = start_bouncer(configuration({"uri": f"http://127.0.0.1:{free_port()}"}))
    fails_at_once(bouncer, lambda client: client.fails("Connect", CONNECT_REQUEST))


def test_sdk_while_the_upstream_is_away(start_bouncer):
    """It fails with the daemon's reason, and long before it would give up by itself."""
    bouncer = start_bouncer(configuration({"uri": f"http://127.0.0.1:{free_port()}"}))
    start = time.monotonic()
    with pytest.raises(MilvusException) as raised:
        MilvusClient(bouncer.address, timeout=20)
    assert time.monotonic() - start < 15
    assert "upstream" in str(raised.value) or "milvus-bouncer" in str(raised.value)


def test_sdk_on_a_real_server(start_bouncer, lite, name):
    client = MilvusClient(start_bouncer(configuration(lite.upstream)).address)
    client.create_collection(name, dimension=2)
    client.insert(name, [{"id": n, "vector": [float(n), 1.0]} for n in range(10)])
    assert len(client.search(name, [[5.0, 1.0]], limit=3)[0]) == 3
    client.drop_collection(name)
    client.close()


# The cache.


def test_repeat_on_the_same_connection_goes_upstream(bouncer, fake):
    schemas = Schemas(fake)
    with bouncer.channel() as first, bouncer.channel() as second:
        for version in (1, 2):
            schemas.version = version
            assert first.call("DescribeCollection", describe_of("books")).schema.description == str(version)
        schemas.version = 3
        assert second.call("DescribeCollection", describe_of("books")).schema.description == "2"
        assert fake.count("DescribeCollection") == 2
        assert second.call("DescribeCollection", describe_of("books")).schema.description == "3"


def test_reply_from_memory_carries_no_metadata_of_another(bouncer, fake):
    schemas = Schemas(fake)

    def with_trace(call, context):
        context.set_trailing_metadata((("x-trace", "of the first"),))
        return schemas(call, context)

    fake.on("DescribeCollection", with_trace)
    with bouncer.h2() as first, bouncer.h2() as second:
        assert first.call("DescribeCollection", describe_of("books")).values("x-trace", -1) == ["of the first"]
        reply = second.call("DescribeCollection", describe_of("books"))
        assert (reply.code, reply.values("x-trace", -1)) == (OK, [])
    assert fake.count("DescribeCollection") == 1


# Health.


@pytest.mark.parametrize("service", KNOWN_SERVICES)
def test_health(bouncer, fake, service):
    with bouncer.channel() as client:
        assert client.start(CHECK, health_of(service)).result() == SERVING
        watch = client.stream(WATCH, [health_of(service)])
        assert next(watch) == SERVING
        watch.cancel()
    assert not [call for call in fake.calls if "health" in call.method]


def test_health_of_an_unknown_service(bouncer):
    with bouncer.channel() as client:
        assert client.fails(CHECK, health_of("no.Such")).code() == grpc.StatusCode.NOT_FOUND
        watch = client.stream(WATCH, [health_of("no.Such")])
        assert next(watch) == SERVICE_UNKNOWN
        watch.cancel()


def test_health_while_the_upstream_is_away(start_bouncer, black_hole):
    """It is the daemon's own: that upstream is away is said by each call."""
    with start_bouncer(configuration(black_hole.upstream)).channel() as client:
        assert client.start(CHECK, b"").result() == SERVING


@pytest.mark.parametrize("message", [b"\xff", b"\x0a\x05ab"])
def test_health_request_that_is_malformed(bouncer, message):
    with bouncer.h2() as client:
        assert client.call(CHECK, message).code == INVALID_ARGUMENT
        assert client.call(CHECK, b"").message() == SERVING


def test_watchers_learn_of_the_drain(bouncer, fake):
    """And do not prolong it."""
    gate = Gate(answer(milvus_pb2.SearchResults()))
    fake.on("Search", gate)
    with bouncer.h2() as busy, bouncer.h2() as watcher:
        watch = watcher.ask(WATCH, b"")
        watcher.until(lambda: watcher.streams[watch].messages(), "the first state")
        stream = busy.ask("Search", SEARCH)
        fake.wait_for("Search")
        bouncer.drain()
        watcher.until(lambda: len(watcher.streams[watch].messages()) == 2, "the second state")
        assert [state for _, state in watcher.streams[watch].messages()] == [SERVING, NOT_SERVING]
        assert busy.call(CHECK, b"").message() == NOT_SERVING
        assert watcher.at_end()
        gate.open()
        assert busy.reply(stream).code == OK
    assert bouncer.process.wait() == 0


# Drain.


def test_drain(bouncer, fake):
    """Calls under way finish, those that cross with the GOAWAY are served, whoever is idle is told to go."""
    gate = Gate(answer(milvus_pb2.SearchResults(collection_name="done")))
    fake.on("Search", gate)
    with bouncer.h2() as busy, bouncer.h2() as idle:
        idle.ping()
        stream = busy.ask("Search", SEARCH)
        fake.wait_for("Search")
        bouncer.drain()
        for client in (busy, idle):
            client.until(lambda: client.goaways, "a GOAWAY")
            assert client.goaways[0].code == NO_ERROR
            assert client.goaways[0].last == MAX_STREAM
        assert busy.call("Query").code == OK
        assert idle.call("Query").code == OK
        assert idle.at_end()
        assert idle.goaways[-1].code == NO_ERROR
        assert idle.goaways[-1].last == idle.last_stream
        assert bouncer.process.is_alive()
        gate.open()
        assert milvus_pb2.SearchResults.FromString(busy.reply(stream).message()).collection_name == "done"
        assert busy.at_end()
    assert bouncer.process.wait() == 0
    assert fake.count("Query") == 2


def test_drain_of_idle_connections(bouncer):
    clients = [bouncer.channel() for _ in range(20)]
    for client in clients:
        client.call("GetVersion", VERSION_REQUEST)
    bouncer.drain()
    assert bouncer.process.wait() == 0
    for client in clients:
        client.close()


def test_drain_with_a_large_reply(bouncer, fake):
    size = 8 << 20
    gate = Gate(lambda call, context: b"x" * size)
    fake.on("Search", gate)
    with bouncer.h2() as client:
        stream = client.ask("Search", SEARCH)
        fake.wait_for("Search")
        bouncer.drain()
        client.until(lambda: client.goaways, "a GOAWAY")
        gate.open()
        assert len(client.reply(stream).message()) == size
        assert client.at_end()
    assert bouncer.process.wait() == 0


def test_half_a_head_does_not_prolong_a_drain(start_bouncer, fake):
    bouncer = start_bouncer(configuration(fake.upstream, limits={"frame_timeout": "500ms"}))
    with bouncer.h2() as client:
        client.settled()
        client.send(client.headers_frame(1, grpc_headers("Search"), end_headers=False))
        with bouncer.h2() as other:
            other.ping()
        bouncer.drain()
        assert bouncer.process.wait() == 0


def test_calls_across_a_restart(start_bouncer, fake):
    """A client that waits for readiness, as SDKs do by repeating, sees no error."""
    config = configuration(fake.upstream)
    bouncer = start_bouncer(config)
    stop, errors, served = threading.Event(), [], []

    def call_on():
        with bouncer.channel(options={"grpc.max_reconnect_backoff_ms": 100}) as client:
            while not stop.is_set():
                try:
                    served.append(client.start("Search", SEARCH, wait_for_ready=True).result())
                except grpc.RpcError as error:
                    errors.append(error)

    thread = threading.Thread(target=call_on)
    thread.start()
    for _ in range(2):
        before = len(served)
        eventually(lambda: len(served) > before + 10, "calls are served")
        bouncer.stop()
        again = start_bouncer(config, listener={"address": bouncer.address}, wait=False)
        bouncer.process, bouncer.is_draining = again.process, False
        start_bouncer.started.remove(again)
    before = len(served)
    eventually(lambda: len(served) > before + 10, "calls are served")
    stop.set()
    thread.join()
    assert not errors


# Who may connect.


def test_grpc_where_it_is_not_served(start_bouncer, fake):
    bouncer = start_bouncer(configuration(fake.upstream), listener={"protocols": ["plain"]})
    with bouncer.h2() as client:
        goaway = client.goaway()
        assert goaway.code != NO_ERROR
        assert goaway.text.startswith("milvus-bouncer:") and "gRPC" in goaway.text
    with bouncer.plain() as client:
        client.ping()


def test_plain_where_it_is_not_served(start_bouncer, fake):
    bouncer = start_bouncer(configuration(fake.upstream), listener={"protocols": ["grpc"]})
    with bouncer.plain() as client:
        goaway = client.frame()
        assert (goaway.kind, goaway.code) == (GOAWAY, INVALID_ARGUMENT)
        assert "plain" in goaway.text.decode()
        assert client.at_end()
    with bouncer.channel() as client:
        client.call("GetVersion", VERSION_REQUEST)


def test_both_protocols_on_both_addresses(start_bouncer, fake):
    bouncer = start_bouncer(configuration(fake.upstream), tcp=True)
    with H2(bouncer.tcp_address) as tcp, bouncer.h2() as unix, bouncer.plain() as plain:
        assert tcp.call("GetVersion").code == unix.call("GetVersion").code == OK
        plain.ping()


def test_max_clients(start_bouncer, fake):
    """Calls on one connection too many are told so, in a way that SDKs do not hammer on."""
    bouncer = start_bouncer(configuration(fake.upstream, limits={"max_clients": 2}))
    eventually(lambda: bouncer.count_clients() == 0, "the client that looked for the daemon is gone")
    first, second = bouncer.h2(), bouncer.plain()
    first.ping()
    second.ping()
    with bouncer.channel() as third:
        error = third.fails("Search", SEARCH)
        assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert error.details().startswith("milvus-bouncer:") and "max_clients" in error.details()
    with bouncer.h2() as third:
        assert third.call("Search", SEARCH).code == RESOURCE_EXHAUSTED
        goaway = third.goaway()
        assert (goaway.code, "max_clients" in goaway.text) == (ENHANCE_YOUR_CALM, True)
    first.close()
    second.close()

    def gets_in():
        with bouncer.h2() as client:
            return client.call("Search", SEARCH).code == OK

    eventually(gets_in, "there is room again")


def test_silent_client_above_max_clients(start_bouncer, fake):
    bouncer = start_bouncer(configuration(fake.upstream, limits={"max_clients": 1}))
    eventually(lambda: bouncer.count_clients() == 0, "the client that looked for the daemon is gone")
    with bouncer.plain() as first:
        first.ping()
        with bouncer.h2() as silent:
            assert "max_clients" in silent.goaway().text


def test_idle_connection_is_kept(start_bouncer, fake):
    """Also beyond the timeouts of messages, and with pings all the time."""
    limits = {"frame_timeout": "200ms", "stall_timeout": "200ms"}
    bouncer = start_bouncer(configuration(fake.upstream, limits=limits))
    with bouncer.h2() as idle, bouncer.h2() as pinging:
        idle.ping()
        end = time.monotonic() + 1
        while time.monotonic() < end:
            pinging.ping()
            pinging.read_within(0.1)
        for client in (idle, pinging):
            client.ping()
            assert client.call("GetVersion").code == OK
            assert not client.goaways


def test_call_that_takes_longer_than_the_timeouts_of_messages(start_bouncer, fake):
    gate = Gate(answer(milvus_pb2.SearchResults()))
    fake.on("Search", gate)
    limits = {"frame_timeout": "200ms", "stall_timeout": "200ms"}
    with start_bouncer(configuration(fake.upstream, limits=limits)).h2() as client:
        stream = client.ask("Search", SEARCH)
        fake.wait_for("Search")
        client.ping()
        assert client.read_within(0.7) is None
        gate.open()
        assert client.reply(stream).code == OK
