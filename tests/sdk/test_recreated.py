# SPDX-License-Identifier: Apache-2.0
"""A collection that somebody dropped and created anew, past the daemon: what the SDK remembers of it is wrong, and what
the daemon remembers too."""
from contextlib import ExitStack

import pytest
from pymilvus import DataType, MilvusClient
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

from fake import SUCCESS, Fake
from inserting import Inserting
from messages import pairs
from sdk_client import direct_client
from sdks import Site, new_prefix

SDKS = ["node", "go", "java"]
DONE = {"result": 1}
TITLE = {"title": "t"}
CHANGES = {  # dimension and further fields, before and after
    "dimension": ((4, {}), (8, {})),
    "field_more": ((4, {}), (4, TITLE)),
    "field_less": ((4, TITLE), (4, {})),
}
BEFORE, AFTER = 0, 1
FIRST_KEYS = {"direct": 1, "tcp": 11}


def row(key, dim, more):
    return {"id": key, "vector": [float(key)] * dim, **more}


def schema(dim, more):
    fields = MilvusClient.create_schema()
    fields.add_field("id", DataType.INT64, is_primary=True)
    fields.add_field("vector", DataType.FLOAT_VECTOR, dim=dim)
    for field in more:
        fields.add_field(field, DataType.VARCHAR, max_length=32)
    return fields


def create(client, prefix, when):
    """Without an index and not loaded, which takes long."""
    for change, shapes in CHANGES.items():
        client.create_collection(f"{prefix}_{change}", schema=schema(*shapes[when]), consistency_level="Strong")


def drop(client, prefix):
    for change in CHANGES:
        client.drop_collection(f"{prefix}_{change}")


def inserting(site, sdk, way, prefix):
    return Inserting(site.command(sdk, way), site.settings(way), prefix)


def insert(programs, told, when):
    """Each program inserts a row with the next key into each collection."""
    for way, program in programs.items():
        for change, shapes in CHANGES.items():
            key = FIRST_KEYS[way] + len(told[way][change])
            told[way][change].append(program.insert(f"_{change}", row(key, *shapes[when])))


def rows_in(client, name):
    index = MilvusClient.prepare_index_params("vector", index_type="FLAT", metric_type="L2")
    client.create_index(name, index)
    client.load_collection(name)
    rows = client.query(name, filter="id > 0", output_fields=["*"], consistency_level="Strong")
    return sorted(rows, key=lambda each: each["id"])


@pytest.mark.parametrize("sdk", SDKS)
def test_recreated(site, sdk):
    """Through the daemon as directly. A new dimension is nothing to Go and Java; a field more fails once with Java. Node
    asks again only if the server says that the schema was another, which neither of these does: Lite refuses the
    vectors, and Milvus 2.3.5 takes them and keeps others."""
    prefix = new_prefix()
    with direct_client(site.server) as client:
        told = {way: {change: [] for change in CHANGES} for way in FIRST_KEYS}
        create(client, prefix, BEFORE)
        with ExitStack() as stack:
            programs = {way: stack.enter_context(inserting(site, sdk, way, prefix)) for way in FIRST_KEYS}
            insert(programs, told, BEFORE)
            drop(client, prefix)
            create(client, prefix, AFTER)
            insert(programs, told, AFTER)
            insert(programs, told, AFTER)
        assert told["tcp"] == told["direct"]
        if sdk != "node":
            assert told["direct"]["dimension"] == [DONE] * 3
            keys = [first + number for first in FIRST_KEYS.values() for number in (1, 2)]
            assert rows_in(client, f"{prefix}_dimension") == [row(key, *CHANGES["dimension"][AFTER]) for key in keys]
        drop(client, prefix)


MISMATCH = common_pb2.Status(error_code="SchemaMismatch", code=109, reason="collection schema mismatch")
FIELDS = [
    schema_pb2.FieldSchema(name="id", data_type=schema_pb2.Int64, is_primary_key=True),
    schema_pb2.FieldSchema(name="vector", data_type=schema_pb2.FloatVector, type_params=pairs(dim=4)),
]


class Newer(Fake):
    """A Milvus that knows by its time which schema an insert is made for."""

    network = None

    def __init__(self):
        super().__init__()
        self.time = 1
        self.on("DescribeCollection", self.describe)
        self.on("Insert", self.insert)

    def describe(self, call, context):
        schema = schema_pb2.CollectionSchema(name="books", fields=FIELDS)
        reply = milvus_pb2.DescribeCollectionResponse(status=SUCCESS, schema=schema, update_timestamp=self.time)
        return reply.SerializeToString()

    def insert(self, call, context):
        is_current = call.message().schema_timestamp == self.time
        return milvus_pb2.MutationResult(status=SUCCESS if is_current else MISMATCH, insert_cnt=1).SerializeToString()


@pytest.fixture
def newer(tmp_path):
    server = Newer()
    site = Site("newer", server, tmp_path)
    yield site
    site.stop()
    server.stop()


@pytest.mark.parametrize("way", ["direct", "tcp"])
@pytest.mark.parametrize("sdk", SDKS)
def test_recreated_on_a_server_that_says_so(newer, sdk, way):
    """Nobody sees it: what the daemon remembers does not come in between."""
    with inserting(newer, sdk, way, "books") as program:
        told = [program.insert("", row(1, 4, {}))]
        newer.server.time += 1
        told += [program.insert("", row(key, 4, {})) for key in (2, 3)]
    assert told == [DONE] * 3
    assert newer.server.count("Insert") == 4
