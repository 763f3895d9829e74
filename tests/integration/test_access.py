# SPDX-License-Identifier: Apache-2.0
"""Who may do what: the rules of `access`, over either protocol, from processes of different users."""
import base64
import os

import grpc
import pytest
from pymilvus import MilvusClient
from pymilvus.grpc_gen import milvus_pb2

from bouncer import configuration, run
from channel import Channel
from codes import ADMISSION, DEADLINE_EXCEEDED, OK, PERMISSION_DENIED, RESOURCE_EXHAUSTED, is_own
from fake import Gate, answer, hang
from h2 import H2
from messages import checked
from mvb1 import PING, PONG, Frame
from plain import Plain
from processes import free_port
from sdk_client import KEY, VECTOR, create_collection, lite_always_milvus_once, nearest
from users import INDEXER, OURSELVES, STRANGER, WEB, User, ask_as, public_folder
from waiting import eventually

each_protocol = pytest.mark.parametrize("protocol", ["plain", "grpc"])
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be other users")

SEARCH = milvus_pb2.SearchRequest()
ONE_OF_EACH = {"read": "Search", "write": "Insert", "schema": "CreateCollection", "rbac": "CreateCredential",
               "admin": "TransferNode"}  # fmt: skip
EVERYBODY = {"any": True}


class Start:
    """start(rules): a daemon with them at `unix`, where every user finds it, and at `tcp`."""

    def __init__(self, start_bouncer, upstream, folder):
        self.start_bouncer, self.upstream = start_bouncer, upstream
        self.unix, self.tcp = f"unix:{folder}/milvus.sock", f"127.0.0.1:{free_port()}"

    def __call__(self, *rules, **sections):
        databases = {name: {"upstream": "main"} for name in ("default", "books", "films")}
        listen = [{"address": self.unix, "mode": "0666"}, {"address": self.tcp}]
        every = {"databases": databases, "access": list(rules), "listen": listen, **sections}
        bouncer = self.start_bouncer(configuration(self.upstream, **every), wait=False)
        bouncer.address = self.unix
        eventually(lambda: f"listening on {self.tcp}" in bouncer.log_text(), "it listens")
        return bouncer


@pytest.fixture
def start(start_bouncer, fake):
    with public_folder() as folder:
        yield Start(start_bouncer, fake.upstream, folder)


def codes(answers):
    return [answer.code for answer in answers]


# ---- whom a rule is for ----


@needs_root
@each_protocol
@pytest.mark.parametrize(
    "match, user",
    [
        ({"user": "www-data"}, WEB),
        ({"uid": 2001}, INDEXER),
        ({"gid": 2001}, INDEXER),
        ({"gid": 2100}, INDEXER),
        ({"group": "www-data"}, User(2003, 2003, [33])),
        ({"user": "root", "group": "root"}, OURSELVES),
    ],
    ids=str,
)
def test_processes_of_users(start, fake, protocol, match, user):
    bouncer = start({"match": match, "allow": "read"})
    assert codes(ask_as(user, bouncer.address, protocol, "Search")) == [OK]
    refused = ask_as(STRANGER, bouncer.address, protocol, "Search")[0]
    assert refused.code == PERMISSION_DENIED
    assert refused.refused == (protocol == "plain")
    assert refused.message.startswith("milvus-bouncer:") and '"access"' in refused.message
    assert fake.count("Search") == 1


@needs_root
@each_protocol
def test_first_rule_that_matches(start, protocol):
    bouncer = start(
        {"match": {"user": "www-data"}, "allow": "read"},
        {"match": {"gid": 33}, "allow": ["read", "write"]},
        {"match": EVERYBODY, "allow": "schema"},
    )
    asked = ["Search", "Insert", "CreateCollection"]
    yes, no = OK, PERMISSION_DENIED
    assert codes(ask_as(WEB, bouncer.address, protocol, *asked)) == [yes, no, no]
    assert codes(ask_as(User(2004, 33), bouncer.address, protocol, *asked)) == [yes, yes, no]
    assert codes(ask_as(STRANGER, bouncer.address, protocol, *asked)) == [no, no, yes]


@each_protocol
def test_by_listener(start, protocol):
    start({"match": {"listener": start.unix}, "allow": "read"}, {"match": {"listener": start.tcp}, "allow": "write"})
    asked = ["Search", "Insert"]
    assert codes(ask_as(OURSELVES, start.unix, protocol, *asked)) == [OK, PERMISSION_DENIED]
    assert codes(ask_as(OURSELVES, start.tcp, protocol, *asked)) == [PERMISSION_DENIED, OK]


