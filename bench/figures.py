#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the daemon costs, side by side with calling the upstream directly; run by bench/figures.sh.

Latencies and CPU: a canned upstream (nghttpd), direct and through the plain protocol in turn, median of the rounds.
The rest: Milvus 2.3.5 with authentication, as the tests start it.
"""
import argparse
import json
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/integration"), str(ROOT / "scripts/quickstart")]

import messages
import numpy
from bouncer import Bouncer, one_pool
from processes import Process, free_port
from pymilvus.grpc_gen import common_pb2, milvus_pb2
from servers import Milvus
from waiting import eventually

IN_FLIGHT = (1, 16, 64)
IDLE_CLIENTS = 1000
DIMENSION = 128
SERVICE = "milvus.proto.milvus.MilvusService"


def program(name):
    return ROOT / "build/bench" / name


def load(*arguments):
    done = subprocess.run([program("load"), *map(str, arguments)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def canned_upstream(directory):
    """Answers every Search with the same 200 bytes."""
    body = b"\x0a\x00\x12\xc8\x01" + b"x" * 200
    folder = directory / SERVICE
    folder.mkdir()
    (folder / "Search").write_bytes(b"\0" + struct.pack(">I", len(body)) + body)
    port = free_port()
    process = Process(
        ["nghttpd", "-d", directory, "--no-tls", "--trailer", "grpc-status: 0", "-a", "127.0.0.1", port],
        directory / "nghttpd.log",
    )
    return process, port


def median(rows, key):
    return statistics.median(row[key] for row in rows)


def latencies(directory, rounds, count):
    """For each number in flight: direct and through the daemon, in turn."""
    upstream, port = canned_upstream(directory)
    bouncer = Bouncer(directory / "bouncer", one_pool({"uri": f"http://127.0.0.1:{port}"})).wait_ready()
    rows = {n: {"direct": [], "plain": []} for n in IN_FLIGHT}
    for _ in range(rounds):
        for n in IN_FLIGHT:
            rows[n]["direct"].append(load("direct", f"127.0.0.1:{port}", "Search", n, count, 512))
            rows[n]["plain"].append(load("plain", bouncer.address, "Search", n, count, 512, bouncer.pid))
    bouncer.stop()
    upstream.kill()
    return rows


def print_latencies(rows):
    print("in flight  direct p50/p99 us  plain p50/p99 us  added p50/p99 us  daemon CPU us/request  requests/s")
    for n, kinds in rows.items():
        direct, plain = ([median(kinds[kind], key) for key in ("p50_us", "p99_us")] for kind in ("direct", "plain"))
        added = [through - straight for through, straight in zip(plain, direct)]
        print(
            f"{n:9}  {direct[0]:8.1f}/{direct[1]:8.1f}  {plain[0]:7.1f}/{plain[1]:8.1f}  "
            f"{added[0]:7.1f}/{added[1]:8.1f}  {median(kinds['plain'], 'cpu_us'):21.1f}  "
            f"{median(kinds['plain'], 'per_second'):10.0f}"
        )


def memory_kib(pid, kind):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(kind + ":"):
            return int(line.split()[1])
    raise KeyError(kind)


def print_memory(bouncer):
    idle = memory_kib(bouncer.pid, "VmRSS")
    print(f"resident, idle: {idle} KiB, of which its own (RssAnon): {memory_kib(bouncer.pid, 'RssAnon')} KiB")
    clients = [bouncer.plain() for _ in range(IDLE_CLIENTS)]
    for client in clients:
        client.ping()
    more = memory_kib(bouncer.pid, "VmRSS") - idle
    print(f"per idle client: {more * 1024 / IDLE_CLIENTS:.0f} bytes ({IDLE_CLIENTS} clients)")
    for client in clients:
        client.close()


def timed(call):
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1e6


def print_describe(bouncer, rounds):
    """On each connection the first question is answered from memory, the second goes to Milvus."""
    request = milvus_pb2.DescribeCollectionRequest(collection_name="bench")
    cached, fetched = [], []
    for _ in range(rounds):
        with bouncer.plain() as client:
            client.ping()
            cached.append(timed(lambda: client.call("DescribeCollection", request)))
            fetched.append(timed(lambda: client.call("DescribeCollection", request)))
    print(
        f"DescribeCollection p50: from the cache {statistics.median(cached):.0f} us, "
        f"from Milvus {statistics.median(fetched):.0f} us ({rounds} each, Python client)"
    )


def print_first_search(bouncer, directory, search, rounds):
    file = directory / "search"
    file.write_bytes(search.SerializeToString())
    command = [program("once"), bouncer.address, "Search", file]
    times = [timed(lambda: subprocess.run(command, check=True)) for _ in range(rounds)]
    print(f"C client, process start to first search result: p50 {statistics.median(times) / 1000:.1f} ms ({rounds})")


def fill(client):
    """A collection of a thousand vectors, ready to be searched."""
    vectors = numpy.random.default_rng(1).random((1000, DIMENSION), dtype="float32")
    client.call("CreateCollection", messages.create_collection("bench", DIMENSION))
    client.call("Insert", messages.insert("bench", range(1000), vectors))
    client.call("CreateIndex", messages.create_index("bench"))
    client.call("LoadCollection", milvus_pb2.LoadCollectionRequest(collection_name="bench"))
    search = messages.search("bench", vectors[0], 10)
    search.consistency_level = common_pb2.Eventually  # else Milvus waits for its clock
    eventually(lambda: client.call("Search", search).status.code == 0, "the collection is loaded", 60)
    return search


def on_milvus(directory, rounds):
    milvus = Milvus(directory / "milvus")
    bouncer = Bouncer(directory / "before-milvus", one_pool(milvus.upstream), milvus.network).wait_ready()
    try:
        print_memory(bouncer)
        with bouncer.plain() as client:
            search = fill(client)
        print_first_search(bouncer, directory, search, rounds)
        print_describe(bouncer, rounds)
        bouncer.stop()
    finally:
        milvus.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="of the canned upstream")
    parser.add_argument("--count", type=int, default=20000, help="requests a round")
    parser.add_argument("--questions", type=int, default=100, help="of each kind to Milvus")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        print_latencies(latencies(directory, arguments.rounds, arguments.count))
        on_milvus(directory, arguments.questions)


if __name__ == "__main__":
    main()
