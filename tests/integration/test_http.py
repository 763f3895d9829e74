# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 itself, whatever route is asked: how requests are read, what ends a connection, who is let in."""
import base64
import gzip
import subprocess
import threading
import time
import zlib

import pytest
from pymilvus.grpc_gen import milvus_pb2

from bouncer import BINARY, IS_SANITIZED, configuration, one_pool
from codes import INVALID_ARGUMENT, PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNAVAILABLE
from fake import SUCCESS, Gate, answer, hang
from h2 import H2
from http1 import DROP, LIST, Http, chunk, chunked, head, request
from plain import Plain
from waiting import LIMIT, eventually

NO_SUCH = "/v2/vectordb/nothing/here"
UNAUTHENTICATED, DEADLINE = 1800, 10001  # as Milvus's REST has them


@pytest.fixture
def bouncer(start_bouncer, fake):
    return start_bouncer(configuration(fake.upstream), tcp=True)


@pytest.fixture(params=["unix", "tcp"])
def http(request, bouncer):
    with Http(bouncer.address if request.param == "unix" else bouncer.tcp_address) as client:
        yield client


def is_good(response):
    assert response is not None and response.status == 200 and response.code == 0, response
    return True


def is_own(response, status, code=None):
    """An error of the daemon's own; HTTP's have the status for a code."""
    assert (response.status, response.code) == (status, code or status), response
    assert response.message.startswith("milvus-bouncer: "), response
    assert response.headers["content-type"] == "application/json"
    return True


def collections(*names):
    return milvus_pb2.ShowCollectionsResponse(status=SUCCESS, collection_names=names)


# ---- requests ----


def test_one_connection_for_many(http, fake):
    for database in ("books", "films"):
        assert is_good(http.ask(LIST, b"{}", f"DB-Name: {database}"))
    assert [call.metadata["dbname"] for call in fake.asked("ShowCollections")] == ["books", "films"]


def test_all_protocols_at_one_address(bouncer):
    for address in (bouncer.address, bouncer.tcp_address):
        with Http(address) as http, Plain(address) as plain, H2(address) as h2:
            assert is_good(http.ask())
            plain.ping()
            h2.ping()


def test_database(bouncer, fake):
    with Http(bouncer.address) as http:
        for body, lines in [({}, []), ({"dbName": "inside"}, []), ({"dbName": "inside"}, ["DB-Name: beside"]),
                            ({}, ["DB-Name: beside"])]:  # fmt: skip
            assert is_good(http.ask(LIST, body, *lines))
    named = [call.metadata["dbname"] for call in fake.asked("ShowCollections")]
    assert named == ["default", "inside", "inside", "beside"]


def test_pages(http):
    response = http.ask("/healthz", b"", method="GET")
    assert (response.status, response.body) == (200, b"OK")
    assert b"milvus-bouncer" in http.ask("/", b"", method="GET").body
    response = http.ask("/healthz", b"", method="HEAD")
    assert (response.status, response.headers["content-length"]) == (200, "2")
    assert is_own(http.ask("/healthz"), 405)


def test_options(http):
    for path, methods in [("*", "GET, HEAD, POST, OPTIONS"), (LIST, "POST, OPTIONS"), ("/", "GET, HEAD, OPTIONS")]:
        response = http.ask(path, b"", method="OPTIONS")
        assert (response.status, response.headers["allow"]) == (204, methods)
        assert "content-length" not in response.headers
    assert is_own(http.ask(NO_SUCH, b"", method="OPTIONS"), 404)


def test_no_such_path_or_method(http, fake):
    for path in (NO_SUCH, "/v2/vectordb", LIST + "/", "/v1/vector/collections"):
        assert is_own(http.ask(path), 404)
    for method in ("GET", "PUT", "DELETE"):
        response = http.ask(LIST, method=method)
        assert is_own(response, 405) and response.headers["allow"] == "POST, OPTIONS"
    assert http.ask(LIST, b"", method="HEAD").status == 405
    assert is_good(http.ask(LIST + "?a=b"))
    assert is_good(http.ask("http://localhost" + LIST))
    assert fake.count("ShowCollections") == 2


