# SPDX-License-Identifier: Apache-2.0
"""One end of an HTTP/2 connection, in frames: what is sent is not looked at, what comes is taken note of."""
import select
import socket
import struct
import time
from typing import NamedTuple
from urllib.parse import unquote

import hpack
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from waiting import LIMIT

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FRAME_HEADER, FRAME_MAX = 9, 16384
DEFAULT_WINDOW = 65535
MAX_STREAM = 2**31 - 1

# Error codes, RFC 9113 section 7.
NO_ERROR, PROTOCOL_ERROR, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR = (0, 1, 3, 6)
REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, ENHANCE_YOUR_CALM = (7, 8, 9, 11)

def raw_frame(kind, stream=0, payload=b"", flags=0, length=None):
    """The bytes of a frame of any type, whatever the rules; length: another one than the payload's."""
    length = len(payload) if length is None else length
    return length.to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def prefixed(message, flag=0):
    """A message, of protobuf or in bytes, as it stands in DATA."""
    data = message if isinstance(message, bytes) else message.SerializeToString()
    return struct.pack(">BI", flag, len(data)) + data


class Goaway(NamedTuple):
    code: int
    last: int  # the last stream that may have been processed
    text: str


class Stream:
    """What has come for one request."""

    def __init__(self, window):
        self.window = window  # bytes that we may still send
        self.blocks = []  # of headers, then of trailers: lists of pairs
        self.data = bytearray()
        self.reset = None  # the code of RST_STREAM
        self.ended = False

    def values(self, name, block=0):
        return [value for key, value in self.blocks[block] if key == name]

    @property
    def http_status(self):
        return int(self.values(":status")[0])

    @property
    def is_trailers_only(self):
        return len(self.blocks) == 1 and not self.data

    @property
    def code(self):
        """The status code of gRPC."""
        assert self.reset is None, f"reset with {self.reset}"
        return int(self.values("grpc-status", -1)[0])

    @property
    def text(self):
        """The message of gRPC."""
        return "".join(unquote(value) for value in self.values("grpc-message", -1))

    def messages(self):
        """Those that are whole, with their flags."""
        found, at = [], 0
        while at + 5 <= len(self.data):
            flag, length = struct.unpack_from(">BI", self.data, at)
            if at + 5 + length > len(self.data):
                break
            found.append((flag, bytes(self.data[at + 5 : at + 5 + length])))
            at += 5 + length
        return found

    def message(self):
        """The only one."""
        assert self.code == 0, self.text
        [(flag, message)] = self.messages()
        assert flag == 0
        return message


