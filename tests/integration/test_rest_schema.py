# SPDX-License-Identifier: Apache-2.0
"""The schema comes from memory, so that a request is one RPC; when it has become another one, nobody hears of it."""
import pytest
from pymilvus import DataType, MilvusClient

from rest import BAD_ROWS, is_refused
from rest_place import VECTORS, index_of

SETUP = ("Connect", "GetVersion", "CreateCollection", "HasCollection", "DescribeIndex")
ROW = {"id": 1, "vector": VECTORS[0]}


def asked(place, since):
    return [call.method for call in place.server.calls[since:] if call.method not in SETUP]


def described(place):
    """With a collection that nothing is in."""
    schema = MilvusClient.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=4)
    place.client.create_collection(place.name, schema=schema)
    return place


def test_an_insert_is_one_call(rest_at):
    place = described(rest_at("fake"))
    before = len(place.server.calls)
    place.call("entities/insert", data=[ROW])
    assert asked(place, before) == ["DescribeCollection", "Insert"]
    before = len(place.server.calls)
    for _ in range(5):
        place.call("entities/insert", data=[ROW])
    assert asked(place, before) == ["Insert"] * 5


def test_what_is_wrong_with_any_schema_is_asked_once_more(rest_at):
    """And then the caller hears of it."""
    place = described(rest_at("fake"))
    place.call("entities/insert", data=[ROW])
    before = len(place.server.calls)
    wrong = place.rest.ask("entities/insert", {"collectionName": place.name, "data": [{**ROW, "vector": [1]}]})
    assert is_refused(wrong, BAD_ROWS, "data[0].vector")
    assert asked(place, before) == ["DescribeCollection"]


def recreate(place, name, dim, **more):
    """Behind the daemon's back: another vector, another key's name, further fields."""
    place.client.drop_collection(place.name)
    schema = MilvusClient.create_schema(enable_dynamic_field=False)
    schema.add_field(name, DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dim)
    for field, kind in more.items():
        schema.add_field(field, kind, **({"max_length": 32} if kind == DataType.VARCHAR else {}))
    place.client.create_collection(place.name, schema=schema, index_params=index_of(), consistency_level="Strong")


@pytest.mark.parametrize("which", ["lite", "milvus"])
def test_created_anew_with_another_schema(rest_at, which):
    place = rest_at(which)
    recreate(place, "id", 4)
    place.call("entities/insert", data=[ROW])
    place.call("entities/search", data=[VECTORS[0]], limit=1)
    recreate(place, "key", 3, title=DataType.VARCHAR)
    rows = [{"key": n, "vector": [n, 0, 1], "title": f"title {n}"} for n in range(3)]
    assert place.call("entities/insert", data=rows)["insertIds"] == [0, 1, 2]
    assert place.client.query(place.name, "key >= 0", output_fields=["count(*)"])[0]["count(*)"] == 3


@pytest.mark.parametrize("which", ["lite", "milvus"])
@pytest.mark.parametrize("ask", ["search", "get", "upsert", "delete"])
def test_first_asked_when_it_is_another_one(rest_at, which, ask):
    place = rest_at(which)
    recreate(place, "id", 4)
    place.call("entities/insert", data=[ROW])
    recreate(place, "key", 3)
    place.client.insert(place.name, [{"key": n, "vector": [n, 0, 1]} for n in range(3)])
    if ask == "search":
        assert place.call("entities/search", data=[[2, 0, 1]], limit=1)[0]["id"] == 2
    elif ask == "get":
        assert place.call("entities/get", id=[1], outputFields=["key"]) == [{"key": 1}]
    elif ask == "upsert":
        assert place.call("entities/upsert", data=[{"key": 7, "vector": [7, 0, 1]}])["upsertIds"] == [7]
    else:
        place.call("entities/delete", filter="key in [0, 1]")
        assert [row["key"] for row in place.client.query(place.name, "key >= 0", output_fields=["key"])] == [2]