def test_pages_in_browsers_may_ask_nothing(http, fake):
    """Of any site; without a credential to know them by they could do what their reader may."""
    for origin in ("https://elsewhere.example", "http://localhost", "null"):
        response = http.ask(LIST, b"{}", f"Origin: {origin}", "Content-Type: text/plain")
        assert is_own(response, 403) and "Origin" in response.message
    assert http.ask("/healthz", b"", "Origin: null", method="GET").status == 200
    assert fake.count("ShowCollections") == 0
    assert is_good(http.ask())


def test_http_1_0(bouncer):
    with Http(bouncer.address) as http:
        response = http.ask(LIST, b"{}", "Connection: keep-alive", version="1.0", host=None)
        assert is_good(response) and response.headers["connection"] == "keep-alive"
        response = http.ask(LIST, b"{}", version="1.0", host=None)
        assert is_good(response) and response.closes and http.at_end()


def test_connection_close(http):
    response = http.ask(LIST, b"{}", "Connection: close")
    assert is_good(response) and response.closes and http.at_end()


def test_pipelined(http, fake):
    """Answered in order; the second is not begun before the first is answered."""
    gate = Gate(answer(collections()))
    fake.on("ShowCollections", gate)
    http.raw(request(LIST, {"dbName": "a"}) + request(NO_SUCH) + chunked(LIST, b'{"dbName": ', b'"b"}'))
    fake.wait_for("ShowCollections")
    http.raw(request("/healthz", b"", method="GET")[:20])
    gate.open()
    assert is_good(http.response())
    assert is_own(http.response(), 404)
    assert is_good(http.response())
    http.raw(request("/healthz", b"", method="GET")[20:])
    assert http.response().body == b"OK"
    assert [call.metadata["dbname"] for call in fake.asked("ShowCollections")] == ["a", "b"]


def test_many_pipelined_that_are_answered_at_once(http):
    count = 20000  # their answers are more than what is queued for a client at a time

    def send():
        http.raw(request(NO_SUCH) * count)
        http.half_close()

    sender = threading.Thread(target=send)
    sender.start()
    for _ in range(count):
        assert is_own(http.response(), 404)
    sender.join()
    assert http.at_end()


