# SPDX-License-Identifier: Apache-2.0
"""A client that speaks HTTP/2 in frames, right ones and wrong ones, and gRPC on top of them."""
import socket

from hyperframe.frame import ContinuationFrame, HeadersFrame, SettingsFrame

from fake import PREFIX
from h2_connection import DEFAULT_WINDOW, FRAME_MAX, PREFACE, Connection, Stream, prefixed


def connect(address):
    """unix:/path or 127.0.0.1:port."""
    if address.startswith("unix:"):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(address.removeprefix("unix:"))
        return sock
    host, port = address.rsplit(":", 1)
    sock = socket.create_connection((host, int(port)))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def grpc_headers(method, *more, replace=None):
    """Those of a call, and more pairs behind them; replace: others for some, None leaves one out."""
    path = method if method.startswith("/") else PREFIX + method
    headers = {
        ":method": "POST",
        ":scheme": "http",
        ":path": path,
        ":authority": "localhost",
        "te": "trailers",
        "content-type": "application/grpc",
        **(replace or {}),
    }
    return [(name, value) for name, value in headers.items() if value is not None] + list(more)


class H2(Connection):
    """settings: ours, by their numbers; preface: whether it opens as it must."""

    def __init__(self, address, settings=None, updates=True, preface=True):
        super().__init__(connect(address), updates)
        self.last_stream = -1
        if preface:
            self.raw(PREFACE)
            self.send(SettingsFrame(0, settings=settings or {}))

    def open(self, method, *more, end=False, replace=None):
        """Sends the head of a call and returns its stream's number."""
        return self.open_with(grpc_headers(method, *more, replace=replace), end)

    def open_with(self, headers, end=False):
        """The same with these headers, in as many frames as they need."""
        self.last_stream += 2
        self.streams[self.last_stream] = Stream(self.peer.get(SettingsFrame.INITIAL_WINDOW_SIZE, DEFAULT_WINDOW))
        block = self.encoder.encode(headers)
        pieces = [block[at : at + FRAME_MAX] for at in range(0, len(block), FRAME_MAX)]
        frames = [HeadersFrame(self.last_stream, data=pieces[0], flags=["END_STREAM"] * end)]
        frames += [ContinuationFrame(self.last_stream, data=piece) for piece in pieces[1:]]
        frames[-1].flags.add("END_HEADERS")
        self.send(*frames)
        return self.last_stream

    def ask(self, method, message=b"", *more, replace=None, flag=0):
        """Sends a whole call and returns its stream's number."""
        stream = self.open(method, *more, replace=replace)
        self.send_data(stream, prefixed(message, flag), end=True)
        return stream

    def call(self, method, message=b"", *more, replace=None, flag=0):
        return self.reply(self.ask(method, message, *more, replace=replace, flag=flag))

    def reply(self, stream):
        """The stream, once it has ended."""
        state = self.streams[stream]
        self.until(lambda: state.ended, f"the reply to stream {stream}")
        return state

    def goaway(self):
        """The last GOAWAY before the connection's end."""
        while self.read() is not None:
            pass
        assert self.goaways, "closed without a GOAWAY"
        return self.goaways[-1]

    def at_end(self):
        while self.read() is not None:
            pass
        return True
