# SPDX-License-Identifier: Apache-2.0
"""Tokens: rules for clients that no peer credentials tell of, and what SDKs show for one."""
import base64
import os
import pty
import re
import subprocess
import termios

import grpc
import pytest
from pymilvus import MilvusClient, MilvusException
from pymilvus.grpc_gen import milvus_pb2

from bouncer import BINARY, configuration, run
from codes import OK, PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNAUTHENTICATED
from h2 import H2
from plain import Plain
from sdk_client import KEY, VECTOR, create_collection, direct_client
from waiting import LIMIT, eventually

SECRET = "a secret: käse"
READER = {"match": {"token": "reader"}, "allow": "read", "databases": "default"}
WRITER = {"match": {"token": "writer"}, "allow": ["read", "write", "schema"]}


def make_line(name, secret):
    """By the program, from standard input."""
    done = subprocess.run([BINARY, "token", name], input=secret + "\n", capture_output=True, text=True)
    assert done.returncode == 0 and secret not in done.stdout + done.stderr, done.stderr
    assert done.stdout.startswith(name + ":$y$") and done.stdout.count("\n") == 1
    return done.stdout


def encoded(text):
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def tokens(tmp_path):
    """tokens(NAME=SECRET...): writes the file."""

    def write(**secrets):
        file = tmp_path / "tokens"
        file.write_text("# of the tests\n" + "".join(make_line(*item) for item in secrets.items()))
        return str(file)

    return write


@pytest.fixture
def start(start_bouncer, fake, tokens):
    """start(rules): a daemon with them, and with the tokens reader and writer, both of SECRET."""

    def start_with(*rules, upstream=fake.upstream):
        file = tokens(reader=SECRET, writer=SECRET)
        bouncer = start_bouncer(
            configuration(upstream, access=list(rules), tokens_file=file), tcp=True, wait=False
        )
        eventually(lambda: f"listening on {bouncer.tcp_address}" in bouncer.log_text(), "it listens")
        return bouncer

    return start_with


def ask(address, method="Search", *authorization):
    """Its code and message, on a connection of its own, with these values of authorization."""
    with H2(address) as client:
        reply = client.call(method, b"", *[("authorization", value) for value in authorization])
        return reply.code, "".join(reply.values("grpc-message"))


SHOWN = f"reader:{SECRET}"


@pytest.mark.parametrize(
    "authorization", [encoded(SHOWN), "Basic " + encoded(SHOWN), "basic " + encoded(SHOWN), "Bearer reader:plain"]
)
def test_each_form(start, tokens, authorization):
    bouncer = start(READER)
    if authorization.startswith("Bearer"):
        tokens(reader="plain")
        bouncer.reload()
    for _ in range(2):
        assert ask(bouncer.tcp_address, "Search", authorization)[0] == OK
    assert ask(bouncer.tcp_address, "Insert", authorization)[0] == PERMISSION_DENIED


def test_token_goes_nowhere(start, fake):
    assert ask(start(READER).tcp_address, "Search", encoded(SHOWN))[0] == OK
    assert "authorization" not in fake.wait_for("Search").metadata


@pytest.mark.parametrize(
    "authorization",
    [encoded("reader:wrong"), encoded("nobody:" + SECRET), encoded(SECRET), encoded("reader"), "Bearer x", "???", "Basic"],
)
def test_wrong_token(start, fake, authorization):
    bouncer = start(READER)
    for _ in range(3):
        code, message = ask(bouncer.tcp_address, "Search", authorization)
        assert code == UNAUTHENTICATED and message.startswith("milvus-bouncer:")
    assert ask(bouncer.tcp_address, "Search", encoded(SHOWN))[0] == OK
    assert fake.count("Search") == 1
    known = authorization == encoded("reader:wrong")
    assert bouncer.log_text().count("wrong secret was shown for token reader") == known


def test_without_a_token(start, fake):
    code, message = ask(start(READER).tcp_address)
    assert code == UNAUTHENTICATED and "NAME:SECRET" in message
    assert fake.count("Search") == 0


def test_first_value_counts(start):
    bouncer = start(READER)
    assert ask(bouncer.tcp_address, "Search", encoded("x:y"), encoded(SHOWN))[0] == UNAUTHENTICATED
    assert ask(bouncer.tcp_address, "Search", encoded(SHOWN), encoded("x:y"))[0] == OK


def test_each_call_has_its_token(start):
    """On one connection, and the one behind it does not have the rights of the one before."""
    bouncer = start(READER, WRITER)
    reader, writer = (("authorization", encoded(f"{name}:{SECRET}")) for name in ("reader", "writer"))
    with H2(bouncer.tcp_address) as client:
        for who, code in [(writer, OK), (reader, PERMISSION_DENIED), (writer, OK)]:
            assert client.call("Insert", b"", who).code == code
        assert client.call("Search").code == UNAUTHENTICATED


