# SPDX-License-Identifier: Apache-2.0
"""Who is measured: nobody in between, each peer, and the daemon by the protocol and the transport it is used with."""
from typing import NamedTuple

import canned
from bouncer import Bouncer, one_pool
from certificates import SERVER_NAME
from peers import PEERS, Peer

TRANSPORTS = ("grpc",)  # of upstreams; goals are about the first
CLIENTS = ("grpc", "plain")
DIRECT = "direct"


class Candidate(NamedTuple):
    name: str
    client: str  # the load generator's: grpc or plain
    proxy: str  # what stands in between: a peer, or the daemon by its transport; "" for nothing

    def is_ours(self):
        return self.proxy in TRANSPORTS


def ours(client, transport=TRANSPORTS[0]):
    """The name of a candidate."""
    return f"ours-{client}-{transport}"


CANDIDATES = (
    Candidate(DIRECT, "grpc", ""),
    *(Candidate(name, "grpc", name) for name in PEERS),
    *(Candidate(ours(client, transport), client, transport) for client in CLIENTS for transport in TRANSPORTS),
)


def label(name):
    """How tables name it."""
    if not name.startswith("ours-"):
        return name
    _, client, transport = name.split("-")
    return f"ours, {'gRPC' if client == 'grpc' else client} in, {transport} out"


class Daemon(Bouncer):
    """As a user has it: nothing is set but where the upstream is, and what it wants to know."""

    def __init__(self, directory, upstream, transport, network=None):
        settings = one_pool({**upstream, "transport": transport}, name=canned.NAME)
        super().__init__(directory, settings, network, tcp=True)
        self.address = self.tcp_address  # as the peers


def daemon_before(directory, upstream, transport):
    directory.mkdir(parents=True)
    token = directory / "token"
    token.write_text(canned.CREDENTIAL)
    settings = {"uri": f"http://{upstream.address}", "token_file": str(token)}
    if upstream.authority:
        tls = {"ca_file": str(upstream.authority), "server_name": SERVER_NAME}
        settings |= {"uri": f"https://{upstream.address}", "tls": tls}
    return Daemon(directory, settings, transport)


def start(proxy, directory, upstream):
    """What stands before an upstream, and is ready; it has an address, a pid, and can be stopped."""
    make = daemon_before if proxy in TRANSPORTS else lambda *_: Peer(proxy, directory, upstream)
    return make(directory, upstream, proxy).wait_ready()