def test_pipelined_beyond_the_limit_waits_in_the_client(start_bouncer, fake):
    gate = Gate(answer(collections()))
    fake.on("ShowCollections", gate)
    bouncer = start_bouncer(configuration(fake.upstream, limits={"http": {"max_pipelined": "1KiB"}}))
    with Http(bouncer.address) as http:
        http.raw(request(LIST))
        fake.wait_for("ShowCollections")
        http.sock.settimeout(0.5)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 64 << 20:
                sent += http.sock.send(request(NO_SUCH) * 1000)
        assert sent < 4 << 20
        http.sock.settimeout(LIMIT)
        gate.open()
        assert is_good(http.response())
        for _ in range(sent // len(request(NO_SUCH))):
            assert is_own(http.response(), 404)


def test_in_single_bytes(bouncer):
    with Http(bouncer.address) as http:
        for byte in chunked(LIST, b"{", b"}"):
            http.raw(bytes([byte]))
        assert is_good(http.response())


# ---- bodies ----


def test_chunked(http, fake):
    http.raw(chunked(LIST, b"{", b'"dbName"', b":" + b" " * 1000, b'"x"}'))
    assert is_good(http.response())
    assert fake.asked("ShowCollections")[0].metadata["dbname"] == "x"


@pytest.mark.parametrize("size", [1 << 20, (1 << 20) + 1])
@pytest.mark.parametrize("is_chunked", [False, True], ids=["length", "chunked"])
def test_largest_body(start_bouncer, fake, size, is_chunked):
    bouncer = start_bouncer(configuration(fake.upstream, limits={"max_message": "1MiB"}))
    body = b"{" + b" " * (size - 2) + b"}"
    with Http(bouncer.address) as http:
        http.raw(chunked(LIST, body[:1000], body[1000:]) if is_chunked else request(LIST, body))
        response = http.response()
        if size <= 1 << 20:
            assert is_good(response)
        else:
            assert is_own(response, 413) and "max_message" in response.message and "1048576" in response.message
            assert response.closes and http.at_end()


def test_memory_comes_with_the_bytes_not_with_the_promise(bouncer):
    before = bouncer.memory()
    clients = [Http(bouncer.address) for _ in range(50)]
    for http in clients:
        http.raw(head(LIST, f"Content-Length: {60 << 20}") + b"\r\n{")
    with Http(bouncer.address) as http:
        assert is_good(http.ask())
    assert bouncer.memory() - before < 32 << 20
    for http in clients:
        http.close()


@pytest.mark.parametrize(
    "encoding, pack",
    [("gzip", gzip.compress), ("X-GZIP", gzip.compress), ("deflate", zlib.compress), ("identity", bytes)],
)
def test_packed_requests(http, fake, encoding, pack):
    body = b'{"dbName": "packed"%s}' % (b" " * 100000)
    assert is_good(http.ask(LIST, pack(body), f"Content-Encoding: {encoding}"))
    assert fake.asked("ShowCollections")[0].metadata["dbname"] == "packed"


def test_packed_requests_that_are_wrong(start_bouncer, fake):
    bouncer = start_bouncer(configuration(fake.upstream, limits={"max_message": "1MiB"}))
    with Http(bouncer.address) as http:
        response = http.ask(LIST, b"{}", "Content-Encoding: br")
        assert is_own(response, 415) and response.headers["accept-encoding"] == "gzip, deflate"
        assert is_own(http.ask(LIST, b"{}", "Content-Encoding: gzip, gzip"), 415)
        assert is_own(http.ask(LIST, b"no gzip", "Content-Encoding: gzip"), 400)
        assert is_own(http.ask(LIST, gzip.compress(b"{}")[:-1], "Content-Encoding: gzip"), 400)
        largest = b"{}".ljust(1 << 20)
        assert is_good(http.ask(LIST, gzip.compress(largest), "Content-Encoding: gzip"))
        assert is_own(http.ask(LIST, gzip.compress(largest + b" "), "Content-Encoding: gzip"), 413)
        assert is_good(http.ask())


def test_packed_answers(http, fake):
    names = [f"a collection of some length {i}" for i in range(100)]
    fake.on("ShowCollections", answer(collections(*names)))
    plain = http.ask()
    assert is_good(plain) and "content-encoding" not in plain.headers
    packed = http.ask(LIST, b"{}", "Accept-Encoding: br, gzip;q=0.5")
    assert packed.headers["content-encoding"] == "gzip" and packed.json == plain.json
    assert len(packed.body) < len(plain.body) / 2
    for line in ("Accept-Encoding: gzip;q=0", "Accept-Encoding: br"):
        assert http.ask(LIST, b"{}", line).body == plain.body
    fake.on("ShowCollections", answer(collections()))
    assert "content-encoding" not in http.ask(LIST, b"{}", "Accept-Encoding: gzip").headers


# ---- Expect ----


def test_expect(http):
    http.raw(head(LIST, "Expect: 100-continue", "Content-Length: 2") + b"\r\n")
    assert http.read_head()[0] == 100
    http.raw(b"{}")
    assert is_good(http.response())
    assert http.ask(LIST, b"{}", "Expect: 100-continue").interim == 1
    assert http.ask(LIST, b"{}").interim == 0


@pytest.mark.parametrize(
    "lines, status",
    [
        (["Expect: 100-continue", "Content-Length: 99999999999"], 413),
        (["Expect: 100-continue", "Content-Length: 2", "Content-Encoding: br"], 415),
        (["Expect: something else", "Content-Length: 2"], 417),
    ],
)
def test_expect_of_what_is_not_taken(http, lines, status):
    """The body is not asked for."""
    http.raw(head(LIST, *lines) + b"\r\n")
    response = http.response()
    assert is_own(response, status) and response.interim == 0 and response.closes and http.at_end()


# ---- limits and faults ----


def test_limits_of_heads(bouncer):
    fits = "x" * ((32 << 10) - len("Host: localhost\r\nContent-Length: 2\r\nX: \r\n\r\n"))
    with Http(bouncer.address) as http:
        assert is_good(http.ask(LIST, b"{}", "X: " + fits))
        line = "a" * (8192 - len(f"POST {LIST}? HTTP/1.1\r\n"))
        assert is_good(http.ask(f"{LIST}?{line}"))
        response = http.ask(f"{LIST}?{line}a")
        assert is_own(response, 414) and response.closes and http.at_end()
    with Http(bouncer.address) as http:
        response = http.ask(LIST, b"{}", "X: x" + fits)
        assert is_own(response, 431) and "max_header" in response.message and http.at_end()


SMUGGLED = {
    "both lengths": head(LIST, "Content-Length: 4", "Transfer-Encoding: chunked") + b"\r\n" + chunk(b"{}") + b"0\r\n\r\n",
    "two lengths": head(LIST, "Content-Length: 2", "Content-Length: 3") + b"\r\n{} ",
    "list of lengths": head(LIST, "Content-Length: 2, 2") + b"\r\n{}",
    "sign": head(LIST, "Content-Length: +2") + b"\r\n{}",
    "fold": head(LIST, "Transfer-Encoding:", " chunked") + b"\r\n" + chunk(b"{}") + b"0\r\n\r\n",
    "space before the colon": head(LIST, "Content-Length : 2") + b"\r\n{}",
    "LF alone": head(LIST, "X: y\nContent-Length: 2") + b"\r\n{}",
    "LF at the end": head(LIST, "Content-Length: 2") + b"\n{}",
    "CR within": head(LIST, "X: y\rContent-Length: 2") + b"\r\n{}",
    "NUL": head(LIST, "X: y\0", "Content-Length: 2") + b"\r\n{}",
    "other coding": head(LIST, "Transfer-Encoding: gzip, chunked") + b"\r\n0\r\n\r\n",
    "coding twice": head(LIST, "Transfer-Encoding: chunked", "Transfer-Encoding: identity") + b"\r\n0\r\n\r\n",
    "coding of HTTP/1.0": head(LIST, "Transfer-Encoding: chunked", version="1.0") + b"\r\n0\r\n\r\n",
    "chunk size": head(LIST, "Transfer-Encoding: chunked") + b"\r\n0x2\r\n{}\r\n0\r\n\r\n",
    "chunk size with a space": head(LIST, "Transfer-Encoding: chunked") + b"\r\n2 \r\n{}\r\n0\r\n\r\n",
    "huge chunk size": head(LIST, "Transfer-Encoding: chunked") + b"\r\n10000000000000002\r\n{}\r\n0\r\n\r\n",
    "chunk that is longer": head(LIST, "Transfer-Encoding: chunked") + b"\r\n2\r\n{}}\r\n0\r\n\r\n",
    "chunk ended by LF": head(LIST, "Transfer-Encoding: chunked") + b"\r\n2\n{}\r\n0\r\n\r\n",
    "no Host": head(LIST, "Content-Length: 2", host=None) + b"\r\n{}",
    "two Hosts": head(LIST, "Host: other", "Content-Length: 2") + b"\r\n{}",
    "two spaces": request(LIST + " "),
}


@pytest.mark.parametrize("case", SMUGGLED)
def test_smuggled(bouncer, fake, case):
    """One answer, and whatever stands behind is no request."""
    with Http(bouncer.address) as http:
        http.raw(SMUGGLED[case] + request(LIST))
        response = http.response()
        assert response.status in (400, 413, 501) and is_own(response, response.status)
        assert response.closes and http.at_end()
    assert fake.count("ShowCollections") == 0


@pytest.mark.parametrize(
    "begun", [b"POST", head(LIST), head(LIST, "Content-Length: 2") + b"\r\n{", chunked(LIST, b"{}")[:-2]]
)
def test_slow_sender(start_bouncer, fake, begun):
    bouncer = start_bouncer(configuration(fake.upstream, limits={"frame_timeout": "300ms"}))
    with Http(bouncer.address) as http:
        http.raw(begun)
        response = http.response()
        assert is_own(response, 408) and "frame_timeout" in response.message
        assert response.closes and http.at_end()


def test_idle_client_is_not_slow(start_bouncer, fake):
    bouncer = start_bouncer(configuration(fake.upstream, limits={"frame_timeout": "200ms"}))
    with Http(bouncer.address) as http:
        assert is_good(http.ask())
        http.sock.settimeout(0.6)
        with pytest.raises(TimeoutError):
            http.sock.recv(1)
        assert is_good(http.ask())


def test_slow_sender_behind_another(start_bouncer, fake):
    bouncer = start_bouncer(configuration(fake.upstream, limits={"frame_timeout": "300ms"}))
    gate = Gate(answer(collections()))
    fake.on("ShowCollections", gate)
    with Http(bouncer.address) as http:
        http.raw(request(LIST) + head(LIST))
        fake.wait_for("ShowCollections")
        gate.open()
        assert is_good(http.response())
        assert is_own(http.response(), 408) and http.at_end()


def test_each_request_has_its_time(start_bouncer, fake):
    bouncer = start_bouncer(configuration(fake.upstream, limits={"frame_timeout": "4s"}))
    with Http(bouncer.address) as http:
        http.raw(head(NO_SUCH))
        time.sleep(2.5)
        http.raw(b"\r\n" + head(NO_SUCH))
        time.sleep(2.5)
        http.raw(b"\r\n")
        assert is_own(http.response(), 404) and is_own(http.response(), 404)


def test_input_that_ends_in_a_request(bouncer):
    with Http(bouncer.address) as http:
        http.raw(head(LIST))
        http.half_close()
        assert is_own(http.response(), 400) and http.at_end()


@pytest.mark.skipif(IS_SANITIZED, reason="a sanitizer keeps what is freed")
def test_idle_connections_hold_little(start_bouncer, fake):
    bouncer = start_bouncer(configuration(fake.upstream))
    clients = [Http(bouncer.address) for _ in range(200)]
    for http in clients:
        assert is_good(http.ask())
    before = bouncer.memory()
    more = [Http(bouncer.address) for _ in range(400)]
    for http in more:
        assert is_good(http.ask())
    assert bouncer.memory() - before < 400 * 4096
    for http in clients + more:
        http.close()


# ---- ends ----


def test_half_closed_client_is_answered(bouncer, fake):
    gate = Gate(answer(collections()))
    fake.on("ShowCollections", gate)
    for address in (bouncer.address, bouncer.tcp_address):
        with Http(address) as http:
            http.raw(request(LIST) + request("/healthz", b"", method="GET"))
            http.half_close()
            fake.wait_for("ShowCollections")
            gate.open()
            assert is_good(http.response())
            assert http.response().body == b"OK" and http.at_end()


def test_client_that_leaves(bouncer, fake):
    fake.on("ShowCollections", hang)
    for count, address in enumerate((bouncer.address, bouncer.tcp_address), 1):
        with Http(address) as http:
            http.raw(request(LIST))
            call = fake.wait_for("ShowCollections", count)
        eventually(call.was_cancelled, f"cancelled upstream, asked at {address}")
        with Http(address) as http:
            http.raw(request(LIST)[:-1])
    with Http(bouncer.address) as http:
        assert http.ask("/healthz", b"", method="GET").status == 200


def test_drain(start_bouncer, fake):
    gate = Gate(answer(collections()))
    fake.on("ShowCollections", gate)
    bouncer = start_bouncer(configuration(fake.upstream))
    with Http(bouncer.address) as busy, Http(bouncer.address) as idle, Http(bouncer.address) as begun:
        begun.raw(head(LIST))
        assert idle.ask("/healthz", b"", method="GET").status == 200
        busy.raw(request(LIST) + request(LIST))
        fake.wait_for("ShowCollections")
        bouncer.drain()
        assert idle.at_end()
        begun.raw(b"Content-Length: 2\r\n\r\n{}")
        response = begun.response()
        assert is_own(response, 503, UNAVAILABLE) and response.closes and begun.at_end()
        gate.open()
        response = busy.response()
        assert is_good(response) and response.closes and busy.at_end()
    assert fake.count("ShowCollections") == 1


def test_drain_with_an_idle_client_that_stays(start_bouncer, fake):
    bouncer = start_bouncer(configuration(fake.upstream))
    with Http(bouncer.address) as http:
        assert is_good(http.ask())
        bouncer.drain()
        assert http.at_end()
        bouncer.stop()


def test_drain_while_a_request_comes(start_bouncer, fake):
    bouncer = start_bouncer(configuration(fake.upstream))
    with Http(bouncer.address) as http:
        http.raw(head(LIST))
        with Http(bouncer.address) as other:
            assert is_good(other.ask())
        bouncer.drain()
        assert is_own(http.response(), 503) and http.at_end()


# ---- deadlines and limits of pools ----


def test_request_timeout(bouncer, fake):
    fake.on("ShowCollections", hang)
    with Http(bouncer.address) as http:
        response = http.ask(LIST, b"{}", "Request-Timeout: 1")
        assert is_own(response, 408, DEADLINE)
        assert fake.asked("ShowCollections")[0].time_remaining < 1.1
        for bad in ("0", "-1", "1.5", "x", "86401", "99999999999999"):
            response = http.ask(LIST, b"{}", f"Request-Timeout: {bad}")
            assert is_own(response, 200, 1100) and "Request-Timeout" in response.message
    assert fake.count("ShowCollections") == 1


def test_timeout_of_the_configuration(start_bouncer, fake):
    fake.on("ShowCollections", hang)
    with Http(start_bouncer(one_pool(fake.upstream, timeouts={"ShowCollections": "200ms"})).address) as http:
        assert is_own(http.ask(), 408, DEADLINE)


def test_full_queue(start_bouncer, fake):
    bouncer = start_bouncer(one_pool(fake.upstream, max_in_flight=1, queue_size=0))
    with Http(bouncer.address) as first, Http(bouncer.address) as second:
        eventually(lambda: first.ask().status == 200, "it is connected")
        fake.on("ShowCollections", hang)
        first.raw(request(LIST))
        fake.wait_for("ShowCollections", 2)
        assert is_own(second.ask(), 429, RESOURCE_EXHAUSTED)


def test_database_that_is_not_served(start_bouncer, fake):
    with Http(start_bouncer(one_pool(fake.upstream)).address) as http:
        response = http.ask(LIST, {"dbName": "elsewhere"})
        assert is_own(response, 400, INVALID_ARGUMENT) and "elsewhere" in response.message


# ---- who is let in ----


def test_where_http_is_not_served(start_bouncer, fake):
    bouncer = start_bouncer(configuration(fake.upstream), listener={"protocols": ["plain"]})
    with Http(bouncer.address) as http:
        response = http.ask()
        assert is_own(response, 400, INVALID_ARGUMENT) and "protocols" in response.message
        assert response.closes and http.at_end()
    bouncer = start_bouncer(configuration(fake.upstream), listener={"protocols": ["http"]}, wait=False)
    eventually(lambda: "listening on" in bouncer.log_text(), "it listens")
    with Http(bouncer.address) as http, Plain(bouncer.address) as plain:
        assert is_good(http.ask())
        assert plain.goaway().code == INVALID_ARGUMENT


def test_max_clients(start_bouncer, fake):
    bouncer = start_bouncer(configuration(fake.upstream, limits={"max_clients": 1}))
    with Http(bouncer.address) as first:
        eventually(lambda: is_let_in(first, bouncer), "there is room")
        with Http(bouncer.address) as second:
            response = second.ask()
            assert is_own(response, 429, RESOURCE_EXHAUSTED) and second.at_end()
        with Http(bouncer.address) as silent:
            silent.raw(b"POST ")
            assert is_own(silent.response(), 429, RESOURCE_EXHAUSTED) and silent.at_end()
        assert is_good(first.ask())


def is_let_in(client, bouncer):
    """The one before has left by now."""
    response = client.ask("/healthz", b"", method="GET")
    if response.status != 200:
        client.close()
        client.__init__(bouncer.address)
    return response.status == 200


def test_rights(start_bouncer, fake):
    rules = [{"match": {"any": True}, "allow": "read"}]
    with Http(start_bouncer(configuration(fake.upstream, access=rules)).address) as http:
        assert is_good(http.ask(LIST))
        response = http.ask(DROP, {"collectionName": "c"})
        assert is_own(response, 403, PERMISSION_DENIED) and 'needs "schema"' in response.message
    assert fake.count("DropCollection") == 0


SECRET = "a secret"


@pytest.fixture
def asks_token(start_bouncer, fake, tmp_path):
    made = subprocess.run([BINARY, "token", "reader"], input=SECRET + "\n", capture_output=True, text=True, check=True)
    (tmp_path / "tokens").write_text(made.stdout)
    rules = [{"match": {"token": "reader"}, "allow": "read"}]
    config = configuration(fake.upstream, access=rules, tokens_file=str(tmp_path / "tokens"))
    bouncer = start_bouncer(config, wait=False)
    eventually(lambda: "listening on" in bouncer.log_text(), "it listens")
    return bouncer


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def test_token_in_each_form(asks_token, fake):
    right = f"reader:{SECRET}"
    with Http(asks_token.address) as http:
        for shown in (encoded(right), "Basic " + encoded(right), "Bearer " + right, "bearer " + right):
            assert is_good(http.ask(LIST, b"{}", f"Authorization: {shown}"))
            assert "authorization" not in fake.asked("ShowCollections")[-1].metadata
        assert is_own(http.ask(DROP, {"collectionName": "c"}, f"Authorization: Bearer {right}"), 403, PERMISSION_DENIED)
    assert SECRET not in asks_token.log_text()


def test_wrong_token_or_none(asks_token, fake):
    with Http(asks_token.address) as http:
        for lines in ([], ["Authorization: Bearer reader:wrong"], ["Authorization: Basic !!"]):
            response = http.ask(LIST, b"{}", *lines)
            assert is_own(response, 401, UNAUTHENTICATED)
            assert response.headers["www-authenticate"].startswith("Basic ")
        response = http.ask("/healthz", b"", method="GET")
        assert response.status == 200
    assert fake.count("ShowCollections") == 0


@pytest.mark.parametrize(
    "shown, travels",
    [
        (encoded("root:Milvus"), encoded("root:Milvus")),
        ("Basic " + encoded("root:Milvus"), encoded("root:Milvus")),
        ("Bearer root:Milvus", encoded("root:Milvus")),
        ("Bearer an-api-key", encoded("an-api-key")),
    ],
)
def test_credentials_of_the_client(start_bouncer, fake, shown, travels):
    bouncer = start_bouncer(one_pool(fake.upstream, credentials="client"))
    with Http(bouncer.address) as http:
        assert is_good(http.ask(LIST, b"{}", f"Authorization: {shown}"))
        assert fake.asked("ShowCollections")[-1].metadata["authorization"] == travels
        assert is_good(http.ask(LIST))
        assert "authorization" not in fake.asked("ShowCollections")[-1].metadata


def test_credentials_of_the_daemon(bouncer, fake):
    with Http(bouncer.address) as http:
        assert is_good(http.ask(LIST, b"{}", "Authorization: Bearer root:Milvus"))
    assert "authorization" not in fake.asked("ShowCollections")[0].metadata


# ---- other clients ----


def test_curl(bouncer):
    done = subprocess.run(
        ["curl", "-sS", "--unix-socket", str(bouncer.path), f"http://localhost{LIST}", "--compressed", "-d", "{}"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0 and '"code":0' in done.stdout, done.stderr + done.stdout
