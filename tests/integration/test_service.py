# SPDX-License-Identifier: Apache-2.0
"""The systemd unit: how much it takes away, and that the daemon does without all of that."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pymilvus.grpc_gen import milvus_pb2

from bouncer import BINARY, IS_SANITIZED, configuration
from codes import OK
from fake import Fake
from h2 import H2
from inspected import status
from processes import ROOT
from users import public_folder
from waiting import eventually

UNIT = ROOT / "build/systemd/milvus-bouncer.service"
AS_SERVICE = Path(__file__).parent / "programs/as_service.py"
USER = 64711  # of as_service.py
MOST_EXPOSED = 1.5
SEARCH = milvus_pb2.SearchRequest()

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can do what systemd does")
not_sanitized = pytest.mark.skipif(IS_SANITIZED, reason="sanitizers ask for more than the daemon does")


def test_exposure():
    done = subprocess.run(
        ["systemd-analyze", "security", "--no-pager", "--offline=true", UNIT], capture_output=True, text=True
    )
    exposure = float(re.search(r"Overall exposure level for milvus-bouncer.service: ([\d.]+)", done.stdout)[1])
    assert exposure <= MOST_EXPOSED, done.stdout


def test_unit_is_right():
    """But for where the program is installed."""
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", UNIT], capture_output=True, text=True)
    assert not re.search(r"Unknown|Failed to parse|Invalid", done.stderr), done.stderr


@pytest.fixture
def service(start_bouncer):
    """service(config): the daemon as the unit has it run; its credential is the file `token`, from a folder of systemd's."""
    with public_folder() as folder:
        for file in [BINARY, *BINARY.parent.glob("*.so")]:
            shutil.copy(file, folder)
        credentials, runtime = folder / "credentials", folder / "run"
        for made in (credentials, runtime):
            made.mkdir(mode=0o700)
        (credentials / "token").write_text("user:password")
        (credentials / "token").chmod(0o400)
        environment = {**os.environ, "CREDENTIALS_DIRECTORY": str(credentials)}

        def start(config):
            for path in (credentials, credentials / "token", runtime):
                shutil.chown(path, USER, USER)
            program = [sys.executable, AS_SERVICE, UNIT, folder, folder / BINARY.name]
            return start_bouncer(config, directory=runtime, tcp=True, program=program, env=environment)

        yield start


@needs_root
@not_sanitized
@pytest.mark.each_transport
def test_serves(service, fake):
    """Both protocols, with a credential from systemd, reload, a new connection upstream, and drain."""
    bouncer = service(configuration({**fake.upstream, "token_file": "token"}))
    assert set(status(bouncer.pid)["Uid"].split()) == {str(USER)} and status(bouncer.pid)["Seccomp"] == "2"
    other = Fake()
    try:
        with bouncer.plain() as plain, H2(bouncer.tcp_address) as h2:
            for upstream in (fake, other):
                bouncer.reload(configuration({**upstream.upstream, "token_file": "token"}))
                eventually(lambda: is_asked(upstream, plain, h2), "it asks there")
                assert upstream.asked("Search")[-1].metadata["authorization"] == "dXNlcjpwYXNzd29yZA=="
        assert "warning" not in bouncer.log_text(), bouncer.log_text()
    finally:
        other.stop()
    bouncer.stop()
    assert not bouncer.path.exists()


def is_asked(upstream, plain, h2):
    before = upstream.count("Search")
    plain.call("Search", SEARCH)
    assert h2.call("Search").code == OK
    return upstream.count("Search") == before + 2
