# SPDX-License-Identifier: Apache-2.0
"""Resident memory of each candidate, idle, with idle clients, and at its peak under load."""
import contextlib
import json
import subprocess
import time
from pathlib import Path

import candidates
import canned
import loads
from cases import CASES
from loads import Target, descendants

LOADS = {"64x4": "peak_64x4_kib", "1MB-replies": "peak_1MB_replies_kib"}  # by case, what its figure is called


def kib(pid, kind="VmRSS"):
    """Of a process and its children, pages that they share counted for each (proc(5))."""
    return sum(kib_of_one(one, kind) for one in descendants(pid))


def kib_of_one(pid, kind):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(kind + ":"):
            return int(line.split()[1])
    raise KeyError(kind)


def forget_peak(pid):
    for one in descendants(pid):
        Path(f"/proc/{one}/clear_refs").write_text("5")


@contextlib.contextmanager
def idle_clients(target, folder, count):
    """Connections that have each made a call; one by one, so that they make one each."""
    command = loads.command(target, "Connect", folder / "Connect", "-c", count, "-n", count, "-w")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert json.loads(process.stdout.readline())["failed"] == 0
        yield
        process.stdin.close()
        assert process.wait() == 0


def of_idle_client(target, folder, count, quiet=0):
    """Bytes for each, so many seconds later. What the first connections take is not counted: it is there once."""
    subprocess.run(loads.command(target, "Connect", folder / "Connect"), stdout=subprocess.DEVNULL, check=True)
    before = kib(target.pid)
    with idle_clients(target, folder, count):
        time.sleep(quiet)
        return (kib(target.pid) - before) * 1024 / count


def peaks(target, folder, counts):
    """Under each load; the kernel keeps that of the one before until it is told to forget it."""
    figures = {}
    for case in CASES:
        if case.name in LOADS:
            forget_peak(target.pid)
            loads.run(case, target, folder, counts.requests)
            figures[LOADS[case.name]] = kib(target.pid, "VmHWM")
    return figures


def idle(target, folder, counts):
    figures = {"idle_kib": kib(target.pid), "idle_own_kib": kib(target.pid, "RssAnon")}
    return figures | {"per_idle_client_bytes": of_idle_client(target, folder, counts.clients, counts.quiet)}


def measure_all(directory, chosen, folder, counts):
    """Figures by candidate, each kind on a process of its own: memory that was used is not given back at once."""
    directory.mkdir()
    figures = {candidate.name: {} for candidate in chosen if candidate.proxy}
    with candidates.running(canned.Upstream(directory / "upstream")) as upstream:
        for candidate in chosen:
            for kind in (idle, peaks) if candidate.proxy else ():
                place = directory / f"{candidate.name}-{kind.__name__}"
                with candidates.before(upstream, candidate.proxy, place) as proxy:
                    target = Target(candidate.client, proxy.tcp_address, proxy.pid)
                    figures[candidate.name] |= kind(target, folder, counts)
    return figures