class Connection:
    """Over a connected socket. updates: whether what is read is given back to the windows."""

    def __init__(self, sock, updates=True):
        self.sock = sock
        self.sock.settimeout(LIMIT)
        self.updates = updates
        self.buffer = bytearray()
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.decoder.max_header_list_size = 1 << 24
        self.block = b""  # a header block that is not whole
        self.streams = {}
        self.window = DEFAULT_WINDOW
        self.peer = {}  # its settings
        self.goaways = []
        self.pongs = []
        self.ended = False

    # Sending.

    def raw(self, data):
        self.sock.sendall(data)

    def send(self, *frames):
        self.raw(b"".join(frame.serialize() for frame in frames))

    def headers_frame(self, stream, headers, end_stream=False, end_headers=True):
        flags = ["END_STREAM"] * end_stream + ["END_HEADERS"] * end_headers
        return HeadersFrame(stream, data=self.encoder.encode(headers), flags=flags)

    def send_some(self, stream, data):
        """As much as the windows take now; returns what is left."""
        state = self.streams[stream]
        while data:
            size = min(len(data), FRAME_MAX, self.window, state.window)
            if size <= 0:
                break
            self.send(DataFrame(stream, data=bytes(data[:size])))
            self.window -= size
            state.window -= size
            data = data[size:]
        return data

    def send_data(self, stream, data, end=False):
        data = self.send_some(stream, memoryview(data))
        while data:
            frame = self.read()
            assert frame is not None, "closed while data was to be sent"
            data = self.send_some(stream, data)
        if end:
            self.send(DataFrame(stream, flags=["END_STREAM"]))

    def offer(self, stream, data, patience=1.0):
        """Sends until the windows are used up and stay so for that many seconds; returns what is left."""
        data = self.send_some(stream, memoryview(data))
        while data and self.read_within(patience):
            data = self.send_some(stream, data)
        return data

    def reset(self, stream, code=CANCEL):
        self.send(RstStreamFrame(stream, error_code=code))

    def widen(self, stream, size):
        """Gives so much to a stream's window, 0: the connection's."""
        self.send(WindowUpdateFrame(stream, window_increment=size))

    # Reading.

    def fill(self, size):
        """False: the input has ended before so many bytes."""
        while len(self.buffer) < size:
            try:
                data = self.sock.recv(1 << 18)
            except ConnectionResetError:  # it closed without reading all that we sent
                data = b""
            if not data:
                self.ended = True
                return False
            self.buffer += data
        return True

    def read(self):
        """The next frame, None at the end; what it says has been taken note of."""
        if not self.fill(FRAME_HEADER):
            return None
        frame, length = Frame.parse_frame_header(memoryview(bytes(self.buffer[:FRAME_HEADER])))
        if not self.fill(FRAME_HEADER + length):
            return None
        frame.parse_body(memoryview(bytes(self.buffer[FRAME_HEADER : FRAME_HEADER + length])))
        del self.buffer[: FRAME_HEADER + length]
        self.take(frame)
        return frame

    def has_input(self, seconds):
        return bool(self.buffer) or bool(select.select([self.sock], [], [], seconds)[0])

    def read_within(self, seconds):
        """The next frame, or None if there is none for so long, or the end."""
        return self.read() if self.has_input(seconds) else None

    def read_available(self):
        while not self.ended and self.has_input(0):
            self.read()

    def until(self, condition, what):
        """Reads frames until the condition is true."""
        end = time.monotonic() + LIMIT
        while not condition():
            assert not self.ended, f"closed before: {what}; {self.goaways}"
            assert time.monotonic() < end, f"not within {LIMIT} s: {what}"
            self.read()

    def take(self, frame):
        takers = {
            HeadersFrame: self.take_block,
            ContinuationFrame: self.take_block,
            DataFrame: self.take_data,
            SettingsFrame: self.take_settings,
            PingFrame: self.take_ping,
            WindowUpdateFrame: self.take_window,
            GoAwayFrame: self.take_goaway,
            RstStreamFrame: self.take_reset,
        }
        takers.get(type(frame), lambda _: None)(frame)

    def stream(self, number):
        return self.streams.setdefault(number, Stream(DEFAULT_WINDOW))

    def take_block(self, frame):
        self.block += frame.data
        if "END_STREAM" in frame.flags:
            self.stream(frame.stream_id).ended = True
        if "END_HEADERS" in frame.flags:
            self.stream(frame.stream_id).blocks.append(self.decoder.decode(self.block))
            self.block = b""

    def take_data(self, frame):
        stream = self.stream(frame.stream_id)
        stream.data += frame.data
        stream.ended = stream.ended or "END_STREAM" in frame.flags
        if self.updates and frame.flow_controlled_length:
            self.answer(WindowUpdateFrame(0, window_increment=frame.flow_controlled_length))
            if not stream.ended:
                self.answer(WindowUpdateFrame(frame.stream_id, window_increment=frame.flow_controlled_length))

    def take_settings(self, frame):
        if "ACK" in frame.flags:
            return
        before = self.peer.get(SettingsFrame.INITIAL_WINDOW_SIZE, DEFAULT_WINDOW)
        self.peer.update(frame.settings)
        grown = self.peer.get(SettingsFrame.INITIAL_WINDOW_SIZE, DEFAULT_WINDOW) - before
        for stream in self.streams.values():
            stream.window += grown
        self.answer(SettingsFrame(0, flags=["ACK"]))

    def take_ping(self, frame):
        if "ACK" in frame.flags:
            self.pongs.append(frame.opaque_data)
        else:
            self.answer(PingFrame(0, opaque_data=frame.opaque_data, flags=["ACK"]))

    def take_window(self, frame):
        if frame.stream_id == 0:
            self.window += frame.window_increment
        else:
            self.stream(frame.stream_id).window += frame.window_increment

    def take_goaway(self, frame):
        text = frame.additional_data.decode()
        self.goaways.append(Goaway(frame.error_code, frame.last_stream_id, text))

    def take_reset(self, frame):
        stream = self.stream(frame.stream_id)
        if not stream.ended:  # else: what we still send is of no interest to it
            stream.reset = frame.error_code
            stream.ended = True

    def answer(self, frame):
        """To a peer that may have closed."""
        try:
            self.send(frame)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def settled(self):
        """Once this returns, the settings of both sides are in force."""
        self.ping(b"settled.")
        return self

    def ping(self, data=b"12345678"):
        """Once this returns, the peer has read all that was sent before."""
        count = self.pongs.count(data)
        self.send(PingFrame(0, opaque_data=data))
        self.until(lambda: self.pongs.count(data) > count, "a pong")

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
