# SPDX-License-Identifier: Apache-2.0
"""A server that makes TLS's handshake and says nothing more."""
import socket
import ssl
import threading


class TlsServer:
    def __init__(self, certificate, key, protocols=("h2",), newest=None):
        """protocols: of ALPN; newest: the highest version of TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        if protocols:
            context.set_alpn_protocols(protocols)
        if newest:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = newest
        self.context = context
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.uri = f"https://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.greet, args=(client,), daemon=True).start()

    def greet(self, client):
        try:
            with self.context.wrap_socket(client, server_side=True) as connection:
                while connection.recv(4096):
                    pass
        except OSError:
            client.close()

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
