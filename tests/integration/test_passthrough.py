# SPDX-License-Identifier: Apache-2.0
"""Which credentials a request goes to Milvus with: a rule's, or the client's own; and what is kept apart by them.

On a Milvus 2.3.5 whose role `public`, which everybody has, may nothing: there descriptions can be refused.
"""
import base64
import os
import secrets
import subprocess

import grpc
import numpy
import pytest
from pymilvus import MilvusClient, MilvusException
from pymilvus.grpc_gen import milvus_pb2, schema_pb2

import messages
from accounts import grant, make_role, make_user, revoke, wait_until_allowed
from bouncer import BINARY, IS_SANITIZED, configuration, one_pool, run
from channel import own_text
from codes import ADMISSION, OK, PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNAUTHENTICATED, UPSTREAM, is_own
from fake import Gate, answer, fail
from inspected import find_in_memory
from messages import checked
from mvb1 import reply_message
from plain import Plain
from servers import ROOT_CREDENTIAL, Milvus
from users import INDEXER, STRANGER, WEB, ask_as, public_folder
from waiting import eventually

each_protocol = pytest.mark.parametrize("protocol", ["plain", "grpc"])
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be other users")

COLLECTION = "shared"
PASSWORDS = {"searcher": "searcher's password", "inserter": "inserter's password", "nobody": "nobody's password"}
QUESTIONS = {
    "HasCollection": milvus_pb2.HasCollectionRequest(collection_name=COLLECTION),
    "DescribeCollection": milvus_pb2.DescribeCollectionRequest(collection_name=COLLECTION),
    "Search": messages.search(COLLECTION, [0.5, 0.5], 1),
    "Insert": messages.insert(COLLECTION, [1], numpy.array([[0.5, 0.5]])),
}
GRANTED = {
    "searcher": {"HasCollection", "DescribeCollection", "Search"},
    "inserter": {"HasCollection", "Insert"},
    "nobody": {"HasCollection"},
}
WRONG_PASSWORD = "auth check failure, please check username and password are correct"
NO_PASSWORD = "missing authorization in header"


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """That Milvus, with a collection and three users."""
    server = Milvus(tmp_path_factory.mktemp("strict") / "data")
    direct = server.direct()
    try:
        checked(direct.call("CreateCollection", messages.create_collection(COLLECTION, 2)))
        checked(direct.call("CreateIndex", messages.create_index(COLLECTION)))
        checked(direct.call("LoadCollection", milvus_pb2.LoadCollectionRequest(collection_name=COLLECTION)))
        for privilege in ("DescribeCollection", "ShowCollections"):
            revoke(direct, "public", privilege, "Global", "*")
        for user, password in PASSWORDS.items():
            make_user(direct, user, password)
            make_role(direct, user + "_role", user)
        grant(direct, "searcher_role", "Search")
        grant(direct, "searcher_role", "DescribeCollection", "Global")
        grant(direct, "inserter_role", "Insert")
        for user, granted in GRANTED.items():
            itself = server.direct(credential=f"{user}:{PASSWORDS[user]}")
            for method in sorted(granted):
                wait_until_allowed(itself, method, QUESTIONS[method])
            itself.close()
        yield server
    finally:
        direct.close()
        server.stop()


@pytest.fixture
def direct(strict):
    client = strict.direct()
    yield client
    client.close()


@pytest.fixture
def start(start_bouncer, strict):
    """start(settings): a daemon whose database has them, and the clients' own credentials."""

    def start_with(**settings):
        upstream = {"uri": strict.uri, **strict.credential("root", "Milvus")}  # never used here
        config = one_pool(upstream, credentials="client", **settings)
        return start_bouncer({**config, "log": {"level": "debug"}}, strict.network)

    return start_with


def shown(user, password=None):
    """The metadata that SDKs make of them."""
    text = f"{user}:{PASSWORDS[user] if password is None else password}"
    return [("authorization", base64.b64encode(text.encode()).decode())]


def outcome(bouncer, metadata, method, message=None):
    """OK or the code, and the words, on a connection of its own."""
    with bouncer.channel() as channel:
        call = channel.start(method, message or QUESTIONS[method], metadata)
        error = call.exception()
        if not error:
            checked(reply_message(method, call.result()))
        return call.code().value[0], error.details() if error else ""


def is_allowed(bouncer, user, method):
    code, text = outcome(bouncer, shown(user), method)
    if code == PERMISSION_DENIED:
        assert text == f"Privilege{method}: permission deny to {user}"
    return {OK: True, PERMISSION_DENIED: False}[code]


# ---- the clients' own ----