@each_protocol
def test_over_tcp_nobody_is_a_user(start, protocol):
    start({"match": {"user": "root"}, "allow": "read"}, {"match": {"gid": 0}, "allow": "read"})
    assert codes(ask_as(OURSELVES, start.tcp, protocol, "Search")) == [PERMISSION_DENIED]


@each_protocol
def test_without_rules_everybody_may_do_everything(start_bouncer, fake, protocol):
    bouncer = start_bouncer(configuration(fake.upstream))
    assert codes(ask_as(OURSELVES, bouncer.address, protocol, *ONE_OF_EACH.values())) == [OK] * len(ONE_OF_EACH)


# ---- what it allows ----


@each_protocol
@pytest.mark.parametrize("right", ONE_OF_EACH)
def test_each_right(start, fake, protocol, right):
    bouncer = start({"match": EVERYBODY, "allow": [right]})
    answers = ask_as(OURSELVES, bouncer.address, protocol, *ONE_OF_EACH.values())
    expected = [OK if name == right else PERMISSION_DENIED for name in ONE_OF_EACH]
    assert codes(answers) == expected, answers
    for name, asked in zip(ONE_OF_EACH, answers):
        assert asked.is_ok or f'needs "{name}"' in asked.message
    assert [fake.count(method) for method in ONE_OF_EACH.values()] == [name == right for name in ONE_OF_EACH]


@each_protocol
def test_read_only(start, protocol):
    bouncer = start({"match": EVERYBODY, "allow": [*ONE_OF_EACH, "Insert"], "read_only": True})
    answers = ask_as(OURSELVES, bouncer.address, protocol, *ONE_OF_EACH.values())
    assert codes(answers) == [OK] + [PERMISSION_DENIED] * 4
    assert all("read_only" in asked.message for asked in answers[1:])


@each_protocol
def test_rpc_by_name(start, protocol):
    bouncer = start({"match": EVERYBODY, "allow": ["Insert"]})
    assert codes(ask_as(OURSELVES, bouncer.address, protocol, "Insert", "Upsert", "Search")) == [
        OK, PERMISSION_DENIED, PERMISSION_DENIED]  # fmt: skip


@each_protocol
def test_what_sdks_open_with_needs_no_right(start, protocol):
    bouncer = start({"match": EVERYBODY, "allow": ["CreateRole"]})
    assert codes(ask_as(OURSELVES, bouncer.address, protocol, "Connect", "GetVersion")) == [OK, OK]


def test_unknown_methods_need_admin_or_their_name(start, fake):
    fake.on("/x.Service/New", lambda *_: b"")
    for allow, code in [(["admin"], OK), (["/x.Service/New"], OK), (["read", "rbac"], PERMISSION_DENIED)]:
        bouncer = start({"match": EVERYBODY, "allow": allow})
        with bouncer.h2() as client:
            assert client.call("/x.Service/New").code == code, allow
        bouncer.stop()


@each_protocol
def test_databases(start, fake, protocol):
    bouncer = start({"match": EVERYBODY, "allow": "read", "databases": ["books"]})
    answers = ask_as(OURSELVES, bouncer.address, protocol, "Search@books", "Search@films", "Search@nowhere", "Search")
    assert codes(answers) == [OK, PERMISSION_DENIED, PERMISSION_DENIED, OK]
    assert "database films: admission:" in answers[1].message
    assert [call.metadata["dbname"] for call in fake.asked("Search")] == ["books", "books"]


def test_database_in_the_message_counts(start, fake):
    bouncer = start({"match": EVERYBODY, "allow": "read", "databases": ["books"]})
    request = milvus_pb2.SearchRequest(db_name="films")
    with bouncer.plain() as client, bouncer.channel() as channel:
        assert is_own(client.fails("Search", request, "books"), PERMISSION_DENIED, ADMISSION, "films")
        assert channel.fails("Search", request, [("dbname", "books")]).code().value[0] == PERMISSION_DENIED
    assert fake.count("Search") == 0


