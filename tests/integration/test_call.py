# SPDX-License-Identifier: Apache-2.0
"""`milvus-bouncer call`: the life of a collection from a shell, and its exit codes."""
import json

import pytest

from bouncer import configuration, run
from processes import free_port
from waiting import eventually

ERROR, USAGE = 1, 2
VECTORS = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


class Shell:
    """Calls from a shell, in one database."""

    def __init__(self, address, database):
        self.arguments = ["call", "-s", address, "-d", database]

    def run(self, method, message=None):
        return run(*self.arguments, method, *([] if message is None else [json.dumps(message)]))

    def call(self, method, **message):
        """The reply, of a call that Milvus did not refuse."""
        done = self.run(method, message)
        assert done.returncode == 0, done.stderr
        reply = json.loads(done.stdout)
        assert "code" not in reply.get("status", reply), reply
        return reply


@pytest.fixture
def address(start_bouncer, each_milvus):
    return start_bouncer(configuration(each_milvus.upstream), each_milvus.network).address


@pytest.fixture
def shell(address):
    return Shell(address, "default")


def schema(name):
    return {
        "name": name,
        "fields": [
            {"name": "id", "data_type": "Int64", "is_primary_key": True},
            {"name": "embedding", "data_type": "FloatVector", "type_params": [{"key": "dim", "value": "4"}]},
        ],
    }


def rows(*idents):
    vectors = [number for ident in idents for number in VECTORS[ident]]
    return [
        {"field_name": "id", "type": "Int64", "scalars": {"long_data": {"data": list(idents)}}},
        {"field_name": "embedding", "type": "FloatVector", "vectors": {"dim": 4, "float_vector": {"data": vectors}}},
    ]


def search(name, vector):
    return {
        "collection_name": name,
        "dsl_type": "BoolExprV1",
        "placeholder_group": {"placeholders": [{"tag": "$0", "type": "FloatVector", "values": [vector]}]},
        "search_params": [
            {"key": "anns_field", "value": "embedding"},
            {"key": "topk", "value": "1"},
            {"key": "metric_type", "value": "L2"},
            {"key": "params", "value": "{}"},
        ],
        "nq": "1",
        "consistency_level": "Strong",
    }


def is_loaded(shell, name):
    return shell.call("GetLoadState", collection_name=name)["state"] == "LoadStateLoaded"


def test_life_of_a_collection(shell, name):
    named = {"collection_name": name}
    shell.call("CreateCollection", **named, schema=schema(name), consistency_level="Strong")
    assert shell.call("HasCollection", **named)["value"] is True
    described = shell.call("DescribeCollection", **named)["schema"]
    assert [field["name"] for field in described["fields"]] == ["id", "embedding"]
    index = [{"key": "index_type", "value": "AUTOINDEX"}, {"key": "metric_type", "value": "L2"}]
    shell.call("CreateIndex", **named, field_name="embedding", extra_params=index)
    assert shell.call("DescribeIndex", **named)["index_descriptions"][0]["field_name"] == "embedding"
    shell.call("LoadCollection", **named)
    eventually(lambda: is_loaded(shell, name), "it is loaded")
    assert int(shell.call("Insert", **named, fields_data=rows(0, 1, 2), num_rows=3)["insert_cnt"]) == 3
    assert int(shell.call("Upsert", **named, fields_data=rows(3), num_rows=1)["upsert_cnt"]) == 1
    found = shell.call("Search", **search(name, VECTORS[3]))["results"]["ids"]["int_id"]["data"]
    assert [int(ident) for ident in found] == [3]
    shell.call("Delete", **named, expr="id in [3]")
    query = {**named, "expr": "id >= 0", "output_fields": ["id"], "consistency_level": "Strong"}
    data = shell.call("Query", **query)["fields_data"][0]["scalars"]["long_data"]["data"]
    assert sorted(int(ident) for ident in data) == [0, 1, 2]
    shell.call("ReleaseCollection", **named)
    shell.call("DropIndex", **named, field_name="embedding")
    shell.call("DropCollection", **named)
    assert name not in shell.call("ShowCollections").get("collection_names", [])


def test_databases(shell, address, name):
    shell.call("CreateDatabase", db_name=name)
    assert name in shell.call("ListDatabases")["db_names"]
    inside = Shell(address, name)
    inside.call("CreateCollection", collection_name="books", schema=schema("books"))
    assert inside.call("ShowCollections")["collection_names"] == ["books"]
    inside.call("DropCollection", collection_name="books")
    shell.call("DropDatabase", db_name=name)


def test_version_and_connect(shell, each_milvus):
    assert "2.3.5" in shell.call("GetVersion")["version"] or each_milvus.network is None
    shell.call("Connect", client_info={"sdk_type": "shell"})


def test_refusal_of_milvus(shell, name):
    done = shell.run("DescribeCollection", {"collection_name": name})
    assert done.returncode == ERROR
    assert name in done.stdout + done.stderr


def test_error_of_the_daemon(start_bouncer):
    upstream = {"uri": f"http://127.0.0.1:{free_port()}", "connect_timeout": "300ms"}
    bouncer = start_bouncer(configuration(upstream))
    done = run("call", "-s", bouncer.address, "-t", "20s", "ShowCollections")
    assert done.returncode == ERROR
    assert "UNAVAILABLE" in done.stderr and "milvus-bouncer:" in done.stderr


def test_timeout(start_bouncer, black_hole):
    bouncer = start_bouncer(configuration(black_hole.upstream))
    done = run("call", "-s", bouncer.address, "-t", "300ms", "ShowCollections")
    assert done.returncode == ERROR
    assert "DEADLINE_EXCEEDED" in done.stderr


def test_nobody_at_the_address(tmp_path):
    done = run("call", "-s", f"unix:{tmp_path}/nobody.sock", "GetVersion")
    assert done.returncode == ERROR
    assert "nobody.sock" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["-s"],
        ["-x", "GetVersion"],
        ["-s", "nonsense", "GetVersion"],
        ["-t", "soon", "GetVersion"],
        ["NoSuchRpc"],
        ["GetVersion", "{"],
        ["HasCollection", '{"collection_nam": "x"}'],
        ["GetVersion", "{}", "more"],
    ],
)
def test_usage(tmp_path, arguments):
    address = [] if "-s" in arguments else ["-s", f"unix:{tmp_path}/nobody.sock"]
    done = run("call", *address, *arguments)
    assert done.returncode == USAGE, done.stderr
    assert done.stderr and not done.stdout
