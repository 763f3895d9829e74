# SPDX-License-Identifier: Apache-2.0
"""The process: whom it becomes, who can look into it, whom its addresses are for, and whose its secrets are."""
import ctypes
import errno
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from pymilvus.grpc_gen import milvus_pb2

from bouncer import BINARY, configuration, run, yaml
from codes import OK, UNAUTHENTICATED
from fake import Fake
from h2 import H2
from inspected import limits, status, threads
from plain import Plain
from processes import Process, free_port
from test_tokens import encoded, make_line
from users import STRANGER, User, public_folder
from waiting import eventually

SERVANT = User(33, 33)
SERVANT_NAME = "www-data"
SEARCH = milvus_pb2.SearchRequest()
PTRACE_ATTACH, PTRACE_DETACH = 16, 17
ACTIVATED = Path(__file__).parent / "programs/activated.py"

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
libc = ctypes.CDLL(None, use_errno=True)


@pytest.fixture
def folder():
    """Of the servant, where every user may look."""
    with public_folder() as folder:
        shutil.chown(folder, SERVANT.uid, SERVANT.gid)
        yield folder


@pytest.fixture
def start(start_bouncer, fake, folder):
    """start(): a daemon that root has started and that has become the servant; sections go into its configuration."""

    def start_with(upstream=None, **sections):
        config = configuration(upstream or fake.upstream, user=SERVANT_NAME, **sections)
        return start_bouncer(config, directory=folder)

    return start_with


def is_served(address):
    with Plain(address) as client:
        client.call("Search", SEARCH)
        return True


def put(path, text, user, mode=0o600):
    """A file of that user's."""
    path.write_text(text)
    path.chmod(mode)
    os.chown(path, user.uid, user.gid)
    return str(path)


ROOT = User(0, 0)


# ---- whom it becomes ----