def test_plain_protocol_carries_no_token(start):
    with Plain(start(READER).tcp_address) as client:
        goaway = client.goaway()
        assert goaway.code == PERMISSION_DENIED and "token" in goaway.text.decode()


def test_who_needs_no_token_is_not_asked(start):
    """A rule behind, or for another address, is none of its concern: Milvus's credentials may be sent along."""
    bouncer = start({"match": {"uid": 0}, "allow": "read"}, READER)
    milvus = encoded("root:Milvus")
    assert ask(bouncer.address, "Search", milvus)[0] == OK
    assert ask(bouncer.tcp_address, "Search", milvus)[0] == UNAUTHENTICATED
    assert ask(bouncer.tcp_address, "Search", encoded(SHOWN))[0] == OK


def test_token_gives_more(start):
    """Who shows none has the rule behind; who shows a wrong one is told so."""
    bouncer = start(WRITER, {"match": {"any": True}, "allow": "read"})
    writer = encoded(f"writer:{SECRET}")
    assert ask(bouncer.tcp_address, "Search")[0] == OK
    assert ask(bouncer.tcp_address, "Insert")[0] == PERMISSION_DENIED
    assert ask(bouncer.tcp_address, "Insert", writer)[0] == OK
    assert ask(bouncer.tcp_address, "Search", encoded("writer:wrong"))[0] == UNAUTHENTICATED
    with Plain(bouncer.tcp_address) as client:
        client.call("Search", milvus_pb2.SearchRequest())
        assert client.fails("Insert", milvus_pb2.InsertRequest()).code == PERMISSION_DENIED


def test_health_needs_no_token(start):
    assert ask(start(READER).tcp_address, "/grpc.health.v1.Health/Check")[0] == OK


def test_many_wrong_ones_are_put_off(start):
    """The name under attack waits, others do not, nor who was right before."""
    bouncer = start(READER, WRITER)
    reader, writer = (encoded(f"{name}:{SECRET}") for name in ("reader", "writer"))
    assert ask(bouncer.tcp_address, "Search", reader)[0] == OK
    codes = [ask(bouncer.tcp_address, "Search", encoded(f"reader:wrong{n}"))[0] for n in range(40)]
    assert codes[0] == UNAUTHENTICATED and codes[-1] == RESOURCE_EXHAUSTED
    assert ask(bouncer.tcp_address, "Search", reader)[0] == OK
    assert bouncer.log_text().count("wrong secret was shown") < 40


def test_taken_back_and_changed(start, tokens):
    bouncer = start(READER, WRITER)
    reader, writer = (encoded(f"{name}:{SECRET}") for name in ("reader", "writer"))
    with H2(bouncer.tcp_address) as client:
        assert client.call("Search", b"", ("authorization", reader)).code == OK
        tokens(writer="another")
        log = bouncer.reload()
        assert "token reader is no longer in tokens_file" in log
        assert client.call("Search", b"", ("authorization", reader)).code == UNAUTHENTICATED
    assert ask(bouncer.tcp_address, "Search", writer)[0] == UNAUTHENTICATED
    assert ask(bouncer.tcp_address, "Search", encoded("writer:another"))[0] == OK


def test_faulty_file_on_reload(start, tmp_path):
    bouncer = start(READER)
    (tmp_path / "tokens").write_text("reader:hunter2\n")
    log = bouncer.reload()
    assert "the tokens stay what they were" in log and "line 1" in log and "hunter2" not in log
    assert ask(bouncer.tcp_address, "Search", encoded(SHOWN))[0] == OK


def test_max_clients_of_a_token(start):
    """A connection counts in the rule of the token that it showed last."""
    bouncer = start({**READER, "limits": {"max_clients": 1}}, WRITER)
    reader, writer = (("authorization", encoded(f"{name}:{SECRET}")) for name in ("reader", "writer"))
    with H2(bouncer.tcp_address) as first, H2(bouncer.tcp_address) as second:
        assert first.call("Search", b"", reader).code == OK
        assert second.call("Search", b"", reader).code == RESOURCE_EXHAUSTED
        assert first.call("Search", b"", writer).code == OK
        assert second.call("Search", b"", reader).code == OK
    with H2(bouncer.tcp_address) as third:
        eventually(lambda: third.call("Search", b"", reader).code == OK, "there is room again")


# ---- the SDK ----


