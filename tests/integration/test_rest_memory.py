# SPDX-License-Identifier: Apache-2.0
"""What a large insert and a large answer make the daemon hold: a few times what travels."""
import json

import pytest
from pymilvus import DataType
from pymilvus.grpc_gen import milvus_pb2, schema_pb2

from bouncer import IS_SANITIZED, one_pool
from fake import answer
from rest import Kept

DIM = 1024
MULTIPLE = 5
FIELDS = (
    ("id", DataType.INT64),
    ("vector", DataType.FLOAT_VECTOR),
    ("text", DataType.VARCHAR),
    ("more", DataType.JSON),
)


def description():
    reply = milvus_pb2.DescribeCollectionResponse(collection_name="books")
    for number, (name, kind) in enumerate(FIELDS, 100):
        field = reply.schema.fields.add(fieldID=number, name=name, data_type=kind, is_primary_key=name == "id")
        if kind == DataType.FLOAT_VECTOR:
            field.type_params.add(key="dim", value=str(DIM))
    return reply


def rows(count, value):
    """As text; `value` is each number of the vectors."""
    vector = f"[{','.join([value] * DIM)}]"
    row = f'{{"id":%d,"vector":{vector},"text":"{"é" * 400}","more":{{"a":[1,2,{{}}]}}}}'
    return ",".join(row % number for number in range(count))


@pytest.fixture
def bouncer(start_bouncer, fake):
    fake.on("DescribeCollection", answer(description()))
    return start_bouncer({**one_pool(fake.upstream), "limits": {"max_message": "128MiB"}})


class Held:
    """What the daemon holds at most within, beyond what it held before."""

    def __init__(self, bouncer):
        self.bouncer = bouncer

    def __enter__(self):
        self.bouncer.forget_peak()
        self.before = self.bouncer.memory()
        return self

    def __exit__(self, *_):
        self.bytes = self.bouncer.peak_memory() - self.before


@pytest.mark.parametrize("value", ["0", "-0.12345678", "1.2345678901234567e-05"])
def test_insert(bouncer, fake, value):
    """Of the shortest numbers each becomes four bytes where it was two."""
    fake.on("Insert", answer(milvus_pb2.MutationResult()))
    size = 40 << 20
    body = f'{{"collectionName":"books","data":[{rows(size // len(rows(1, value)), value)}]}}'.encode()
    with Kept(bouncer) as rest:
        rest.call("entities/insert", collectionName="books", data=json.loads(f"[{rows(1, value)}]"))
        with Held(bouncer) as held:
            answered = rest.ask("entities/insert", body)
    assert answered.code == 0, answered
    assert IS_SANITIZED or held.bytes < MULTIPLE * len(body), held.bytes / len(body)


def test_answer(bouncer, fake):
    count = 4000
    reply = milvus_pb2.QueryResults(collection_name="books", output_fields=["vector"], primary_field_name="id")
    vectors = schema_pb2.VectorField(dim=DIM, float_vector={"data": [0.12345678] * (count * DIM)})
    reply.fields_data.add(type=DataType.FLOAT_VECTOR, field_name="vector", field_id=101, vectors=vectors)
    fake.on("Query", answer(reply))
    with Kept(bouncer) as rest:
        with Held(bouncer) as held:
            answered = rest.ask("entities/query", {"collectionName": "books", "filter": "id >= 0"})
    assert len(answered.body["data"]) == count
    assert IS_SANITIZED or held.bytes < MULTIPLE * len(answered.text), held.bytes / len(answered.text)
