# SPDX-License-Identifier: Apache-2.0
"""DescribeCollection, Connect and GetVersion from memory: when, and above all when not."""
import threading

import pytest
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

import messages
from bouncer import configuration
from fake import SUCCESS, VERSION, Gate, answer
from messages import checked
from waiting import eventually

CLIENTS = 40


def describe_of(name, database=""):
    return milvus_pb2.DescribeCollectionRequest(collection_name=name, db_name=database)


class Schemas:
    """The collections of a fake, by any of their names: an id, and a description that tells versions apart."""

    def __init__(self, fake):
        self.ids = {"books": 1, "tomes": 1, "films": 2, "songs": 3}  # tomes is an alias of books
        self.version = 1
        fake.on("DescribeCollection", self)

    def __call__(self, call, context):
        name = call.message().collection_name
        schema = schema_pb2.CollectionSchema(name=name, description=str(self.version))
        reply = milvus_pb2.DescribeCollectionResponse(
            status=SUCCESS, collection_name=name, collectionID=self.ids[name], schema=schema
        )
        return reply.SerializeToString()


@pytest.fixture
def schemas(fake):
    return Schemas(fake)


class Asker:
    """Asks a daemon, each time on a connection of its own, and counts what that asks upstream."""

    def __init__(self, bouncer, fake):
        self.bouncer, self.fake = bouncer, fake

    def describe(self, name, database=""):
        """Whether the answer came from memory, and the version that it tells."""
        before = self.fake.count("DescribeCollection")
        with self.bouncer.plain() as client:
            reply = checked(client.call("DescribeCollection", describe_of(name, database)))
        assert reply.schema.name == name
        return self.fake.count("DescribeCollection") == before, reply.schema.description

    def remembers(self, name, database=""):
        return self.describe(name, database)[0]

    def call(self, method, message):
        with self.bouncer.plain() as client:
            return client.call(method, message)


@pytest.fixture
def asker(start_bouncer, fake, schemas):
    return Asker(start_bouncer(configuration(fake.upstream)), fake)


def test_another_connection_is_answered_from_memory(asker):
    assert not asker.remembers("books")
    assert asker.remembers("books")
    assert not asker.remembers("films")


def test_repeat_on_the_same_connection_goes_upstream_and_refreshes(asker, schemas, fake):
    with asker.bouncer.plain() as client:
        for version in (1, 2, 3):
            schemas.version = version
            assert client.call("DescribeCollection", describe_of("books")).schema.description == str(version)
    assert fake.count("DescribeCollection") == 3
    assert asker.describe("books") == (True, "3")


def test_databases_are_kept_apart(asker):
    assert not asker.remembers("books", "one")
    assert not asker.remembers("books", "two")
    assert asker.remembers("books", "one")


def test_many_askers_share_one_question(asker, fake, schemas):
    gate = Gate(schemas)
    fake.on("DescribeCollection", gate)
    clients = [asker.bouncer.plain() for _ in range(CLIENTS)]
    idents = [client.send("DescribeCollection", describe_of("books")) for client in clients]
    for client in clients:
        client.ping()
    gate.open()
    for client, ident in zip(clients, idents):
        reply = milvus_pb2.DescribeCollectionResponse.FromString(client.reply(ident).payload)
        assert reply.schema.name == "books"
        client.close()
    assert fake.count("DescribeCollection") == 1


def test_ttl(start_bouncer, fake, schemas):
    asker = Asker(start_bouncer(configuration(fake.upstream, schema_cache={"ttl": "500ms"})), fake)
    asker.describe("books")
    schemas.version = 2
    eventually(lambda: asker.describe("books") == (False, "2"), "it is forgotten")


def test_max_entries_forgets_the_least_recently_used(start_bouncer, fake, schemas):
    asker = Asker(start_bouncer(configuration(fake.upstream, schema_cache={"max_entries": 2})), fake)
    asker.describe("books")
    asker.describe("films")
    assert asker.remembers("books")
    asker.describe("songs")
    assert asker.remembers("books")
    assert asker.remembers("songs")
    assert not asker.remembers("films")


@pytest.mark.parametrize(
    "method, message",
    [
        ("DropCollection", milvus_pb2.DropCollectionRequest(collection_name="books")),
        ("CreateCollection", milvus_pb2.CreateCollectionRequest(collection_name="books")),
        ("AlterCollection", milvus_pb2.AlterCollectionRequest(collection_name="books")),
        ("AddCollectionField", milvus_pb2.AddCollectionFieldRequest(collection_name="books")),
        ("RenameCollection", milvus_pb2.RenameCollectionRequest(oldName="books", newName="tomes")),
        ("DropDatabase", milvus_pb2.DropDatabaseRequest(db_name="default")),
    ],
)
def test_definitions_through_the_daemon_clear(asker, method, message):
    asker.describe("books")
    asker.call(method, message)
    assert not asker.remembers("books")


def test_definitions_clear_under_every_name(asker):
    asker.describe("books")
    asker.describe("tomes")
    asker.describe("films")
    asker.call("AlterCollection", milvus_pb2.AlterCollectionRequest(collection_name="tomes"))
    assert not asker.remembers("books")
    assert not asker.remembers("tomes")
    assert asker.remembers("films")


def test_alias_that_moves(asker, schemas):
    asker.describe("tomes")
    asker.call("AlterAlias", milvus_pb2.AlterAliasRequest(alias="tomes", collection_name="films"))
    schemas.ids["tomes"] = schemas.ids["films"]
    assert not asker.remembers("tomes")


