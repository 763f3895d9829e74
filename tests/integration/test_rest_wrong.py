# SPDX-License-Identifier: Apache-2.0
"""What is wrong is told: by the code that Milvus's REST has for it, and a message that names the field."""
import grpc
import pytest
from pymilvus import DataType
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

from bouncer import configuration, one_pool
from codes import INVALID_ARGUMENT, PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNAVAILABLE, UNIMPLEMENTED
from fake import SUCCESS, Gate, answer, fail, hang
from messages import pairs
from processes import free_port
from rest import (
    BAD_KEY, BAD_RESULT, BAD_ROWS, COLLECTION_NOT_FOUND, MISSING, NOT_JSON, PARAMETER, PREFIX, TIMEOUT, UNAUTHENTICATED,
    UNEXPECTED, Kept, Rest, is_refused,
)  # fmt: skip
from rest_place import DIM, VECTORS
from sdk_client import direct_client
from test_limits import wait_for_own_questions

ROUTE = "entities/query"
NOT_ALLOWED, TOO_LARGE, NOT_UNDERSTOOD = (405, 413, 415)


@pytest.fixture
def rest(start_bouncer, fake):
    return Rest(start_bouncer(configuration(fake.upstream)).address)


# ---- bodies ----

NO_JSON = {
    "nothing": b"",
    "blank": b" ",
    "no JSON": b"collectionName=books",
    "cut": b'{"collectionName": "books"',
    "an array": b'[{"collectionName": "books"}]',
    "a string": b'"books"',
    "two": b'{"collectionName": "books"} {}',
    "not UTF-8": b'{"collectionName": "\xff"}',
    "half a surrogate": b'{"collectionName": "\\ud800"}',
    "a control character": b'{"collectionName": "a\nb"}',
    "a number with a leading zero": b'{"collectionName": "books", "limit": 01}',
    "NaN": b'{"collectionName": "books", "limit": NaN}',
    "a comma too many": b'{"collectionName": "books",}',
    "too deep": b'{"collectionName": ' + b"[" * 5000 + b"]" * 5000 + b"}",
}


@pytest.mark.parametrize("body", NO_JSON.values(), ids=list(NO_JSON))
def test_no_json(rest, fake, body):
    assert is_refused(rest.ask(ROUTE, body), NOT_JSON)
    assert fake.count("Query") == 0


REQUIRED = {
    "collections/has": ["collectionName"],
    "collections/rename": ["collectionName", "newCollectionName"],
    "databases/create": ["dbName"],
    "entities/query": ["collectionName"],
    "entities/get": ["collectionName", "id"],
    "entities/delete": ["collectionName", "filter"],
    "entities/insert": ["collectionName", "data"],
    "entities/upsert": ["collectionName", "data"],
    "entities/search": ["collectionName", "data"],
    "partitions/has": ["collectionName", "partitionName"],
    "partitions/load": ["collectionName", "partitionNames"],
    "users/create": ["userName", "password"],
    "users/update_password": ["userName", "password", "newPassword"],
    "roles/grant_privilege": ["roleName", "objectType", "objectName", "privilege"],
    "indexes/create": ["collectionName", "indexParams"],
    "aliases/create": ["collectionName", "aliasName"],
    "resource_groups/create": ["name"],
}
LISTS = {"data": [{"id": 1}], "partitionNames": ["a"], "indexParams": [{"fieldName": "vector"}], "id": [1]}


@pytest.mark.parametrize("route, names", REQUIRED.items(), ids=list(REQUIRED))
def test_missing(rest, fake, route, names):
    key = schema_pb2.FieldSchema(name="id", data_type=schema_pb2.Int64, is_primary_key=True, fieldID=100)
    vector = schema_pb2.FieldSchema(name="vector", data_type=schema_pb2.FloatVector, type_params=pairs(dim=DIM))
    described = milvus_pb2.DescribeCollectionResponse(schema=schema_pb2.CollectionSchema(fields=[key, vector]))
    fake.on("DescribeCollection", answer(described))
    fields = {name: LISTS.get(name, "a") for name in names}
    for name in names:
        without = {other: value for other, value in fields.items() if other != name}
        assert is_refused(rest.ask(route, without), MISSING, name)
        assert is_refused(rest.ask(route, {**without, name: None}), MISSING, name)
    assert {call.method for call in fake.calls} <= {"Connect", "GetVersion", "DescribeCollection"}


