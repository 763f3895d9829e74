# SPDX-License-Identifier: Apache-2.0
"""Programs that the tests run: each in a session of its own, with a log file."""
import os
import signal
import socket
import subprocess
from pathlib import Path

from waiting import LIMIT

ROOT = Path(__file__).resolve().parents[2]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Process:
    def __init__(self, argv, log, network=None, **options):
        self.log = Path(log)
        enter = network.enter if network else []
        with open(self.log, "ab") as output:
            self.popen = subprocess.Popen(
                [*enter, *map(str, argv)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                **options,
            )
        self.pid = self.popen.pid

    def signal(self, number):
        os.kill(self.pid, number)

    def wait(self, limit=LIMIT):
        """The exit code; negative when a signal ended it."""
        return self.popen.wait(limit)

    def is_alive(self):
        return self.popen.poll() is None

    def kill(self):
        """Ends it and all that it started."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.popen.wait()

    def log_text(self):
        return self.log.read_text(errors="replace")
