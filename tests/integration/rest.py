# SPDX-License-Identifier: Apache-2.0
"""RESTful v2 at the daemon: through curl, and faster over a connection that is kept."""
import http.client
import json
import socket
import subprocess
from typing import NamedTuple

from waiting import LIMIT

PREFIX = "/v2/vectordb/"
SUCCESS = 0
# Codes of Milvus's errors (pkg/util/merr).
COLLECTION_NOT_FOUND, PARAMETER, TIMEOUT, UNEXPECTED = (100, 1100, 10001, 65535)
UNAUTHENTICATED, NOT_JSON, MISSING, BAD_ROWS, BAD_RESULT, BAD_KEY = (1800, 1801, 1802, 1804, 1805, 1806)


class Answer(NamedTuple):
    status: int  # of HTTP
    headers: dict  # names in lower case
    text: bytes

    @property
    def body(self):
        return json.loads(self.text)

    @property
    def code(self):
        return self.body["code"]

    @property
    def message(self):
        return self.body["message"]


def checked(answer):
    """Its data, if it says that what was asked was done."""
    assert (answer.status, answer.code) == (200, SUCCESS), answer
    return answer.body["data"]


def is_refused(answer, code, *words, status=200):
    """Whether it fails with this code, and its message has all these words. Says what it is otherwise."""
    assert (answer.status, answer.code) == (status, code), answer
    missing = [word for word in words if word.lower() not in answer.message.lower()]
    assert not missing, answer
    return True


def packed(fields):
    """A body: bytes stay as they are."""
    return fields if isinstance(fields, bytes) else json.dumps(fields, ensure_ascii=False).encode()


def read_head(text):
    """Status and headers as curl dumps them; what came before the last (100 Continue) is passed over."""
    *_, last = text.strip().split("\r\n\r\n")
    first, *lines = last.split("\r\n")
    pairs = [line.partition(": ") for line in lines]
    return int(first.split()[1]), {name.lower(): value for name, _, value in pairs}


class Rest:
    """curl, once for each request."""

    def __init__(self, address):
        """unix:/path, or host:port."""
        where, _, path = address.partition(":")
        self.options = ["--unix-socket", path] if where == "unix" else []
        self.base = "http://localhost" if where == "unix" else f"http://{address}"

    def curl(self, *arguments, body=b""):
        """The answer to any request: arguments as curl has them, of which the last is a path."""
        *options, path = map(str, arguments)
        command = ["curl", "-sS", "-D", "/dev/stderr", "-m", str(LIMIT), *self.options, *options, self.base + path]
        done = subprocess.run(command, input=body, capture_output=True, timeout=2 * LIMIT)
        assert done.returncode == 0, done
        return Answer(*read_head(done.stderr.decode()), done.stdout)

    def ask(self, route, fields=None, headers=None):
        """fields: of the body, or its bytes."""
        named = {"Content-Type": "application/json", **(headers or {})}
        options = [word for name, value in named.items() for word in ("-H", f"{name}: {value}")]
        return self.curl(*options, "--data-binary", "@-", PREFIX + route, body=packed(fields or {}))

    def call(self, route, headers=None, **fields):
        return checked(self.ask(route, fields, headers))


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=LIMIT)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Kept:
    """The same over one connection that is kept, for many requests."""

    def __init__(self, bouncer):
        self.connection = UnixConnection(bouncer.path)

    def ask(self, route, fields=None, headers=None):
        self.connection.request("POST", PREFIX + route, packed(fields or {}), headers or {})
        reply = self.connection.getresponse()
        return Answer(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())

    def call(self, route, headers=None, **fields):
        return checked(self.ask(route, fields, headers))

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