@needs_root
@pytest.mark.each_transport
def test_becomes_its_user(start):
    """With every thread, for good, and without a capability."""
    bouncer = start()
    assert is_served(bouncer.address)
    assert f"it runs as {SERVANT_NAME} now" in bouncer.log_text()
    for thread in threads(bouncer.pid):
        told = status(bouncer.pid, thread)
        assert set(told["Uid"].split()) == {str(SERVANT.uid)} and set(told["Gid"].split()) == {str(SERVANT.gid)}
        assert set(map(int, told["Groups"].split())) == set(os.getgrouplist(SERVANT_NAME, SERVANT.gid))
        assert {told[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
        assert told["NoNewPrivs"] == "1"


@needs_root
def test_socket_belongs_to_its_user(start, folder):
    bouncer = start()
    told = bouncer.path.stat()
    assert (told.st_uid, told.st_gid) == (SERVANT.uid, SERVANT.gid)
    bouncer.stop()
    assert not bouncer.path.exists()


@needs_root
def test_socket_keeps_its_group_and_mode(start_bouncer, fake, folder):
    config = configuration(fake.upstream, user=SERVANT_NAME)
    bouncer = start_bouncer(config, directory=folder, listener={"group": "daemon", "mode": "0620"})
    told = bouncer.path.stat()
    assert (told.st_uid, told.st_gid, stat.S_IMODE(told.st_mode)) == (SERVANT.uid, 1, 0o620)


@needs_root
def test_socket_in_a_folder_of_roots(start, folder):
    """It stays behind, which is said, and the next start replaces it."""
    shutil.chown(folder, 0, 0)
    for _ in range(2):
        bouncer = start()
        assert f"{bouncer.address} stays behind at the end" in bouncer.log_text()
        bouncer.stop()
        assert bouncer.path.is_socket()


@needs_root
def test_reload_as_its_user(start, folder):
    bouncer = start()
    other = Fake()
    try:
        bouncer.reload(configuration(other.upstream, user=SERVANT_NAME))
        eventually(lambda: is_served(bouncer.address) and other.count("Search") > 0, "it asks the other one")
        assert "warning" not in bouncer.log_text()
    finally:
        other.stop()


@needs_root
def test_files_that_its_user_cannot_read(start, fake, folder):
    """Root has read them; that they cannot be read again is said at once, and again when it is tried."""
    token = put(folder / "token", "first", ROOT)
    bouncer = start({**fake.upstream, "token_file": token})
    assert f"token_file {token} cannot be read again: Permission denied" in bouncer.log_text()
    assert is_served(bouncer.address)
    assert fake.asked("Search")[-1].metadata["authorization"] == encoded("first")
    log = bouncer.reload()
    assert f"cannot read {token}: Permission denied" in log and "nothing has changed" in log
    bouncer.file.chmod(0o600)
    assert f"cannot read {bouncer.file}: Permission denied" in bouncer.reload()
    assert is_served(bouncer.address)


@needs_root
def test_file_of_a_rule_that_its_user_cannot_read(start, folder):
    token = put(folder / "token", "of-rule", ROOT)
    rule = {"match": {"any": True}, "allow": ["read"], "token_file": token}
    bouncer = start(access=[rule])
    assert f"token_file {token} cannot be read again: Permission denied" in bouncer.log_text()


@pytest.fixture
def command(folder, fake):
    """The daemon, to be started by anybody; it listens on the socket `s` of the folder."""
    program = shutil.copy(BINARY, folder)
    file = folder / "c.yaml"
    listen = [{"address": f"unix:{folder}/s"}]
    file.write_text(yaml({"user": SERVANT_NAME, **configuration(fake.upstream, listen=listen)}))
    file.chmod(0o644)
    return [program, "serve", "-c", file]


def started_by(user):
    return {"user": user.uid, "group": user.gid, "extra_groups": user.groups}


@needs_root
def test_nobody_else_but_root_becomes_its_user(command):
    done = subprocess.run(command, **started_by(STRANGER), capture_output=True, text=True)
    assert done.returncode == 1
    assert f'{command[-1]}:2:11: "user": only root becomes {SERVANT_NAME}' in done.stderr


@needs_root
def test_started_by_its_user(command, folder):
    daemon = Process(command, folder / "log", **started_by(SERVANT))
    try:
        eventually(lambda: is_served(f"unix:{folder}/s"), "it serves")
        assert is_closed_to(SERVANT, daemon.pid)
        daemon.signal(signal.SIGTERM)
        assert daemon.wait() == 0
    finally:
        daemon.kill()


@needs_root
def test_root_is_warned(start_bouncer, fake):
    assert "it runs as root" in start_bouncer(configuration(fake.upstream)).log_text()


# ---- who can look into it ----


def as_user(user, function):
    """What a process of that user has as exit code: the function's number."""
    child = os.fork()
    if child == 0:
        code = 255
        try:
            os.setgroups(user.groups)
            os.setresgid(user.gid, user.gid, user.gid)
            os.setresuid(user.uid, user.uid, user.uid)
            libc.prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE: as a program has it that is executed
            code = function()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def attach(pid):
    """0, or errno."""
    if libc.ptrace(PTRACE_ATTACH, pid, None, None) != 0:
        return ctypes.get_errno()
    os.waitpid(pid, 0)
    libc.ptrace(PTRACE_DETACH, pid, None, None)
    return 0


def attach_to_child():
    child = os.fork()
    if child == 0:
        signal.pause()
    code = attach(child)
    os.kill(child, signal.SIGKILL)
    return code


def opened(path):
    try:
        os.close(os.open(path, os.O_RDONLY))
        return 0
    except OSError as error:
        return error.errno


def is_closed_to(user, pid):
    assert as_user(user, lambda: attach(pid)) == errno.EPERM
    for file in ("mem", "environ", "maps"):
        assert as_user(user, lambda: opened(f"/proc/{pid}/{file}")) == errno.EACCES, file
    return as_user(user, lambda: opened(f"/proc/{pid}/status")) == 0


@needs_root
def test_its_user_cannot_look_into_it(start):
    assert as_user(SERVANT, attach_to_child) == 0  # so it is not that nobody can
    assert is_closed_to(SERVANT, start().pid)


@pytest.mark.parametrize("command", ["serve", "check"])
def test_no_core_is_dumped(start_bouncer, fake, tmp_path, command):
    """Whatever the limit is that it is started with."""
    unlimited = ["prlimit", "--core=unlimited" if os.geteuid() == 0 else "--core=:"]
    if command == "check":
        file = tmp_path / "c.yaml"
        os.mkfifo(file)  # it waits there for its configuration
        process = Process([*unlimited, BINARY, "check", "-c", file], tmp_path / "log")
        try:
            eventually(lambda: Path(f"/proc/{process.pid}/comm").read_text() == "milvus-bouncer\n", "it is executed")
            eventually(lambda: limits(process.pid, "Max core file size") == ("0", "0"), "the limit is 0")
        finally:
            process.kill()
        return
    bouncer = start_bouncer(configuration(fake.upstream), program=[*unlimited, BINARY])
    assert limits(bouncer.pid, "Max core file size") == ("0", "0")


# ---- whom its addresses are for ----


@pytest.fixture
def tokens(tmp_path):
    file = tmp_path / "tokens"
    file.write_text(make_line("app", "secret"))
    return str(file)


def remote_config(fake, address, **sections):
    return configuration(fake.upstream, listen=[{"address": address, **sections.pop("listener", {})}], **sections)


def serve_to_its_end(tmp_path, config):
    file = tmp_path / "c.yaml"
    file.write_text(yaml(config))
    return run("serve", "-c", file)


def test_other_machines_with_a_token(start_bouncer, fake, tokens):
    port = free_port()
    rule = {"match": {"token": "app"}, "allow": "read"}
    config = remote_config(
        fake, f"0.0.0.0:{port}", listener={"allow_remote": True}, access=[rule], tokens_file=tokens
    )
    bouncer = start_bouncer(config, wait=False)
    eventually(lambda: f"listening on 0.0.0.0:{port}" in bouncer.log_text(), "it listens")
    with H2(f"127.0.0.1:{port}") as client:
        assert client.call("Search").code == UNAUTHENTICATED
        assert client.call("Search", b"", ("authorization", encoded("app:secret"))).code == OK


def test_other_machines_are_not_let_in_unasked(fake, tmp_path, tokens):
    address = f"0.0.0.0:{free_port()}"
    done = serve_to_its_end(tmp_path, remote_config(fake, address))
    assert done.returncode == 1 and f'"address": other machines reach {address}' in done.stderr
    done = serve_to_its_end(tmp_path, remote_config(fake, address, listener={"allow_remote": True}))
    assert done.returncode == 1 and '"allow_remote" needs "access"' in done.stderr
    rules = [{"match": {"token": "app"}, "allow": "read"}, {"match": {"any": True}, "allow": "read"}]
    config = remote_config(fake, address, listener={"allow_remote": True}, access=rules, tokens_file=tokens)
    done = serve_to_its_end(tmp_path, config)
    assert done.returncode == 1 and f'"match" needs a "token", as it lets in who connects to {address}' in done.stderr
    done = run("serve", "--upstream", fake.uri, "--listen", address)
    assert done.returncode == 1 and f"--listen: other machines reach {address}" in done.stderr


def serve_activated(tmp_path, listening, config):
    """The daemon with that socket from systemd."""
    file = tmp_path / "c.yaml"
    file.write_text(yaml(config))
    descriptor = listening.fileno()
    command = [sys.executable, ACTIVATED, descriptor, BINARY, "serve", "-c", file]
    return Process(command, tmp_path / "log", pass_fds=[descriptor])


def test_other_machines_through_a_socket_from_systemd(fake, tmp_path, tokens):
    """Only where the configuration names it."""
    with socket.create_server(("0.0.0.0", 0)) as listening:
        address = f"0.0.0.0:{listening.getsockname()[1]}"
        unix = f"unix:{tmp_path}/s"
        unnamed = serve_activated(tmp_path, listening, remote_config(fake, unix))
        assert unnamed.wait() == 1, unnamed.log_text()
        assert f"other machines reach {address}, a socket from systemd" in unnamed.log_text()
        rule = {"match": {"token": "app"}, "allow": "read"}
        named = remote_config(fake, address, listener={"allow_remote": True}, access=[rule], tokens_file=tokens)
        daemon = serve_activated(tmp_path, listening, named)
        try:
            with H2(address.replace("0.0.0.0", "127.0.0.1")) as client:
                assert client.call("Search", b"", ("authorization", encoded("app:secret"))).code == OK
            daemon.signal(signal.SIGTERM)
            assert daemon.wait() == 0
        finally:
            daemon.kill()


# ---- whose its secrets are ----


@pytest.mark.parametrize("mode, taken", [(0o600, True), (0o640, True), (0o440, True), (0o644, False), (0o604, False)])
@pytest.mark.parametrize("command", ["serve", "check"])
def test_secret_that_others_can_read(fake, tmp_path, command, mode, taken):
    token = tmp_path / "token"
    token.write_text("hush-hush")
    token.chmod(mode)
    file = tmp_path / "c.yaml"
    listen = [{"address": f"unix:{tmp_path}/no-such-folder/s"}]  # serve goes no further
    file.write_text(yaml({"listen": listen, **configuration({**fake.upstream, "token_file": str(token)})}))
    done = run(command, "-c", file)
    assert (f'"token_file": {token}: a secret is for its owner and group alone' in done.stderr) != taken, done.stderr
    assert done.returncode == {("serve", True): 3, ("check", True): 0}.get((command, taken), 1)
    assert "hush-hush" not in done.stderr


def test_secret_that_others_can_read_later(start_bouncer, fake, tmp_path):
    """The old one stays."""
    token = tmp_path / "token"
    token.write_text("first")
    bouncer = start_bouncer(configuration({**fake.upstream, "token_file": str(token)}))
    token.write_text("second")
    token.chmod(0o644)
    assert "nothing has changed" in bouncer.reload()
    assert is_served(bouncer.address)
    assert fake.asked("Search")[-1].metadata["authorization"] == encoded("first")
