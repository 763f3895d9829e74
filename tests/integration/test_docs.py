# SPDX-License-Identifier: Apache-2.0
"""What README.md and docs/ show is true.

Fences that open with ```sh test or ```python test are run as one script for each page, in order, from the top of the
tree; those that are to be read only open with ```sh or ```python. They run where 127.0.0.1:19530 is Milvus Lite, where
python3 has the SDK, and where /run and /etc/milvus-bouncer are empty folders of their own; what they leave running is
ended. Every fence that opens with ```yaml is a whole configuration and is held to pass `milvus-bouncer check`, the
files and the group that it names being there; a part of one opens with ```yaml part.
"""
import os
import re
import subprocess

import pytest

from bouncer import BINARY, run
from certificates import SERVER_NAME
from network import Network
from processes import ROOT, Process
from servers import PROGRAMS
from waiting import eventually

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LIMIT = 170  # seconds for a page
COMMANDS = {"sh test": "{}", "python test": "python3 - <<'END OF FENCE'\n{}END OF FENCE\n"}  # by how a fence opens
PREPARE = """\
set -eu
umask 022
mount -t tmpfs tmpfs /run
mkdir -p /run/milvus-bouncer /etc/milvus-bouncer
mount -t tmpfs tmpfs /etc/milvus-bouncer
"""


def fences():
    """(page, how it opens, text) of each fence."""
    for page in PAGES:
        for match in FENCE.finditer(page.read_text()):
            yield page, match[1].strip(), match[2]


def scripts():
    by_page = {}
    for page, info, text in fences():
        if info in COMMANDS:
            by_page[page] = by_page.get(page, "") + COMMANDS[info].format(text)
    return by_page


def configurations():
    return [(page, text) for page, info, text in fences() if info == "yaml"]


def named(page):
    return str(page.relative_to(ROOT))


def in_private(network, script):
    """Runs a script in a network and with folders of its own; all that it started ends with it."""
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-c", PREPARE + script]
    environment = {**os.environ, "PATH": f"{PROGRAMS}:{os.environ['PATH']}"}
    return subprocess.run(
        [*network.enter, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT
    )


@pytest.fixture
def network():
    network = Network()
    yield network
    network.stop()


@pytest.fixture
def lite_at_its_port(network, tmp_path):
    argv = [PROGRAMS / "milvus-lite", "server", "--data-dir", tmp_path / "data", "--host", "127.0.0.1",
            "--max-workers", 1]  # fmt: skip
    process = Process(argv, tmp_path / "milvus-lite.log", network)
    probe = [*network.enter, "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/19530"]
    eventually(lambda: subprocess.run(probe, capture_output=True).returncode == 0, "Milvus Lite accepts", 60)
    yield
    process.kill()


@pytest.mark.parametrize("page, script", scripts().items(), ids=lambda value: getattr(value, "name", ""))
def test_commands(network, lite_at_its_port, page, script):
    done = in_private(network, "set -x\n" + script)
    assert done.returncode == 0, f"{named(page)}\n{done.stdout}\n{done.stderr}"


def put_files(directory, text, authority):
    """The files that a configuration names: real certificates, tokens, and a line of text for each secret."""
    certificate, key = authority.issue("docs", f"DNS:{SERVER_NAME}")
    names = re.findall(r"\btoken: *(\w+)", text)
    contents = {
        "tokens_file": "".join(run("token", "--random", token).stdout for token in names),
        "ca_file": authority.certificate.read_text(),
        "cert_file": certificate.read_text(),
        "key_file": key.read_text(),
    }
    commands = []
    for setting, name in re.findall(r"\b(\w+_file): *\"?([^\s,}\"]+)", text):
        source = directory / setting
        source.write_text(contents.get(setting, "user:secret\n"))
        commands.append(f"mkdir -p $(dirname {name}); cp {source} {name}; chmod o= {name}\n")
    return "".join(commands)


def put_group(text):
    """Groups that it names, in a copy of /etc/group."""
    groups = set(re.findall(r"\bgroup: *(\w+)", text))
    lines = "".join(f"echo {group}:x:6{number}: >>/run/group\n" for number, group in enumerate(groups))
    return f"cp /etc/group /run/group\n{lines}mount --bind /run/group /etc/group\n"


@pytest.mark.parametrize("page, text", configurations(), ids=lambda value: getattr(value, "name", ""))
def test_configurations(network, authority, tmp_path, page, text):
    (tmp_path / "page.yaml").write_text(text)
    script = f"cd /etc/milvus-bouncer\ncp {tmp_path}/page.yaml .\n"
    script += put_files(tmp_path, text, authority) + put_group(text)
    done = in_private(network, script + f"{BINARY} check -c page.yaml\n")
    assert done.returncode == 0, f"{named(page)}\n{text}\n{done.stdout}{done.stderr}"
