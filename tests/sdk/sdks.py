# SPDX-License-Identifier: Apache-2.0
"""The program of each SDK, run once for each way to a server."""
import json
import os
import re
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

from bouncer import Bouncer, configuration
from servers import ROOT_CREDENTIAL
from steps import DEADLINE, PREFIX

FOLDER = Path(__file__).parent
SDKS = ["pymilvus", "pymilvus_async", "node", "go", "java"]
PYTHON = {"pymilvus": "sync.py", "pymilvus_async": "asynchronous.py"}
WAYS = {sdk: ["tcp"] if sdk in ("go", "java") else ["tcp", "unix"] for sdk in SDKS}  # these two want TCP
AT_ONCE = 3
LIMIT = 200  # seconds for a program: beside others, through a daemon with sanitizers
ADDRESS = re.compile(r"/?127\.0\.0\.1:\d+|unix:[^\s,\]]+")
# How each SDK tells that a deadline has passed: by gRPC's code, in its own words, or in Milvus's.
DEADLINES = re.compile(
    r"^DEADLINE_EXCEEDED: |^Error 4: |code = DeadlineExceeded|StatusRuntimeException: DEADLINE_EXCEEDED"
    r"|^1: \[search\] Retry timeout: |context Done"
)


def command(sdk):
    if sdk in PYTHON:
        return [sys.executable, str(FOLDER / "python" / PYTHON[sdk])]
    variable = f"MVB_SDK_{sdk.upper()}"
    assert variable in os.environ, f"{variable} is not set: scripts/sdk.sh builds the programs and runs these tests"
    return [os.environ[variable]]


def masked(step, error, prefix):
    if step == "deadline_over" and DEADLINES.search(error):
        return DEADLINE
    return ADDRESS.sub("ADDRESS", error.replace(prefix, PREFIX))


def is_told(line):
    """Go's SDK logs to where its program tells."""
    return line.startswith("{")


def read(line, prefix):
    """A program's line: the step's name, and what is compared of it."""
    told = json.loads(line)
    if told["ok"]:
        return told["step"], {"result": json.loads(json.dumps(told["result"]).replace(prefix, PREFIX))}
    return told["step"], {"error": masked(told["step"], told["error"], prefix)}


def new_prefix():
    return "sdk_" + uuid.uuid4().hex[:12]


def environment(**settings):
    """Of ours a program sees what it needs to run, and no credential."""
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | settings


def run(argv, settings):
    """What it told of each step."""
    prefix = new_prefix()
    all_settings = environment(SDK_PREFIX=prefix, SDK_DATABASE=f"{prefix}_db", **settings)
    done = subprocess.run(argv, env=all_settings, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(read(line, prefix) for line in done.stdout.splitlines() if is_told(line))


class Site:
    """A server, the daemon before it, and what each SDK's program told when it went either way."""

    def __init__(self, name, server, directory):
        self.name = name
        self.server = server
        config = configuration(server.upstream)
        self.bouncer = Bouncer(directory, config, server.network, tcp=True).wait_ready()
        self.pool = ThreadPoolExecutor(AT_ONCE)
        self.runs = {}

    @cached_property
    def credential(self):
        if "user" not in self.server.upstream:
            return {}
        user, password = ROOT_CREDENTIAL.split(":")
        return {"SDK_USER": user, "SDK_PASSWORD": password}

    def settings(self, way):
        if way == "direct":
            return {"SDK_URI": self.server.upstream["uri"], **self.credential}
        return {"SDK_URI": self.bouncer.address if way == "unix" else f"http://{self.bouncer.tcp_address}"}

    def command(self, sdk, way):
        """way: direct, tcp or unix. TCP is within the server's network; the Unix socket reaches out of it."""
        enter = self.server.network.enter if self.server.network and way != "unix" else []
        return [*enter, *command(sdk)]

    def run(self, sdk, way, settings=None):
        return run(self.command(sdk, way), settings or self.settings(way))

    def told(self, sdk, way):
        """What the SDK's program told. The first time for an SDK, it is sent all its ways at once."""
        if sdk not in self.runs:
            self.runs[sdk] = {each: self.pool.submit(self.run, sdk, each) for each in ("direct", *WAYS[sdk])}
        return self.runs[sdk][way].result()

    def stop(self):
        self.pool.shutdown()
        self.bouncer.stop()
