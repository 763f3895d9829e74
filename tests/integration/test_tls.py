# SPDX-License-Identifier: Apache-2.0
"""https upstreams, on Milvus with one-way and with mutual TLS. Its certificate is for milvus.test."""
import pytest
from pymilvus.grpc_gen import milvus_pb2

from bouncer import configuration
from certificates import SERVER_NAME, Authority
from codes import CONNECT, UNAVAILABLE, is_own
from messages import checked

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
