# SPDX-License-Identifier: Apache-2.0
"""A request over REST that takes several calls: what comes from memory, what they share, and how they end."""
import time

import pytest
from pymilvus.grpc_gen import milvus_pb2, schema_pb2

from bouncer import configuration
from fake import SUCCESS, answer, late
from http1 import Http, request
from waiting import eventually, settled

INSERT, FLUSH = "/v2/vectordb/entities/insert", "/v2/vectordb/collections/flush"
ROW = {"id": 1, "vector": [0.5, 0.5]}
SCHEMA = schema_pb2.CollectionSchema(
    name="books",
    fields=[
        schema_pb2.FieldSchema(fieldID=100, name="id", is_primary_key=True, data_type=schema_pb2.Int64),
        schema_pb2.FieldSchema(
            fieldID=101, name="vector", data_type=schema_pb2.FloatVector, type_params=[{"key": "dim", "value": "2"}]
        ),
    ],
)


def described(schema):
    return answer(
        milvus_pb2.DescribeCollectionResponse(status=SUCCESS, collection_name="books", collectionID=7, schema=schema)
    )


@pytest.fixture
def bouncer(start_bouncer, fake):
    fake.on("DescribeCollection", described(SCHEMA))
    fake.on("Insert", answer(milvus_pb2.MutationResult(status=SUCCESS, insert_cnt=1, IDs={"int_id": {"data": [1]}})))
    fake.on("Flush", answer(milvus_pb2.FlushResponse(status=SUCCESS, coll_segIDs={"books": {"data": [9]}})))
    return start_bouncer(configuration(fake.upstream))


def insert(bouncer, *rows):
    with Http(bouncer.address) as http:
        return http.ask(INSERT, {"collectionName": "books", "data": rows})


def test_schema_comes_from_memory(bouncer, fake):
    for _ in range(3):
        assert insert(bouncer, ROW).code == 0
    assert (fake.count("DescribeCollection"), fake.count("Insert")) == (1, 3)


def test_schema_that_does_not_fit_is_asked_for_again(bouncer, fake):
    assert insert(bouncer, ROW).code == 0
    longer = schema_pb2.CollectionSchema.FromString(SCHEMA.SerializeToString())
    longer.fields.add(fieldID=102, name="title", data_type=schema_pb2.VarChar)
    fake.on("DescribeCollection", described(longer))
    assert insert(bouncer, {**ROW, "title": "new"}).code == 0
    assert fake.count("DescribeCollection") == 2
    wrong = insert(bouncer, {"id": 1})
    assert wrong.code != 0 and "vector" in wrong.message
    assert (fake.count("DescribeCollection"), fake.count("Insert")) == (3, 2)


def test_calls_share_one_deadline(bouncer, fake):
    """Of a flush that never ends, which is asked about twice a second."""
    fake.on("Flush", late(0.6, milvus_pb2.FlushResponse(status=SUCCESS, coll_segIDs={"books": {"data": [9]}})))
    start = time.monotonic()
    with Http(bouncer.address) as http:
        response = http.ask(FLUSH, {"collectionName": "books"}, "Request-Timeout: 2")
    assert (response.status, response.code) == (408, 10001)
    assert 1.9 < time.monotonic() - start < 8
    assert fake.count("Flush") == 1 and fake.count("GetFlushState") >= 2
    assert fake.asked("GetFlushState")[0].time_remaining < 1.5


def test_client_that_leaves_between_two_calls(bouncer, fake):
    with Http(bouncer.address) as http:
        http.raw(request(FLUSH, {"collectionName": "books"}))
        fake.wait_for("GetFlushState", 2)
    eventually(lambda: bouncer.count_clients() == 0, "it has left")
    assert settled(lambda: fake.count("GetFlushState")) <= 3


def test_drain_waits_for_all_calls(bouncer, fake):
    with Http(bouncer.address) as http:
        http.raw(request(FLUSH, {"collectionName": "books"}))
        fake.wait_for("GetFlushState", 1)
        bouncer.drain()
        fake.wait_for("GetFlushState", 4)
        fake.on("GetFlushState", answer(milvus_pb2.GetFlushStateResponse(status=SUCCESS, flushed=True)))
        response = http.response()
        assert response.code == 0 and response.closes and http.at_end()