def test_second_database_in_the_message_counts(start, fake):
    bouncer = start({"match": EVERYBODY, "allow": "schema", "databases": ["books"]})
    with bouncer.plain() as client:
        client.call("RenameCollection", milvus_pb2.RenameCollectionRequest(db_name="books", oldName="a", newName="b"))
        away = milvus_pb2.RenameCollectionRequest(db_name="books", oldName="a", newName="b", newDBName="films")
        assert is_own(client.fails("RenameCollection", away), PERMISSION_DENIED, ADMISSION, "books")
    assert fake.count("RenameCollection") == 1


@each_protocol
def test_database_of_requests_that_name_none(start, fake, protocol):
    bouncer = start({"match": EVERYBODY, "allow": "read", "database": "films"})
    assert codes(ask_as(OURSELVES, bouncer.address, protocol, "Search", "Search@books")) == [OK, OK]
    assert [call.metadata["dbname"] for call in fake.asked("Search")] == ["films", "books"]


def test_answers_from_memory_obey_the_rules(start, fake):
    start({"match": {"listener": start.unix}, "allow": "read"}, {"match": {"listener": start.tcp}, "allow": "write"})
    request = milvus_pb2.DescribeCollectionRequest(collection_name="c")
    for _ in range(2):
        with Plain(start.unix) as reader:
            reader.call("DescribeCollection", request)
    with Plain(start.tcp) as writer:
        assert is_own(writer.fails("DescribeCollection", request), PERMISSION_DENIED, ADMISSION)
    assert fake.count("DescribeCollection") == 1


def test_two_users_of_milvus_for_one_database(start, fake, tmp_path):
    """Two entries, each with its credentials and for one rule; clients name no database."""
    databases = {}
    for entry, user in [("books-read", "reader"), ("books-write", "writer")]:
        (tmp_path / user).write_text("secret")
        credential = {"user": user, "password_file": str(tmp_path / user)}
        databases[entry] = {"upstream": "main", "name": "books", **credential}
    start(
        {"match": {"listener": start.unix}, "allow": "read", "databases": "books-read"},
        {"match": {"listener": start.tcp}, "allow": ["read", "write"], "databases": "books-write"},
        databases=databases,
    )
    with Plain(start.unix) as reader, Plain(start.tcp) as writer:
        for client, user in [(reader, b"reader:secret"), (writer, b"writer:secret")]:
            client.call("Search", SEARCH)
            call = fake.asked("Search")[-1]
            assert call.metadata["authorization"] == base64.b64encode(user).decode()
            assert call.metadata["dbname"] == "books"
        assert reader.fails("Search", SEARCH, "books-write").code == PERMISSION_DENIED


@needs_root
def test_command_that_is_refused(start):
    start({"match": {"user": "www-data"}, "allow": "read"})
    done = run("call", "-s", start.unix, "GetVersion")
    assert done.returncode == 1 and "PERMISSION_DENIED" in done.stderr and '"access"' in done.stderr


def test_max_timeout(start, fake):
    fake.on("Search", hang)
    start({"match": EVERYBODY, "allow": "read", "max_timeout": "200ms"})
    with Plain(start.unix) as client, Channel(start.unix) as channel:
        assert client.fails("Search", SEARCH, timeout=20).code == DEADLINE_EXCEEDED
        assert channel.fails("Search", SEARCH).code().value[0] == DEADLINE_EXCEEDED


# ---- on Milvus ----


def is_refused(right, function, *arguments):
    with pytest.raises(grpc.RpcError, match=f'needs "{right}"'):
        function(*arguments)


@lite_always_milvus_once
def test_reader_and_writer_of_milvus(start_bouncer, each_milvus, name, tmp_path):
    """pymilvus at two addresses, and the plain protocol beside it."""
    paths = {who: tmp_path / f"{who}.sock" for who in ("reader", "writer")}
    rights = {"reader": ["read"], "writer": ["read", "write", "schema"]}
    rules = [{"match": {"listener": f"unix:{paths[who]}"}, "allow": rights[who]} for who in paths]
    listen = [{"address": f"unix:{path}"} for path in paths.values()]
    config = configuration(each_milvus.upstream, listen=listen, access=rules)
    start_bouncer(config, each_milvus.network, wait=False)
    eventually(lambda: all(path.is_socket() for path in paths.values()), "it listens")
    reader, writer = (MilvusClient(f"unix:{path}", dedicated=True) for path in paths.values())
    row = {KEY: 1, VECTOR: [0.5, 0.5]}
    create_collection(writer, name, 2)
    assert writer.insert(name, [row])["insert_count"] == 1
    assert nearest(reader, name, row[VECTOR]) == 1
    is_refused("write", reader.insert, name, [row])
    is_refused("write", reader.delete, name, [1])
    is_refused("schema", reader.drop_collection, name)
    is_refused("rbac", reader.list_users)
    is_refused("rbac", writer.create_user, "u", "password")
    with Plain(f"unix:{paths['reader']}") as plain:
        assert checked(plain.call("HasCollection", milvus_pb2.HasCollectionRequest(collection_name=name))).value
        error = plain.fails("DropCollection", milvus_pb2.DropCollectionRequest(collection_name=name))
        assert is_own(error, PERMISSION_DENIED, ADMISSION)
    assert reader.has_collection(name)
    writer.drop_collection(name)
    for client in (reader, writer):
        client.close()


