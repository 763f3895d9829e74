# SPDX-License-Identifier: Apache-2.0
"""The daemon as a service: exit codes, drain, sockets, logs, systemd."""
import grp
import json
import os
import signal
import socket
import stat

import pytest
from pymilvus.grpc_gen import milvus_pb2

from bouncer import BINARY, Bouncer, configuration, run, yaml
from codes import ADMISSION, OK, UNAVAILABLE, is_own
from fake import VERSION, Gate, answer, hang
from mvb1 import GOAWAY, MAGIC, REPLY, Client, RequestError
from plain import Plain
from processes import Process, free_port
from waiting import LIMIT, eventually

SEARCH = milvus_pb2.SearchRequest()
GET_VERSION = milvus_pb2.GetVersionRequest()
FAULT, USAGE, CANNOT_BIND = 1, 2, 3
SIGNALS = [signal.SIGTERM, signal.SIGINT]


def test_version_and_help():
    assert run("--version").stdout.startswith("milvus-bouncer ")
    for arguments in (["--help"], ["serve", "--help"], ["check", "--help"], ["call", "--help"]):
        done = run(*arguments)
        assert done.returncode == 0
        assert "milvus-bouncer" in done.stdout


@pytest.mark.parametrize("arguments", [[], ["serv"], ["serve", "--nonsense"], ["serve", "more"], ["serve", "-c"]])
def test_usage(arguments):
    done = run(*arguments)
    assert done.returncode == USAGE
    assert done.stderr and not done.stdout


def test_fault_in_the_configuration(tmp_path):
    file = tmp_path / "milvus-bouncer.yaml"
    file.write_text("upstreams:\n  main: {urii: http://127.0.0.1:1}\n")
    done = run("serve", "-c", file)
    assert done.returncode == FAULT
    assert f"{file}:2:" in done.stderr


def test_configuration_that_is_not_there(tmp_path):
    done = run("serve", "-c", tmp_path / "missing.yaml")
    assert done.returncode == FAULT
    assert "missing.yaml" in done.stderr


def cannot_start(bouncer):
    """That it ended with the code for an address it could not bind, and named that address; its log."""
    assert bouncer.process.wait() == CANNOT_BIND
    return bouncer.log_text()


@pytest.fixture
def failing_bouncer(tmp_path):
    """Like start_bouncer, for one that does not get as far as running."""
    return lambda config, **options: Bouncer(tmp_path / "failing", config, **options)


def test_port_that_is_taken(failing_bouncer, fake):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        config = configuration(fake.upstream, listen=[{"address": address}])
        assert address in cannot_start(failing_bouncer(config))


def test_live_socket_file_is_not_taken_over(start_bouncer, failing_bouncer, fake):
    running = start_bouncer(configuration(fake.upstream))
    config = configuration(fake.upstream, listen=[{"address": running.address}])
    assert str(running.path) in cannot_start(failing_bouncer(config))
    with running.plain() as client:
        client.ping()


def test_file_that_is_no_socket_is_not_removed(failing_bouncer, fake, tmp_path):
    file = tmp_path / "precious"
    file.write_text("data")
    config = configuration(fake.upstream, listen=[{"address": f"unix:{file}"}])
    assert str(file) in cannot_start(failing_bouncer(config))
    assert file.read_text() == "data"


def test_stale_socket_file_is_replaced(start_bouncer, fake):
    config = configuration(fake.upstream)
    bouncer = start_bouncer(config)
    bouncer.process.kill()
    assert bouncer.path.is_socket()
    start_bouncer.started.remove(bouncer)
    again = start_bouncer(configuration(fake.upstream, listen=[{"address": bouncer.address}]), wait=False)
    eventually(lambda: Client(bouncer.address).call("GetVersion", GET_VERSION), "the address serves again")
    assert again.process.is_alive()


def test_socket_file_is_removed_at_the_end(start_bouncer, fake):
    bouncer = start_bouncer(configuration(fake.upstream))
    bouncer.stop()
    assert not bouncer.path.exists()


def test_mode_and_group_of_the_socket(start_bouncer, fake):
    group = grp.getgrgid(os.getegid()) if os.geteuid() else grp.getgrnam("nogroup")
    listener = {"mode": "0620", "group": group.gr_name}
    bouncer = start_bouncer(configuration(fake.upstream), listener=listener)
    status = bouncer.path.stat()
    assert stat.S_IMODE(status.st_mode) == 0o620
    assert status.st_gid == group.gr_gid


