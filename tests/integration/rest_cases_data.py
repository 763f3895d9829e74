# SPDX-License-Identifier: Apache-2.0
"""Cases of routes about databases and what is in collections."""
import pytest
from pymilvus import AnnSearchRequest, RRFRanker, WeightedRanker

from rest_cases import case
from rest_place import VECTORS

TTL = "database.replica.number"


def new_rows(count=2):
    return [{"id": 10 + n, "vector": VECTORS[n], "title": f"new {n}"} for n in range(count)]


@case("entities/insert")
def entities_insert(place):
    place.create()
    assert place.call("entities/insert", data=new_rows()) == {"insertCount": 2, "insertIds": [10, 11]}
    assert place.keys() == [0, 1, 2, 10, 11]


@case("entities/upsert")
def entities_upsert(place):
    place.create()
    rows = [{"id": 1, "vector": VECTORS[0], "title": "another"}, *new_rows(1)]
    assert place.call("entities/upsert", data=rows) == {"upsertCount": 2, "upsertIds": [1, 10]}
    assert place.keys() == [0, 1, 2, 10]
    [row] = place.client.get(place.name, 1)
    assert (row["title"], row["vector"]) == ("another", VECTORS[0])


@case("entities/delete")
def entities_delete(place):
    place.create()
    deleted = place.call("entities/delete", filter="id in [0, 2]")
    assert deleted.get("deleteCount", 2) == 2
    assert place.keys() == [1]


@case("entities/get")
def entities_get(place):
    place.create()
    wanted = [{"id": 1, "title": "title 1"}]
    assert place.call("entities/get", id=1, outputFields=["id", "title"]) == wanted
    assert place.call("entities/get", id=["1"], outputFields=["id", "title"]) == wanted
    [row] = place.call("entities/get", id=[1])
    assert row == {"id": 1, "vector": VECTORS[1], "title": "title 1"}
    assert place.call("entities/get", id=[77]) == []


@case("entities/query")
def entities_query(place):
    place.create(rows=30)
    rows = place.call("entities/query", filter="id >= 10", outputFields=["id", "title"], limit=5, offset=3)
    known = place.client.query(place.name, "id >= 10", output_fields=["id", "title"], limit=5, offset=3)
    assert rows == [dict(row) for row in known]
    assert len(rows) == 5
    assert place.call("entities/query", filter="", outputFields=["count(*)"]) == [{"count(*)": 30}]


def found(hits, *names):
    """Rows of REST as pymilvus has hits."""
    return [(row["id"], pytest.approx(row["distance"]), *(row[name] for name in names)) for row in hits]


def known(hits, *names):
    return [(hit["id"], hit["distance"], *(hit["entity"][name] for name in names)) for hit in hits]


@case("entities/search")
def entities_search(place):
    place.create(rows=30)
    options = {"filter": "id < 20", "limit": 5, "outputFields": ["title"], "searchParams": {"metricType": "L2"}}
    hits = place.call("entities/search", data=VECTORS[:2], annsField="vector", offset=2, **options)
    both = place.client.search(
        place.name, VECTORS[:2], "id < 20", limit=5, output_fields=["title"], anns_field="vector",
        search_params={"metric_type": "L2", "offset": 2},
    )  # fmt: skip
    assert found(hits, "title") == [hit for of_one in both for hit in known(of_one, "title")]
    assert len(hits) == 10


def two_searches(place):
    """As REST has them, and pymilvus."""
    fields = ("vector", "vector1")
    rest = [
        {"data": [VECTORS[n]], "annsField": field, "limit": 5, "metricType": "L2", "params": {}}
        for n, field in enumerate(fields)
    ]
    sdk = [AnnSearchRequest([VECTORS[n]], field, {"metric_type": "L2"}, 5) for n, field in enumerate(fields)]
    return rest, sdk


@case("entities/hybrid_search")
def entities_hybrid_search(place):
    place.create(rows=30, vectors=2)
    rest, sdk = two_searches(place)
    rerank = {"strategy": "rrf", "params": {"k": 30}}
    hits = place.call("entities/hybrid_search", search=rest, rerank=rerank, limit=4, outputFields=["title"])
    [known_hits] = place.client.hybrid_search(place.name, sdk, RRFRanker(30), 4, ["title"])
    assert found(hits, "title") == known(known_hits, "title")
    assert len(hits) == 4


@case("entities/advanced_search")
def entities_advanced_search(place):
    place.create(rows=30, vectors=2)
    rest, sdk = two_searches(place)
    rerank = {"strategy": "weighted", "params": {"weights": [0.9, 0.1]}}
    hits = place.call("entities/advanced_search", search=rest, rerank=rerank, limit=4)
    [known_hits] = place.client.hybrid_search(place.name, sdk, WeightedRanker(0.9, 0.1), 4)
    assert found(hits) == known(known_hits)


def database_of(place):
    place.client.create_database(place.name)
    return place.name


@case("databases/create")
def databases_create(place):
    assert place.call("databases/create", dbName=place.name) == {}
    assert place.name in place.client.list_databases()


@case("databases/drop")
def databases_drop(place):
    assert place.call("databases/drop", dbName=database_of(place)) == {}
    assert place.name not in place.client.list_databases()


@case("databases/list")
def databases_list(place):
    database_of(place)
    assert sorted(place.call("databases/list")) == sorted(place.client.list_databases())


@case("databases/describe")
def databases_describe(place):
    place.client.create_database(database_of(place) + "_b", properties={TTL: "2"})
    told = place.call("databases/describe", dbName=place.name + "_b")
    assert told["dbName"] == place.name + "_b"
    assert {"key": TTL, "value": "2"} in told["properties"]
    assert "dbID" in told


def check_altered(place, route):
    assert place.call(route, dbName=database_of(place), properties={TTL: 2}) == {}
    assert str(place.client.describe_database(place.name)[TTL]) == "2"


@case("databases/alter")
def databases_alter(place):
    check_altered(place, "databases/alter")


@case("databases/alter_properties")
def databases_alter_properties(place):
    check_altered(place, "databases/alter_properties")


@case("databases/drop_properties")
def databases_drop_properties(place):
    place.client.alter_database_properties(database_of(place), {TTL: "2"})
    assert place.call("databases/drop_properties", dbName=place.name, propertyKeys=[TTL]) == {}
    assert TTL not in place.client.describe_database(place.name)
