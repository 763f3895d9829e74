# SPDX-License-Identifier: Apache-2.0
"""docs/rest.md has the table of routes as the daemon has it."""
import re

from processes import ROOT
from test_rest_routes import TABLE

ROW = re.compile(r"^\| `([\w/]+)` \| (.*?) \| (.*?) \| [\d.]+ \| (?:both|Lite|2\.3\.5|–) \|$", re.MULTILINE)
FORWARDED = "the upstream's HTTP port"


def told():
    """(body, calls) of each route of the page."""
    return {route: (body, calls) for route, body, calls in ROW.findall((ROOT / "docs/rest.md").read_text())}


def called():
    """The first RPC of each."""
    rows = re.findall(r'^(ROUTE|FORWARD)\("([\w/]+)", (\w+)', TABLE.read_text(), re.MULTILINE)
    return {route: FORWARDED if kind == "FORWARD" else rpc for kind, route, rpc in rows}


def test_routes():
    calls = called()
    assert sorted(told()) == sorted(calls)
    for route, (_, text) in told().items():
        assert text.startswith(calls[route]), route
