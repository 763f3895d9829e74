# SPDX-License-Identifier: Apache-2.0
"""Who is measured: nobody in between, each peer, and the daemon by the protocol and the transport it is used with."""
import contextlib
from typing import NamedTuple

import canned
from bouncer import Bouncer, one_pool
from certificates import SERVER_NAME
from peers import PEERS, Peer

TRANSPORTS = ("h2", "grpc")  # of upstreams; goals are about the first
MERGE = ("off", "on")  # of a database: whether its searches travel together
CLIENTS = ("grpc", "plain")
DIRECT, NOTHING = "direct", ""  # a candidate, and what stands in between


class Candidate(NamedTuple):
    name: str
    client: str  # the load generator's: grpc or plain
    proxy: str  # what stands in between: a peer, or the daemon by its transport or by whether it merges

    def is_ours(self):
        return self.proxy in TRANSPORTS


def ours(client, how=TRANSPORTS[0]):
    """The name of a candidate. how: its transport, or whether it merges."""
    return f"ours-{client}-{how}"


CANDIDATES = (
    Candidate(DIRECT, "grpc", NOTHING),
    *(Candidate(name, "grpc", name) for name in PEERS),
    *(Candidate(ours(client, transport), client, transport) for client in CLIENTS for transport in TRANSPORTS),
)
MERGERS = (
    Candidate(DIRECT, "grpc", NOTHING),
    *(Candidate(ours(client, merge), client, merge) for client in CLIENTS for merge in MERGE),
)


def label(name):
    """How tables name it."""
    if not name.startswith("ours-"):
        return name
    _, client, how = name.split("-")
    told = f"merge {how}" if how in MERGE else f"{how} out"
    return f"ours, {'gRPC' if client == 'grpc' else client} in, {told}"


def daemon(directory, upstream, transport, network=None, merge=MERGE[0], **database):
    """As a user has it: nothing is set but where the upstream is, what it wants to know, and whether searches travel
    together, which they do where that is what is measured. It listens on TCP, as the peers do."""
    return Bouncer(directory, one_pool(upstream, merge=merge, **database), network, tcp=True, transport=transport)


def peer_before(directory, upstream, name):
    return Peer(name, directory, upstream)


def daemon_before(directory, upstream, transport):
    directory.mkdir(parents=True)
    token = directory / "token"
    token.touch(0o600)
    token.write_text(canned.CREDENTIAL)
    settings = {"uri": f"http://{upstream.address}", "token_file": str(token)}
    if upstream.authority:
        tls = {"ca_file": str(upstream.authority), "server_name": SERVER_NAME}
        settings |= {"uri": f"https://{upstream.address}", "tls": tls}
    return daemon(directory, settings, transport, name=canned.NAME)


@contextlib.contextmanager
def running(server):
    """Ready, and stopped at the end."""
    try:
        yield server.wait_ready()
    finally:
        server.stop()


def before(upstream, proxy, directory):
    """What stands before an upstream while the context lasts; it has a tcp_address and a pid."""
    make = daemon_before if proxy in TRANSPORTS else peer_before
    return running(make(directory, upstream, proxy))
