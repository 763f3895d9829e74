# SPDX-License-Identifier: Apache-2.0
"""https upstreams, on Milvus with one-way and with mutual TLS. Its certificate is for milvus.test."""
import shutil
import ssl

import pytest
from pymilvus.grpc_gen import milvus_pb2

from bouncer import configuration
from certificates import SERVER_NAME, Authority, self_signed
from codes import CONNECT, UNAVAILABLE, is_own
from messages import checked
from mvb1 import RequestError
from servers import Milvus
from tls_server import TlsServer
from waiting import eventually

pytestmark = pytest.mark.each_transport

COLLECTIONS = milvus_pb2.ShowCollectionsRequest()
NAME = f"DNS:{SERVER_NAME}"
REFUSED = "its certificate is refused: "


@pytest.fixture(scope="module")
def trusted(authority):
    return {"ca_file": str(authority.certificate), "server_name": SERVER_NAME}


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("stranger") / "authority")


def issued(authority, name, **options):
    certificate, key = authority.issue(name, **options)
    return {"cert_file": str(certificate), "key_file": str(key)}


def start(start_bouncer, milvus, tls, **settings):
    upstream = {**milvus.upstream, "connect_timeout": "3s", "tls": tls, **settings}
    return start_bouncer(configuration(upstream), milvus.network)


def is_served(bouncer):
    with bouncer.plain() as client:
        checked(client.call("ShowCollections", COLLECTIONS))
        return True


def comes_to_be_served(bouncer):
    def is_served_now():
        try:
            return is_served(bouncer)
        except RequestError:
            return False

    return eventually(is_served_now, "it is served")


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


def test_authorities_of_the_system_may_know_ours(start_bouncer, one_way_tls, authority):
    """OpenSSL's own variable puts another file in their place."""
    upstream = {**one_way_tls.upstream, "tls": {"server_name": SERVER_NAME}}
    environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "SSL_CERT_FILE": str(authority.certificate)}
    bouncer = start_bouncer(configuration(upstream), one_way_tls.network, env=environment)
    assert is_served(bouncer)


def test_wrong_name(start_bouncer, one_way_tls, trusted):
    """The certificate is not for 127.0.0.1, and not for another name that is asked for."""
    for tls in ({"ca_file": trusted["ca_file"]}, {**trusted, "server_name": "other.test"}):
        assert is_unreachable(start(start_bouncer, one_way_tls, tls))


def test_plaintext_to_a_tls_port(start_bouncer, one_way_tls):
    upstream = {**one_way_tls.upstream, "uri": one_way_tls.uri.replace("https", "http"), "connect_timeout": "3s"}
    assert is_unreachable(start_bouncer(configuration(upstream), one_way_tls.network))


# ---- broken certificates of the server, each with its words; C core keeps them to itself, but for the name ----


def broken(kind, directory, authority, stranger):
    makers = {
        "expired": lambda: authority.issue("expired", NAME, begins=-3, ends=-1),
        "early": lambda: authority.issue("early", NAME, begins=1),
        "another's": lambda: authority.issue("another", "DNS:other.test"),
        "self-signed": lambda: self_signed(directory, NAME),
        "unknown": lambda: stranger.issue("unknown", NAME),
        "client's": lambda: authority.issue("clients", NAME, use="clientAuth"),
    }
    return makers[kind]()


BROKEN = {
    "expired": REFUSED + "certificate has expired; the server needs a new one",
    "early": REFUSED + "certificate is not yet valid; see to the clocks of both hosts",
    "another's": REFUSED + "hostname mismatch; tls.server_name says which name it must have",
    "self-signed": REFUSED + "self-signed certificate; to trust it alone, make it tls.ca_file",
    "unknown": REFUSED + "unable to get local issuer certificate; tls.ca_file must hold its authority's",
    "client's": REFUSED + "unsuitable certificate purpose; it is not for servers (extendedKeyUsage)",
}


@pytest.fixture(scope="module", params=BROKEN)
def broken_tls(request, tmp_path_factory, authority, stranger):
    """(kind, Milvus that shows such a certificate)"""
    directory = tmp_path_factory.mktemp("broken_tls")
    certificate, key = broken(request.param, directory, authority, stranger)
    arguments = ["--tls-mode", 1, "--server-pem-path", certificate, "--server-key-path", key]
    server = Milvus(directory / "data", *arguments, scheme="https")
    yield request.param, server
    server.stop()


def test_broken_certificate(start_bouncer, broken_tls, trusted, transport):
    kind, server = broken_tls
    bouncer = start(start_bouncer, server, trusted, connect_timeout="1s")
    said = is_unreachable(bouncer)
    words = BROKEN[kind]
    if transport == "grpc":
        words = f"Peer name {SERVER_NAME} is not in peer certificate" if kind == "another's" else "certificate verify failed"
    assert words in said and words in bouncer.log_text(), said


# ---- mutual TLS ----


def test_mutual_tls(start_bouncer, two_way_tls, trusted, authority):
    assert is_served(start(start_bouncer, two_way_tls, {**trusted, **issued(authority, "client")}))


CLIENTS = {
    "none": (lambda ours, others: {}, "it asks for a certificate of ours; set tls.cert_file and tls.key_file"),
    "stranger's": (lambda ours, others: issued(others, "client"), "it refuses tls.cert_file"),
    "expired": (lambda ours, others: issued(ours, "late", begins=-3, ends=-1), "it refuses tls.cert_file"),
    "server's": (lambda ours, others: issued(ours, "serving", use="serverAuth"), "it refuses tls.cert_file"),
}


