# SPDX-License-Identifier: Apache-2.0
"""docs/rest.md has the table of routes as the daemon has it, and its examples do what they are for."""
import re

from processes import ROOT
from test_docs import in_private, lite_at_its_port, network, scripts  # noqa: F401
from test_rest_routes import TABLE

PAGE = ROOT / "docs/rest.md"
ROW = re.compile(r"^\| `([\w/]+)` \| (.*?) \| (.*?) \| [\d.]+ \| (?:both|Lite|2\.3\.5|–) \|$", re.MULTILINE)
FORWARDED = "the upstream's HTTP port"


def told():
    """(body, calls) of each route of the page."""
    return {route: (body, calls) for route, body, calls in ROW.findall(PAGE.read_text())}


def called():
    """The first RPC of each."""
    rows = re.findall(r'^(ROUTE|FORWARD)\("([\w/]+)", (\w+)', TABLE.read_text(), re.MULTILINE)
    return {route: FORWARDED if kind == "FORWARD" else rpc for kind, route, rpc in rows}


def test_routes():
    calls = called()
    assert sorted(told()) == sorted(calls)
    for route, (_, text) in told().items():
        assert text.startswith(calls[route]), route


def test_examples(network, lite_at_its_port):  # noqa: F811
    """curl calls an answer of Milvus's a success, whatever its code."""
    script = scripts()[PAGE]
    done = in_private(network, script)
    assert re.findall(r'"code":(\d+)', done.stdout) == ["0"] * len(re.findall(r"^curl ", script, re.MULTILINE)), done
