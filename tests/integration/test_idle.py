# SPDX-License-Identifier: Apache-2.0
"""What the daemon takes while nothing happens: sizes, not speeds, of a build without sanitizers."""
import contextlib
import re
import subprocess

import pytest

from bouncer import BINARY, one_pool
from codes import OK
from pymilvus.grpc_gen import milvus_pb2
from test_h2_memory import KIB, MIB, Memory
from waiting import eventually

COUNT = 500
OF_AN_SDK = [
    ("user-agent", "grpc-python/1.60.0 grpc-c/37.0.0 (linux; chttp2)"),
    ("authorization", "cm9vdDpNaWx2dXM="),
    ("client-request-id", "0123456789abcdef0123456789abcdef"),
    ("client-request-unixmsec", "1700000000000"),
    ("identifier", "4711"),
    ("dbname", "default"),
    ("grpc-accept-encoding", "identity, deflate, gzip"),
    ("accept-encoding", "identity"),
    ("grpc-timeout", "10S"),
]
pytestmark = pytest.mark.release_only


def test_idle_daemon(start_bouncer, fake):
    """Before an upstream over h2 and without TLS, which OpenSSL's pages would come with."""
    bouncer = start_bouncer(one_pool({**fake.upstream, "transport": "h2"}))
    assert bouncer.memory() < 8 * MIB


def call(client, is_grpc):
    if is_grpc:
        assert client.call("Query", b"", *OF_AN_SDK).code == OK
    else:
        client.call("Query", milvus_pb2.QueryRequest())


def connect(stack, bouncer, is_grpc, count):
    """So many clients, connected to the end of the test, that have made a call each."""
    clients = [stack.enter_context(bouncer.h2() if is_grpc else bouncer.client()) for _ in range(count)]
    for client in clients:
        call(client, is_grpc)
    return clients


@pytest.mark.parametrize("is_grpc, bound", [(True, 6.2 * KIB), (False, 2 * KIB)])
def test_idle_connections(start_bouncer, fake, is_grpc, bound):
    """One over gRPC takes more until it has been quiet for some seconds; then it goes on as if it had never been."""
    bouncer = start_bouncer(one_pool(fake.upstream))
    with contextlib.ExitStack() as stack:
        connect(stack, bouncer, is_grpc, 20)
        memory = Memory(bouncer)
        clients = connect(stack, bouncer, is_grpc, COUNT)
        for _ in range(2):
            eventually(lambda: memory.grown() < COUNT * bound, f"{COUNT} idle connections take less than {bound} each")
            for client in clients:
                call(client, is_grpc)
            assert is_grpc == (memory.grown() > COUNT * bound), "the bound means nothing"


def test_what_the_program_is_linked_with():
    """gRPC's C core, and with it C++, are in memory only where `transport: grpc` loads them."""
    libraries = subprocess.run(["ldd", BINARY], capture_output=True, text=True, check=True).stdout
    assert "nghttp2" in libraries
    assert not re.search(r"grpc|absl|stdc\+\+", libraries)
