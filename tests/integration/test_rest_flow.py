# SPDX-License-Identifier: Apache-2.0
"""README's five curl commands do what it shows, on either server, and what they wrote is what pymilvus reads."""
import json
import re
import shlex
import subprocess

import pytest

from processes import ROOT
from waiting import LIMIT

SECTION = re.compile(r"^## With curl\n.*?^```sh test\n(.*?)^```\n.*?^```text\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
SOCKET = "/run/milvus-bouncer/milvus.sock"
COLLECTION = "films"


def section():
    """The line that says where, the five commands, and their answers."""
    script, answers = SECTION.search((ROOT / "README.md").read_text()).groups()
    where, *commands = re.split(r"^(?=curl )", script, flags=re.MULTILINE)
    return where, commands, [json.loads(line) for line in answers.splitlines()]


def run(path, where, command):
    script = where.replace(SOCKET, shlex.quote(str(path))) + command
    done = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("which", ["lite", "milvus"])
def test_as_readme_shows_it(rest_at, which):
    place = rest_at(which)
    if place.client.has_collection(COLLECTION):
        place.client.drop_collection(COLLECTION)
    where, commands, answers = section()
    assert [re.search(r"/(\w+) -d", command)[1] for command in commands] == [
        "create", "insert", "search", "query", "delete",
    ]  # fmt: skip
    for number, (command, answer) in enumerate(zip(commands, answers)):
        told = run(place.bouncer.path, where, command)
        if number == 2:
            assert told["data"][0].pop("distance") == pytest.approx(answer["data"][0].pop("distance"))
        assert {**told, "cost": 0, "topks": None} == {**answer, "cost": 0, "topks": None}, command
        check_rows(place, number)


def check_rows(place, number):
    """What pymilvus finds behind that command."""
    wanted = {0: {}, 4: {}}.get(number, {1: "Alien", 2: "Brazil"})
    rows = place.client.query(COLLECTION, "id > 0", output_fields=["title"], consistency_level="Strong")
    assert {row["id"]: row["title"] for row in rows} == wanted
