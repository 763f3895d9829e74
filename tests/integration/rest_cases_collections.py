# SPDX-License-Identifier: Apache-2.0
"""Cases of routes about collections, partitions, indexes and aliases."""
from rest import COLLECTION_NOT_FOUND, is_refused
from rest_cases import case
from rest_place import DIM, index_of
from waiting import eventually

QUICK = {"dimension": DIM, "metricType": "L2"}


def loaded(place):
    return str(place.client.get_load_state(place.name)["state"]).endswith("Loaded")


@case("collections/list")
def collections_list(place):
    place.create(rows=0)
    assert sorted(place.call("collections/list")) == sorted(place.client.list_collections())


@case("collections/has")
def collections_has(place):
    assert place.call("collections/has") == {"has": False}
    place.create(rows=0)
    assert place.call("collections/has") == {"has": True}


@case("collections/describe", "milvus")
def collections_describe(place):
    place.create(description="of books")
    place.client.create_alias(place.name, f"{place.name}_too")
    told, known = place.call("collections/describe"), place.client.describe_collection(place.name)
    assert told["collectionName"] == place.name
    assert int(told["collectionID"]) == known["collection_id"]
    assert told["description"] == "of books"
    assert (told["autoId"], told["enableDynamicField"]) == (False, True)
    assert [(field["name"], field["type"], field["primaryKey"]) for field in told["fields"]] == [
        ("id", "Int64", True),
        ("vector", "FloatVector", False),
    ]
    assert told["fields"][1]["params"] == [{"key": "dim", "value": str(DIM)}]
    assert told["indexes"] == [{"fieldName": "vector", "indexName": "vector", "metricType": "L2"}]
    assert told["aliases"] == [f"{place.name}_too"]
    assert told["load"] == "LoadStateLoaded"
    assert told["consistencyLevel"] == "Strong"
    place.client.drop_alias(f"{place.name}_too")


@case("collections/get_stats")
def collections_get_stats(place):
    place.create()
    place.client.flush(place.name)
    assert place.call("collections/get_stats") == {"rowCount": 3}
    assert int(place.client.get_collection_stats(place.name)["row_count"]) == 3


@case("collections/get_load_state")
def collections_get_load_state(place):
    place.create()
    assert place.call("collections/get_load_state") == {"loadProgress": 100, "loadState": "LoadStateLoaded"}
    place.client.release_collection(place.name)
    assert place.call("collections/get_load_state")["loadState"] == "LoadStateNotLoad"
    absent = place.rest.ask("collections/get_load_state", {"collectionName": "no_such"})
    assert is_refused(absent, COLLECTION_NOT_FOUND, "collectionName")


@case("collections/create")
def collections_create(place):
    """By its dimension; test_rest_flow.py and this one's neighbours have the other ways."""
    assert place.call("collections/create", **QUICK, idType="VarChar", params={"max_length": 64}) == {}
    known = place.client.describe_collection(place.name)
    assert [(field["name"], field["type"].name) for field in known["fields"]] == [
        ("id", "VARCHAR"),
        ("vector", "FLOAT_VECTOR"),
    ]
    assert loaded(place)


@case("collections/drop")
def collections_drop(place):
    place.create()
    assert place.call("collections/drop") == {}
    assert not place.client.has_collection(place.name)


@case("collections/truncate")
def collections_truncate(place):
    place.create()
    assert place.call("collections/truncate") == {}
    assert place.keys() == []


@case("collections/rename")
def collections_rename(place):
    place.create()
    assert place.call("collections/rename", newCollectionName=f"{place.name}_new") == {}
    assert place.client.has_collection(f"{place.name}_new")
    assert not place.client.has_collection(place.name)


@case("collections/load")
def collections_load(place):
    place.create()
    place.client.release_collection(place.name)
    assert not loaded(place)
    assert place.call("collections/load") == {}
    eventually(lambda: loaded(place), "it is loaded")


@case("collections/refresh_load")
def collections_refresh_load(place):
    place.create()
    assert place.call("collections/refresh_load") == {}
    eventually(lambda: loaded(place), "it is loaded")


@case("collections/release")
def collections_release(place):
    place.create()
    assert place.call("collections/release") == {}
    assert not loaded(place)


TTL = "collection.ttl.seconds"


@case("collections/alter_properties")
def collections_alter_properties(place):
    place.create()
    assert place.call("collections/alter_properties", properties={TTL: 3600}) == {}
    assert str(place.client.describe_collection(place.name)["properties"][TTL]) == "3600"


@case("collections/drop_properties")
def collections_drop_properties(place):
    place.create()
    place.client.alter_collection_properties(place.name, {TTL: 3600})
    assert place.call("collections/drop_properties", propertyKeys=[TTL]) == {}
    assert TTL not in (place.client.describe_collection(place.name).get("properties") or {})


@case("collections/compact", "milvus")
def collections_compact(place):
    place.create()
    job = int(place.call("collections/compact")["compactionID"])
    assert job > 0
    assert place.client.get_compaction_state(job) in ("Executing", "Completed")


@case("collections/get_compaction_state", "milvus")
def collections_get_compaction_state(place):
    place.create()
    job = place.client.compact(place.name)
    told = place.call("collections/get_compaction_state", jobID=job)
    assert int(told["compactionID"]) == job
    assert told["state"] == place.client.get_compaction_state(job)