# ---- limits ----


def test_max_clients(start):
    start({"match": {"listener": start.unix}, "allow": "read", "limits": {"max_clients": 2}},
          {"match": EVERYBODY, "allow": "read"})  # fmt: skip
    clients = [Plain(start.unix) for _ in range(2)]
    for client in clients:
        client.ping()
    with Plain(start.unix) as third:
        goaway = third.goaway()
        assert goaway.code == RESOURCE_EXHAUSTED and "max_clients" in goaway.text.decode()
    with H2(start.unix) as third:
        assert third.call("Search").code == RESOURCE_EXHAUSTED
    with Plain(start.tcp) as other:
        other.call("Search", SEARCH)
    clients.pop().close()
    eventually(lambda: gets_in(start.unix), "there is room again")
    clients.pop().close()


def gets_in(address):
    with Plain(address) as client:
        client.raw(Frame(PING, 1).pack())
        return client.frame().kind == PONG


@pytest.mark.parametrize("end", ["answer", "cancel", "leave"])
def test_max_in_flight(start, fake, end):
    """However a request ends, there is room for the next."""
    gate = Gate(answer(milvus_pb2.SearchResults()))
    fake.on("Search", gate)
    start({"match": EVERYBODY, "allow": "read", "limits": {"max_in_flight": 2}})
    with Plain(start.unix) as first, Plain(start.unix) as second:
        taken = [first.send("Search", SEARCH) for _ in range(2)]
        fake.wait_for("Search", 2)
        error = second.fails("Search", SEARCH)
        assert is_own(error, RESOURCE_EXHAUSTED, ADMISSION) and "max_in_flight" in error.message
        if end == "answer":
            gate.open()
            assert [first.reply(ident).code for ident in taken] == [OK, OK]
        elif end == "cancel":
            first.cancel(taken[0])
            first.reply(taken[0])
        else:
            first.close()
        gate.open()
        eventually(lambda: second.reply(second.send("Search", SEARCH)).code == OK, "there is room")


@each_protocol
def test_requests_per_second(start, fake, protocol):
    start({"match": {"listener": start.unix}, "allow": "read", "limits": {"requests_per_second": 1, "burst": 3}},
          {"match": EVERYBODY, "allow": "read"})  # fmt: skip
    answers = ask_as(OURSELVES, start.unix, protocol, *["Search"] * 20)
    assert codes(answers[:3]) == [OK] * 3
    assert RESOURCE_EXHAUSTED in codes(answers) and fake.count("Search") < 20
    assert any("requests_per_second" in asked.message for asked in answers)
    assert codes(ask_as(OURSELVES, start.tcp, protocol, *["Search"] * 20)) == [OK] * 20


# ---- what is not a request to Milvus ----


def test_health_is_for_who_is_let_in(start):
    start({"match": {"listener": start.unix}, "allow": ["CreateRole"]})
    with H2(start.unix) as client, H2(start.tcp) as stranger:
        assert client.call("/grpc.health.v1.Health/Check").code == OK
        assert stranger.call("/grpc.health.v1.Health/Check").code == PERMISSION_DENIED


def test_reload_names_what_takes_a_restart(start):
    bouncer = start({"match": EVERYBODY, "allow": "read"})
    text = bouncer.file.read_text()
    bouncer.file.write_text(text.replace('"read"', '"write"'))
    assert "access differs, which takes a restart" in bouncer.reload()
    with Plain(start.unix) as client:
        client.call("Search", SEARCH)
