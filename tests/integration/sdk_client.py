# SPDX-License-Identifier: Apache-2.0
"""pymilvus in the tests: clients past the daemon, collections, and programs in processes of their own."""
import contextlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from pymilvus import DataType, MilvusClient
from pymilvus.grpc_gen import milvus_pb2, schema_pb2

from servers import ROOT_CREDENTIAL

PROGRAMS = Path(__file__).parent / "programs"
KEY, VECTOR = "id", "vector"

# Milvus itself takes its time for some of what it is asked here.
lite_always_milvus_once = pytest.mark.parametrize(
    "each_milvus", ["lite", pytest.param("milvus", marks=pytest.mark.release_only)], indirect=True
)


def program(name, *arguments):
    """The command that runs one of them."""
    return [sys.executable, PROGRAMS / f"{name}.py", *map(str, arguments)]


def run_program(name, *arguments, limit):
    """To its end; what it printed in JSON."""
    done = subprocess.run(program(name, *arguments), capture_output=True, text=True, timeout=limit)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@contextlib.contextmanager
def direct_client(server, **options):
    """A client that asks the server itself. Not to be kept idle: Milvus Lite cuts off who only pings."""
    uri = f"unix:{server.socket}" if server.network else server.upstream["uri"]
    token = ROOT_CREDENTIAL if server.network else ""
    client = MilvusClient(uri, token=token, dedicated=True, **options)
    try:
        yield client
    finally:
        client.close()


def create_collection(client, name, dim, auto_id=False, **more):
    """more: further fields, by name, with their types. Search is exact, and sees what was inserted before."""
    schema = MilvusClient.create_schema(auto_id=auto_id)
    schema.add_field(KEY, DataType.INT64, is_primary=True)
    schema.add_field(VECTOR, DataType.FLOAT_VECTOR, dim=dim)
    for field, kind in more.items():
        schema.add_field(field, kind, **({"max_length": 32} if kind == DataType.VARCHAR else {}))
    index = MilvusClient.prepare_index_params()
    index.add_index(VECTOR, index_type="FLAT", metric_type="L2")
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")


def count(client, name, **options):
    return client.query(name, output_fields=["count(*)"], consistency_level="Strong", **options)[0]["count(*)"]


def nearest(client, name, vector, **options):
    """The key of the row that is nearest."""
    return client.search(name, [vector], limit=1, **options)[0][0][KEY]


def found_row(key):
    """A fake's reply to a search for one row."""
    ids = schema_pb2.IDs(int_id=schema_pb2.LongArray(data=[key]))
    data = schema_pb2.SearchResultData(num_queries=1, top_k=1, ids=ids, scores=[0], topks=[1])
    return milvus_pb2.SearchResults(results=data)