@case("collections/flush")
def collections_flush(place):
    place.create()
    assert place.call("collections/flush") == {}
    assert int(place.client.get_collection_stats(place.name)["row_count"]) == 3


@case("partitions/list")
def partitions_list(place):
    place.create()
    place.client.create_partition(place.name, "first")
    assert sorted(place.call("partitions/list")) == sorted(place.client.list_partitions(place.name)) == ["_default", "first"]


@case("partitions/has")
def partitions_has(place):
    place.create()
    assert place.call("partitions/has", partitionName="first") == {"has": False}
    place.client.create_partition(place.name, "first")
    assert place.call("partitions/has", partitionName="first") == {"has": True}


@case("partitions/get_stats")
def partitions_get_stats(place):
    place.create()
    place.client.flush(place.name)
    assert place.call("partitions/get_stats", partitionName="_default") == {"rowCount": 3}


@case("partitions/create")
def partitions_create(place):
    place.create()
    assert place.call("partitions/create", partitionName="first") == {}
    assert place.client.has_partition(place.name, "first")


@case("partitions/drop")
def partitions_drop(place):
    place.create()
    place.client.create_partition(place.name, "first")
    assert place.call("partitions/drop", partitionName="first") == {}
    assert not place.client.has_partition(place.name, "first")


@case("partitions/load", "milvus")
def partitions_load(place):
    place.create()
    place.client.create_partition(place.name, "first")
    place.client.release_collection(place.name)
    assert place.call("partitions/load", partitionNames=["first"]) == {}
    eventually(lambda: place.client.query(place.name, "id >= 0", partition_names=["first"]) == [], "it is loaded")


@case("partitions/release", "milvus")
def partitions_release(place):
    place.create()
    place.client.create_partition(place.name, "first")
    place.client.release_collection(place.name)
    place.client.load_partitions(place.name, ["first"])
    assert place.call("partitions/release", partitionNames=["first"]) == {}
    eventually(lambda: not loaded(place), "it is released")


@case("indexes/list", "milvus")
def indexes_list(place):
    place.create(index=False)
    assert place.call("indexes/list") == []
    place.client.create_index(place.name, index_of(index_name="nearby"))
    assert place.call("indexes/list") == place.client.list_indexes(place.name) == ["nearby"]


@case("indexes/describe", "milvus")
def indexes_describe(place):
    place.create(index=False)
    place.client.create_index(place.name, index_of(index_name="nearby"))
    [told] = place.call("indexes/describe", indexName="nearby")
    known = place.client.describe_index(place.name, "nearby")
    assert (told["indexName"], told["fieldName"]) == ("nearby", "vector")
    assert (told["indexType"], told["metricType"]) == (known["index_type"], known["metric_type"]) == ("FLAT", "L2")
    assert told["indexState"] == known["state"] == "Finished"
    assert (told["totalRows"], told["indexedRows"]) == (known["total_rows"], known["indexed_rows"])
    assert told["failReason"] == ""


@case("indexes/create", "milvus")
def indexes_create(place):
    place.create(index=False)
    wanted = {"fieldName": "vector", "indexName": "nearby", "metricType": "COSINE", "indexType": "HNSW",
              "params": {"M": 8, "efConstruction": 64}}  # fmt: skip
    assert place.call("indexes/create", indexParams=[wanted]) == {}
    known = place.client.describe_index(place.name, "nearby")
    assert (known["index_type"], known["metric_type"], known["params"]["M"]) == ("HNSW", "COSINE", 8)


@case("indexes/drop", "milvus")
def indexes_drop(place):
    place.create(index=False)
    place.client.create_index(place.name, index_of(index_name="nearby"))
    place.client.release_collection(place.name)
    assert place.call("indexes/drop", indexName="nearby") == {}
    assert place.client.list_indexes(place.name) == []


@case("aliases/list")
def aliases_list(place):
    place.create()
    assert place.call("aliases/list") == []
    place.client.create_alias(place.name, f"{place.name}_too")
    assert place.call("aliases/list") == [f"{place.name}_too"]


@case("aliases/describe")
def aliases_describe(place):
    """Milvus Lite leaves the database's name empty."""
    place.create()
    place.client.create_alias(place.name, f"{place.name}_too")
    told = place.call("aliases/describe", aliasName=f"{place.name}_too")
    assert told == {"dbName": "", "collectionName": place.name, "aliasName": f"{place.name}_too"}


@case("aliases/create")
def aliases_create(place):
    place.create()
    assert place.call("aliases/create", aliasName=f"{place.name}_too") == {}
    assert place.client.describe_alias(f"{place.name}_too")["collection_name"] == place.name


@case("aliases/drop")
def aliases_drop(place):
    place.create()
    place.client.create_alias(place.name, f"{place.name}_too")
    assert place.call("aliases/drop", aliasName=f"{place.name}_too") == {}
    assert place.client.list_aliases(place.name)["aliases"] == []


@case("aliases/alter")
def aliases_alter(place):
    place.create()
    place.client.create_collection(f"{place.name}_b", dimension=DIM)
    place.client.create_alias(place.name, f"{place.name}_too")
    assert place.call("aliases/alter", collectionName=f"{place.name}_b", aliasName=f"{place.name}_too") == {}
    assert place.client.describe_alias(f"{place.name}_too")["collection_name"] == f"{place.name}_b"
