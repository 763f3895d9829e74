# SPDX-License-Identifier: Apache-2.0
"""A client of the SDK that only pings, for long: its connection stays, and serves when it is wanted.

The SDK pings every 10 s; here it is told to do so every second, so that several go by.
"""
import asyncio
import threading

import pytest
from pymilvus import AsyncMilvusClient, MilvusClient

from bouncer import configuration
from fake import answer
from sdk_client import KEY, found_row
from waiting import LIMIT, eventually

OFTEN = {
    "grpc.keepalive_time_ms": 1000,
    "grpc.keepalive_timeout_ms": 5000,
    "grpc.http2.max_pings_without_data": 0,  # no limit; by default the library itself stops after two
}
PINGS = 4
FOUND = 7
PREFACE = 24  # bytes
HEADER = 9  # bytes of a frame before its content
PING, ACK = 6, 1


class Relay:
    """Between the SDK and the daemon: it counts the connections, and the pings that the client sends."""

    def __init__(self, path, to):
        self.path, self.to = path, to
        self.uri = f"unix:{path}"
        self.connections = self.pings = 0

    async def serve(self, reader, writer):
        self.connections += 1
        their_reader, their_writer = await asyncio.open_unix_connection(self.to)
        await asyncio.gather(self.pass_frames(reader, their_writer), self.pass_on(their_reader, writer))

    async def pass_frames(self, reader, writer):
        try:
            writer.write(await reader.readexactly(PREFACE))
            while True:
                header = await reader.readexactly(HEADER)
                self.pings += header[3] == PING and not header[4] & ACK
                writer.write(header + await reader.readexactly(int.from_bytes(header[:3], "big")))
        except asyncio.IncompleteReadError:
            writer.close()

    async def pass_on(self, reader, writer):
        while data := await reader.read(1 << 16):
            writer.write(data)
        writer.close()

    async def main(self, ready, ending):
        async with await asyncio.start_unix_server(self.serve, self.path):
            ready.set()
            await asyncio.to_thread(ending.wait)


@pytest.fixture
def bouncer(start_bouncer, fake):
    fake.on("Search", answer(found_row(FOUND)))
    return start_bouncer(configuration(fake.upstream))


@pytest.fixture
def relay(bouncer, tmp_path):
    relay = Relay(tmp_path / "relay.sock", bouncer.path)
    ready, ending = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(relay.main(ready, ending)))
    thread.start()
    assert ready.wait(LIMIT)
    yield relay
    ending.set()
    thread.join()


def wait_for_pings(relay):
    before = relay.pings
    eventually(lambda: relay.pings >= before + PINGS, "pings go by")


def idle_sync(relay):
    client = MilvusClient(relay.uri, grpc_options=OFTEN, dedicated=True)
    wait_for_pings(relay)
    found = client.search("any", [[0.5]], limit=1)
    client.close()
    return found


async def idle_async(relay):
    async with AsyncMilvusClient(relay.uri, grpc_options=OFTEN, dedicated=True) as client:
        await asyncio.to_thread(wait_for_pings, relay)
        return await client.search("any", [[0.5]], limit=1)


@pytest.mark.parametrize("idle", [idle_sync, lambda relay: asyncio.run(idle_async(relay))], ids=["sync", "async"])
def test_idle_but_for_pings(bouncer, relay, idle):
    assert idle(relay)[0][0][KEY] == FOUND
    assert relay.connections == 1
    assert "cut off" not in bouncer.log_text()