# ---- rows, keys and parameters, on a collection ----


@pytest.fixture(scope="module")
def books(lite):
    """A collection without and one with a dynamic field."""
    names = {False: "wrong_fixed", True: "wrong_open"}
    with direct_client(lite) as client:
        for dynamic, name in names.items():
            schema = client.create_schema(enable_dynamic_field=dynamic)
            schema.add_field("id", DataType.INT64, is_primary=True)
            schema.add_field("tiny", DataType.INT8, nullable=True)
            schema.add_field("single", DataType.FLOAT, nullable=True)
            schema.add_field("title", DataType.VARCHAR, max_length=8, nullable=True)
            schema.add_field("tags", DataType.ARRAY, element_type=DataType.INT32, max_capacity=2, nullable=True)
            schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
            index = client.prepare_index_params()
            index.add_index("vector", index_type="FLAT", metric_type="L2")
            client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
        yield names
        for name in names.values():
            client.drop_collection(name)


GOOD = {"id": 1, "vector": VECTORS[0]}
BAD_ROW = {  # what the second row has besides, and what the message names
    "too few numbers": ({"vector": [1, 2, 3]}, ["data[1].vector", "4"]),
    "too many numbers": ({"vector": [1, 2, 3, 4, 5]}, ["data[1].vector", "4"]),
    "no vector": ({"vector": None}, ["data[1]", "vector"]),
    "a string in a vector": ({"vector": [1, 2, "x", 4]}, ["data[1].vector[2]"]),
    "a number beyond 32 bits": ({"vector": [1, 2, 1e39, 4]}, ["data[1].vector[2]"]),
    "a string as a vector": ({"vector": "AAAA"}, ["data[1].vector"]),
    "no key": ({"id": None}, ["data[1]", "id"]),
    "a fraction as a key": ({"id": 1.5}, ["data[1].id"]),
    "a key beyond 64 bits": ({"id": 2**63}, ["data[1].id"]),
    "a text as a key": ({"id": "one"}, ["data[1].id"]),
    "beyond 8 bits": ({"tiny": 128}, ["data[1].tiny"]),
    "an object for a text": ({"title": {}}, ["data[1].title"]),
    "a text for a number": ({"single": "much"}, ["data[1].single"]),
    "an object for an array": ({"tags": {}}, ["data[1].tags"]),
    "an array with a text": ({"tags": [1, "x"]}, ["data[1].tags[1]"]),
    "a field that there is not": ({"unknown": 1}, ["data[1]", "unknown"]),
}


@pytest.mark.parametrize("more, words", BAD_ROW.values(), ids=list(BAD_ROW))
@pytest.mark.parametrize("route", ["entities/insert", "entities/upsert"])
def test_rows(rest_at, books, route, more, words):
    rest = rest_at("lite").rest
    answer = rest.ask(route, {"collectionName": books[False], "data": [GOOD, {**GOOD, **more}]})
    assert is_refused(answer, BAD_ROWS, *words)
    assert rest.call(ROUTE, collectionName=books[False], filter="id >= 0", outputFields=["id"]) == []


@pytest.mark.parametrize("data", [{}, [], "rows", [1], [[]], 5], ids=str)
def test_data_that_is_no_rows(rest_at, books, data):
    answer = rest_at("lite").rest.ask("entities/insert", {"collectionName": books[True], "data": data})
    assert answer.status == 200
    assert answer.code in (MISSING, BAD_ROWS, NOT_JSON, PARAMETER), answer
    assert "data" in answer.message


BAD_KEYS = {"a text": "one", "an array with a text": [1, "one"], "a fraction": 1.5, "too large": 2**64, "an object": {}}


@pytest.mark.parametrize("key", BAD_KEYS.values(), ids=list(BAD_KEYS))
def test_keys(rest_at, books, key):
    assert is_refused(rest_at("lite").rest.ask("entities/get", {"collectionName": books[True], "id": key}), BAD_KEY, "id")


