# SPDX-License-Identifier: Apache-2.0
"""RESTful v2 through the daemon, beside pymilvus and REST v1 at Milvus 2.3.5 itself: rows inserted and searches made."""
import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import candidates
from candidates import MERGE, TRANSPORTS
from loads import LIMIT, Measured
from pymilvus import DataType, MilvusClient
from rest_load import vectors
from sdk_client import direct_client
from servers import MILVUS_PORT, ROOT_CREDENTIAL, Milvus

CLIENT = Path(__file__).parent / "rest_load.py"
REST, SDK, PACKED, V1 = "REST v2, ours", "pymilvus, direct", "packed gRPC, direct", "REST v1, direct"
SEARCHED, HITS, VECTORS = "rest_searched", 10, 256
INSERT, SEARCH = "insert", "search"


class RestCase(NamedTuple):
    what: str
    dim: int
    batch: int  # rows of a request
    clients: int
    requests: int

    @property
    def name(self):
        if self.what == INSERT:
            return f"insert, {self.dim} floats, {self.batch} rows each"
        return f"search, {self.dim} floats, {self.clients} client{'s' if self.clients > 1 else ''}"

    def whose(self):
        return [REST, SDK, PACKED, V1] if self.what == INSERT else [REST, SDK, V1]

    def collection(self):
        return SEARCHED if self.what == SEARCH else f"rest_{self.dim}"


REST_CASES = (
    RestCase(INSERT, 128, 100, 1, 100),
    RestCase(INSERT, 128, 1000, 1, 20),
    RestCase(INSERT, 768, 100, 1, 40),
    RestCase(INSERT, 768, 1000, 1, 8),
    RestCase(SEARCH, 128, 1, 1, 400),
    RestCase(SEARCH, 128, 1, 16, 1600),
)
ROWS = 20_000  # that are searched


def create(client, name, dim):
    schema = MilvusClient.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dim)
    client.create_collection(name, schema=schema, consistency_level="Eventually")


def fill(server, rows):
    """What is inserted into, and what is searched."""
    index = MilvusClient.prepare_index_params()
    index.add_index("vector", index_type="HNSW", metric_type="L2", params={"M": 16, "efConstruction": 200})
    with direct_client(server) as client:
        for case in REST_CASES:
            create(client, case.collection(), case.dim)
        data = [{"id": n, "vector": vector} for n, vector in enumerate(vectors(REST_CASES[-1].dim, rows))]
        for first in range(0, rows, 1000):
            client.insert(SEARCHED, data[first : first + 1000])
        client.flush(SEARCHED)
        client.create_index(SEARCHED, index)
        client.load_collection(SEARCHED)


class Bench:
    def __init__(self, server, daemon, share):
        self.server, self.share, self.first = server, share, 0
        direct = f"127.0.0.1:{MILVUS_PORT}"
        self.places = {
            REST: ("v2", daemon.tcp_address, ""),
            SDK: ("pymilvus", direct, ROOT_CREDENTIAL),
            PACKED: ("packed", direct, ROOT_CREDENTIAL),
            V1: ("v1", direct, ROOT_CREDENTIAL),
        }

    def run(self, case, who):
        """In a process of its own, within the server's network."""
        client, address, token = self.places[who]
        requests = max(case.requests // self.share, case.clients)
        job = {"client": client, "address": address, "token": token, "collection": case.collection(), "limit": HITS,
               "vectors": VECTORS, "first": self.first, **case._asdict(), "requests": requests}  # fmt: skip
        self.first += (requests + case.clients) * case.batch
        command = [*self.server.network.enter, sys.executable, str(CLIENT), json.dumps(job)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
        if done.returncode != 0:
            raise RuntimeError(f"{case.name}, {who}: {done.stderr}")
        return json.loads(done.stdout)

    def measure(self, rounds):
        """Who comes first changes from round to round."""
        measured = Measured()
        for number in range(rounds):
            for case in REST_CASES:
                turn = case.whose()
                shift = number % len(turn)
                for who in turn[shift:] + turn[:shift]:
                    measured.add(case.name, who, self.run(case, who))
            print(f"round {number + 1} of {rounds}", flush=True)
        return measured


def measure_all(directory, counts):
    directory.mkdir()
    with contextlib.ExitStack() as stack:
        server = Milvus(directory / "milvus")
        stack.callback(server.stop)
        fill(server, ROWS // counts.rest_share)
        made = candidates.daemon(directory / "daemon", server.upstream, TRANSPORTS[0], server.network, MERGE[1])
        daemon = stack.enter_context(candidates.running(made))
        return Bench(server, daemon, counts.rest_share).measure(counts.rest_rounds)
