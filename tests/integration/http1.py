# SPDX-License-Identifier: Apache-2.0
"""A client of HTTP/1.1 in bytes, with all the ways to get it wrong."""
import gzip
import json
from typing import NamedTuple

from socket_client import SocketClient

LIST = "/v2/vectordb/collections/list"  # asks ShowCollections, a right to read
DROP = "/v2/vectordb/collections/drop"  # asks DropCollection, a right to change schemas


class Response(NamedTuple):
    status: int
    headers: dict  # names in small letters
    body: bytes
    interim: int  # how many "100 Continue" came before it

    @property
    def json(self):
        packed = self.headers.get("content-encoding") == "gzip"
        return json.loads(gzip.decompress(self.body) if packed else self.body)

    @property
    def code(self):
        return self.json["code"]

    @property
    def message(self):
        return self.json["message"]

    @property
    def closes(self):
        return self.headers.get("connection") == "close"


def head(path, *lines, method="POST", version="1.1", host="localhost"):
    """A request's head but for the empty line."""
    return "".join(
        f"{line}\r\n" for line in [f"{method} {path} HTTP/{version}", *([f"Host: {host}"] if host else []), *lines]
    ).encode()


def request(path, body=b"{}", *lines, **options):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return head(path, f"Content-Length: {len(data)}", *lines, **options) + b"\r\n" + data


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def chunked(path, *parts, lines=()):
    """A request whose body comes in these parts."""
    data = b"".join(map(chunk, parts)) + b"0\r\n\r\n"
    return head(path, "Transfer-Encoding: chunked", *lines) + b"\r\n" + data


class Http(SocketClient):
    def read_head(self):
        line = self.stream.readline()
        if not line:
            return None
        assert line.startswith(b"HTTP/1.1 ") and line.endswith(b"\r\n"), line
        headers = {}
        while (field := self.stream.readline()) != b"\r\n":
            name, value = field.decode().rstrip("\r\n").split(": ", 1)
            assert name.lower() not in headers, f"{name} twice"
            headers[name.lower()] = value
        return int(line.split()[1]), headers

    def response(self, to_head=False):
        """The next one; None at the end. to_head: of a request that wants no body."""
        interim = 0
        while (first := self.read_head()) and first[0] == 100:
            interim += 1
        if first is None:
            return None
        status, headers = first
        length = 0 if to_head or status == 204 else int(headers["content-length"])
        body = self.stream.read(length)
        assert len(body) == length, "cut off"
        return Response(status, headers, body, interim)

    def ask(self, path=LIST, body=b"{}", *lines, **options):
        self.raw(request(path, body, *lines, **options))
        return self.response(options.get("method") == "HEAD")
