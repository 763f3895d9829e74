# SPDX-License-Identifier: Apache-2.0
"""gRPC through the daemon: calls of one message each way, and what travels beside the messages."""
import gzip

import grpc
import pytest
from pymilvus.grpc_gen import milvus_pb2

import messages
from bouncer import configuration
from channel import own_text
from codes import ADMISSION, DEADLINE_EXCEEDED, INVALID_ARGUMENT, OK, UPSTREAM
from fake import SUCCESS, VERSION, Gate, answer, fail, hang, with_metadata
from h2 import H2
from h2_connection import prefixed
from messages import checked
from waiting import eventually
from wire import EMPTY, HEAD, WireReply

SEARCH = milvus_pb2.SearchRequest(collection_name="c")
VERSION_REQUEST = milvus_pb2.GetVersionRequest()
TEXTS = ["", "plain", "100% sure", "%41", "two\nlines\r\n\ttab", "käse 日本 \N{SNOWMAN}", '" and \\', "x" * 3000]


@pytest.fixture
def bouncer(start_bouncer, fake):
    return start_bouncer(configuration(fake.upstream))


@pytest.mark.parametrize("tcp", [False, True])
def test_call(start_bouncer, fake, tcp):
    bouncer = start_bouncer(configuration(fake.upstream), tcp=True)
    with H2(bouncer.tcp_address if tcp else bouncer.address) as client:
        reply = client.call("GetVersion", VERSION_REQUEST)
        assert reply.http_status == 200
        assert reply.values("content-type") == ["application/grpc"]
        assert milvus_pb2.GetVersionResponse.FromString(reply.message()).version == VERSION


@pytest.mark.parametrize("authority", ["localhost", "milvus.example.com:19530", "[::1]:1", "%2Ftmp%2Fmilvus.sock", "a"])
def test_any_authority(bouncer, authority):
    with bouncer.h2() as client:
        assert client.call("GetVersion", VERSION_REQUEST, replace={":authority": authority}).code == OK


@pytest.mark.parametrize("content_type", ["application/grpc", "application/grpc+proto", "application/grpc;x=y"])
def test_content_type(bouncer, content_type):
    with bouncer.h2() as client:
        assert client.call("GetVersion", VERSION_REQUEST, replace={"content-type": content_type}).code == OK


def test_message_arrives_as_the_bytes_it_is(bouncer, fake):
    """Also with fields that no version of Milvus knows, and in any number of pieces."""
    data = SEARCH.SerializeToString() + b"\xfa\xff\x7f\x05hello"
    with bouncer.h2() as client:
        stream = client.open("Search")
        for byte in prefixed(data):
            client.send_data(stream, bytes([byte]))
        client.send_data(stream, b"", end=True)
        assert client.reply(stream).code == OK
    assert fake.wait_for("Search").request == data


def test_many_calls_under_way_and_replies_in_any_order(bouncer, fake):
    gate = Gate(lambda call, context: call.request)
    fake.on("Query", gate)
    with bouncer.h2() as client:
        asked = {f"c{n}": client.ask("Query", milvus_pb2.QueryRequest(collection_name=f"c{n}")) for n in range(100)}
        fake.wait_for("Query", len(asked))
        assert client.call("GetVersion", VERSION_REQUEST).code == OK  # sent last, answered first
        gate.open()
        for name, stream in asked.items():
            assert milvus_pb2.QueryRequest.FromString(client.reply(stream).message()).collection_name == name


def test_large_messages_beside_small_ones(bouncer, fake):
    size = 32 << 20
    fake.on("Query", answer(milvus_pb2.QueryResults(collection_name="y" * size)))
    with bouncer.channel() as large, bouncer.channel() as small:
        future = large.start("Query", milvus_pb2.QueryRequest(expr="x" * size))
        assert small.call("GetVersion", VERSION_REQUEST).version == VERSION
        assert milvus_pb2.QueryResults.FromString(future.result()).collection_name == "y" * size
    assert len(fake.wait_for("Query").message().expr) == size


