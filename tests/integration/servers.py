# SPDX-License-Identifier: Apache-2.0
"""The real upstreams: Milvus Lite, and Milvus 2.3.5 with authentication."""
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from direct import Direct
from network import Network
from processes import Process, free_port
from waiting import eventually

PROGRAMS = Path(sys.executable).parent  # of the environment that runs the tests
CACHE = Path(os.environ.get("MVB_CACHE") or Path.home() / ".cache/milvus-bouncer")
ROOT_CREDENTIAL = "root:Milvus"
MILVUS_PORT = 19530
START_LIMIT = 120  # seconds; unpacking Milvus takes long the first time
PROXY = "/lib/systemd/systemd-socket-proxyd"


class Lite:
    """Milvus Lite. It takes one writer at a time, hence one worker."""

    network = None

    def __init__(self, directory):
        self.directory = Path(directory)
        self.directory.mkdir()
        self.port = free_port()
        self.upstream = {"uri": f"http://127.0.0.1:{self.port}"}
        self.start()

    def start(self):
        self.process = Process(
            [PROGRAMS / "milvus-lite", "server", "--data-dir", self.directory / "data",
             "--host", "127.0.0.1", "--port", self.port, "--max-workers", 1],
            self.directory / "milvus-lite.log",
        )  # fmt: skip
        eventually(self.accepts, "Milvus Lite accepts connections", START_LIMIT)

    def accepts(self):
        assert self.process.is_alive(), self.process.log_text()
        with socket.create_connection(("127.0.0.1", self.port)):
            return True

    def pause(self):
        self.process.signal(signal.SIGSTOP)

    def resume(self):
        self.process.signal(signal.SIGCONT)

    def direct(self, database=None):
        return Direct(f"127.0.0.1:{self.port}", database=database)

    def stop(self):
        self.process.kill()


class Milvus:
    """Milvus 2.3.5 in a network of its own, for its ports are fixed; `direct` reaches in through a Unix socket."""

    def __init__(self, directory, *arguments, scheme="http"):
        self.directory = Path(directory)
        self.directory.mkdir()
        self.uri = f"{scheme}://127.0.0.1:{MILVUS_PORT}"
        self.upstream = {"uri": self.uri, **self.credential("root", "Milvus")}
        self.network = Network()
        self.share_programs()
        self.process = Process(
            [PROGRAMS / "milvus-server", "--data", self.directory, "--authorization-enabled", "true", *arguments],
            self.directory / "milvus-server.log",
            self.network,
        )
        eventually(self.is_healthy, "Milvus is healthy", START_LIMIT)
        self.forward()

    def credential(self, user, password):
        """The settings of an upstream or a database for this user."""
        file = self.directory / f"{user}.password"
        file.touch(0o640)
        file.write_text(password + "\n")
        return {"user": user, "password_file": str(file)}

    def share_programs(self):
        """What Milvus unpacks itself to is half a gigabyte: once for all servers."""
        programs = CACHE / "milvus-2.3.5"
        programs.mkdir(parents=True, exist_ok=True)
        (self.directory / "bin").symlink_to(programs)

    def is_healthy(self):
        assert self.process.is_alive(), self.process.log_text()
        question = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9091/healthz').read().decode())"
        answer = subprocess.run(
            [*self.network.enter, sys.executable, "-c", question], capture_output=True, text=True
        )
        return answer.stdout.strip() == "OK"

    def forward(self):
        self.socket = self.directory / "direct.sock"
        self.forwarder = Process(
            ["systemd-socket-activate", "-l", self.socket, PROXY, f"127.0.0.1:{MILVUS_PORT}"],
            self.directory / "forwarder.log",
            self.network,
        )
        eventually(self.socket.exists, "the way into the network")

    def direct(self, database=None, credential=ROOT_CREDENTIAL):
        return Direct(f"unix:{self.socket}", credential, database)

    def stop(self):
        self.forwarder.kill()
        self.process.kill()
        self.network.stop()
