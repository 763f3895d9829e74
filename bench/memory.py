# SPDX-License-Identifier: Apache-2.0
"""What idle processes and idle connections take."""
import json
import subprocess
from contextlib import contextmanager
from pathlib import Path

import loads
from bouncer import Bouncer

CONNECTIONS = 2000


def kib(pid, kind="VmRSS"):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(kind + ":"):
            return int(line.split()[1])
    raise KeyError(kind)


@contextmanager
def idle_connections(target, folder):
    """Connections that have each made a call."""
    options = ["-c", CONNECTIONS, "-n", CONNECTIONS, "-f", 16, "-w"]
    command = loads.command(target, "Connect", folder, *options)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert json.loads(process.stdout.readline())["failed"] == 0
        yield
        process.stdin.close()
        assert process.wait() == 0


def print_idle(what, pid, target, folder):
    """What the first connection takes is not counted: it is there once."""
    subprocess.run(loads.command(target, "Connect", folder, "-f", 16), stdout=subprocess.DEVNULL, check=True)
    before = kib(pid)
    with idle_connections(target, folder):
        more = kib(pid) - before
    print(f"per idle connection, {what}: {more * 1024 / CONNECTIONS:,.0f} bytes ({CONNECTIONS} connections)")


def descendants(pid):
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from descendants(int(child))


def process_of(pid, name):
    """The process of that name among those that this one has started."""
    return next(one for one in descendants(pid) if Path(f"/proc/{one}/comm").read_text().strip() == name)


def print_memory(directory, milvus, settings, direct, folder):
    """Each kind before a daemon of its own, as memory that was used is not given back at once."""
    for kind in ("gRPC", "plain"):
        bouncer = Bouncer(directory / f"idle-{kind}", settings, milvus.network).wait_ready()
        print(f"resident, idle: {kib(bouncer.pid)} KiB, of which its own (RssAnon): {kib(bouncer.pid, 'RssAnon')} KiB")
        print_idle(kind, bouncer.pid, loads.through(bouncer)[kind], folder)
        bouncer.stop()
    print_idle("direct, at Milvus", process_of(milvus.process.pid, "milvus"), direct, folder)