@pytest.mark.parametrize(
    "timeout, wanted",
    [
        ("1H", 300),
        ("2M", 120),
        ("00000090S", 90),
        ("50000m", 50),
        ("40000000u", 40),
        ("99999999n", 0.1),
        ("20000001u", 20.001),
        (None, 30),
    ],
)
def test_timeout_in_all_units(bouncer, fake, timeout, wanted):
    """Never more than max_timeout, 5m; without one the daemon's own."""
    fake.on("Search", Gate(answer(milvus_pb2.SearchResults())) if wanted < 1 else answer(milvus_pb2.SearchResults()))
    more = [("grpc-timeout", timeout)] if timeout else []
    with bouncer.h2() as client:
        assert client.call("Search", SEARCH, *more).code == (DEADLINE_EXCEEDED if wanted < 1 else OK)
    # gRPC rounds what is left up to three digits when it travels.
    assert wanted * 0.8 - 0.1 < fake.wait_for("Search").time_remaining <= wanted * 1.01 + 0.01


def test_timeout_that_is_none(bouncer, fake):
    with bouncer.h2() as client:
        for timeout in ("", "5", "S", "5s", "5 S", "-5S", "123456789S", "0x5S", "5SS", "1.5S"):
            reply = client.call("Search", SEARCH, ("grpc-timeout", timeout))
            assert reply.code == INVALID_ARGUMENT, timeout
            assert reply.text.startswith("milvus-bouncer:") and "grpc-timeout" in reply.text
        assert client.call("Search", SEARCH).code == OK
    assert fake.count("Search") == 1


def test_no_time_at_all(bouncer, fake):
    with bouncer.h2() as client:
        assert client.call("Search", SEARCH, ("grpc-timeout", "0S")).code == DEADLINE_EXCEEDED
    assert fake.count("Search") == 0


def test_deadline_upstream(bouncer, fake):
    fake.on("Search", hang)
    with bouncer.channel() as client:
        call = client.start("Search", SEARCH, timeout=20)
        assert 15 < fake.wait_for("Search").time_remaining <= 20.2
        call.cancel()
    with bouncer.h2() as client:  # a library would not wait for the daemon's word
        reply = client.call("Search", SEARCH, ("grpc-timeout", "300m"))
        assert reply.code == DEADLINE_EXCEEDED
        assert reply.text.startswith(own_text(UPSTREAM)), reply.text
    eventually(fake.wait_for("Search", 2).was_cancelled, "the call ends upstream, too")


FAILURES = [code for code in grpc.StatusCode if code != grpc.StatusCode.OK]
REFUSED = "upstream main refuses the daemon's credentials, no credentials: "
OURS = grpc.StatusCode.UNAUTHENTICATED  # means the daemon's credentials, so the text says more


def test_status_comes_back(bouncer, fake):
    with bouncer.channel() as client:
        for code in FAILURES:
            fake.on("Search", fail(code, "no such thing"))
            error = client.fails("Search", SEARCH)
            assert error.code() == code
            assert error.details() == (own_text(UPSTREAM) + REFUSED if code == OURS else "") + "no such thing"


def test_text_of_a_status_comes_back(bouncer, fake):
    with bouncer.channel() as library, bouncer.h2() as client:
        for text in TEXTS:
            fake.on("Search", fail(grpc.StatusCode.NOT_FOUND, text))
            assert library.fails("Search", SEARCH).details() == text
            [encoded] = client.call("Search", SEARCH).values("grpc-message", -1) or [""]
            assert encoded.isascii() and encoded.isprintable()


def test_text_in_encodings_of_other_libraries(start_bouncer, wire):
    """Upper or lower case, with more escaped than must be, or with escapes that are none."""
    bouncer = start_bouncer(configuration(wire.upstream))
    for written, meant in [("k%c3%a4se", "käse"), ("%61%20%0A", "a \n"), ("100%", "100%"), ("%zz%4", "%zz%4")]:
        wire.on("Search", WireReply((*HEAD, ("grpc-status", "5"), ("grpc-message", written))))
        with bouncer.channel() as client:
            assert client.fails("Search", SEARCH).details() == meant


