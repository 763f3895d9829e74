# SPDX-License-Identifier: Apache-2.0
"""https upstreams, on Milvus with one-way and with mutual TLS. Its certificate is for milvus.test."""
import ssl

import pytest
from pymilvus.grpc_gen import milvus_pb2

from bouncer import configuration
from certificates import SERVER_NAME, Authority
from codes import CONNECT, UNAVAILABLE, is_own
from messages import checked
from tls_server import TlsServer

pytestmark = pytest.mark.each_transport

COLLECTIONS = milvus_pb2.ShowCollectionsRequest()


@pytest.fixture
def trusted(authority):
    return {"ca_file": str(authority.certificate), "server_name": SERVER_NAME}


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("stranger") / "authority")


def issued(authority, name):
    certificate, key = authority.issue(name)
    return {"cert_file": str(certificate), "key_file": str(key)}


def start(start_bouncer, milvus, tls):
    upstream = {**milvus.upstream, "connect_timeout": "3s", "tls": tls}
    return start_bouncer(configuration(upstream), milvus.network)


def is_served(bouncer):
    with bouncer.plain() as client:
        checked(client.call("ShowCollections", COLLECTIONS))
        return True


def is_unreachable(bouncer):
    with bouncer.plain() as client:
        error = client.fails("ShowCollections", COLLECTIONS, timeout=20)
    assert is_own(error, UNAVAILABLE, CONNECT), error
    return error.message


def test_own_authority(start_bouncer, one_way_tls, trusted):
    assert is_served(start(start_bouncer, one_way_tls, trusted))


def test_wrong_authority(start_bouncer, one_way_tls, trusted, stranger):
    tls = {**trusted, "ca_file": str(stranger.certificate)}
    assert "certificate" in is_unreachable(start(start_bouncer, one_way_tls, tls)).lower()


def test_authorities_of_the_system_do_not_know_ours(start_bouncer, one_way_tls):
    assert is_unreachable(start(start_bouncer, one_way_tls, {"server_name": SERVER_NAME}))


def test_wrong_name(start_bouncer, one_way_tls, trusted):
    """The certificate is not for 127.0.0.1, and not for another name that is asked for."""
    for tls in ({"ca_file": trusted["ca_file"]}, {**trusted, "server_name": "other.test"}):
        assert is_unreachable(start(start_bouncer, one_way_tls, tls))


def test_plaintext_to_a_tls_port(start_bouncer, one_way_tls):
    upstream = {**one_way_tls.upstream, "uri": one_way_tls.uri.replace("https", "http"), "connect_timeout": "3s"}
    assert is_unreachable(start_bouncer(configuration(upstream), one_way_tls.network))


def test_mutual_tls(start_bouncer, two_way_tls, trusted, authority):
    assert is_served(start(start_bouncer, two_way_tls, {**trusted, **issued(authority, "client")}))


def test_mutual_tls_without_a_certificate(start_bouncer, two_way_tls, trusted):
    assert is_unreachable(start(start_bouncer, two_way_tls, trusted))


def test_mutual_tls_with_a_strangers_certificate(start_bouncer, two_way_tls, trusted, stranger):
    assert is_unreachable(start(start_bouncer, two_way_tls, {**trusted, **issued(stranger, "client")}))


@pytest.fixture
def start_tls_server():
    """start_tls_server(certificate, key, ...): a server that makes the handshake and no more."""
    started = []

    def start_server(*arguments, **options):
        started.append(TlsServer(*arguments, **options))
        return started[-1]

    yield start_server
    for server in started:
        server.stop()


def why_unreachable(start_bouncer, server, tls):
    upstream = {"uri": server.uri, "connect_timeout": "3s", "tls": tls}
    return is_unreachable(start_bouncer(configuration(upstream)))


def test_what_is_wrong_is_said(start_bouncer, start_tls_server, authority, stranger, trusted, transport):
    """In words that a person can act on; C core keeps some of them to itself."""
    right = authority.issue("right", f"DNS:{SERVER_NAME}")
    expired = authority.issue("expired", f"DNS:{SERVER_NAME}", days=-1)
    unknown = stranger.issue("unknown", f"DNS:{SERVER_NAME}")
    wrong = [
        (start_tls_server(*expired), trusted, "its certificate is refused: certificate has expired"),
        (start_tls_server(*unknown), trusted, "its certificate is refused: unable to get local issuer certificate"),
        (start_tls_server(*right), {**trusted, "server_name": "other.test"}, "its certificate is refused: hostname mismatch"),
        (start_tls_server(*right), {"ca_file": trusted["ca_file"]}, "its certificate is refused: IP address mismatch"),
        (start_tls_server(*right, protocols=["http/1.1"]), trusted, "it speaks TLS, but not HTTP/2"),
        (start_tls_server(*right, protocols=[]), trusted, "it speaks TLS, but not HTTP/2"),
        (start_tls_server(*right, newest=ssl.TLSVersion.TLSv1_1), trusted, "TLS fails: "),
    ]  # fmt: skip
    for server, tls, reason in wrong:
        said = why_unreachable(start_bouncer, server, tls)
        assert transport == "grpc" or reason in said, said


def test_files_that_do_not_fit(start_bouncer, one_way_tls, trusted, authority, transport):
    """Read at the start, and an error there."""
    certificate, key = authority.issue("one")
    _, other = authority.issue("other")
    empty = key.with_suffix(".empty")
    empty.write_text("")
    wrong = [
        ({"ca_file": str(empty)}, f"{empty}: no certificates in PEM"),
        ({**trusted, "cert_file": str(empty), "key_file": str(key)}, f"{empty}: no certificates in PEM"),
        ({**trusted, "cert_file": str(certificate), "key_file": str(empty)}, f"{empty}: no key in PEM"),
    ]
    if transport == "h2":
        other_key = {"cert_file": str(certificate), "key_file": str(other)}
        wrong.append(({**trusted, **other_key}, f"{other}: the key is not that of cert_file"))
    for tls, reason in wrong:
        config = configuration({**one_way_tls.upstream, "tls": tls})
        bouncer = start_bouncer(config, one_way_tls.network, wait=False)
        assert bouncer.process.wait() == 1
        assert reason in bouncer.log_text()
        start_bouncer.started.remove(bouncer)
