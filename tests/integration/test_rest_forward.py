# SPDX-License-Identifier: Apache-2.0
"""The REST routes that Milvus's gRPC service has no calls for: its own HTTP port answers them, where it has one."""
import base64
import json
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor

import pytest

from bouncer import configuration, one_pool
from fake_http import FakeHttp
from rest import PREFIX, TIMEOUT, Kept, Rest
from waiting import eventually

ROUTES = (
    "jobs/import/list",
    "jobs/import/create",
    "jobs/import/get_progress",
    "jobs/import/describe",
    "jobs/import/commit",
    "jobs/import/abort",
    "segments/describe",
    "quotacenter/describe",
)
UNIMPLEMENTED, PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNAVAILABLE = 12, 7, 8, 14


@pytest.fixture
def http_port():
    server = FakeHttp()
    yield server
    server.stop()


def forwarding(lite, port, **settings):
    return one_pool({**lite.upstream, "http_port": port}, **settings)


@pytest.fixture
def rest(start_bouncer, lite, http_port):
    return Rest(start_bouncer(forwarding(lite, http_port.port)).address)


def test_each_route(rest, http_port):
    for route in ROUTES:
        assert rest.call(route, jobId="77", collectionName="books") == {"jobId": "77"}
        asked = http_port.asked[-1]
        assert asked.path == PREFIX + route
        assert asked.body == {"jobId": "77", "collectionName": "books"}
        assert asked.headers["content-type"] == "application/json"
        assert asked.headers["host"] == f"127.0.0.1:{http_port.port}"
        assert asked.headers["db-name"] == "default"
        assert "authorization" not in asked.headers


def test_answer_is_that_of_the_upstream(rest, http_port):
    http_port.status, http_port.answer = 403, b'{"code":7,"message":"no privilege","extra":[1.50]}'
    answer = rest.ask("jobs/import/list", {})
    assert (answer.status, answer.text) == (403, http_port.answer)


def test_database_is_called_as_the_upstream_does(start_bouncer, lite, http_port):
    upstream = {**lite.upstream, "http_port": http_port.port}
    databases = {"books": {"upstream": "main", "name": "books_v2"}, "*": {"upstream": "main"}}
    rest = Rest(start_bouncer(configuration(upstream, databases=databases)).address)
    rest.call("jobs/import/list", dbName="books", collectionName="a")
    rest.call("jobs/import/list", headers={"DB-Name": "books"}, collectionName="a")
    rest.call("jobs/import/list", dbName="others", collectionName="a")
    names = [(asked.headers["db-name"], asked.body) for asked in http_port.asked]
    assert names == [(name, {"collectionName": "a"}) for name in ("books_v2", "books_v2", "others")]


BASIC = "Basic " + base64.b64encode(b"ann:pass:word").decode()


@pytest.mark.parametrize("secret, shown", [("key-of-an-api", "Bearer key-of-an-api"), ("ann:pass:word", BASIC)])
def test_credential_is_shown(start_bouncer, lite, http_port, tmp_path, secret, shown):
    file = tmp_path / "token"
    file.write_text(secret)
    file.chmod(0o600)
    upstream = {**lite.upstream, "http_port": http_port.port, "token_file": str(file)}
    rest = Rest(start_bouncer(one_pool(upstream)).address)
    rest.call("jobs/import/list", headers={"Authorization": "Bearer of:theirs"})
    assert http_port.asked[0].headers["authorization"] == shown