def test_own_errors_are_of_one_block(start_bouncer, fake):
    config = configuration(fake.upstream, databases={"known": {"upstream": "main"}})
    with start_bouncer(config).h2() as client:
        reply = client.call("Search", SEARCH)
        assert reply.is_trailers_only
        assert reply.http_status == 200
        assert reply.values("content-type") == ["application/grpc"]
        assert reply.code == INVALID_ARGUMENT
        assert reply.text.startswith(own_text(ADMISSION))


@pytest.mark.parametrize(
    "reply",
    [
        WireReply((*HEAD, ("grpc-status", "5"), ("grpc-message", "gone"), ("x-why", "because"))),
        WireReply(HEAD, b"", (("grpc-status", "5"), ("grpc-message", "gone"), ("x-why", "because"))),
        WireReply(HEAD, prefixed(b"half"), (("grpc-status", "5"), ("grpc-message", "gone"), ("x-why", "because"))),
    ],
)
def test_failure_in_all_forms(start_bouncer, wire, reply):
    """Trailers-only, with a head and trailers, even with a message that does not count."""
    wire.on("Search", reply)
    with start_bouncer(configuration(wire.upstream)).channel() as client:
        error = client.fails("Search", SEARCH)
        assert (error.code(), error.details()) == (grpc.StatusCode.NOT_FOUND, "gone")
        assert ("x-why", "because") in [*error.initial_metadata(), *error.trailing_metadata()]


METADATA = (
    ("x-custom", "one"),
    ("x-custom", "two"),
    ("x-empty", ""),
    ("x-text", "a, b; c = \"d\" ~!"),
    ("x-bytes-bin", bytes(range(256))),
    ("x-bytes-bin", b""),
    ("x-short-bin", b"\0"),
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
)


def of_client(metadata):
    """Those that are an application's, by name: among those of one name the order counts."""
    pairs = [tuple(pair) for pair in metadata if pair[0].startswith("x-") or pair[0] == "traceparent"]
    return sorted(pairs, key=lambda pair: pair[0])


def test_metadata_both_ways(bouncer, fake):
    initial, trailing = METADATA, METADATA[::-1]
    fake.on("Search", with_metadata(answer(milvus_pb2.SearchResults()), initial, trailing))
    with bouncer.channel() as client:
        call = client.start("Search", SEARCH, METADATA)
        call.result()
        assert of_client(call.initial_metadata()) == of_client(initial)
        assert of_client(call.trailing_metadata()) == of_client(trailing)
    assert of_client(fake.wait_for("Search").pairs) == of_client(METADATA)


def test_metadata_of_a_failure(bouncer, fake):
    fake.on("Search", with_metadata(fail(grpc.StatusCode.ABORTED, "no"), (("x-head", "1"),), METADATA))
    with bouncer.channel() as client:
        error = client.fails("Search", SEARCH)
        assert error.code() == grpc.StatusCode.ABORTED
        assert of_client(error.initial_metadata()) == [("x-head", "1")]
        assert of_client(error.trailing_metadata()) == of_client(METADATA)


@pytest.mark.parametrize("written", ["AQIDBA", "AQIDBA=="])
def test_binary_metadata_with_and_without_padding(bouncer, fake, written):
    with bouncer.h2() as client:
        assert client.call("Search", SEARCH, ("x-some-bin", written)).code == OK
    assert fake.wait_for("Search").metadata["x-some-bin"] == b"\1\2\3\4"