@pytest.mark.parametrize(
    "shown", [{"token": f"reader:{SECRET}"}, {"user": "reader", "password": SECRET}], ids=["token", "user"]
)
def test_pymilvus(start, lite, name, shown):
    with direct_client(lite) as direct:
        create_collection(direct, name, 2)
    bouncer = start(READER, upstream=lite.upstream)
    client = MilvusClient(f"http://{bouncer.tcp_address}", **shown, dedicated=True)
    assert client.describe_collection(name)["collection_name"] == name
    with pytest.raises(grpc.RpcError, match='needs "write"'):  # so does pymilvus here
        client.insert(name, [{KEY: 1, VECTOR: [0.5, 0.5]}])
    with pytest.raises(grpc.RpcError, match='needs "rbac"'):
        client.list_users()
    client.close()


@pytest.mark.parametrize("shown", [{}, {"token": "reader:wrong"}, {"user": "root", "password": "Milvus"}], ids=str)
def test_pymilvus_that_is_refused(start, lite, shown):
    bouncer = start(READER, upstream=lite.upstream)
    with pytest.raises(MilvusException, match="illegal connection params"):  # all it says of UNAUTHENTICATED
        MilvusClient(f"http://{bouncer.tcp_address}", **shown, dedicated=True, timeout=5).list_collections()


def test_credentials_that_nobody_asks_for(start_bouncer, fake, lite):
    """The client is served, and what it sends goes nowhere: nor does the daemon's own come in."""
    bouncer = start_bouncer(configuration(lite.upstream), tcp=True)
    for shown in ({"token": "root:Milvus"}, {"user": "root", "password": "Milvus"}, {"token": "an-api-key"}):
        client = MilvusClient(f"http://{bouncer.tcp_address}", **shown, dedicated=True)
        client.list_collections()
        client.close()
    bouncer = start_bouncer(configuration(fake.upstream), tcp=True)
    assert ask(bouncer.tcp_address, "Search", encoded("root:Milvus"))[0] == OK
    assert "authorization" not in fake.wait_for("Search").metadata


# ---- the command ----


def test_command_draws_a_secret(start_bouncer, fake, tmp_path):
    done = run("token", "--random", "laptop")
    token = re.fullmatch(r"the token is (laptop:[\w-]{43})\n", done.stderr)[1]
    (tmp_path / "tokens").write_text(done.stdout)
    rule = {"match": {"token": "laptop"}, "allow": "read"}
    bouncer = start_bouncer(
        configuration(fake.upstream, access=[rule], tokens_file=str(tmp_path / "tokens")), wait=False
    )
    eventually(bouncer.path.is_socket, "it listens")
    assert ask(bouncer.address, "Search", encoded(token))[0] == OK
    assert run("token", "--random", "laptop").stdout != done.stdout


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["--nope", "a"], ["a:b"], ["a b"], ["#a"], [""], ["x" * 65]])
def test_command_used_wrongly(arguments):
    done = run("token", *arguments)
    assert done.returncode == 2 and done.stdout == "" and done.stderr


@pytest.mark.parametrize("secret", ["", "\n", "x" * 512, "a\0b\n"], ids=["none", "empty", "long", "NUL"])
def test_command_without_a_good_secret(secret):
    done = subprocess.run([BINARY, "token", "a"], input=secret, capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == "" and done.stderr.startswith("token: ")


def test_command_at_a_terminal():
    """Asks twice and shows nothing of what is typed."""
    outer, inner = pty.openpty()
    process = subprocess.Popen([BINARY, "token", "a"], stdin=inner, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for prompt in (b"secret: ", b"again: "):
        assert process.stderr.read(len(prompt)) == prompt
        eventually(lambda: not termios.tcgetattr(inner)[3] & termios.ECHO, "it does not show what is typed")
        os.write(outer, b"hunter2\n")
        assert process.stderr.read(1) == b"\n"
    assert process.stdout.read().startswith(b"a:$y$") and process.wait(LIMIT) == 0
    assert termios.tcgetattr(inner)[3] & termios.ECHO
    os.close(outer)
    os.close(inner)


def test_check_says_which_token_is_missing(tmp_path, tokens):
    file = tmp_path / "c.yaml"
    rules = "access: [{match: {token: raeder}, allow: read}]\n"
    rest = "upstreams: {main: {uri: 'https://h'}}\ndatabases: {'*': {upstream: main}}\n"
    file.write_text(rules + rest + f"tokens_file: {tokens(reader=SECRET)}\n")
    for command in ("check", "serve"):
        done = run(command, "-c", file)
        assert done.returncode == 1
        assert 'c.yaml:1:26: "token": no token "raeder" in tokens_file; did you mean "reader"?' in done.stderr
