# SPDX-License-Identifier: Apache-2.0
"""Daemons that take over from each other on one listening socket, as systemd keeps it, under a load of the SDK: the
application sees no error."""
import asyncio
import signal
import socket

import pytest
from pymilvus import AsyncMilvusClient, MilvusClient

import sdk_load
from bouncer import BINARY, SANITIZER_REPORT, one_pool, yaml
from fake import answer
from processes import Process
from sdk_client import KEY, found_row, program
from waiting import eventually

HANDOVERS = 3


def drain(daemon):
    """Returns its log."""
    daemon.signal(signal.SIGTERM)
    code, log = daemon.wait(), daemon.log_text()
    assert code == 0 and not SANITIZER_REPORT.search(log), f"exit code {code}\n{log}"
    return log


class Successors:
    """A listening socket that outlives the daemons that serve on it."""

    def __init__(self, directory, config, network):
        self.directory, self.network = directory, network
        self.path = directory / "milvus.sock"
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(self.path))
        self.socket.listen(1024)
        self.uri = f"unix:{self.path}"
        self.file = directory / "milvus-bouncer.yaml"
        self.file.write_text(yaml({"listen": [{"address": self.uri}], **config}))
        self.daemons = []

    def start_next(self):
        descriptor = self.socket.fileno()
        daemon = Process(
            program("activated", descriptor, BINARY, "serve", "-c", self.file),
            self.directory / f"milvus-bouncer{len(self.daemons)}.log",
            self.network,
            pass_fds=[descriptor],
        )
        self.daemons.append(daemon)
        eventually(lambda: "listening on" in daemon.log_text(), "the daemon listens")
        return daemon

    def hand_over(self):
        """The next daemon serves; the one before has drained. Returns its log."""
        before = self.daemons[-1]
        self.start_next()
        return drain(before)

    def end(self):
        """The last one drains, too."""
        drain(self.daemons[-1])

    def close(self):
        for daemon in self.daemons:
            daemon.kill()
        self.socket.close()


@pytest.fixture
def make_successors(tmp_path):
    """make_successors(server): none of them runs yet."""
    made = []

    def make(server):
        network = getattr(server, "network", None)
        made.append(Successors(tmp_path, one_pool(server.upstream), network))
        return made[-1]

    yield make
    for successors in made:
        successors.close()


def test_handed_over_under_load(make_successors, milvus, name, tmp_path):
    sdk_load.prepare(milvus, name)
    successors = make_successors(milvus)
    successors.start_next()
    with sdk_load.loads(successors.uri, name, tmp_path) as both:
        for _ in range(HANDOVERS):
            for load in both:
                load.goes_on()
            assert "draining: 2 clients are connected" in successors.hand_over()
        for load in both:
            load.goes_on()
    assert [load.errors() for load in both] == [[], []]
    sdk_load.check(milvus, name, both)
    sdk_load.drop(milvus, name)
    successors.end()


def search_sync(uri, hand_over):
    client = MilvusClient(uri, dedicated=True)
    before = client.search("any", [[0.5]], limit=1)
    hand_over()
    after = client.search("any", [[0.5]], limit=1)
    client.close()
    return before, after


async def search_async(uri, hand_over):
    async with AsyncMilvusClient(uri, dedicated=True) as client:
        before = await client.search("any", [[0.5]], limit=1)
        await asyncio.to_thread(hand_over)
        return before, await client.search("any", [[0.5]], limit=1)


@pytest.mark.parametrize("search", [search_sync, lambda *both: asyncio.run(search_async(*both))], ids=["sync", "async"])
def test_idle_client_is_handed_over(make_successors, fake, search):
    fake.on("Search", answer(found_row(7)))
    successors = make_successors(fake)
    successors.start_next()
    before, after = search(successors.uri, successors.hand_over)
    assert before[0][0][KEY] == after[0][0][KEY] == 7
    successors.end()
