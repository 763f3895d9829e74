# SPDX-License-Identifier: Apache-2.0
"""Runs of the load generator, round by round, candidates in turn."""
import contextlib
import json
import os
import statistics
import subprocess
from pathlib import Path
from typing import NamedTuple

from bouncer import BINARY

LOAD = BINARY.parent / "bench/load"
LIMIT = 120  # seconds of a run


class Target(NamedTuple):
    """Where a candidate is asked."""

    client: str  # grpc or plain
    address: str
    pid: int = None  # of the proxy, with its children
    options: tuple = ()
    enter: tuple = ()  # how its network is entered
    times: int = 1  # as many requests as others get, where it is so fast that its runs would be too short


def descendants(pid):
    """It, and all that it has started; those that end meanwhile may be among them."""
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return
    for child in children:
        yield from descendants(int(child))


def command(target, method, asked, *options):
    """asked: the file of a request, or a folder of them, which are made in turn."""
    files = sorted(asked.iterdir()) if asked.is_dir() else [asked]
    pids = [word for pid in descendants(target.pid) for word in ("-p", pid)] if target.pid else []
    words = [*target.enter, LOAD, *target.options, *pids, *options]
    return [*map(str, [*words, target.client, target.address, method, *files])]


def run(case, target, folder, count):
    """The figures of one run, in which all requests were answered."""
    count = max(count // case.share * target.times, case.in_flight())
    connections = count + count // 10 + 1 if case.first else case.clients
    greeting = ["-g", "Connect"] if case.first else []
    hits = ["-k", case.hits] if case.hits else []
    options = [*greeting, *hits, "-c", connections, "-f", case.in_flight(), "-n", count]
    words = command(target, case.method, folder / (case.asked or case.method), *options)
    done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT)
    if done.returncode != 0:
        raise RuntimeError(f"{case.name}, {target.address}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def pin(cores):
    """This process, and all that it has started, with their threads, may use these cores only."""
    for pid in descendants(os.getpid()):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for thread in os.listdir(f"/proc/{pid}/task"):
                os.sched_setaffinity(int(thread), cores)


@contextlib.contextmanager
def on_one_core(wanted):
    """With one request in flight, each core sleeps until the other has done its part, and the time it takes to wake is
    most of what would be measured."""
    cores = os.sched_getaffinity(0)
    if wanted:
        pin({min(cores)})
    try:
        yield
    finally:
        pin(cores)


class Measured:
    """The rows of all rounds, by case and candidate: row n of each is of the same round."""

    def __init__(self):
        self.rows = {}

    def add(self, case, candidate, row):
        self.rows.setdefault(case, {}).setdefault(candidate, []).append(row)

    def cases(self):
        return list(self.rows)

    def candidates(self):
        return list(dict.fromkeys(name for rows in self.rows.values() for name in rows))

    def values(self, case, candidate, key):
        """Of each round; none where it was not measured."""
        return [row[key] for row in self.rows.get(case, {}).get(candidate, [])]

    def added(self, case, candidate, key, base):
        """More than the base in the same round."""
        pairs = zip(self.values(case, candidate, key), self.values(case, base, key))
        return [mine - its for mine, its in pairs]


def median(values):
    return statistics.median(values) if values else None


def measure(cases, targets, folder, rounds, count, pinned=True):
    """targets(case): by candidate. Who comes first changes from round to round. pinned: see on_one_core()."""
    measured = Measured()
    for number in range(rounds):
        for case in cases:
            turn = list(targets(case).items())
            shift = number % len(turn)
            with on_one_core(pinned and case.in_flight() == 1):
                for candidate, target in turn[shift:] + turn[:shift]:
                    measured.add(case.name, candidate, run(case, target, folder, count))
        print(f"round {number + 1} of {rounds}", flush=True)
    return measured