ODD = [
    ("x-bad-bin", "!no base64!"),
    ("x-cut-bin", "A"),
    ("x-empty-bin", ""),
    ("x-high", "\x80\xff"),
    ("te", "gzip"),
    ("user-agent", ""),
    ("grpc-status", "5"),
    ("grpc-message", "%"),
    ("grpc-accept-encoding", "nonsense"),
    ("grpc-internal-encoding-request", "gzip"),
    ("grpc-previous-rpc-attempts", "x"),
    ("grpc-retry-pushback-ms", "x"),
    ("grpc-server-stats-bin", "AA"),
    ("grpc-tags-bin", "!"),
    ("grpc-trace-bin", "AA"),
    ("grpclb_client_stats", "x"),
    ("endpoint-load-metrics-bin", "AA"),
    ("lb-cost-bin", "AA"),
    ("lb-token", "x"),
    ("host", "elsewhere"),
    ("content-length", "x"),
    ("content-length", "1"),
    ("connection", "close"),
    ("x" * 3000, "y"),
]


@pytest.mark.parametrize("method", ["Search", "NoSuchStream"])
def test_odd_metadata_hurts_nobody_else(bouncer, fake, method):
    """Names that HTTP/2, gRPC or its library give a meaning to, with values that have none."""
    with bouncer.h2() as bystander, bouncer.h2() as client:
        for name, value in ODD:
            stream = client.ask(method, b"", (name, value))
            client.until(lambda stream=stream: client.streams[stream].ended, f"the end of the call with {name}")
            assert bystander.call("GetVersion").code == OK, name


@pytest.mark.parametrize("size", [4000, 20000])
def test_much_metadata_both_ways(bouncer, fake, size):
    much = "".join(chr(ord("a") + n % 26) for n in range(size))
    fake.on("Search", with_metadata(answer(milvus_pb2.SearchResults()), (("x-head", much),), (("x-tail", much),)))
    fake.on("Query", fail(grpc.StatusCode.ABORTED, much))
    with bouncer.h2() as client:
        reply = client.call("Search", SEARCH, ("x-much", much))
        assert reply.code == OK
        assert reply.values("x-head") == reply.values("x-tail", -1) == [much]
        text = client.call("Query", SEARCH).text
        assert text and much.startswith(text)
    assert fake.wait_for("Search").metadata["x-much"] == much


PASSED = ("identifier", "client-request-id", "client_request_id", "client-request-unixmsec", "traceparent", "x-other")
STRIPPED = ("authorization", "log-level", "log_level")


def test_metadata_that_passes_and_that_does_not(bouncer, fake):
    metadata = [(name, f"value of {name}") for name in PASSED + STRIPPED]
    with bouncer.channel() as client:
        client.call("Search", SEARCH, metadata)
    call = fake.wait_for("Search")
    assert {name: call.values(name) for name in PASSED} == {name: [f"value of {name}"] for name in PASSED}
    assert not any(call.values(name) for name in STRIPPED)


def test_credentials_are_the_daemons(start_bouncer, fake, tmp_path):
    token = tmp_path / "token"
    token.write_text("the-token\n")
    bouncer = start_bouncer(configuration({**fake.upstream, "token_file": str(token)}))
    with bouncer.channel() as client:
        client.call("Search", SEARCH, [("authorization", "mine"), ("authorization", "mine, too")])
    assert fake.wait_for("Search").values("authorization") == ["dGhlLXRva2Vu"]


def test_cancel(bouncer, fake):
    fake.on("Search", hang)
    with bouncer.channel() as client:
        future = client.start("Search", SEARCH)
        call = fake.wait_for("Search")
        assert future.cancel()
        eventually(call.was_cancelled, "it is cancelled upstream")
        client.call("GetVersion", VERSION_REQUEST)


def test_cancel_of_one_among_many(bouncer, fake):
    gate = Gate(answer(milvus_pb2.SearchResults()))
    fake.on("Search", gate)
    with bouncer.h2() as client:
        streams = [client.ask("Search", SEARCH, ("x-number", str(n))) for n in range(5)]
        fake.wait_for("Search", 5)
        client.reset(streams[2])
        [call] = [call for call in fake.asked("Search") if call.metadata["x-number"] == "2"]
        eventually(call.was_cancelled, "the one is cancelled upstream")
        gate.open()
        for stream in streams[:2] + streams[3:]:
            assert client.reply(stream).code == OK
        client.ping()
        assert not client.streams[streams[2]].blocks