SEARCH = {"data": [VECTORS[0]], "annsField": "vector"}
BAD_PARAMETERS = {
    "limit is a text": ("entities/query", {"filter": "id > 0", "limit": "ten"}, "limit"),
    "limit is a fraction": ("entities/search", {**SEARCH, "limit": 1.5}, "limit"),
    "offset is an object": ("entities/query", {"filter": "id > 0", "offset": {}}, "offset"),
    "outputFields is a text": ("entities/query", {"filter": "id > 0", "outputFields": "id"}, "outputFields"),
    "no such consistency": ("entities/search", {**SEARCH, "consistencyLevel": "Sometimes"}, "consistencyLevel"),
    "no such vector field": ("entities/search", {**SEARCH, "annsField": "no_such"}, "no_such"),
    "a vector of another size": ("entities/search", {**SEARCH, "data": [[1, 2]]}, "data[0]"),
    "a vector with a text": ("entities/search", {**SEARCH, "data": [[1, 2, "x", 4]]}, "data[0][2]"),
    "partitionNames has a number": ("entities/query", {"filter": "id > 0", "partitionNames": [1]}, "partitionNames[0]"),
    "filter is a number": ("entities/query", {"filter": 5}, "filter"),
}


@pytest.mark.parametrize("route, fields, word", BAD_PARAMETERS.values(), ids=list(BAD_PARAMETERS))
def test_parameters(rest_at, books, route, fields, word):
    answer = rest_at("lite").rest.ask(route, {"collectionName": books[True], **fields})
    assert is_refused(answer, answer.code, word)
    assert answer.code in (PARAMETER, NOT_JSON), answer


@pytest.mark.parametrize("which", ["lite", "milvus"])
def test_what_milvus_says(rest_at, which):
    """In a status passes with its code and reason."""
    place = rest_at(which)
    for route, more in {
        "collections/describe": {},
        "entities/insert": {"data": [GOOD]},
        "entities/search": SEARCH,
        "entities/get": {"id": 1},
    }.items():
        answer = place.rest.ask(route, {"collectionName": "no_such_books", **more})
        assert is_refused(answer, COLLECTION_NOT_FOUND, "no_such_books")
    place.create()
    answer = place.rest.ask(ROUTE, {"collectionName": place.name, "filter": "no filter ("})
    assert answer.status == 200
    assert answer.code != 0
    assert "no filter (" in answer.message or "expression" in answer.message


# ---- what the upstream does ----


def test_legacy_codes(rest, fake):
    """Of a status without a code of today (Milvus before 2.3)."""
    for old, new in {49: 8, 48: 9, 62: 109, 4: 100, 1: 65535}.items():
        fake.on("HasPartition", answer(milvus_pb2.BoolResponse(status=common_pb2.Status(error_code=old, reason="why"))))
        told = rest.ask("partitions/has", {"collectionName": "books", "partitionName": "a"})
        assert is_refused(told, new, "why")


def broken_result():
    """Two keys, and one title."""
    reply = milvus_pb2.QueryResults(status=SUCCESS, output_fields=["id", "title"])
    key = reply.fields_data.add(field_name="id", type=schema_pb2.Int64)
    key.scalars.long_data.data.extend([1, 2])
    title = reply.fields_data.add(field_name="title", type=schema_pb2.VarChar)
    title.scalars.string_data.data.append("only one")
    return reply.SerializeToString()


@pytest.mark.parametrize(
    "reply, code", [(b"\xff\xff\xff", UNEXPECTED), (broken_result(), BAD_RESULT)], ids=["no message", "two lengths"]
)
def test_result_that_is_broken(rest, fake, reply, code):
    fake.on("Query", lambda call, context: reply)
    assert is_refused(rest.ask(ROUTE, {"collectionName": "books", "filter": "id > 0"}), code, "upstream")


@pytest.mark.parametrize(
    "code, status",
    [("UNIMPLEMENTED", 501), ("UNAVAILABLE", 503), ("INTERNAL", 500), ("PERMISSION_DENIED", 403),
     ("RESOURCE_EXHAUSTED", 429), ("INVALID_ARGUMENT", 400)],
)  # fmt: skip
def test_status_of_grpc(rest, fake, code, status):
    code = grpc.StatusCode[code]
    fake.on("Query", fail(code, "as it says"))
    assert is_refused(rest.ask(ROUTE, {"collectionName": "books"}), code.value[0], "as it says", status=status)


