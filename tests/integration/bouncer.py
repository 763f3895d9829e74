# SPDX-License-Identifier: Apache-2.0
"""The daemon under test: MVB_BINARY, or build/milvus-bouncer."""
import json
import os
import re
import signal
import subprocess
from pathlib import Path

import connections
import pytest
from channel import Channel
from h2 import H2
from mvb1 import Client
from plain import Plain
from processes import ROOT, Process, free_port
from waiting import eventually

BINARY = (ROOT / os.environ.get("MVB_BINARY", "build/milvus-bouncer")).resolve()
IS_SANITIZED = BINARY.exists() and b"__asan_init" in BINARY.read_bytes()
SANITIZER_REPORT = re.compile(r"(Address|Leak|Thread)Sanitizer|runtime error:")


def configuration(upstream, **sections):
    """One upstream for any database; sections replace or add to it."""
    return {
        "upstreams": {"main": upstream},
        "databases": {"*": {"upstream": "main"}},
        **sections,
    }


def one_pool(upstream, **settings):
    """One upstream, and a pool with these settings for the database that is asked for when none is named."""
    return configuration(upstream, databases={"default": {"upstream": "main", **settings}})


def http2(upstream, limits=None, **of_connection):
    """The configuration of one upstream with these limits of an HTTP/2 connection, and perhaps others."""
    return configuration(upstream, limits={**(limits or {}), "http2": of_connection})


def yaml(config):
    """JSON is YAML, but for durations and sizes, which are no texts and stand without quotes."""
    return re.sub(r'"(\d+(ms|s|m|h|KiB|MiB|GiB))"', r"\1", json.dumps(config, indent=2))


def run(*arguments, network=None):
    """A command of the program, to its end."""
    enter = network.enter if network else []
    return subprocess.run(
        [*enter, str(BINARY), *map(str, arguments)], capture_output=True, text=True, timeout=60
    )


def looked_into(count):
    """What count() gives; its descriptors the daemon shows to root alone."""
    try:
        return count()
    except PermissionError:
        return pytest.skip("only root can look into the daemon")


class Bouncer:
    def __init__(
        self, directory, config, network=None, *, tcp=False, listener=None, transport=None, program=(BINARY,),
        log=None, **options
    ):
        """config: what stands in the file but for `listen`; listener: more settings of ours; tcp: listen there too;
        transport: of upstreams that name none; program: the command up to its own arguments; log: a file elsewhere."""
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.path = self.directory / "milvus.sock"
        self.address = f"unix:{self.path}"
        self.tcp_address = f"127.0.0.1:{free_port()}" if tcp else None
        self.listener = {"address": self.address, **(listener or {})}
        self.transport = {"transport": transport} if transport else {}
        self.file = self.write(config)
        self.process = Process(
            [*program, "serve", "-c", self.file], log or self.directory / "milvus-bouncer.log", network, **options
        )
        self.pid = self.process.pid
        self.is_draining = False

    def write(self, config):
        file = self.directory / "milvus-bouncer.yaml"
        listen = [self.listener] + ([{"address": self.tcp_address}] if self.tcp_address else [])
        upstreams = {name: {**self.transport, **upstream} for name, upstream in config["upstreams"].items()}
        file.write_text(yaml({"listen": listen, **config, "upstreams": upstreams}))
        file.chmod(0o644)  # nothing in it is secret, and the daemon may be another user
        return file

    def reload(self, config=None):
        """With another configuration, or the same; returns what the log says of it, once it is done."""
        if config:
            self.write(config)
        before = len(self.log_text())
        self.process.signal(signal.SIGHUP)
        done = re.compile(r"reload: (\S+ has been read|nothing has changed)")
        eventually(lambda: done.search(self.log_text()[before:]), "it has reloaded")
        return self.log_text()[before:]

    def answers(self):
        assert self.process.is_alive(), self.log_text()
        is_plain = "plain" in self.listener.get("protocols", ["plain"])
        with self.plain() if is_plain else self.h2() as client:
            client.ping()
            return True

    def wait_ready(self):
        eventually(self.answers, "the daemon answers a ping")
        return self

    def plain(self):
        return Plain(self.address)

    def h2(self, **options):
        return H2(self.address, **options)

    def channel(self, **options):
        return Channel(self.address, **options)

    def client(self, database=""):
        return Client(self.address, database)

    def count_upstream(self):
        return looked_into(lambda: connections.count_upstream(self.pid))

    def count_clients(self):
        return looked_into(lambda: connections.count_clients(self.pid, str(self.path)))

    def memory(self):
        """Resident bytes."""
        pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGESIZE")

    def forget_peak(self):
        """From here on peak_memory() counts (proc(5), clear_refs)."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def peak_memory(self):
        """The most resident bytes there were at a time."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024

    def log_text(self):
        return self.process.log_text()

    def drain(self, number=signal.SIGTERM):
        """Tells it to; a second signal would end it at once."""
        self.is_draining = True
        self.process.signal(number)

    def stop(self):
        """Drains it; fails unless it exits 0 and without a sanitizer's report."""
        if not self.is_draining and self.process.is_alive():
            self.drain()
        try:
            code = self.process.wait()
        finally:
            self.process.kill()
        report = SANITIZER_REPORT.search(self.log_text())
        assert not report, self.log_text()
        assert code == 0, f"exit code {code}\n{self.log_text()}"
