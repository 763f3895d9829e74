# SPDX-License-Identifier: Apache-2.0
"""A socket to the daemon, in bytes."""
import socket

from waiting import LIMIT


class SocketClient:
    def __init__(self, address):
        """unix:/path, or host:port."""
        if address.startswith("unix:"):
            self.sock = socket.socket(socket.AF_UNIX)
            target = address.removeprefix("unix:")
        else:
            self.sock = socket.socket(socket.AF_INET)
            host, port = address.rsplit(":", 1)
            target = (host, int(port))
        self.sock.settimeout(LIMIT)
        self.sock.connect(target)
        self.stream = self.sock.makefile("rb")

    def raw(self, data):
        self.sock.sendall(data)

    def at_end(self):
        try:
            return self.stream.read(1) == b""
        except ConnectionResetError:  # it closed without reading all that we sent
            return True

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def close(self):
        self.stream.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
