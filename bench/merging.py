# SPDX-License-Identifier: Apache-2.0
"""Searches of many clients, of one vector each, on real servers: direct, and through the daemon, which merges them or
does not."""
import contextlib
from typing import NamedTuple

import candidates
import canned
import numpy
from candidates import MERGE, MERGERS, NOTHING, TRANSPORTS
from cases import FILTERS, HITS, LITE, MERGING_CASES, MILVUS, MIXED
from loads import Measured, Target, measure
from pymilvus import DataType, MilvusClient
from pymilvus.client.constants import BOUNDED_TS
from pymilvus.client.prepare import Prepare
from pymilvus.grpc_gen import common_pb2
from real_milvus import direct_target
from sdk_client import KEY, VECTOR, direct_client
from servers import Lite, Milvus

DIMENSION, BATCH = 128, 5000  # rows of an insert
VECTORS = 512  # that are asked for: no two clients ask for the same at a time
MANY, TIMES = 32, 4  # from so many clients on, who merges gets so many times the requests
METRIC, EF = "L2", 64
INDEX = {"index_type": "HNSW", "metric_type": METRIC, "params": {"M": 16, "efConstruction": 200}}


class Server(NamedTuple):
    start: type
    rows: int
    requests: int  # of a run


SERVERS = {MILVUS: Server(Milvus, 50_000, 2048), LITE: Server(Lite, 20_000, 512)}  # Lite is some ten times slower


def random_vectors(seed, count):
    return numpy.random.default_rng(seed).random((count, DIMENSION), dtype="float32")


def fill(server, rows):
    """A collection of so many rows, indexed and loaded."""
    schema, index = MilvusClient.create_schema(), MilvusClient.prepare_index_params()
    schema.add_field(KEY, DataType.INT64, is_primary=True)
    schema.add_field(VECTOR, DataType.FLOAT_VECTOR, dim=DIMENSION)
    index.add_index(VECTOR, **INDEX)
    data = [{KEY: key, VECTOR: vector} for key, vector in enumerate(random_vectors(1, rows))]
    with direct_client(server) as client:
        client.create_collection(canned.NAME, schema=schema)
        for first in range(0, rows, BATCH):
            client.insert(canned.NAME, data[first : first + BATCH])
        client.flush(canned.NAME)
        client.create_index(canned.NAME, index)
        client.load_collection(canned.NAME)


def search(vector, condition):
    """As pymilvus sends it for `consistency_level="Bounded"`."""
    return Prepare.search_requests_with_expr(
        canned.NAME, VECTOR, {"metric_type": METRIC, "params": {"ef": EF}}, HITS, data=[vector], expr=condition,
        use_default_consistency=False, consistency_level=common_pb2.Bounded, guarantee_timestamp=BOUNDED_TS,
    )  # fmt: skip


def write_requests(folder):
    """Two folders of searches, each for a vector of its own: the same but for that, and by filters in turn, which have
    an equal share of the rows each."""
    for name, conditions in (("Search", [""]), (MIXED, [f"{KEY} % {FILTERS} == {i}" for i in range(FILTERS)])):
        (folder / name).mkdir(parents=True)
        for number, vector in enumerate(random_vectors(2, VECTORS)):
            message = search(vector, conditions[number % len(conditions)])
            (folder / name / f"{number:03}").write_bytes(message.SerializeToString())


def start_daemons(stack, directory, server):
    """Where each candidate is asked: the server itself, a daemon that merges, and one that does not."""
    direct = direct_target(server)
    places = {NOTHING: direct}
    for merge in MERGE:
        made = candidates.daemon(directory / merge, server.upstream, TRANSPORTS[0], server.network, merge)
        daemon = stack.enter_context(candidates.running(made))
        places[merge] = Target("", daemon.tcp_address, daemon.pid, enter=direct.enter)
    return {who: places[who.proxy]._replace(client=who.client) for who in MERGERS}


def times_of(who, case):
    return TIMES if who.proxy == MERGE[1] and case.clients >= MANY else 1


def measure_one(directory, server, cases, rounds, count):
    """All candidates before a server that is filled."""
    write_requests(directory / "requests")
    with contextlib.ExitStack() as stack:
        targets = start_daemons(stack, directory, server)

        def targets_of(case):
            asked = {who: target for who, target in targets.items() if case.has(who)}
            return {who.name: target._replace(times=times_of(who, case)) for who, target in asked.items()}

        return measure(cases, targets_of, directory / "requests", rounds, count, pinned=False)


def measure_all(directory, counts):
    """On one server after the other."""
    directory.mkdir()
    measured = Measured()
    for number, (name, (start, rows, requests)) in enumerate(SERVERS.items()):
        place = directory / str(number)
        place.mkdir()
        cases = [case for case in MERGING_CASES[name] if case.clients in counts.merging_clients]
        with contextlib.ExitStack() as stack:
            server = start(place / "server")
            stack.callback(server.stop)
            fill(server, rows // counts.merging_share)
            found = measure_one(place, server, cases, counts.merging_rounds, requests // counts.merging_share)
        measured.rows |= found.rows
    return measured