@pytest.mark.each_transport
def test_each_user_may_what_milvus_grants_it(start):
    """Twice, with others in between: what one was told is in memory then."""
    bouncer = start()
    for _ in range(2):
        for user, granted in GRANTED.items():
            assert {method for method in QUESTIONS if is_allowed(bouncer, user, method)} == granted, user
    assert outcome(bouncer, [], "DescribeCollection") == (UNAUTHENTICATED, NO_PASSWORD)
    assert " error " not in bouncer.log_text()


def test_sdk(start):
    bouncer = start()
    client = MilvusClient(bouncer.address, user="searcher", password=PASSWORDS["searcher"], dedicated=True)
    other = MilvusClient(bouncer.address, token=f"inserter:{PASSWORDS['inserter']}", dedicated=True)
    assert client.describe_collection(COLLECTION)["collection_name"] == COLLECTION
    with pytest.raises(grpc.RpcError, match="permission deny to inserter"):
        other.describe_collection(COLLECTION)
    client.close()
    other.close()
    with pytest.raises(MilvusException, match="Fail connecting"):  # that is all it says of a wrong password
        MilvusClient(bouncer.address, user="searcher", password="wrong", dedicated=True)
    assert f"/Connect: UNAUTHENTICATED in phase upstream: {WRONG_PASSWORD}" in bouncer.log_text()


def test_wrong_password(start):
    """Milvus's words, no error of ours, and nothing that shows it; no connection stays."""
    bouncer = start()
    for password in ("not-the-password", "not-it-either"):
        assert outcome(bouncer, shown("searcher", password), "Search") == (UNAUTHENTICATED, WRONG_PASSWORD)
    assert is_allowed(bouncer, "searcher", "Search")
    log = bouncer.log_text()
    assert "UNAUTHENTICATED in phase upstream" in log and " error " not in log
    for user, password in [("searcher", "not-the-password"), ("searcher", PASSWORDS["searcher"])]:
        assert password not in log and shown(user, password)[0][1] not in log
    own = 2  # of pool_size, for the right one
    eventually(lambda: bouncer.count_upstream() == own, "others are closed")
    assert is_allowed(bouncer, "searcher", "Search")


def test_password_changed(start, direct):
    bouncer = start()
    make_user(direct, "changing", "first-password")
    first, second = (shown("changing", f"{which}-password") for which in ("first", "second"))
    make_role(direct, "changing_role", "changing")
    grant(direct, "changing_role", "DescribeCollection", "Global")
    eventually(lambda: outcome(bouncer, first, "DescribeCollection")[0] == OK, "Milvus knows of the privilege")
    make_user(direct, "changing", "second-password")
    make_role(direct, "changing_role2", "changing")
    grant(direct, "changing_role2", "DescribeCollection", "Global")
    eventually(lambda: outcome(bouncer, second, "DescribeCollection")[0] == OK, "and now of the other")
    assert outcome(bouncer, first, "Connect", milvus_pb2.ConnectRequest())[0] == UNAUTHENTICATED
    assert outcome(bouncer, first, "DescribeCollection")[0] == UNAUTHENTICATED, "what was kept is forgotten"
    assert outcome(bouncer, second, "DescribeCollection")[0] == OK


def test_plain_protocol_carries_none(start):
    bouncer = start()
    with bouncer.plain() as client:
        error = client.fails("HasCollection", QUESTIONS["HasCollection"])
    assert is_own(error, UNAUTHENTICATED, ADMISSION) and "plain protocol" in error.message


# ---- how many ----


@pytest.fixture
def bounded(start_bouncer, fake):
    """A daemon that holds two credentials of clients at once, before the fake."""
    return start_bouncer(one_pool(fake.upstream, credentials="client", max_credentials=2, pool_size=1))


def ask(channel, value, method="Query"):
    return channel.start(method, milvus_pb2.QueryRequest(), [("authorization", value)] if value else [])


def test_as_many_credentials_as_max_credentials(bounded, fake):
    """Any bytes travel as they are; no more connections are there than for two, and the latest two stay."""
    with bounded.channel() as channel:
        for value in ("a", "Bearer b", "Basic Yzpj", "a", ""):
            ask(channel, value).result()
            assert fake.asked("Query")[-1].values("authorization") == ([value] if value else [])
        eventually(lambda: bounded.count_upstream() == 2, "as many connections as may be")
        before = {call.connection for call in fake.asked("Query")[-2:]}
        for value in ("a", "", "a"):
            ask(channel, value).result()
        assert {call.connection for call in fake.asked("Query")[-3:]} == before