@pytest.mark.parametrize("number", SIGNALS)
def test_drain(start_bouncer, fake, number):
    """Requests under way are answered, clients are told to go, nobody new gets in."""
    gate = Gate(answer(milvus_pb2.SearchResults(collection_name="done")))
    fake.on("Search", gate)
    bouncer = start_bouncer(configuration(fake.upstream))
    with bouncer.plain() as client, bouncer.plain() as idle:
        idle.ping()
        ident = client.send("Search", SEARCH)
        fake.wait_for("Search")
        bouncer.drain(number)
        assert client.frame().kind == GOAWAY
        assert idle.goaway()
        assert bouncer.process.is_alive()
        gate.open()
        reply = client.frame()
        assert (reply.kind, reply.id, reply.code) == (REPLY, ident, OK)
        assert client.at_end()
    assert bouncer.process.wait() == 0


def test_new_request_during_a_drain(start_bouncer, fake):
    gate = Gate(answer(milvus_pb2.SearchResults()))
    fake.on("Search", gate)
    bouncer = start_bouncer(configuration(fake.upstream))
    with bouncer.plain() as client:
        first = client.send("Search", SEARCH)
        fake.wait_for("Search")
        bouncer.drain()
        assert client.frame().kind == GOAWAY
        refused = client.reply(client.send("Query", milvus_pb2.QueryRequest()))
        assert refused.code == UNAVAILABLE
        assert refused.text.startswith(b"milvus-bouncer:")
        gate.open()
        assert client.reply(first).code == OK
    assert bouncer.process.wait() == 0
    assert fake.count("Query") == 0


def test_request_that_crosses_with_the_goaway(start_bouncer, fake):
    """Of clients with nothing under way: they had not read the goaway yet, and are not left without an answer."""
    bouncer = start_bouncer(configuration(fake.upstream))
    with bouncer.plain() as idle, Plain(bouncer.address, greeting=b"") as unnamed:
        idle.ping()
        bouncer.drain()
        eventually(lambda: "draining" in bouncer.log_text(), "the drain has begun")
        unnamed.raw(MAGIC)
        asked = [(client, client.send("Search", SEARCH)) for client in (idle, unnamed)]
        for client, ident in asked:
            assert client.frame().kind == GOAWAY
            error = RequestError(client.reply(ident))
            assert is_own(error, UNAVAILABLE, ADMISSION), error
            assert client.at_end()
    assert bouncer.process.wait() == 0
    assert fake.count("Search") == 0


def test_drain_with_a_reply_that_fills_the_output(start_bouncer, fake):
    gate = Gate(answer(milvus_pb2.SearchResults(collection_name="x" * (8 << 20))))
    fake.on("Search", gate)
    bouncer = start_bouncer(configuration(fake.upstream))
    with bouncer.plain() as client:
        ident = client.send("Search", SEARCH)
        fake.wait_for("Search")
        bouncer.drain()
        assert client.frame().kind == GOAWAY
        gate.open()
        assert client.reply(ident).code == OK
        assert client.at_end()
    assert bouncer.process.wait() == 0


def test_half_a_frame_does_not_prolong_a_drain(start_bouncer, fake):
    bouncer = start_bouncer(configuration(fake.upstream, limits={"frame_timeout": "1h"}))
    with bouncer.plain() as client:
        client.ping()
        bouncer.drain()
        assert client.frame().kind == GOAWAY
        client.raw(b"half")
        assert client.at_end()
    assert bouncer.process.wait() == 0


def test_without_a_file_there_is_nothing_to_reload(tmp_path, fake):
    listen = f"127.0.0.1:{free_port()}"
    daemon = Process([BINARY, "serve", "--upstream", fake.uri, "--listen", listen], tmp_path / "log")
    try:
        eventually(lambda: "connected to upstream" in daemon.log_text(), "it is up")
        daemon.signal(signal.SIGHUP)
        eventually(lambda: "reload: there is no file to read" in daemon.log_text(), "the log says so")
        daemon.signal(signal.SIGTERM)
        assert daemon.wait() == 0
    finally:
        daemon.kill()


def test_second_signal_exits_at_once(start_bouncer, fake):
    fake.on("Search", hang)
    bouncer = start_bouncer(configuration(fake.upstream))
    with bouncer.plain() as client:
        client.send("Search", SEARCH, timeout=100)
        fake.wait_for("Search")
        bouncer.drain()
        assert client.frame().kind == GOAWAY
        bouncer.drain()
        bouncer.process.wait()
    start_bouncer.started.remove(bouncer)


def test_drain_while_the_upstream_is_away(start_bouncer, black_hole):
    bouncer = start_bouncer(configuration(black_hole.upstream))
    with bouncer.plain() as client:
        ident = client.send("Search", SEARCH, timeout=0.5)
        client.ping()
        bouncer.drain()
        assert client.frame().kind == GOAWAY
        assert client.reply(ident).code != OK
    assert bouncer.process.wait() == 0