@pytest.mark.parametrize("tcp", [False, True])
def test_calls_of_a_vanished_client_are_cancelled(start_bouncer, fake, tcp):
    fake.on("Search", hang)
    bouncer = start_bouncer(configuration(fake.upstream), tcp=True)
    with H2(bouncer.tcp_address if tcp else bouncer.address) as client:
        for _ in range(5):
            client.ask("Search", SEARCH)
        fake.wait_for("Search", 5)
    eventually(lambda: all(call.was_cancelled() for call in fake.asked("Search")), "its calls are cancelled")


def test_half_closed_client_gets_its_replies(bouncer, fake):
    gate = Gate(answer(milvus_pb2.SearchResults()))
    fake.on("Search", gate)
    with bouncer.h2() as client:
        streams = [client.ask("Search", SEARCH) for _ in range(5)]
        fake.wait_for("Search", 5)
        client.half_close()
        gate.open()
        assert [client.reply(stream).code for stream in streams] == [OK] * 5
        assert client.at_end()


@pytest.mark.parametrize("method", ["NoSuchRpc", "/grpc.no.Such/Rpc"])
def test_unknown_method_is_forwarded(bouncer, fake, method):
    fake.on(method, lambda call, context: call.request[::-1])
    with bouncer.channel() as client:
        assert client.start(method, b"abc", [("x-custom", "one")]).result() == b"cba"
    assert fake.wait_for(method).metadata["x-custom"] == "one"


@pytest.mark.parametrize("method", ["NoSuchRpc", "/grpc.no.Such/Rpc"])
def test_unknown_method_on_a_real_server(start_bouncer, each_milvus, method):
    bouncer = start_bouncer(configuration(each_milvus.upstream), each_milvus.network)
    with bouncer.channel() as client:
        error = client.fails(method, SEARCH)
        assert error.code() == grpc.StatusCode.UNIMPLEMENTED
        assert not error.details().startswith("milvus-bouncer:")
        streamed = client.stream(method, [b""])
        with pytest.raises(grpc.RpcError) as raised:
            list(streamed)
        assert raised.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_vectors_on_a_real_server(start_bouncer, each_milvus, name):
    bouncer = start_bouncer(configuration(each_milvus.upstream), each_milvus.network)
    named = {"collection_name": name}
    with bouncer.channel() as client:
        checked(client.call("CreateCollection", messages.create_collection(name, 4)))
        checked(client.call("CreateIndex", messages.create_index(name)))
        checked(client.call("LoadCollection", milvus_pb2.LoadCollectionRequest(**named)))
        vectors = messages.numpy.eye(4, dtype="f4")
        checked(client.call("Insert", messages.insert(name, range(4), vectors)))
        found = checked(client.call("Search", messages.search(name, vectors[2], 1))).results
        assert list(found.ids.int_id.data) == [2]
        checked(client.call("DropCollection", milvus_pb2.DropCollectionRequest(**named)))


def test_reply_of_any_form(start_bouncer, wire):
    """Metadata in the head, and a message that is compressed."""
    reply = milvus_pb2.SearchResults(status=SUCCESS, collection_name="c" * 1000)
    data = prefixed(gzip.compress(reply.SerializeToString()), flag=1)
    wire.on("Search", EMPTY._replace(head=(*HEAD, ("grpc-encoding", "gzip"), ("x-custom", "one")), data=data))
    with start_bouncer(configuration(wire.upstream)).channel() as client:
        call = client.start("Search", SEARCH)
        assert milvus_pb2.SearchResults.FromString(call.result()) == reply
        assert of_client(call.initial_metadata()) == [("x-custom", "one")]
