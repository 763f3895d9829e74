# SPDX-License-Identifier: Apache-2.0
"""Runs of the load generator: calls made directly, and through the daemon over gRPC and over the plain protocol."""
import json
import statistics
import subprocess
from typing import NamedTuple

from bouncer import BINARY

LOAD = BINARY.parent / "bench/load"
KINDS = ("direct", "gRPC", "plain")


class Case(NamedTuple):
    name: str
    method: str
    in_flight: int
    connections: int = 1
    share: int = 1  # every so many-th of the requests is made
    first: bool = False  # each request is the first on its connection


class Target(NamedTuple):
    client: str  # the generator's: grpc or plain
    address: str
    options: tuple = ()
    enter: tuple = ()  # how its network is entered


def through(bouncer):
    return {"gRPC": Target("grpc", bouncer.address), "plain": Target("plain", bouncer.address)}


def command(target, method, folder, *options):
    words = [*target.enter, LOAD, *target.options, *options, target.client, target.address, method, folder / method]
    return [*map(str, words)]


def run(case, target, folder, pid, count):
    count //= case.share
    connections = count + count // 10 + 1 if case.first else case.connections
    options = ["-c", connections, "-f", case.in_flight, "-n", count, "-p", pid]
    done = subprocess.run(
        command(target, case.method, folder, *options), stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout)


def measure(cases, targets, folder, pid, rounds, count):
    """For each case and kind the rows of all rounds; folder: the requests, pid: the daemon's."""
    rows = {(case, kind): [] for case in cases for kind in KINDS}
    for _ in range(rounds):
        for case, kind in rows:
            rows[case, kind].append(run(case, targets[kind], folder, pid, count))
    return rows


def median(rows, key):
    return statistics.median(row[key] for row in rows)


def spread(rows, key):
    """The median, the lowest and the highest."""
    values = [row[key] for row in rows]
    return f"{statistics.median(values):,.1f} ({min(values):,.1f}-{max(values):,.1f})"


def print_table(title, rows):
    """CPU time: of the client, and of the daemon with the lowest and the highest of the rounds."""
    print(f"| {title} | p50 us: direct / gRPC / plain | p99 us | requests/s | CPU us a request: client's ", end="")
    print("| daemon's, gRPC | daemon's, plain |\n|---|---|---|---|---|---|---|")
    for case in dict.fromkeys(case for case, _ in rows):
        cells = [
            " / ".join(f"{median(rows[case, kind], key):,.0f}" for kind in KINDS)
            for key in ("p50_us", "p99_us", "per_second", "own_cpu_us")
        ]
        daemon = [spread(rows[case, kind], "cpu_us") for kind in ("gRPC", "plain")]
        print("|", " | ".join([case.name, *cells, *daemon]), "|")
