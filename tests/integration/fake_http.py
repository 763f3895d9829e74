# SPDX-License-Identifier: Apache-2.0
"""The HTTP port of a Milvus that serves RESTful v2 itself, which those that can be had here do not."""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from waiting import LIMIT


class Asked(NamedTuple):
    path: str
    headers: dict  # names in lower case
    body: dict


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append(Asked(self.path, headers, json.loads(body)))
        self.server.may_answer.wait(LIMIT)
        try:
            self.answer()
        except OSError:
            self.server.left.set()

    def answer(self):
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *_):
        pass


class FakeHttp(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, context=None):
        """context: of TLS."""
        super().__init__(("127.0.0.1", 0), Handler)
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.port = self.server_address[1]
        self.asked = []
        self.status, self.answer = 200, json.dumps({"code": 0, "data": {"jobId": "77"}}).encode()
        self.may_answer, self.left = threading.Event(), threading.Event()
        self.may_answer.set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def stop(self):
        self.may_answer.set()
        self.shutdown()
        self.server_close()
