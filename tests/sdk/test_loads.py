# SPDX-License-Identifier: Apache-2.0
"""Under a load of each SDK: an upstream that stops, dies and comes back, replies that get lost, and daemons that take
over from each other."""
import re
import socket
import uuid
from functools import partial

import pytest

import sdk_load
from bouncer import one_pool
from inserting import Inserting
from loads import FIRST_KEYS, Load, loads
from lossy import Lossy
from sdk_client import count, create_collection, direct_client
from sdks import command, new_prefix
from servers import Lite
from waiting import eventually, settled

TIMEOUT = "2s"  # of a request, whatever the SDK gives it: Node gives it a day
TAKEOVERS = 2


@pytest.fixture
def lite(tmp_path):
    server = Lite(tmp_path / "lite")
    yield server
    server.stop()


@pytest.fixture
def collection(lite):
    name = "c_" + uuid.uuid4().hex
    sdk_load.prepare(lite, name)
    return name


def all_meet_errors(all_loads):
    for load in all_loads:
        load.meets("")


def all_go_on(all_loads):
    for load in all_loads:
        load.goes_on()


def come_back(lite, name):
    """With its data; it forgets which collections were loaded."""
    lite.start()
    with direct_client(lite) as client:
        client.load_collection(name)
        client.load_collection(f"{name}_auto")


def test_upstream_stopped_killed_and_brought_back(start_bouncer, lite, collection, tmp_path):
    """No answer is wrong, no row is lost or there twice, and the same clients go on by the same daemon."""
    upstream = {**lite.upstream, "connect_timeout": "1s"}
    bouncer = start_bouncer(one_pool(upstream, timeouts={"default": TIMEOUT}, max_timeout=TIMEOUT), tcp=True)
    with loads(f"http://{bouncer.tcp_address}", collection, tmp_path) as all_loads:
        lite.pause()
        all_meet_errors(all_loads)
        lite.resume()
        all_go_on(all_loads)
        lite.stop()
        all_meet_errors(all_loads)
        come_back(lite, collection)
        all_go_on(all_loads)
    sdk_load.check(lite, collection, all_loads)


def says_merged(bouncer):
    merged = re.search(r"merged (\d+) searches into (\d+) calls", bouncer.log_text())
    return merged and int(merged[1]) > int(merged[2])


@pytest.mark.parametrize("sdk", FIRST_KEYS)
def test_searches_are_merged(start_bouncer, lite, collection, tmp_path, sdk):
    """What each SDK sends may travel together, and what comes back is each worker's own."""
    config = {**one_pool(lite.upstream, merge={"calls": 1}), "log": {"stats_period": "1s"}}
    bouncer = start_bouncer(config, tcp=True)
    load = Load(sdk, f"http://{bouncer.tcp_address}", collection, tmp_path)
    try:
        load.goes_on()
        eventually(lambda: says_merged(bouncer), "searches are merged")
        load.stop()
    finally:
        load.kill()
    sdk_load.check(lite, collection, [load])


@pytest.fixture
def lossy(lite):
    way = Lossy(lite.port)
    yield way
    way.stop()


def test_replies_lost(start_bouncer, lite, lossy, collection, tmp_path):
    """What was carried out and not answered fails, and nobody does it again."""
    bouncer = start_bouncer(one_pool(lossy.upstream), tcp=True)
    with loads(f"http://{bouncer.tcp_address}", collection, tmp_path) as all_loads:
        lossy.lose_replies()
        assert settled(lossy.lost) > 0
        lossy.break_off()
        all_go_on(all_loads)
    sdk_load.check(lite, collection, all_loads)
    assert all(load.errors() for load in all_loads)


class Passed:
    """Gives a listening socket to the program that it is put before, as systemd does."""

    def __init__(self, listening):
        command = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3<&"$0"'
        self.enter = ["bash", "-c", command, str(listening.fileno())]


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        yield listening


class Daemons:
    """One after the other behind the same socket."""

    def __init__(self, start_bouncer, upstream, listening):
        self.uri = "http://%s:%d" % listening.getsockname()
        passed = {"network": Passed(listening), "pass_fds": [listening.fileno()]}
        self.start = partial(start_bouncer, one_pool(upstream), **passed)
        self.current = self.start()

    def take_over(self):
        """While both are there, clients come to either."""
        old, self.current = self.current, self.start()
        old.stop()


@pytest.fixture
def daemons(start_bouncer, lite, listening):
    return Daemons(start_bouncer, lite.upstream, listening)


def test_daemons_take_over_from_each_other(lite, daemons, collection, tmp_path):
    """No error is seen."""
    with loads(daemons.uri, collection, tmp_path) as all_loads:
        for _ in range(TAKEOVERS):
            daemons.take_over()
            all_go_on(all_loads)
    assert [load.errors() for load in all_loads] == [[]] * len(all_loads)
    sdk_load.check(lite, collection, all_loads)


@pytest.mark.parametrize("sdk", ["node", "go", "java"])
def test_takeover_while_nothing_is_asked(lite, daemons, sdk):
    """The next insert is done as any other."""
    prefix = new_prefix()
    with direct_client(lite) as client:
        create_collection(client, prefix, sdk_load.DIM)
    with Inserting(command(sdk), {"SDK_URI": daemons.uri}, prefix) as program:
        for key in range(1 + TAKEOVERS):
            assert program.insert("", {"id": key, "vector": sdk_load.vector(key)}) == {"result": 1}
            daemons.take_over()
    with direct_client(lite) as client:
        assert count(client, prefix) == 1 + TAKEOVERS
