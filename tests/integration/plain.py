# SPDX-License-Identifier: Apache-2.0
"""A client of the plain protocol with many requests under way, and with all the ways to get it wrong."""
from mvb1 import CANCEL, GOAWAY, MAGIC, PING, PONG, REPLY, Frame, RequestError, read_frame, reply_message, request
from socket_client import SocketClient


class Plain(SocketClient):
    """greeting: the bytes it opens with."""

    def __init__(self, address, greeting=MAGIC):
        super().__init__(address)
        self.last_id = 0
        self.arrived = {}  # replies read while another was waited for
        self.raw(greeting)

    def send(self, method, message, database="", timeout=0):
        """Sends a request and returns its id."""
        self.last_id += 1
        self.raw(request(self.last_id, method, message, database, timeout).pack())
        return self.last_id

    def cancel(self, ident):
        self.raw(Frame(CANCEL, ident).pack())

    def frame(self):
        """The next frame, None at the end; the pong without a ping (id 0) is only the daemon looking for us."""
        while True:
            frame = read_frame(self.stream)
            if frame is None or (frame.kind, frame.id) != (PONG, 0):
                return frame

    def reply(self, ident):
        while ident not in self.arrived:
            frame = self.frame()
            assert frame is not None, f"closed before the reply to {ident}"
            assert frame.kind == REPLY, frame
            assert frame.id not in self.arrived, f"a second reply to {frame.id}"
            self.arrived[frame.id] = frame
        return self.arrived.pop(ident)

    def ping(self, ident=4711):
        """Once this returns, the daemon has read all that was sent before; replies may come in between."""
        self.raw(Frame(PING, ident).pack())
        while True:
            frame = self.frame()
            assert frame is not None, "closed before the pong"
            if frame.kind == PONG:
                assert frame.id == ident
                return
            assert frame.kind == REPLY, frame
            self.arrived[frame.id] = frame

    def call(self, method, message, database="", timeout=0):
        frame = self.reply(self.send(method, message, database, timeout))
        if frame.code != 0:
            raise RequestError(frame)
        return reply_message(method, frame.payload)

    def fails(self, method, message, database="", timeout=0):
        """The RequestError that a request ends with."""
        try:
            reply = self.call(method, message, database, timeout)
        except RequestError as error:
            return error
        raise AssertionError(f"{method} was answered: {reply}")

    def goaway(self):
        """The goaway that the connection ends with."""
        frame = self.frame()
        assert frame is not None, "closed without a goaway"
        assert frame.kind == GOAWAY, frame
        assert self.at_end(), "a goaway, and then not closed"
        return frame

    def at_end(self):
        try:
            return self.frame() is None
        except ConnectionResetError:  # it closed without reading all that we sent
            return True
