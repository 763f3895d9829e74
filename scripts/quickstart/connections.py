# SPDX-License-Identifier: Apache-2.0
"""The connections of a process, counted from the kernel (proc(5), net/tcp and net/unix)."""
import os
import re
from pathlib import Path

TCP_ESTABLISHED, TCP_LISTEN = "01", "0A"
UNIX_CONNECTED = "03"


def sockets_of(pid):
    """The inodes of the sockets that a process holds."""
    inodes = set()
    for entry in os.scandir(f"/proc/{pid}/fd"):
        try:
            found = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(entry.path))
        except FileNotFoundError:  # closed while we look
            continue
        if found:
            inodes.add(found[1])
    return inodes


def rows(pid, table):
    lines = Path(f"/proc/{pid}/net/{table}").read_text().splitlines()
    return [line.split() for line in lines[1:]]


def tcp_rows(pid):
    inodes = sockets_of(pid)
    return [row for table in ("tcp", "tcp6") for row in rows(pid, table) if row[9] in inodes]


def port(address):
    return address.rsplit(":", 1)[1]


def count_upstream(pid):
    """TCP connections that the process opened itself: those whose port it does not listen on."""
    tcp = tcp_rows(pid)
    listening = {port(row[1]) for row in tcp if row[3] == TCP_LISTEN}
    return sum(row[3] == TCP_ESTABLISHED and port(row[1]) not in listening for row in tcp)


def count_clients(pid, path):
    """Connections that the process accepted on the Unix socket at path, from clients in our network namespace:
    Linux keeps an accepted Unix socket with those of the client's namespace."""
    inodes = sockets_of(pid)
    accepted = [row for row in rows("self", "unix") if row[6] in inodes and row[5] == UNIX_CONNECTED]
    return sum(row[-1] == path for row in accepted)