def test_one_more_than_max_credentials_at_once(bounded, fake):
    gate = Gate(answer(milvus_pb2.QueryResults()))
    fake.on("Query", gate)
    with bounded.channel() as channel:
        held = [ask(channel, value) for value in ("a", "b", "a")]
        fake.wait_for("Query", 3)
        error = ask(channel, "hunter2").exception()
        assert error.code().value[0] == RESOURCE_EXHAUSTED and "max_credentials" in error.details()
        assert error.details().startswith(own_text(ADMISSION)) and "hunter2" not in error.details()
        gate.open()
        for call in held:
            call.result()
        ask(channel, "hunter2").result()


def test_who_is_only_refused_leaves_first(bounded, fake):
    with bounded.channel() as channel:
        ask(channel, "right").result()
        connection = fake.asked("Query")[-1].connection
        fake.on("Query", fail(grpc.StatusCode.UNAUTHENTICATED, "no"))
        for number in range(5):
            assert ask(channel, f"wrong{number}").exception().details() == "no"
        fake.on("Query", answer(milvus_pb2.QueryResults()))
        ask(channel, "right").result()
        assert fake.asked("Query")[-1].connection == connection


def describe_to(call, _):
    """A collection whose name is the credential."""
    shown_here = "".join(call.values("authorization")) or "none"
    return milvus_pb2.DescribeCollectionResponse(
        schema=schema_pb2.CollectionSchema(name=shown_here), collectionID=1
    ).SerializeToString()


def test_each_credential_has_its_own_answers_from_memory(start_bouncer, fake):
    """Asked by three of them in turn, on connections of their own; the fourth has the place of the first."""
    fake.on("DescribeCollection", describe_to)
    bouncer = start_bouncer(one_pool(fake.upstream, credentials="client", max_credentials=3, pool_size=1))

    def describe(value):
        metadata = [("authorization", value)] if value else []
        with bouncer.channel() as channel:
            reply = channel.call("DescribeCollection", QUESTIONS["DescribeCollection"], metadata)
        assert reply.schema.name == (value or "none")
        return fake.count("DescribeCollection")

    assert [describe(value) for value in ("a", "b", "")] == [1, 2, 3]
    assert [describe(value) for value in ("a", "b", "", "a", "b", "")] == [3] * 6
    assert [describe(value) for value in ("c", "b", "", "a")] == [4, 4, 4, 5]


@needs_root
@pytest.mark.skipif(IS_SANITIZED, reason="a sanitizer keeps what is freed")
def test_what_stays_in_memory(bounded, fake):
    """A value is where secrets are as long as its pool is there, and then nowhere."""
    value = f"hunter-{secrets.token_hex(12)}"

    def places():
        eventually(lambda: bounded.count_clients() == 0, "clients are gone, and with them what they have shown")
        return find_in_memory(bounded.pid, [value.encode()]).get(value.encode(), [])

    def show(*values):
        with bounded.channel() as channel:
            for each in values:
                ask(channel, each).result()

    show(value)
    assert places() and all(region.is_for_secrets for region in places())
    show("a", "b")
    assert not places()


# ---- a rule's ----


def with_rules(upstream, *rules, **sections):
    return configuration(upstream, databases={"default": {"upstream": "main"}}, access=list(rules), **sections)


@needs_root
@each_protocol
def test_each_rule_is_a_user_of_milvus(start_bouncer, strict, protocol):
    """The web workers read as one, the indexer writes as another, nobody else enters, and no program has a password."""
    with public_folder() as folder:
        address = f"unix:{folder}/milvus.sock"
        rules = [
            {"match": {"user": "www-data"}, "allow": "read", **strict.credential("searcher", PASSWORDS["searcher"])},
            {"match": {"uid": 2001}, "allow": ["read", "write"], **strict.credential("inserter", PASSWORDS["inserter"])},
        ]
        listen = [{"address": address, "mode": "0666"}]
        bouncer = start_bouncer(with_rules({"uri": strict.uri}, *rules, listen=listen), strict.network, wait=False)
        eventually(lambda: f"listening on {address}" in bouncer.log_text(), "it listens")
        search, insert = ask_as(WEB, address, protocol, "Search", "Insert")
        assert search.code == OK
        assert insert.code == PERMISSION_DENIED and 'rule 1 of "access"' in insert.message
        search, insert = ask_as(INDEXER, address, protocol, "Search", "Insert")
        assert (search.code, search.message) == (PERMISSION_DENIED, "PrivilegeSearch: permission deny to inserter")
        assert insert.code == OK
        assert ask_as(STRANGER, address, protocol, "Search")[0].code == PERMISSION_DENIED


