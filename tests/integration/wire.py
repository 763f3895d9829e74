# SPDX-License-Identifier: Apache-2.0
"""An upstream that shows what stands on the wire, and answers in the form it is told to."""
import socket
import threading
from typing import NamedTuple

from hyperframe.frame import DataFrame, SettingsFrame

from fake import PREFIX
from h2_connection import PREFACE, Connection, prefixed
from waiting import eventually

HEAD = ((":status", "200"), ("content-type", "application/grpc"))
GOOD = (("grpc-status", "0"),)


class WireReply(NamedTuple):
    """A response; without data, and with no trailers but those in its head, it is of one block: Trailers-Only."""

    head: tuple = HEAD
    data: bytes = b""
    trailers: tuple = ()


EMPTY = WireReply(HEAD, prefixed(b""), GOOD)


class WireCall(NamedTuple):
    method: str
    headers: list  # of pairs, in order
    messages: list  # of pairs: flag, bytes

    def values(self, name):
        return [value for key, value in self.headers if key == name]


class WireFake:
    """Methods it was told nothing about get an empty message."""

    def __init__(self):
        self.calls = []
        self.replies = {}
        self.server = socket.create_server(("127.0.0.1", 0))
        self.upstream = {"uri": "http://127.0.0.1:%d" % self.server.getsockname()[1]}
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.server.accept()
            except OSError:  # closed: the end
                return
            threading.Thread(target=self.serve, args=(Connection(sock),), daemon=True).start()

    def serve(self, connection):
        connection.sock.settimeout(None)
        connection.fill(len(PREFACE))
        del connection.buffer[: len(PREFACE)]
        connection.send(SettingsFrame(0))
        while (frame := connection.read()) is not None:
            stream = connection.streams.get(frame.stream_id)
            if stream and stream.ended and stream.reset is None:
                del connection.streams[frame.stream_id]
                self.reply(connection, frame.stream_id, stream)

    def reply(self, connection, number, stream):
        [path] = stream.values(":path")
        call = WireCall(path.removeprefix(PREFIX), stream.blocks[0], stream.messages())
        self.calls.append(call)
        reply = self.replies.get(call.method, EMPTY)
        connection.send(connection.headers_frame(number, reply.head, end_stream=not reply.trailers))
        if reply.trailers:
            connection.send(DataFrame(number, data=reply.data))
            connection.send(connection.headers_frame(number, reply.trailers, end_stream=True))

    def on(self, method, reply):
        self.replies[method] = reply

    def asked(self, method):
        return [call for call in self.calls if call.method == method]

    def wait_for(self, method):
        """Until it was asked; returns the last call."""
        eventually(lambda: self.asked(method), f"a call of {method} on the wire")
        return self.asked(method)[-1]

    def stop(self):
        self.server.close()
