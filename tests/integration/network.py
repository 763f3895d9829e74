# SPDX-License-Identifier: Apache-2.0
"""A network namespace of its own, in which fixed ports are free. Unix sockets reach into it from outside."""
import os
import subprocess

UP = "ip link set lo up && echo up && exec cat"  # cat ends with the pipe it reads: with these tests


class Network:
    def __init__(self):
        own_user = [] if os.geteuid() == 0 else ["--map-root-user"]
        self.holder = subprocess.Popen(
            ["unshare", "--net", *own_user, "sh", "-c", UP],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.holder.stdout.readline() == b"up\n"
        namespaces = ["--net"] if os.geteuid() == 0 else ["--net", "--user", "--preserve-credentials"]
        self.enter = ["nsenter", f"--target={self.holder.pid}", *namespaces, "--"]

    def stop(self):
        self.holder.stdin.close()
        self.holder.wait()
