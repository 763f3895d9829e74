# SPDX-License-Identifier: Apache-2.0
"""A way to a server that loses what comes back, and breaks."""
import socket
import threading


class Connection:
    def __init__(self, client, server):
        self.client, self.server = client, server
        self.is_lossy = False
        self.lost = 0  # bytes

    def start(self):
        for forward in (self.forward_requests, self.forward_replies):
            threading.Thread(target=forward, daemon=True).start()

    def forward_requests(self):
        try:
            while data := self.client.recv(1 << 16):
                self.server.sendall(data)
        except OSError:
            pass
        self.break_off()

    def forward_replies(self):
        try:
            while data := self.server.recv(1 << 16):
                if self.is_lossy:
                    self.lost += len(data)
                else:
                    self.client.sendall(data)
        except OSError:
            pass
        self.break_off()

    def break_off(self):
        for end in (self.client, self.server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:  # it is already
                pass


class Lossy:
    def __init__(self, port):
        """port: the server's."""
        self.port = port
        self.connections = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.upstream = {"uri": "http://127.0.0.1:%d" % self.listening.getsockname()[1]}
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:  # stopped
                return
            self.connections.append(Connection(client, socket.create_connection(("127.0.0.1", self.port))))
            self.connections[-1].start()

    def lose_replies(self):
        """From here on, of the connections that there are."""
        for connection in self.connections:
            connection.is_lossy = True

    def lost(self):
        """Bytes so far."""
        return sum(connection.lost for connection in self.connections)

    def break_off(self):
        """Of the connections that there are, each; others may come."""
        for connection in self.connections:
            connection.break_off()

    def stop(self):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.break_off()