def test_without_a_file(fake, tmp_path):
    path = tmp_path / "milvus.sock"
    port = free_port()
    addresses = [f"unix:{path}", f"127.0.0.1:{port}"]
    listen = [argument for address in addresses for argument in ("--listen", address)]
    process = Process([BINARY, "serve", "--upstream", fake.upstream["uri"], *listen], tmp_path / "log")
    try:
        for address in addresses:
            client = eventually(lambda: Client(address), f"{address} accepts")
            assert client.call("GetVersion", GET_VERSION).version == VERSION
            client.close()
        process.signal(signal.SIGTERM)
        assert process.wait() == 0
    finally:
        process.kill()


def test_without_a_file_with_a_token(fake, tmp_path):
    token = tmp_path / "token"
    token.write_text("the-token\n")
    address = f"unix:{tmp_path}/milvus.sock"
    arguments = ["--upstream", fake.upstream["uri"], "--token-file", token, "--listen", address]
    process = Process([BINARY, "serve", *arguments], tmp_path / "log")
    try:
        client = eventually(lambda: Client(address), f"{address} accepts")
        client.call("Search", SEARCH)
        assert fake.wait_for("Search").metadata["authorization"] == "dGhlLXRva2Vu"
        token.write_text("another")
        process.signal(signal.SIGHUP)
        eventually(lambda: "has been read again" in process.log_text(), "the token is read again")
        client.call("Search", SEARCH)
        assert fake.wait_for("Search", 2).metadata["authorization"] == "YW5vdGhlcg=="
        client.close()
    finally:
        process.kill()


def test_without_a_file_in_plaintext_to_another_host(tmp_path):
    """By name or number, with credentials or without."""
    for host in ("milvus", "10.0.0.7", "[fd00::1]"):
        done = run("serve", "--upstream", f"http://{host}:19530", "--listen", f"unix:{tmp_path}/s")
        assert done.returncode == 1
        assert f"--upstream: http://{host}:19530 is another host" in done.stderr
        assert "write https://, or add --allow-plaintext" in done.stderr
    arguments = ["--upstream", "http://10.0.0.7:19530", "--allow-plaintext", "--listen", f"unix:{tmp_path}/s"]
    process = Process([BINARY, "serve", *arguments], tmp_path / "log")
    try:
        eventually(lambda: "listening on" in process.log_text(), "it serves")
        process.signal(signal.SIGTERM)
        assert process.wait() == 0
    finally:
        process.kill()


def test_tcp_and_unix_at_once(start_bouncer, fake):
    bouncer = start_bouncer(configuration(fake.upstream), tcp=True)
    for address in (bouncer.address, bouncer.tcp_address):
        with Client(address) as client:
            assert client.call("GetVersion", GET_VERSION).version == VERSION


def test_log_as_json(start_bouncer, black_hole):
    log = {"level": "debug", "format": "json"}
    upstream = {**black_hole.upstream, "connect_timeout": "300ms"}
    bouncer = start_bouncer(configuration(upstream, log=log))
    with bouncer.plain() as client:
        client.fails("Search", SEARCH)
    bouncer.stop()
    lines = [json.loads(line) for line in bouncer.log_text().splitlines()]
    assert lines and all(isinstance(line, dict) for line in lines)


def test_log_level(start_bouncer, fake):
    bouncer = start_bouncer(configuration(fake.upstream, log={"level": "error"}))
    bouncer.stop()
    assert bouncer.log_text() == ""


@pytest.fixture
def notify_socket(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(tmp_path / "notify"))
        notify.settimeout(LIMIT)
        yield notify


def test_readiness_is_told_to_systemd(start_bouncer, black_hole, notify_socket):
    """Ready means that it listens; upstream need not be there."""
    environment = {**os.environ, "NOTIFY_SOCKET": notify_socket.getsockname()}
    bouncer = start_bouncer(configuration(black_hole.upstream), wait=False, env=environment)
    assert b"READY=1" in notify_socket.recv(4096)
    with bouncer.plain() as client:
        client.ping()
    bouncer.drain()
    assert b"STOPPING=1" in notify_socket.recv(4096)


def test_socket_activation(fake, tmp_path):
    path = tmp_path / "milvus.sock"
    file = tmp_path / "milvus-bouncer.yaml"
    file.write_text(yaml(configuration(fake.upstream, listen=[{"address": f"unix:{path}"}])))
    command = ["systemd-socket-activate", "-l", path, BINARY, "serve", "-c", file]
    process = Process(command, tmp_path / "log")
    try:
        eventually(path.is_socket, "systemd listens")
        inode = path.stat().st_ino
        with Client(f"unix:{path}") as client:
            assert client.call("GetVersion", GET_VERSION).version == VERSION
        assert path.stat().st_ino == inode
        process.signal(signal.SIGTERM)
        assert process.wait() == 0
        assert path.is_socket()  # it is systemd's, not the daemon's to remove
    finally:
        process.kill()
