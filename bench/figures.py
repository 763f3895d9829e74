#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the daemon costs, side by side with calling the upstream directly; run by bench/figures.sh.

Calls are made directly and through the daemon over gRPC by one and the same client, gRPC's C core, and through the
daemon over the plain protocol, in turn; the tables have the medians of the rounds. Upstreams are a canned one
(nghttpd) and Milvus 2.3.5 with authentication, as the tests start it.
"""
import argparse
import base64
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/integration"), str(ROOT / "scripts/quickstart")]

import canned
import messages
import numpy
from bouncer import BINARY, Bouncer, one_pool
from loads import Case, Target, measure, print_table, through
from memory import print_memory
from pymilvus.grpc_gen import common_pb2, milvus_pb2
from servers import MILVUS_PORT, ROOT_CREDENTIAL, Milvus
from waiting import eventually

DIMENSION = 128

FROM_MEMORY = Case("DescribeCollection from memory, 1", "DescribeCollection", 1, share=10, first=True)
FORWARDED = Case("DescribeCollection forwarded, 1", "DescribeCollection", 1)
CANNED_CASES = (
    Case("1 in flight", "Search", 1),
    Case("16", "Search", 16),
    Case("64", "Search", 64),
    Case("64 connections, 4 each", "Search", 256, 64),
    Case("512 KiB request, 4", "Insert", 4, share=10),
    Case("512 KiB request, 16", "Insert", 16, share=10),
    Case("1 MiB reply, 4", "Query", 4, share=20),
    Case("1 MiB reply, 16", "Query", 16, share=20),
    Case("Connect from memory, 1", "Connect", 1),
    FROM_MEMORY,
    FORWARDED,
)
MILVUS_CASES = (
    Case("Search, 1 in flight", "Search", 1),
    Case("Search, 16", "Search", 16),
    Case("Connect, 1", "Connect", 1),
    FROM_MEMORY._replace(share=1),
    FORWARDED,
)


def before_canned(directory, requests, rounds, count):
    upstream, port = canned.start(directory / "canned")
    bouncer = Bouncer(directory / "before-canned", one_pool({"uri": f"http://127.0.0.1:{port}"})).wait_ready()
    targets = {"direct": Target("grpc", f"127.0.0.1:{port}"), **through(bouncer)}
    print_table("canned upstream", measure(CANNED_CASES, targets, requests, bouncer.pid, rounds, count))
    bouncer.stop()
    upstream.kill()


def print_first_search(bouncer, file, count):
    command = [BINARY.parent / "bench/once", bouncer.address, "Search", file]
    times = []
    for _ in range(count):
        began = time.perf_counter()
        subprocess.run(command, check=True)
        times.append(time.perf_counter() - began)
    print(f"C client, process start to first search result: p50 {statistics.median(times) * 1000:.1f} ms ({count})")


def fill(client):
    """A collection of a thousand vectors, ready for the search that is returned."""
    vectors = numpy.random.default_rng(1).random((1000, DIMENSION), dtype="float32")
    client.call("CreateCollection", messages.create_collection(canned.NAME, DIMENSION))
    client.call("Insert", messages.insert(canned.NAME, range(1000), vectors))
    client.call("CreateIndex", messages.create_index(canned.NAME))
    client.call("LoadCollection", milvus_pb2.LoadCollectionRequest(collection_name=canned.NAME))
    search = messages.search(canned.NAME, vectors[0], 10)
    search.consistency_level = common_pb2.Eventually  # else Milvus waits for its clock
    eventually(lambda: client.call("Search", search).status.code == 0, "the collection is loaded", 60)
    return search


def before_milvus(directory, requests, rounds, count):
    milvus = Milvus(directory / "milvus")
    settings = one_pool(milvus.upstream)
    credential = base64.b64encode(ROOT_CREDENTIAL.encode()).decode()
    direct = Target("grpc", f"127.0.0.1:{MILVUS_PORT}", ("-a", credential), tuple(milvus.network.enter))
    try:
        print_memory(directory, milvus, settings, direct, requests)
        bouncer = Bouncer(directory / "before-milvus", settings, milvus.network).wait_ready()
        with bouncer.plain() as client:
            (requests / "Search").write_bytes(fill(client).SerializeToString())
        print_first_search(bouncer, requests / "Search", count)
        targets = {"direct": direct, **through(bouncer)}
        print_table("Milvus 2.3.5", measure(MILVUS_CASES, targets, requests, bouncer.pid, rounds, count))
        bouncer.stop()
    finally:
        milvus.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="of each upstream")
    parser.add_argument("--count", type=int, default=8000, help="requests a round, fewer of some")
    parser.add_argument("--questions", type=int, default=200, help="the same, to Milvus")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        requests = directory / "requests"
        canned.write_requests(requests)
        before_canned(directory, requests, arguments.rounds, arguments.count)
        before_milvus(directory, requests, arguments.rounds, arguments.questions)


if __name__ == "__main__":
    main()
