# SPDX-License-Identifier: Apache-2.0
"""The plain protocol, version 1: as little of it as a program needs. docs/plain-protocol.md is the whole of it.

    with Client("unix:/run/milvus-bouncer/milvus.sock") as client:
        print(client.call("GetVersion", milvus_pb2.GetVersionRequest()).version)
"""
import socket
import struct
from typing import NamedTuple

from google.protobuf import message_factory
from pymilvus.grpc_gen import milvus_pb2

MAGIC = b"MVB1"
REQUEST, REPLY, CANCEL, GOAWAY, PING, PONG = range(1, 7)

HEADER = struct.Struct(">IBBHII")  # length, type, code, length of the text, id, timeout or phase
SERVICE = milvus_pb2.DESCRIPTOR.services_by_name["MilvusService"]


class Frame(NamedTuple):
    kind: int
    id: int = 0
    text: bytes = b""
    payload: bytes = b""
    code: int = 0  # of a reply: gRPC's status code
    extra: int = 0  # of a request: its timeout in ms; of a reply: the phase of a failure

    def pack(self):
        length = len(self.text) + len(self.payload)
        header = HEADER.pack(length, self.kind, self.code, len(self.text), self.id, self.extra)
        return header + self.text + self.payload


class RequestError(Exception):
    """A request that got no reply message: gRPC's status code, the phase it failed in, and why."""

    def __init__(self, frame):
        super().__init__(frame)
        self.code, self.phase, self.message = frame.code, frame.extra, frame.text.decode()

    def __str__(self):
        return f"code {self.code}, phase {self.phase}: {self.message}"


def request(ident, method, message, database="", timeout=0):
    """The frame of a request; timeout in seconds, 0 leaves it to the daemon."""
    text = f"{method}\0{database}" if database else method
    return Frame(REQUEST, ident, text.encode(), message.SerializeToString(), extra=int(timeout * 1000))


def reply_message(method, payload):
    reply_type = SERVICE.methods_by_name[method].output_type
    return message_factory.GetMessageClass(reply_type).FromString(payload)


def connect(address):
    """A socket to unix:/path, 127.0.0.1:19530 or [::1]:19530, greeted."""
    if address.startswith("unix:"):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(address.removeprefix("unix:"))
    else:
        host, port = address.rsplit(":", 1)
        sock = socket.create_connection((host.strip("[]"), int(port)))
    sock.sendall(MAGIC)
    return sock


def read_frame(stream):
    """The next frame of a buffered stream, None at its end."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    length, kind, code, text_length, ident, extra = HEADER.unpack(header)
    body = stream.read(length)
    if len(body) < length:
        return None
    return Frame(kind, ident, body[:text_length], body[text_length:], code, extra)


class Client:
    """One connection, one request at a time."""

    def __init__(self, address, database=""):
        self.database = database
        self.sock = connect(address)
        self.stream = self.sock.makefile("rb")
        self.last_id = 0

    def call(self, method, message, timeout=0):
        self.last_id += 1
        self.sock.sendall(request(self.last_id, method, message, self.database, timeout).pack())
        frame = read_frame(self.stream)
        if frame is None:
            raise ConnectionError("the daemon closed the connection")
        if frame.code != 0:
            raise RequestError(frame)
        return reply_message(method, frame.payload)

    def close(self):
        self.stream.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
