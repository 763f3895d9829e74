# SPDX-License-Identifier: Apache-2.0
"""Upstreams that stop, die and come back under a load of the SDK, or are not there when it connects."""
import asyncio
import os
import signal
import time

import grpc
import pytest
from pymilvus import AsyncMilvusClient, MilvusClient, MilvusException

import sdk_load
from bouncer import configuration, one_pool
from channel import own_text
from codes import CONNECT
from fake import VERSION, BlackHole, Fake
from processes import Process, free_port
from sdk_client import direct_client
from servers import Lite, Milvus
from waiting import eventually

pytestmark = pytest.mark.each_transport

TIMEOUT = "2s"  # of a request, as the daemon gives it; shorter than the lease below
CANNOT_CONNECT = "Fail connecting to server"  # what the SDK says once its attempt to connect again failed, too
AT_ONCE = 2  # seconds: an SDK that tried again would take longer


class OwnMilvus(Milvus):
    """Milvus that stops and comes back with its data. Its lease bounds how long it waits for its own old self."""

    def __init__(self, directory):
        super().__init__(directory, "--extra-config", "common.session.ttl=15")

    def pause(self):
        os.killpg(self.process.pid, signal.SIGSTOP)

    def resume(self):
        os.killpg(self.process.pid, signal.SIGCONT)

    def kill(self):
        self.process.kill()

    def start_again(self, *_):
        """The program itself, as configured: what unpacks it avoids the ports of its old self."""
        programs = self.directory / "bin"
        environment = {"DEPLOY_MODE": "STANDALONE", "METRICS_PORT": "9091", "LD_LIBRARY_PATH": str(programs)}
        self.process = Process(
            [programs / "milvus", "run", "standalone"],
            self.process.log,
            self.network,
            cwd=self.directory,
            env={**os.environ, **environment},
        )


class OwnLite(Lite):
    def kill(self):
        self.stop()

    def start_again(self, *names):
        """It forgets which collections were loaded."""
        self.start()
        with direct_client(self) as client:
            for name in names:
                client.load_collection(name)


@pytest.fixture(params=[OwnLite, pytest.param(OwnMilvus, marks=pytest.mark.release_only)])
def own_milvus(request, tmp_path):
    server = request.param(tmp_path / "server")
    yield server
    server.stop()


def test_stopped_killed_and_brought_back_under_load(start_bouncer, own_milvus, name, tmp_path):
    """No answer is wrong, no row is lost or there twice, and the same clients go on by the same daemon."""
    sdk_load.prepare(own_milvus, name)
    upstream = {**own_milvus.upstream, "connect_timeout": "1s"}
    bouncer = start_bouncer(one_pool(upstream, timeouts={"default": TIMEOUT}), own_milvus.network)
    with sdk_load.loads(bouncer.address, name, tmp_path) as both:
        for load in both:
            load.goes_on()
        own_milvus.pause()
        for load in both:
            load.meets("DEADLINE_EXCEEDED")
        assert connect_sync(bouncer.address)  # the daemon knows what Connect is answered
        own_milvus.resume()
        for load in both:
            load.goes_on()
        own_milvus.kill()
        for load in both:
            load.meets(CANNOT_CONNECT)
        own_milvus.start_again(name, f"{name}_auto")
        for load in both:
            load.goes_on()
    sdk_load.check(own_milvus, name, both)


async def connect_async(uri):
    async with AsyncMilvusClient(uri) as client:
        return await client.get_server_version()


def connect_sync(uri):
    client = MilvusClient(uri, dedicated=True)
    version = client.get_server_version()
    client.close()
    return version


CONNECTS = [connect_sync, lambda uri: asyncio.run(connect_async(uri))]


class Nobody:
    """No server is there."""

    def __init__(self):
        self.port = free_port()

    def stop(self):
        pass


class Silent(BlackHole):
    """A server that says nothing."""

    def __init__(self):
        super().__init__()
        self.port = self.socket.getsockname()[1]


def fails_to_connect(connect, uri):
    """What the SDK was told; and shows to its user."""
    with pytest.raises(MilvusException) as raised:
        connect(uri)
    cause = raised.value.__cause__
    assert CANNOT_CONNECT in raised.value.message
    assert isinstance(cause, grpc.RpcError)
    return cause


@pytest.mark.parametrize("connect", CONNECTS, ids=["sync", "async"])
@pytest.mark.parametrize("make_absent", [Nobody, Silent])
def test_connect_while_the_upstream_is_away(start_bouncer, make_absent, connect):
    """The error comes at once; when the upstream is there, so is its real version."""
    absent = make_absent()
    upstream = {"uri": f"http://127.0.0.1:{absent.port}", "connect_timeout": "1s"}
    bouncer = start_bouncer(configuration(upstream))
    eventually(lambda: "no connection to upstream" in bouncer.log_text(), "the daemon knows")
    start = time.monotonic()
    cause = fails_to_connect(connect, bouncer.address)
    assert time.monotonic() - start < AT_ONCE
    assert cause.code() == grpc.StatusCode.UNAVAILABLE
    assert cause.details().startswith(own_text(CONNECT))
    absent.stop()
    fake = Fake(absent.port)

    def version():
        try:
            return connect(bouncer.address)
        except MilvusException:
            return None

    try:
        assert eventually(version, "the SDK connects") == VERSION
    finally:
        fake.stop()
