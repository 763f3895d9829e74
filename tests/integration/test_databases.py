# SPDX-License-Identifier: Apache-2.0
"""Which database a request goes to: by name, renamed, through "*", or nowhere."""
import pytest
from pymilvus.grpc_gen import milvus_pb2

import messages
from accounts import collections, make_database
from bouncer import configuration
from codes import ADMISSION, INVALID_ARGUMENT, UNIMPLEMENTED, is_own
from fake import VERSION
from messages import checked

SEARCH = milvus_pb2.SearchRequest()


def asked_for(call):
    """The database that Milvus takes a call to be for: the message's field wins over the metadata."""
    return call.message().db_name or call.metadata.get("dbname", "default")


def databases(**entries):
    return {name: {"upstream": "main", **settings} for name, settings in entries.items()}


def searched_in(fake, client, in_message, beside_it):
    client.call("Search", milvus_pb2.SearchRequest(db_name=in_message, collection_name="c"), beside_it)
    call = fake.asked("Search")[-1]
    assert call.message().collection_name == "c"
    return asked_for(call)


@pytest.mark.parametrize(
    "in_message, beside_it, upstream",
    [
        ("", "", "default"),
        ("", "analytics", "analytics_v2"),
        ("analytics", "", "analytics_v2"),
        ("analytics", "analytics", "analytics_v2"),
        ("analytics", "other", "analytics_v2"),
        ("other", "analytics", "other"),
        ("other", "", "other"),
    ],
)
def test_name_that_arrives_upstream(start_bouncer, fake, in_message, beside_it, upstream):
    served = {**databases(analytics={"name": "analytics_v2"}), "*": {"upstream": "main"}}
    with start_bouncer(configuration(fake.upstream, databases=served)).plain() as client:
        assert searched_in(fake, client, in_message, beside_it) == upstream


def test_database_of_a_listener(start_bouncer, fake):
    listener = {"database": "analytics"}
    with start_bouncer(configuration(fake.upstream), listener=listener).plain() as client:
        assert searched_in(fake, client, "", "") == "analytics"
        assert searched_in(fake, client, "", "other") == "other"


@pytest.mark.parametrize("in_message, beside_it", [("", ""), ("", "secret"), ("secret", ""), ("secret", "known")])
def test_database_that_is_not_served(start_bouncer, fake, in_message, beside_it):
    config = configuration(fake.upstream, databases=databases(known={}))
    with start_bouncer(config).plain() as client:
        error = client.fails("Search", milvus_pb2.SearchRequest(db_name=in_message), beside_it)
        assert is_own(error, INVALID_ARGUMENT, ADMISSION, in_message or beside_it or "default"), error
        client.call("Search", SEARCH, "known")
    assert fake.count("Search") == 1


def test_rename_on_a_real_server(start_bouncer, each_milvus, name):
    direct = each_milvus.direct()
    upstream_name = "v2_" + name
    make_database(direct, upstream_name)
    served = databases(analytics={"name": upstream_name}, default={})
    bouncer = start_bouncer(configuration(each_milvus.upstream, databases=served), each_milvus.network)
    with bouncer.plain() as client:
        checked(client.call("CreateCollection", messages.create_collection("beside", 2), "analytics"))
        request = messages.create_collection("within", 2)
        request.db_name = "analytics"
        checked(client.call("CreateCollection", request))
    assert collections(direct, upstream_name) == {"beside", "within"}
    assert not collections(direct, "default") & {"beside", "within"}
    direct.close()


def test_any_database_on_a_real_server(start_bouncer, each_milvus, name):
    direct = each_milvus.direct()
    make_database(direct, name)
    with start_bouncer(configuration(each_milvus.upstream), each_milvus.network).plain() as client:
        checked(client.call("CreateCollection", messages.create_collection("books", 2), name))
    assert collections(direct, name) == {"books"}
    direct.close()


@pytest.mark.parametrize("method", ["NoSuchRpc", "milvus.proto.milvus.MilvusService/NoSuchRpc", "grpc.no.Such/Rpc"])
def test_unknown_rpc_is_forwarded(start_bouncer, each_milvus, method):
    with start_bouncer(configuration(each_milvus.upstream), each_milvus.network).plain() as client:
        error = client.fails(method, SEARCH)
        assert error.code == UNIMPLEMENTED
        assert not error.message.startswith("milvus-bouncer:")


def test_full_name_of_a_method(start_bouncer, fake):
    with start_bouncer(configuration(fake.upstream)).plain() as client:
        frame = client.reply(client.send("milvus.proto.milvus.MilvusService/GetVersion", SEARCH))
        assert milvus_pb2.GetVersionResponse.FromString(frame.payload).version == VERSION


def test_request_arrives_as_the_bytes_it_is(start_bouncer, fake):
    """Also with fields that no version of Milvus knows."""
    request = milvus_pb2.SearchRequest(collection_name="c", dsl="x")
    bytes_sent = request.SerializeToString() + b"\xfa\xff\x7f\x05hello"
    with start_bouncer(configuration(fake.upstream)).plain() as client:
        client.call("Search", milvus_pb2.SearchRequest.FromString(bytes_sent))
    assert fake.wait_for("Search").request == bytes_sent
