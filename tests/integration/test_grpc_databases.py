# SPDX-License-Identifier: Apache-2.0
"""The database of a gRPC call: in the message, beside it, or the listener's; also of compressed messages."""
import gzip
import zlib

import grpc
import pytest
from pymilvus.grpc_gen import milvus_pb2

import messages
from accounts import collections, make_database
from bouncer import configuration
from channel import own_text
from codes import ADMISSION, INVALID_ARGUMENT, OK, RESOURCE_EXHAUSTED, UNIMPLEMENTED
from fake import Gate
from messages import checked
from test_databases import asked_for, databases
from test_limits import query_of

COMPRESSIONS = [grpc.Compression.NoCompression, grpc.Compression.Gzip, grpc.Compression.Deflate]
COMPRESS = {"gzip": gzip.compress, "deflate": zlib.compress}
SEARCH = milvus_pb2.SearchRequest(collection_name="c")


def search_in(database):
    """Long enough that a library thinks it worth compressing."""
    return milvus_pb2.SearchRequest(db_name=database, collection_name="c", dsl="x" * 1000)


@pytest.fixture
def renaming(start_bouncer, fake):
    """Serves any database, `renamed` by another name, and `of_listener` where none is named."""
    served = {**databases(renamed={"name": "renamed_v2"}), "*": {"upstream": "main"}}
    listener = {"database": "of_listener"}
    return start_bouncer(configuration(fake.upstream, databases=served), listener=listener)


@pytest.mark.parametrize(
    "in_message, beside_it, upstream",
    [
        ("", [], "of_listener"),
        ("", [""], "of_listener"),
        ("", ["one"], "one"),
        ("", ["one", "two"], "one"),
        ("", ["", "two"], "of_listener"),
        ("three", [], "three"),
        ("three", ["one"], "three"),
        ("three", [""], "three"),
        ("renamed", [], "renamed_v2"),
        ("renamed", ["one"], "renamed_v2"),
        ("", ["renamed"], "renamed_v2"),
        ("one", ["renamed"], "one"),
    ],
)
def test_name_that_arrives_upstream(renaming, fake, in_message, beside_it, upstream):
    request = search_in(in_message)
    metadata = [("dbname", name) for name in beside_it]
    with renaming.channel() as client:
        for count, compression in enumerate(COMPRESSIONS, 1):
            client.call("Search", request, metadata, compression=compression)
            call = fake.wait_for("Search", count)
            assert asked_for(call) == upstream
            assert len(call.values("dbname")) <= 1
            assert (call.message().collection_name, call.message().dsl) == (request.collection_name, request.dsl)


def test_two_clients_on_two_databases(renaming, fake):
    with renaming.channel() as one, renaming.channel() as two:
        for _ in range(3):
            for name, client in [("one", one), ("two", two)]:
                client.call("Search", SEARCH, [("dbname", name)])
                assert asked_for(fake.asked("Search")[-1]) == name


@pytest.mark.parametrize("in_message, beside_it", [("secret", []), ("", ["secret"]), ("secret", ["known"])])
def test_database_that_is_not_served(start_bouncer, fake, in_message, beside_it):
    config = configuration(fake.upstream, databases=databases(known={}))
    metadata = [("dbname", name) for name in beside_it]
    with start_bouncer(config).channel() as client:
        for compression in COMPRESSIONS:
            error = client.fails("Search", search_in(in_message), metadata, compression=compression)
            assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
            assert error.details().startswith(own_text(ADMISSION, "secret"))
        client.call("Search", search_in(""), [("dbname", "known")])
    assert fake.count("Search") == 1


@pytest.mark.parametrize("name", ["x" * 256, "x" * 20000, "a b", "a\tb", "\N{LATIN SMALL LETTER A WITH DIAERESIS}"])
def test_name_that_is_none(renaming, fake, name):
    with renaming.channel() as client:
        error = client.fails("Search", search_in(name))
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
        if name.isascii() and name.isprintable():
            assert client.fails("Search", SEARCH, [("dbname", name)]).code() == grpc.StatusCode.INVALID_ARGUMENT
    assert fake.count("Search") == 0


def test_rename_on_a_real_server(start_bouncer, each_milvus, name):
    direct = each_milvus.direct()
    upstream_name = "v2_" + name
    make_database(direct, upstream_name)
    served = databases(analytics={"name": upstream_name}, default={})
    bouncer = start_bouncer(configuration(each_milvus.upstream, databases=served), each_milvus.network)
    with bouncer.channel(compression=grpc.Compression.Gzip) as client:
        checked(client.call("CreateCollection", messages.create_collection("beside", 2), [("dbname", "analytics")]))
        request = messages.create_collection("within", 2)
        request.db_name = "analytics"
        checked(client.call("CreateCollection", request))
    assert collections(direct, upstream_name) == {"beside", "within"}
    assert not collections(direct, "default") & {"beside", "within"}
    direct.close()


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_compressed_message_is_passed_as_it_is(start_bouncer, wire, compression):
    request = search_in("")
    with start_bouncer(configuration(wire.upstream)).channel() as client:
        client.call("Search", request, compression=compression)
    call = wire.wait_for("Search")
    [(flag, data)] = call.messages
    if compression == grpc.Compression.NoCompression:
        assert (flag, data) == (0, request.SerializeToString())
        return
    [encoding] = call.values("grpc-encoding")
    decompress = {"gzip": gzip.decompress, "deflate": zlib.decompress}[encoding]
    assert encoding == compression.name.lower()
    assert (flag, decompress(data)) == (1, request.SerializeToString())