def test_searching_and_inserting_clear_nothing(asker):
    asker.describe("books")
    asker.call("Search", milvus_pb2.SearchRequest(collection_name="books"))
    asker.call("Insert", milvus_pb2.InsertRequest(collection_name="books"))
    assert asker.remembers("books")


@pytest.mark.parametrize(
    "status",
    [
        common_pb2.Status(code=100),
        common_pb2.Status(code=109),
        common_pb2.Status(error_code=62),
        common_pb2.Status(code=200),
        common_pb2.Status(code=800),
    ],
)
def test_error_that_doubts_the_schema_clears(asker, fake, status):
    asker.describe("books")
    fake.on("Insert", answer(milvus_pb2.MutationResult(status=status)))
    asker.call("Insert", milvus_pb2.InsertRequest(collection_name="books"))
    assert not asker.remembers("books")


def test_error_about_other_things_clears_nothing(asker, fake):
    asker.describe("books")
    fake.on("Insert", answer(milvus_pb2.MutationResult(status=common_pb2.Status(code=8, error_code=49))))
    asker.call("Insert", milvus_pb2.InsertRequest(collection_name="books"))
    assert asker.remembers("books")


def test_failure_is_not_remembered(asker, fake, schemas):
    missing = milvus_pb2.DescribeCollectionResponse(status=common_pb2.Status(code=100))
    fake.on("DescribeCollection", answer(missing))
    assert asker.call("DescribeCollection", describe_of("books")).status.code == 100
    fake.on("DescribeCollection", schemas)
    assert not asker.remembers("books")


def test_answer_that_was_on_its_way_during_a_change_is_not_kept(asker, fake, schemas):
    gate = Gate(schemas)
    fake.on("DescribeCollection", gate)
    with asker.bouncer.plain() as client:
        ident = client.send("DescribeCollection", describe_of("books"))
        fake.wait_for("DescribeCollection")
        asker.call("AlterCollection", milvus_pb2.AlterCollectionRequest(collection_name="books"))
        gate.open()
        assert client.reply(ident).code == 0
    schemas.version = 2
    assert asker.describe("books") == (False, "2")


def test_asker_that_goes_away_leaves_the_others_their_answer(asker, fake, schemas):
    gate = Gate(schemas)
    fake.on("DescribeCollection", gate)
    first, second = asker.bouncer.plain(), asker.bouncer.plain()
    first.send("DescribeCollection", describe_of("books"))
    fake.wait_for("DescribeCollection")
    ident = second.send("DescribeCollection", describe_of("books"))
    second.ping()
    first.close()
    eventually(lambda: asker.bouncer.count_clients() == 1, "the first is gone")
    gate.open()
    assert second.reply(ident).code == 0
    second.close()


def test_version_and_connect_from_memory(start_bouncer, fake):
    server_info = common_pb2.ServerInfo(build_tags=VERSION, deploy_mode="STANDALONE")
    fake.on("Connect", answer(milvus_pb2.ConnectResponse(status=SUCCESS, server_info=server_info)))
    bouncer = start_bouncer(configuration(fake.upstream))

    def ask():
        with bouncer.plain() as client:
            assert client.call("GetVersion", milvus_pb2.GetVersionRequest()).version == VERSION
            info = client.call("Connect", milvus_pb2.ConnectRequest()).server_info
            assert (info.build_tags, info.deploy_mode) == (VERSION, "STANDALONE")

    ask()
    asked = fake.count("GetVersion"), fake.count("Connect")
    threads = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (fake.count("GetVersion"), fake.count("Connect")) == asked


def field_names(reply):
    return [field.name for field in checked(reply).schema.fields]


def recreate(direct, name):
    """Drops a collection and makes another of that name, past the daemon."""
    checked(direct.call("DropCollection", milvus_pb2.DropCollectionRequest(collection_name=name)))
    schema = schema_pb2.CollectionSchema(
        name=name,
        fields=[
            schema_pb2.FieldSchema(name="isbn", data_type=schema_pb2.Int64, is_primary_key=True),
            schema_pb2.FieldSchema(
                name="cover", data_type=schema_pb2.FloatVector, type_params=messages.pairs(dim=4)
            ),
        ],
    )
    request = milvus_pb2.CreateCollectionRequest(collection_name=name, schema=schema.SerializeToString())
    checked(direct.call("CreateCollection", request))


def test_dropped_and_created_anew_behind_the_daemons_back(start_bouncer, each_milvus, name):
    bouncer = start_bouncer(configuration(each_milvus.upstream), each_milvus.network)
    direct = each_milvus.direct()
    checked(direct.call("CreateCollection", messages.create_collection(name, 8)))
    with bouncer.plain() as client:
        assert field_names(client.call("DescribeCollection", describe_of(name))) == ["id", "embedding"]
        recreate(direct, name)
        assert field_names(client.call("DescribeCollection", describe_of(name))) == ["isbn", "cover"]
    with bouncer.plain() as another:
        assert field_names(another.call("DescribeCollection", describe_of(name))) == ["isbn", "cover"]
    direct.close()


def test_client_of_another_process_gets_the_new_schema_within_ttl(start_bouncer, each_milvus, name):
    config = configuration(each_milvus.upstream, schema_cache={"ttl": "1s"})
    bouncer = start_bouncer(config, each_milvus.network)
    direct = each_milvus.direct()
    checked(direct.call("CreateCollection", messages.create_collection(name, 8)))

    def fields():
        with bouncer.plain() as client:
            return field_names(client.call("DescribeCollection", describe_of(name)))

    assert fields() == ["id", "embedding"]
    recreate(direct, name)
    eventually(lambda: fields() == ["isbn", "cover"], "another client sees the new schema")
    direct.close()