def test_over_tls(start_bouncer, authority, one_way_tls):
    certificate, key = authority.issue("http.test", "DNS:http.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = FakeHttp(context)
    try:
        tls = {"ca_file": str(authority.certificate), "server_name": "http.test"}
        upstream = {"uri": f"https://127.0.0.1:{server.port}", "tls": tls}
        rest = Rest(start_bouncer(one_pool(upstream)).address)
        assert rest.call("jobs/import/list") == {"jobId": "77"}
        wrong = {**upstream, "tls": {**tls, "server_name": "other.test"}}
        answer = Rest(start_bouncer(one_pool(wrong)).address).ask("jobs/import/list", {})
        assert (answer.status, answer.code) == (503, UNAVAILABLE)
        assert len(server.asked) == 1
    finally:
        server.stop()


def is_told(answer, status, code, *words):
    assert (answer.status, answer.code) == (status, code), answer
    for word in (*words, "milvus-bouncer:"):
        assert word in answer.message
    return True


def test_upstreams_that_have_none(start_bouncer, lite, milvus):
    """Lite's port speaks gRPC alone; Milvus 2.3.5 serves HTTP, but knows no RESTful v2."""
    answer = Rest(start_bouncer(one_pool(lite.upstream)).address).ask("jobs/import/list", {})
    assert is_told(answer, 501, UNIMPLEMENTED, "/v2/vectordb/jobs/import/list", "no HTTP/1.1", str(lite.port))
    bouncer = start_bouncer(one_pool(milvus.upstream), network=milvus.network)
    answer = Rest(bouncer.address).ask("jobs/import/list", {})
    assert is_told(answer, 501, UNIMPLEMENTED, "/v2/vectordb/jobs/import/list", "404")


def test_nobody_listens(start_bouncer, lite):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    answer = Rest(start_bouncer(forwarding(lite, port)).address).ask("jobs/import/list", {})
    assert is_told(answer, 503, UNAVAILABLE, f"127.0.0.1:{port}", "http_port")


def test_deadline(rest, http_port):
    http_port.may_answer.clear()
    answer = rest.ask("jobs/import/list", {}, headers={"Request-Timeout": "1"})
    assert is_told(answer, 408, TIMEOUT, "in time")


def test_answer_of_many_bytes(start_bouncer, lite, http_port):
    config = {**forwarding(lite, http_port.port), "limits": {"max_message": "1MiB"}}
    rest = Rest(start_bouncer(config).address)
    http_port.answer = b" " * (2**20 - 2) + b"{}"
    assert rest.ask("jobs/import/list", {}).text == http_port.answer
    http_port.answer = b" " * (2**20 - 1) + b"{}"
    assert is_told(rest.ask("jobs/import/list", {}), 429, RESOURCE_EXHAUSTED, "max_message")


def test_client_that_leaves(start_bouncer, lite, http_port):
    bouncer = start_bouncer(forwarding(lite, http_port.port))
    http_port.may_answer.clear()
    http_port.answer = b" " * 2**22  # more than a socket takes of somebody who is gone
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(bouncer.path))
        client.sendall(b"POST /v2/vectordb/jobs/import/list HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}")
        eventually(lambda: http_port.asked, "the upstream is asked")
    eventually(lambda: bouncer.count_clients() == 0, "the client is gone")
    http_port.may_answer.set()
    assert http_port.left.wait(30)


@pytest.mark.parametrize("more", [0, 1])
def test_as_many_as_may_be_at_once(start_bouncer, lite, http_port, more):
    """FORWARDS_MAX of pool/forward.h."""
    bouncer = start_bouncer(forwarding(lite, http_port.port))
    http_port.may_answer.clear()
    with ThreadPoolExecutor(65) as workers:
        asked = [workers.submit(lambda: Rest(bouncer.address).ask("jobs/import/list", {})) for _ in range(64)]
        eventually(lambda: len(http_port.asked) == 64, "all are under way")
        if more:
            with Kept(bouncer) as kept:
                assert is_told(kept.ask("jobs/import/list", {}), 429, RESOURCE_EXHAUSTED, "64")
        http_port.may_answer.set()
        assert all(answer.result().status == 200 for answer in asked)


@pytest.mark.parametrize(
    "allow, reads, writes", [(["read"], True, False), (["read", "write"], True, True), (["schema"], False, False)]
)
def test_rules(start_bouncer, lite, http_port, allow, reads, writes):
    config = {**forwarding(lite, http_port.port), "access": [{"match": {"any": True}, "allow": allow}]}
    rest = Rest(start_bouncer(config).address)
    for route, is_allowed in (("jobs/import/list", reads), ("jobs/import/create", writes)):
        answer = rest.ask(route, {})
        assert answer.status == (200 if is_allowed else 403), answer
        if not is_allowed:
            assert is_told(answer, 403, PERMISSION_DENIED, PREFIX + route)


def test_body_that_is_no_json(rest, http_port):
    answer = rest.ask("jobs/import/list", b"{")
    assert (answer.status, answer.code) == (200, 1801)
    assert json.loads(answer.text)["message"]
    assert not http_port.asked