def test_upstream_refuses_the_credential(rest, fake):
    fake.on("Query", fail(grpc.StatusCode.UNAUTHENTICATED, "who are you"))
    assert is_refused(rest.ask(ROUTE, {"collectionName": "books"}), UNAUTHENTICATED, status=401)


def test_request_timeout(rest, fake):
    fake.on("Query", hang)
    answer = rest.ask(ROUTE, {"collectionName": "books"}, {"Request-Timeout": "1"})
    assert is_refused(answer, TIMEOUT, "milvus-bouncer:", status=408)
    assert fake.wait_for("Query").time_remaining < 1.1


def test_upstream_away(start_bouncer):
    rest = Rest(start_bouncer(configuration({"uri": f"http://127.0.0.1:{free_port()}", "connect_timeout": "500ms"})).address)
    assert is_refused(rest.ask(ROUTE, {"collectionName": "books"}), UNAVAILABLE, "milvus-bouncer:", status=503)


# ---- the daemon's own rules ----


def test_database_not_served(start_bouncer, fake):
    rest = Rest(start_bouncer(one_pool(fake.upstream)).address)
    for fields, headers in (({"dbName": "other"}, {}), ({}, {"DB-Name": "other"})):
        answer = rest.ask(ROUTE, {"collectionName": "books", **fields}, headers)
        assert is_refused(answer, INVALID_ARGUMENT, "other", status=400)
    assert fake.count("Query") == 0


def test_not_allowed(start_bouncer, fake):
    rules = [{"match": {"any": True}, "allow": "read", "databases": "default"}]
    rest = Rest(start_bouncer(configuration(fake.upstream, access=rules)).address)
    rest.call("collections/has", collectionName="books")
    assert is_refused(
        rest.ask("collections/drop", {"collectionName": "books"}), PERMISSION_DENIED, "DropCollection", status=403
    )
    assert fake.count("DropCollection") == 0


def test_queue_full(start_bouncer, fake):
    gate = Gate(answer(milvus_pb2.BoolResponse(status=SUCCESS)))
    fake.on("HasPartition", gate)
    bouncer = start_bouncer(one_pool(fake.upstream, pool_size=1, max_in_flight=1, queue_size=1))
    message = milvus_pb2.HasPartitionRequest(collection_name="books", partition_name="a")
    with bouncer.plain() as client:
        wait_for_own_questions(client)
        waiting = [client.send("HasPartition", message)]
        fake.wait_for("HasPartition")
        waiting.append(client.send("HasPartition", message))
        client.ping()
        answer_of_third = Rest(bouncer.address).ask("partitions/has", {"collectionName": "books", "partitionName": "a"})
        assert is_refused(answer_of_third, RESOURCE_EXHAUSTED, "queue", status=429)
        gate.open()
        assert [client.reply(ident).code for ident in waiting] == [0, 0]


def test_body_too_large(start_bouncer, fake):
    rest = Rest(start_bouncer(configuration(fake.upstream, limits={"max_message": "1MiB"})).address)
    body = b'{"collectionName": "' + b"x" * (1 << 20) + b'"}'
    assert is_refused(rest.ask(ROUTE, body), TOO_LARGE, "max_message", status=413)


def test_paths_and_methods(rest):
    assert is_refused(rest.ask("entities/no_such", {}), 404, status=404)
    assert is_refused(rest.curl("-X", "GET", PREFIX + ROUTE), NOT_ALLOWED, status=405)
    assert is_refused(rest.ask(ROUTE, {}, {"Content-Encoding": "br"}), NOT_UNDERSTOOD, "Content-Encoding", status=415)


def test_what_the_upstream_has_not(rest, fake):
    fake.on("CreatePrivilegeGroup", fail(grpc.StatusCode.UNIMPLEMENTED, "unknown method CreatePrivilegeGroup"))
    answer = rest.ask("privilege_groups/create", {"privilegeGroupName": "readers"})
    assert is_refused(answer, UNIMPLEMENTED, "unknown method CreatePrivilegeGroup", status=501)


def test_a_connection_survives_errors(start_bouncer, fake):
    bouncer = start_bouncer(configuration(fake.upstream))
    with Kept(bouncer) as kept:
        for body in NO_JSON.values():
            assert is_refused(kept.ask(ROUTE, body), NOT_JSON)
        assert kept.call("collections/list") == []
