# SPDX-License-Identifier: Apache-2.0
"""Before a real Milvus, 2.3.5 with authentication: calls, a storm of processes that start, a single one."""
import base64
import contextlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import candidates
import canned
import connections
import memory
import messages
import numpy
from bouncer import BINARY
from candidates import DIRECT
from cases import MILVUS_CASES
from loads import Measured, Target, descendants, measure, median
from programs.many import DIM, vectors
from pymilvus.grpc_gen import common_pb2, milvus_pb2
from sdk_client import direct_client, program
from servers import MILVUS_PORT, ROOT_CREDENTIAL, Milvus
from waiting import eventually

DIMENSION, ROWS = 128, 1000
STORM = "storm"  # the collection that its processes search
METRICS = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9091/metrics').read().decode())"
COUNTED = re.compile(r'^milvus_proxy_req_count\{.*status="total"\} (\d+)', re.MULTILINE)


def fill(milvus):
    """A collection of vectors, ready for the search that is returned."""
    rows = numpy.random.default_rng(1).random((ROWS, DIMENSION), dtype="float32")
    direct = milvus.direct()
    direct.call("CreateCollection", messages.create_collection(canned.NAME, DIMENSION))
    direct.call("Insert", messages.insert(canned.NAME, range(ROWS), rows))
    direct.call("CreateIndex", messages.create_index(canned.NAME))
    direct.call("LoadCollection", milvus_pb2.LoadCollectionRequest(collection_name=canned.NAME))
    search = messages.search(canned.NAME, rows[0], 10)
    search.consistency_level = common_pb2.Eventually  # else Milvus waits for its clock
    eventually(lambda: direct.call("Search", search).status.code == 0, "the collection is loaded", 60)
    direct.close()
    return search


def fill_storm(milvus, count):
    with direct_client(milvus) as client:
        client.create_collection(STORM, dimension=DIM)
        client.insert(STORM, [{"id": key, "vector": vector} for key, vector in enumerate(vectors(count))])
        eventually(lambda: client.query(STORM, output_fields=["count(*)"])[0]["count(*)"] == count, "it is all there")


def process_of(pid, name):
    """The process of that name among those that this one has started."""
    return next(one for one in descendants(pid) if Path(f"/proc/{one}/comm").read_text().strip() == name)


class Server:
    """What Milvus has had to do."""

    def __init__(self, milvus):
        self.network = milvus.network
        self.log = milvus.directory / "logs/milvus-stdout.log"
        self.pid = process_of(milvus.process.pid, "milvus")

    def clients(self):
        """The other ends of the TCP connections to its port."""
        here = f"{MILVUS_PORT:04X}"
        rows = [row for row in connections.tcp_rows(self.pid) if connections.port(row[1]) == here]
        return {row[2] for row in rows if row[3] == connections.TCP_ESTABLISHED}

    def requests(self):
        """How many it was asked so far: its own counters have all RPCs but Connect, which it logs."""
        command = [*self.network.enter, sys.executable, "-c", METRICS]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return sum(map(int, COUNTED.findall(text))) + self.log.read_text().count("connect received")


def run_storm(server, address, credential, count):
    """Processes that all start at once: each connects, describes a collection, and searches it, by pymilvus. Returns
    the seconds that it took, and the server's clients while all are connected."""
    command = [*server.network.enter, *program("many", f"http://{address}", STORM, count)]
    environment = {**os.environ, "SDK_TOKEN": credential}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as processes:
        result = json.loads(processes.stdout.readline())
        clients = server.clients()
        processes.stdin.close()
        assert processes.wait() == 0
    wrong = {number: found for number, found in result["found"].items() if found[1] != [int(number)]}
    assert not wrong, wrong
    return result["time"], clients


def first_result_ms(daemon, folder, count):
    """Of a C program over libmvb, from its start to its first search result and its end."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        subprocess.run([BINARY.parent / "bench/once", daemon.address, "Search", folder / "Search"], check=True)
        times.append((time.perf_counter() - began) * 1000)
    return median(times)


def direct_target(server):
    """A server itself, for the load generator; with the credential that it wants."""
    address = server.upstream["uri"].removeprefix("http://")
    if not server.network:
        return Target("grpc", address)
    credential = base64.b64encode(ROOT_CREDENTIAL.encode()).decode()
    return Target("grpc", address, options=("-a", credential), enter=tuple(server.network.enter))


class Bench:
    """Milvus with what is searched in it, and a daemon before it for each transport."""

    def __init__(self, directory, stack):
        directory.mkdir()
        self.directory = directory
        self.milvus = Milvus(directory / "milvus")
        stack.callback(self.milvus.stop)
        self.server = Server(self.milvus)
        self.requests = directory / "requests"
        canned.write_requests(self.requests)
        (self.requests / "Search").write_bytes(fill(self.milvus).SerializeToString())
        self.direct = direct_target(self.milvus)

    def daemon(self, name, transport):
        upstream, network = self.milvus.upstream, self.milvus.network
        return candidates.running(candidates.daemon(self.directory / name, upstream, transport, network))

    def target(self, candidate, daemons):
        if not candidate.proxy:
            return self.direct
        daemon = daemons[candidate.proxy]
        return Target(candidate.client, daemon.tcp_address, daemon.pid, enter=self.direct.enter)

    def calls(self, chosen, rounds, count):
        transports = dict.fromkeys(candidate.proxy for candidate in chosen if candidate.proxy)
        with contextlib.ExitStack() as stack:
            daemons = {name: stack.enter_context(self.daemon(name, name)) for name in transports}
            targets = {candidate.name: self.target(candidate, daemons) for candidate in chosen}
            return measure(MILVUS_CASES, lambda _: targets, self.requests, rounds, count, pinned=False)

    def storm(self, candidate, name, count):
        """With a daemon of its own, which remembers nothing of the storm before."""
        asked, others = self.server.requests(), self.server.clients()
        if candidate.proxy:
            with self.daemon(name, candidate.proxy) as daemon:
                seconds, clients = run_storm(self.server, daemon.tcp_address, "", count)
        else:
            seconds, clients = run_storm(self.server, self.direct.address, ROOT_CREDENTIAL, count)
        return {"seconds": seconds, "requests": self.server.requests() - asked, "connections": len(clients - others)}

    def storms(self, chosen, rounds, count):
        fill_storm(self.milvus, count)
        measured = Measured()
        for number in range(rounds):
            for candidate in chosen:
                row = self.storm(candidate, f"storm-{candidate.name}-{number}", count)
                measured.add(STORM, candidate.name, row)
        return measured

    def others(self, counts):
        """What the tables have no place for."""
        server = self.direct._replace(pid=self.server.pid)
        with self.daemon("first", candidates.TRANSPORTS[0]) as daemon:
            first = first_result_ms(daemon, self.requests, counts.starts)
        per_client = memory.of_idle_client(server, self.requests, counts.clients)
        return {"first_result_ms": first, "idle_client_at_milvus_bytes": per_client}


def measure_all(directory, chosen, counts):
    """Calls, storms, and the rest; of the candidates that can go before Milvus, which wants a credential."""
    chosen = [candidate for candidate in chosen if candidate.is_ours() or candidate.name == DIRECT]
    with contextlib.ExitStack() as stack:
        bench = Bench(directory, stack)
        calls = bench.calls(chosen, counts.rounds, counts.milvus_requests)
        over_grpc = [candidate for candidate in chosen if candidate.client == "grpc"]
        storms = bench.storms(over_grpc, counts.storms, counts.processes)
        return calls, storms, bench.others(counts)