@pytest.mark.parametrize("kind", CLIENTS)
def test_mutual_tls_with_a_wrong_certificate(start_bouncer, two_way_tls, trusted, authority, stranger, transport, kind):
    make, words = CLIENTS[kind]
    said = is_unreachable(start(start_bouncer, two_way_tls, {**trusted, **make(authority, stranger)}, connect_timeout="1s"))
    assert transport == "grpc" or words in said, said


# ---- files that change ----


@pytest.fixture
def own(tmp_path, trusted):
    """Copies of certificates, to be changed: a function that puts others in their place, and the settings of tls."""
    names = {key: tmp_path / f"{key}.pem" for key in ("ca_file", "cert_file", "key_file")}

    def put(**files):
        for key, source in files.items():
            fresh = tmp_path / "fresh"
            shutil.copy(source, fresh)
            fresh.rename(names[key])
        return {**trusted, **{key: str(name) for key, name in names.items() if name.exists()}}

    return put


def test_authority_that_is_corrected_while_the_daemon_runs(start_bouncer, one_way_tls, own, authority, stranger):
    bouncer = start(start_bouncer, one_way_tls, own(ca_file=stranger.certificate))
    assert is_unreachable(bouncer)
    own(ca_file=authority.certificate)
    assert comes_to_be_served(bouncer)


def test_own_certificate_that_is_corrected_while_the_daemon_runs(start_bouncer, two_way_tls, own, authority, stranger):
    """One file after the other: in between, the key is not the certificate's."""
    tls = own(ca_file=authority.certificate, **issued(stranger, "first"))
    bouncer = start(start_bouncer, two_way_tls, tls)
    assert is_unreachable(bouncer)
    right = issued(authority, "second")
    own(cert_file=right["cert_file"])
    what = f"a file of tls cannot be used, what was read before stays: {tls['key_file']}: the key is not that of cert_file"
    eventually(lambda: what in bouncer.log_text(), "the log says so")
    assert is_unreachable(bouncer)
    own(key_file=right["key_file"])
    assert comes_to_be_served(bouncer)
    assert bouncer.log_text().count(what) <= 2, "once for each connection at most"


def test_standing_connections_stay(start_bouncer, one_way_tls, own, authority, stranger):
    """New certificates are for new connections: those that are to take the place of others cannot."""
    bouncer = start(start_bouncer, one_way_tls, own(ca_file=authority.certificate), server_lifetime="1s")
    assert is_served(bouncer)
    own(ca_file=stranger.certificate)
    with bouncer.plain() as client:

        def cannot_be_replaced():
            checked(client.call("ShowCollections", COLLECTIONS))
            return "cannot replace the connection to upstream main" in bouncer.log_text()

        eventually(cannot_be_replaced, "its time is over")
    own(ca_file=authority.certificate)
    assert is_served(bouncer)


# ---- what needs no Milvus ----


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


def test_what_is_wrong_is_said(start_bouncer, start_tls_server, authority, trusted, transport):
    right = authority.issue("right", NAME)
    wrong = [
        ({}, {"ca_file": trusted["ca_file"]}, REFUSED + "IP address mismatch", "not in peer certificate"),
        ({"protocols": ["http/1.1"]}, trusted, "it speaks TLS, but not HTTP/2", "ALPN"),
        ({"protocols": []}, trusted, "it speaks TLS, but not HTTP/2", "ALPN"),
    ]
    for options, tls, of_h2, of_grpc in wrong:
        said = why_unreachable(start_bouncer, start_tls_server(*right, **options), tls)
        assert (of_grpc if transport == "grpc" else of_h2) in said, said


def test_nothing_weaker_than_tls_1_2(start_bouncer, start_tls_server, authority, trusted, transport):
    """A server that has 1.1 at most is refused, whose certificate is right; one that has 1.2 is not."""
    right = authority.issue("right", NAME)
    old = why_unreachable(start_bouncer, start_tls_server(*right, newest=ssl.TLSVersion.TLSv1_1), trusted)
    assert "tlsv1 alert protocol version" in old, old
    assert transport == "grpc" or "it has no TLS 1.2 or later" in old, old
    enough = why_unreachable(start_bouncer, start_tls_server(*right, newest=ssl.TLSVersion.TLSv1_2), trusted)
    assert ("SETTINGS frame" if transport == "grpc" else "waiting for it to speak HTTP/2") in enough, enough


def test_files_that_do_not_fit(start_bouncer, one_way_tls, trusted, authority):
    """Read at the start, and an error there."""
    certificate, key = authority.issue("one")
    _, other = authority.issue("other")
    empty = key.with_suffix(".empty")
    empty.write_text("")
    wrong = [
        ({"ca_file": str(empty)}, f"{empty}: no certificates in PEM"),
        ({**trusted, "cert_file": str(empty), "key_file": str(key)}, f"{empty}: no certificates in PEM"),
        ({**trusted, "cert_file": str(certificate), "key_file": str(empty)}, f"{empty}: no key in PEM"),
        ({**trusted, "cert_file": str(certificate), "key_file": str(other)}, f"{other}: the key is not that of cert_file"),
    ]
    for tls, reason in wrong:
        config = configuration({**one_way_tls.upstream, "tls": tls})
        bouncer = start_bouncer(config, one_way_tls.network, wait=False)
        assert bouncer.process.wait() == 1
        assert reason in bouncer.log_text()
        start_bouncer.started.remove(bouncer)