def test_descriptions_are_kept_for_each_rule_alone(start_bouncer, strict, tmp_path):
    """Two listeners, two rules: what one may see is not told to the other, before or after."""
    rules, addresses = [], {}
    for user in ("searcher", "inserter"):
        addresses[user] = f"unix:{tmp_path}/{user}.sock"
        match = {"listener": addresses[user]}
        rules.append({"match": match, "allow": ["read", "write"], **strict.credential(user, PASSWORDS[user])})
    listen = [{"address": address} for address in addresses.values()]
    bouncer = start_bouncer(with_rules({"uri": strict.uri}, *rules, listen=listen), strict.network, wait=False)
    eventually(lambda: bouncer.log_text().count("listening on") == 2, "it listens")
    for _ in range(2):
        for user, address in addresses.items():
            for method in sorted(GRANTED[user] | {"DescribeCollection"}):
                with Plain(address) as client:
                    if method in GRANTED[user]:
                        checked(client.call(method, QUESTIONS[method]))
                    else:
                        assert client.fails(method, QUESTIONS[method]).code == PERMISSION_DENIED


def test_rule_comes_before_the_clients_own(start_bouncer, strict):
    database = {"upstream": "main", "credentials": "client"}
    rule = {"match": {"any": True}, "allow": "read", **strict.credential("searcher", PASSWORDS["searcher"])}
    config = configuration({"uri": strict.uri}, databases={"default": database}, access=[rule])
    bouncer = start_bouncer(config, strict.network)
    with bouncer.plain() as client:
        checked(client.call("Search", QUESTIONS["Search"]))
    assert outcome(bouncer, shown("nobody"), "Search")[0] == OK


def test_wrong_credential_of_a_rule(start_bouncer, strict, tmp_path):
    """The log, the client and `check --connect` say which one, and not what it is."""
    (tmp_path / "wrong").write_text("not-the-password")
    wrong = {"user": "searcher", "password_file": str(tmp_path / "wrong")}
    rules = [
        {"match": {"uid": 4711}, "allow": "read", **strict.credential("inserter", PASSWORDS["inserter"])},
        {"match": {"any": True}, "allow": "read", **wrong},
    ]
    bouncer = start_bouncer(with_rules({"uri": strict.uri, **strict.credential("root", "Milvus")}, *rules), strict.network)
    with bouncer.plain() as client:
        error = client.fails("Search", QUESTIONS["Search"])
    assert is_own(error, UNAUTHENTICATED, UPSTREAM) and 'credentials of rule 2 of "access"' in error.message
    line = next(line for line in bouncer.log_text().splitlines() if "refuses the credential" in line)
    assert "upstream main, database default, rule 2:" in line and "user searcher" in line
    done = run("check", "-c", bouncer.file, "--connect", network=strict.network)
    assert done.returncode == 1
    assert "database default: upstream main" in done.stdout
    assert "database default, rule 1: upstream main" in done.stdout
    assert "database default, rule 2: upstream main" in done.stderr
    for text in (error.message, bouncer.log_text(), done.stdout + done.stderr):
        assert "not-the-password" not in text


def test_check_connect_where_the_clients_own_travel(strict, tmp_path, start):
    done = run("check", "-c", start().file, "--connect", network=strict.network)
    assert done.returncode == 0, done.stderr
    assert "it wants the client's own credentials" in done.stdout


# ---- tokens ----


def token_line(name, secret):
    done = subprocess.run([BINARY, "token", name], input=secret + "\n", capture_output=True, text=True, check=True)
    return done.stdout


def test_token_is_not_passed_on(start_bouncer, fake, tmp_path):
    """Who is asked for a token shows one or none; what is no token goes nowhere."""
    (tmp_path / "tokens").write_text(token_line("laptop", "secret"))
    database = {"upstream": "main", "credentials": "client"}
    config = configuration(fake.upstream, databases={"default": database}, tokens_file=str(tmp_path / "tokens"),
                           access=[{"match": {"token": "laptop"}, "allow": "read"}])  # fmt: skip
    bouncer = start_bouncer(config, wait=False)
    eventually(lambda: "listening on" in bouncer.log_text(), "it listens")
    with bouncer.channel() as channel:
        ask(channel, base64.b64encode(b"laptop:secret").decode()).result()
        assert fake.asked("Query")[-1].values("authorization") == []
        assert ask(channel, base64.b64encode(ROOT_CREDENTIAL.encode()).decode()).code().value[0] == UNAUTHENTICATED
    assert fake.count("Query") == 1
