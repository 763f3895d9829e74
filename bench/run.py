#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the daemon side by side with going direct and with its peers; run by bench/run.sh.

Leaves in a folder results.json (every round), results.md (goals and tables) and a plot of each table.
"""
import argparse
import contextlib
import datetime
import json
import os
import resource
import shlex
import signal
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/integration"), str(ROOT / "scripts/quickstart")]

import canned
import machine
import memory
import merging
import over_rest
import proxies
import real_milvus
import report
from candidates import CANDIDATES
from cases import CASES
from goals import goals
from loads import Measured, descendants

MEMORY, MILVUS, MERGING, REST = "memory", "milvus", "merging", "rest"
NAMES = [*(case.name for case in CASES), MEMORY, MILVUS, MERGING, REST]


class Counts(NamedTuple):
    rounds: int = 9
    requests: int = 20000  # of a run, fewer where they are large
    milvus_requests: int = 400  # of a run on Milvus
    clients: int = 2000  # idle
    quiet: int = 12  # s, until they are
    processes: int = 200  # of a storm
    storms: int = 3
    starts: int = 100  # of a C program
    merging_rounds: int = 5
    merging_share: int = 1  # every so many-th of merging's requests and rows
    merging_clients: tuple = (1, 8, 32, 64, 256)
    rest_rounds: int = 5
    rest_share: int = 1


SMOKE = Counts(rounds=1, requests=100, milvus_requests=32, clients=20, quiet=0, processes=4, storms=1, starts=2,
               merging_rounds=1, merging_share=50, merging_clients=(1, 64), rest_rounds=1, rest_share=20)  # fmt: skip


def chosen_of(known):
    """Reads names with commas in between."""

    def read(text):
        names = text.split(",")
        if unknown := set(names) - set(known):
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; known are {', '.join(known)}")
        return names

    return read


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [candidate.name for candidate in CANDIDATES]
    parser.add_argument("--rounds", type=int, help=f"({Counts().rounds})")
    parser.add_argument("--count", type=int, dest="requests", help=f"requests of a run ({Counts().requests})")
    parser.add_argument("--cases", type=chosen_of(NAMES), default=NAMES, help=",".join(NAMES))
    parser.add_argument("--candidates", type=chosen_of(names), default=names, help=",".join(names))
    parser.add_argument("--out", type=Path, default=ROOT / "build/bench/out", help="the folder (build/bench/out)")
    parser.add_argument("--smoke", action="store_true", help="everything once, in small: whether it measures")
    return parser.parse_args()


def counts_of(arguments):
    given = {key: getattr(arguments, key) for key in ("rounds", "requests") if getattr(arguments, key)}
    if arguments.rounds:
        given["merging_rounds"] = given["rest_rounds"] = arguments.rounds
    return (SMOKE if arguments.smoke else Counts())._replace(**given)


def measure(directory, arguments, counts):
    """What each part found; empty for those that were left out."""
    chosen = [candidate for candidate in CANDIDATES if candidate.name in arguments.candidates]
    cases = [case for case in CASES if case.name in arguments.cases]
    requests = directory / "requests"
    canned.write_requests(requests)
    loads, resident, before_milvus, merged, of_rest = Measured(), {}, None, Measured(), Measured()
    if cases:
        loads = proxies.measure_all(directory, cases, chosen, requests, counts)
    if MEMORY in arguments.cases:
        resident = memory.measure_all(directory / "memory", chosen, requests, counts)
    if MILVUS in arguments.cases:
        before_milvus = real_milvus.measure_all(directory / "milvus", chosen, counts)
    if MERGING in arguments.cases:
        merged = merging.measure_all(directory / "merging", counts)
    if REST in arguments.cases:
        of_rest = over_rest.measure_all(directory / "rest", counts)
    return loads, resident, before_milvus, merged, of_rest


def write(folder, run, loads, resident, before_milvus, merged, of_rest):
    calls, storms, others = before_milvus or (Measured(), Measured(), {})
    reached = goals(loads, resident, calls, merged)
    tables = [*report.of_proxies(loads), *report.of_memory(resident), *report.of_milvus(calls, storms),
              *report.of_merging(merged), *report.of_rest(of_rest)]  # fmt: skip
    tables = [table for table in tables if table.rows]
    run |= {"loads": loads.rows, "memory": resident, "goals": [goal.row() for goal in reached]}
    run["milvus"] = {"calls": calls.rows, "storms": storms.rows, "others": others}
    run["merging"], run["rest"] = merged.rows, of_rest.rows
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(run, indent=1) + "\n")
    (folder / "results.md").write_text(report.page(run, reached, tables))
    for table in tables:
        (folder / f"{table.name}.svg").write_text(table.svg())


def end_descendants():
    """Also those that an interruption kept from being stopped."""
    for pid in [*descendants(os.getpid())][1:]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def main():
    arguments = read_arguments()
    counts = counts_of(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # for thousands of connections
    run = {"command": shlex.join(["bench/run.sh", *sys.argv[1:]]), "date": str(datetime.date.today()),
           "machine": machine.describe(), **counts._asdict()}  # fmt: skip
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        try:
            found = measure(Path(directory), arguments, counts)
        finally:
            end_descendants()
    write(arguments.out, run, *found)
    print(f"{arguments.out}/results.md")


if __name__ == "__main__":
    main()
