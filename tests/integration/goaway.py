# SPDX-License-Identifier: Apache-2.0
"""nginx before an upstream: it closes each connection with GOAWAY after ten requests."""
import os
import socket
from pathlib import Path

from processes import Process, free_port
from waiting import eventually

CONFIGURATION = """
daemon off;
{user}
pid {directory}/nginx.pid;
error_log stderr notice;
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
  log_format connection "$connection";
  access_log {directory}/access.log connection;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  client_max_body_size 0;
  server {{
    listen 127.0.0.1:{port} http2;
    keepalive_requests 10;
    location / {{ grpc_pass grpc://127.0.0.1:{upstream}; }}
  }}
}}
"""


class GoawayProxy:
    def __init__(self, directory, upstream_port):
        self.directory = Path(directory)
        self.directory.mkdir()
        self.port = free_port()
        self.upstream = {"uri": f"http://127.0.0.1:{self.port}"}
        self.file = self.directory / "nginx.conf"
        self.file.write_text(
            CONFIGURATION.format(
                directory=self.directory,
                port=self.port,
                upstream=upstream_port,
                user="user root;" if os.geteuid() == 0 else "",
            )
        )
        self.start()

    def start(self):
        self.process = Process(["/usr/sbin/nginx", "-c", self.file], self.directory / "nginx.log")
        eventually(self.accepts, "nginx accepts connections")

    def accepts(self):
        assert self.process.is_alive(), self.process.log_text()
        with socket.create_connection(("127.0.0.1", self.port)):
            return True

    def connections(self):
        """How many connections it served requests on."""
        return len(set((self.directory / "access.log").read_text().split()))

    def stop(self):
        self.process.kill()
