# SPDX-License-Identifier: Apache-2.0
"""bench/ measures: everyone does the same job, every case has figures, and what it starts ends. Not how fast."""
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace

import pytest
from pymilvus.grpc_gen import milvus_pb2

from bouncer import configuration
from direct import Direct
from fake import answer
from processes import ROOT
from sdk_client import found_row
from waiting import eventually

sys.path.append(str(ROOT / "bench"))

import candidates
import canned
import loads
from cases import CASES, MERGING_CASES, MILVUS, MILVUS_CASES, Case, searches
from goals import goals, of_merging
from over_rest import REST_CASES
from peers import AUTHORIZATION, PEERS

pytestmark = pytest.mark.release_only
RUN = [sys.executable, str(ROOT / "bench/run.py")]
LIMIT = 170  # seconds of a smoke run
OVER_GRPC = [candidate for candidate in candidates.CANDIDATES if candidate.client == "grpc"]
BEHIND = [candidate for candidate in candidates.CANDIDATES if candidate.proxy]


@pytest.mark.parametrize("proxy", [*PEERS, *candidates.TRANSPORTS])
def test_the_job(tmp_path, fake, proxy):
    """Each injects the credential and the database, and lets a large message through."""
    upstream = SimpleNamespace(port=fake.port, address=f"127.0.0.1:{fake.port}", authority=None)
    with candidates.before(upstream, proxy, tmp_path / proxy) as before:
        client = Direct(before.tcp_address)
        client.call("Insert", milvus_pb2.InsertRequest(hash_keys=range(500_000)))
        client.close()
    call = fake.wait_for("Insert")
    assert call.metadata["authorization"] == AUTHORIZATION
    assert call.metadata["dbname"] == canned.NAME
    assert len(call.message().hash_keys) == 500_000


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench") / "out"
    done = subprocess.run([*RUN, "--smoke", "--out", folder], capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def results(out):
    return json.loads((out / "results.json").read_text())


def check_rows(rows, cases, whose):
    """Each case has a row of each candidate that it has, in which all requests were answered."""
    assert list(rows) == [case.name for case in cases]
    for case in cases:
        assert list(rows[case.name]) == [candidate.name for candidate in whose if case.has(candidate)]
        for row, in rows[case.name].values():
            assert row["failed"] == 0
            assert row["requests"] >= case.in_flight()
            assert 0 < row["p50_us"] <= row["p99_us"]
            assert row["per_second"] > 0


def check_same_requests(rows):
    for of_case in rows.values():
        assert len({row["requests"] for row, in of_case.values()}) == 1


def test_loads(results):
    check_rows(results["loads"], CASES, candidates.CANDIDATES)
    check_same_requests(results["loads"])
    for case in results["loads"].values():
        for name, (row,) in case.items():
            assert (row["cpu_us"] > 0) == (name != candidates.DIRECT)


def test_memory(results):
    assert list(results["memory"]) == [candidate.name for candidate in BEHIND]
    for figures in results["memory"].values():
        assert 0 < figures["idle_own_kib"] < figures["idle_kib"] <= figures["peak_64x4_kib"]
        assert figures["peak_1MB_replies_kib"] > 0


def test_milvus(results):
    ours = [candidate for candidate in candidates.CANDIDATES if not candidate.proxy or candidate.is_ours()]
    check_rows(results["milvus"]["calls"], MILVUS_CASES, ours)
    check_same_requests(results["milvus"]["calls"])
    storms = {name: row for name, (row,) in results["milvus"]["storms"]["storm"].items()}
    direct = storms.pop(candidates.DIRECT)
    assert direct["connections"] == results["processes"]
    assert direct["requests"] == 3 * results["processes"]  # Connect, DescribeCollection, Search
    assert list(storms) == [candidate.name for candidate in OVER_GRPC if candidate.is_ours()]
    for storm in storms.values():
        assert 0 < storm["connections"] < direct["connections"]
        assert results["processes"] < storm["requests"] < direct["requests"]


def test_merging(results):
    cases = [case for cases in MERGING_CASES.values() for case in cases if case.clients in results["merging_clients"]]
    check_rows(results["merging"], cases, candidates.MERGERS)
    for case in results["merging"].values():
        for name, (row,) in case.items():
            assert (row["cpu_us"] > 0) == (name != candidates.DIRECT)


def test_rest(results):
    assert list(results["rest"]) == [case.name for case in REST_CASES]
    for case, measured in zip(REST_CASES, results["rest"].values()):
        assert sorted(measured) == sorted(case.whose())
        assert all(row["per_second"] > 0 for row, in measured.values())


@pytest.fixture
def ask(tmp_path, fake, start_bouncer):
    """ask(client, hits): three searches in turn."""
    daemon = start_bouncer(configuration(fake.upstream), tcp=True)
    for number in range(3):
        message = milvus_pb2.SearchRequest(collection_name=str(number))
        (tmp_path / "Search").mkdir(exist_ok=True)
        (tmp_path / "Search" / str(number)).write_bytes(message.SerializeToString())
    return lambda client, hits: loads.run(
        Case("", "Search", 1, 1, hits=hits), loads.Target(client, daemon.tcp_address), tmp_path, 8
    )


@pytest.mark.parametrize("client", candidates.CLIENTS)
def test_in_turn(fake, ask, client):
    """One warms up."""
    fake.on("Search", answer(found_row(1)))
    assert ask(client, hits=1)["requests"] == 8
    assert [call.message().collection_name for call in fake.asked("Search")] == list("012012012")


def failed():
    reply = found_row(1)
    reply.status.code = 100
    return reply


@pytest.mark.parametrize("client", candidates.CLIENTS)
@pytest.mark.parametrize("reply", [failed(), milvus_pb2.SearchResults(), found_row(1)], ids=["failed", "empty", "few"])
def test_hits(fake, ask, client, reply):
    """A reply that is not what was asked for ends the run, unless it may be any."""
    fake.on("Search", answer(reply))
    assert ask(client, hits=0)["failed"] == 0
    with pytest.raises(RuntimeError, match='"failed": 8'):
        ask(client, hits=1 if reply.status.code else 2)


def test_page(out, results):
    """A plot for each table, and every goal measured; but latencies of so few requests may compare with nothing."""
    page = (out / "results.md").read_text()
    plots = sorted(out.glob("*.svg"))
    assert len(plots) == page.count("](") == page.count("### ") - 1  # the goals have none
    for plot in plots:
        assert f"({plot.name})" in page
        assert len(ET.parse(plot).findall("{*}rect")) > 2
    unmeasured = [goal["goal"] for goal in results["goals"] if not goal["ratios"]]
    assert all(goal.startswith("added latency") for goal in unmeasured), unmeasured


def measured(**cpu_us):
    """One round of 4x16."""
    found = loads.Measured()
    for name, figure in cpu_us.items():
        found.add("4x16", name.replace("_", "-"), {"cpu_us": figure})
    return found


@pytest.mark.parametrize("figure, met", [(6.9, True), (7.1, False)])
def test_goal(figure, met):
    """Of the first transport; what was not measured is not met."""
    nothing = loads.Measured()
    found = measured(haproxy=10, **{candidates.ours("grpc").replace("-", "_"): figure})
    first, second, *_ = goals(found, {}, nothing, nothing)
    assert first.met() == met
    assert first.ratios == [pytest.approx(figure / 10)]
    assert not second.met() and second.cells()[2] == "not measured"


@pytest.mark.parametrize("figure, met", [(49, False), (51, True)])
def test_goal_of_merging(figure, met):
    """More is better."""
    merged, case = loads.Measured(), searches(MILVUS, 64).name
    for who, rate in ((candidates.DIRECT, 10), (candidates.ours("grpc", "on"), figure)):
        merged.add(case, who, {"per_second": rate, "p50_us": 1, "cpu_us": 1})
    first, *_ = of_merging(merged)
    assert first.met() == met
    assert first.cells()[1] == "at least 5.00"


def running(*texts):
    """Processes that have these in their command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_text(errors="replace")
        except FileNotFoundError:  # it has just ended
            continue
        if all(text in line for text in texts):
            found.append(process)
    return found


def test_interrupted(tmp_path):
    """What it has started ends with it."""
    command = [*RUN, "--cases", "TLS-4x16", "--count", "10000000", "--out", tmp_path / "out"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    eventually(lambda: running(str(loads.LOAD), str(tmp_path)), "it measures")
    process.terminate()
    assert process.wait(LIMIT) == 128 + 15
    assert not running(f"{tmp_path}/tmp")
    assert not (tmp_path / "out").exists()