def test_message_that_is_not_compressed_on_a_call_that_says_how(renaming, fake):
    with renaming.h2() as client:
        for encoding in ("identity", "gzip", "deflate"):
            assert client.call("Search", SEARCH, ("grpc-encoding", encoding)).code == OK
    assert [call.message() for call in fake.asked("Search")] == [SEARCH] * 3


@pytest.mark.parametrize("flag", [0, 1])
def test_encoding_that_is_unknown(renaming, fake, flag):
    with renaming.h2() as client:
        reply = client.call("Search", SEARCH, ("grpc-encoding", "snappy"), flag=flag)
        assert reply.code == UNIMPLEMENTED
        assert reply.text.startswith("milvus-bouncer:") and "compressed" in reply.text
        [accepted] = reply.values("grpc-accept-encoding")
        assert {name.strip() for name in accepted.split(",")} == {"identity", "deflate", "gzip"}
        assert client.call("Search", SEARCH).code == OK
    assert fake.count("Search") == 1


@pytest.mark.parametrize("more", [[], [("grpc-encoding", "identity")]])
def test_compressed_without_saying_how(renaming, fake, more):
    with renaming.h2() as client:
        assert client.call("Search", gzip.compress(b""), *more, flag=1).code == INVALID_ARGUMENT
        assert client.call("Search", SEARCH).code == OK
    assert fake.count("Search") == 1


@pytest.mark.parametrize("encoding", COMPRESS)
@pytest.mark.parametrize("cut", [slice(0, 0), slice(0, 8), slice(0, -1), slice(1, None)])
def test_compressed_message_that_is_broken(renaming, fake, encoding, cut):
    data = COMPRESS[encoding](search_in("").SerializeToString())[cut]
    with renaming.h2() as client:
        reply = client.call("Search", data, ("grpc-encoding", encoding), flag=1)
        assert reply.code == INVALID_ARGUMENT
        assert reply.text.startswith("milvus-bouncer:")
        assert client.call("Search", SEARCH).code == OK
    assert fake.count("Search") == 1


@pytest.mark.parametrize("encoding", COMPRESS)
def test_compressed_message_that_grows_beyond_max_message(start_bouncer, fake, encoding):
    limit = 64 * 1024
    bouncer = start_bouncer(configuration(fake.upstream, limits={"max_message": "64KiB"}))
    with bouncer.h2() as client:
        for size, code in [(limit, OK), (limit + 1, RESOURCE_EXHAUSTED), (100 * limit, RESOURCE_EXHAUSTED)]:
            data = COMPRESS[encoding](query_of(size).SerializeToString())
            assert len(data) < limit
            reply = client.call("Query", data, ("grpc-encoding", encoding), flag=1)
            assert reply.code == code
            if code != OK:
                assert reply.text.startswith("milvus-bouncer:") and str(limit) in reply.text
    assert fake.count("Query") == 1


@pytest.mark.parametrize("encoding", COMPRESS)
def test_compressed_message_that_grows_without_measure(renaming, fake, encoding):
    """Up to 1 MiB it may grow as much as it likes, beyond that to 200 times its size."""
    with renaming.h2() as client:
        for size, code in [(1 << 20, OK), (4 << 20, RESOURCE_EXHAUSTED)]:
            data = COMPRESS[encoding](query_of(size).SerializeToString())
            assert 200 * len(data) < size
            reply = client.call("Query", data, ("grpc-encoding", encoding), flag=1)
            assert reply.code == code
            assert code == OK or "200 times its size" in reply.text
    assert fake.count("Query") == 1


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_compressed_messages_while_large_ones_take_the_room(start_bouncer, fake, compression):
    """What is unpacked takes room as well, and waits for it."""
    gate = Gate(lambda call, context: b"")
    fake.on("Query", gate)
    limits = {"max_message": "1MiB", "http2": {"max_buffered": "1MiB"}}
    served = {**databases(renamed={"name": "renamed_v2"}), "*": {"upstream": "main"}}
    bouncer = start_bouncer(configuration(fake.upstream, databases=served, limits=limits))
    with bouncer.channel() as client:
        large = [client.start("Query", query_of(1000 * 1024)) for _ in range(3)]
        fake.wait_for("Query")
        small = [client.start("Search", search_in("renamed"), compression=compression) for _ in range(10)]
        gate.open()
        for future in large + small:
            future.result()
    assert {call.message().db_name for call in fake.asked("Search")} == {"renamed_v2"}
