# SPDX-License-Identifier: Apache-2.0
"""Several endpoints of one upstream, by a list or by a name; connections that are replaced or closed in time."""
import socket
import threading
import time

import pytest
from pymilvus.grpc_gen import milvus_pb2

from bouncer import configuration, one_pool
from codes import CANCELLED, CONNECT, UNAVAILABLE, is_own
from fake import Fake, Gate, answer
from mvb1 import REPLY
from names import A, AAAA, Names
from reading import QUESTION, Reading
from waiting import eventually, settled

pytestmark = pytest.mark.each_transport

SEARCH = milvus_pb2.SearchRequest()
FOUND = answer(milvus_pb2.SearchResults())
CLIENTS = 8
NAME = "milvus.example"


@pytest.fixture
def start_fake():
    started = []

    def start(*arguments, **options):
        started.append(Fake(*arguments, **options))
        return started[-1]

    yield start
    for fake in started:
        fake.stop()


@pytest.fixture
def fakes(start_fake):
    return [start_fake() for _ in range(3)]


@pytest.fixture
def start_names(tmp_path):
    started = []

    def start(addresses=None, hosts=""):
        started.append(Names(tmp_path / "names", addresses, hosts))
        return started[-1]

    yield start
    for names in started:
        names.stop()


def uris(fakes, **settings):
    return {"uri": [fake.uri for fake in fakes], **settings}


def wait_connected(bouncer, fakes):
    for fake in fakes:
        eventually(lambda uri=fake.uri: f"({uri})" in bouncer.log_text(), f"a connection to {fake.uri}")


def reads(fake):
    return fake.count("ShowCollections")


# ---- a list ----


def test_fewest_under_way(start_bouncer, fakes):
    gates = [Gate(FOUND) for _ in fakes]
    for fake, gate in zip(fakes, gates):
        fake.on("Search", gate)
    bouncer = start_bouncer(one_pool(uris(fakes), pool_size=1))
    wait_connected(bouncer, fakes)
    settled(lambda: [len(fake.calls) for fake in fakes])  # the daemon's own questions count, too, while under way
    with bouncer.plain() as client:
        for _ in range(6):
            client.send("Search", SEARCH)
        for fake in fakes:
            fake.wait_for("Search", 2)
        gates[1].open()
        assert [client.frame().kind for _ in range(2)] == [REPLY, REPLY]
        gates[1].is_open.clear()
        for _ in range(2):
            client.send("Search", SEARCH)
        fakes[1].wait_for("Search", 4)
        assert [fake.count("Search") for fake in fakes] == [2, 4, 2]
        for gate in gates:
            gate.open()


def test_killed_and_brought_back(start_bouncer, start_fake, fakes):
    bouncer = start_bouncer(one_pool(uris(fakes), pool_size=1))
    wait_connected(bouncer, fakes)
    with Reading(bouncer, CLIENTS) as reading:
        reading.go_on()
        assert all(reads(fake) for fake in fakes)
        fakes[0].stop()
        reading.go_on(500)
        # Each client had at most one under way there.
        assert len(reading.errors) <= CLIENTS, reading.errors
        assert all(error.code in (CANCELLED, UNAVAILABLE) for error in reading.errors), reading.errors
        before = len(reading.errors)
        back = start_fake(fakes[0].port)
        eventually(lambda: reads(back) > 10, "the one that is back is used")
        assert len(reading.errors) == before, reading.errors


class Refuser:
    """Accepts connections, counts them, and closes at once."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.uri = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.count, self.last = 0, 0.0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            self.socket.accept()[0].close()
            self.count, self.last = self.count + 1, time.monotonic()


def test_when_all_are_out_all_are_tried(start_bouncer):
    """The pauses between attempts have grown to seconds; a request does not wait for their end."""
    refusers = [Refuser(), Refuser()]
    bouncer = start_bouncer(one_pool(uris(refusers, connect_timeout="1s"), pool_size=1))
    eventually(lambda: all(time.monotonic() - one.last > 1 and one.count > 3 for one in refusers), "long pauses")
    before = [one.count for one in refusers]
    with bouncer.plain() as client:
        error = client.fails("ShowCollections", QUESTION)
    assert is_own(error, UNAVAILABLE, CONNECT), error
    assert f"({refusers[0].uri}, {refusers[1].uri})" in error.message
    assert all(one.count > count for one, count in zip(refusers, before))


# ---- SIGHUP ----


def test_list_is_changed_under_load(start_bouncer, fakes):
    bouncer = start_bouncer(one_pool(uris(fakes[:1])))
    with Reading(bouncer, CLIENTS) as reading:
        for now in (fakes[1:], fakes[2:], fakes[:2]):
            log = bouncer.reload(one_pool(uris(now)))
            assert "restart" not in log, log
            wait_connected(bouncer, now)
            reading.go_on()
            counts = settled(lambda now=now: [reads(fake) for fake in fakes if fake not in now], 0.3)
            reading.go_on()
            assert counts == [reads(fake) for fake in fakes if fake not in now], "one that was taken out is used"
    assert reading.errors == []
    assert all(reads(fake) for fake in fakes)


def test_call_outlives_its_endpoint(start_bouncer, fakes):
    gate = Gate(FOUND)
    fakes[0].on("Search", gate)
    bouncer = start_bouncer(one_pool(uris(fakes[:1])))
    with bouncer.plain() as client:
        ident = client.send("Search", SEARCH)
        fakes[0].wait_for("Search")
        bouncer.reload(one_pool(uris(fakes[1:2])))
        client.call("ShowCollections", QUESTION)
        gate.open()
        assert client.reply(ident).code == 0
    assert reads(fakes[1]) == 1
    eventually(lambda: bouncer.count_upstream() == 2, "the old connections are closed")


def test_reload_names_what_takes_a_restart(start_bouncer, fake):
    bouncer = start_bouncer(one_pool(fake.upstream))
    log = bouncer.reload(one_pool({**fake.upstream, "keepalive": "1m"}, pool_size=9))
    assert "warning reload: upstreams.main.keepalive differs, which takes a restart" in log
    assert "warning reload: databases.default.pool_size differs, which takes a restart" in log
    with bouncer.plain() as client:
        client.call("ShowCollections", QUESTION)


def test_faulty_file_changes_nothing(start_bouncer, fakes):
    bouncer = start_bouncer(one_pool(uris(fakes[:1])))
    bouncer.file.write_text("upstreams: {main: {uri: 'http://h', kepalive: 1m}}\ndatabases: {a: {upstream: main}}\n")
    log = bouncer.reload()
    assert f'error {bouncer.file}:1:37: unknown key "kepalive"; did you mean "keepalive"?' in log
    bouncer.file.unlink()
    assert f"error cannot read {bouncer.file}: No such file" in bouncer.reload()
    with bouncer.plain() as client:
        client.call("ShowCollections", QUESTION)
    assert reads(fakes[0]) == 1


def test_reload_takes_no_plaintext_to_another_host(start_bouncer, fakes):
    bouncer = start_bouncer(one_pool(uris(fakes[:1])))
    log = bouncer.reload(one_pool({"uri": "http://10.0.0.7:19530"}))
    assert "http://10.0.0.7:19530 is another host" in log and "nothing has changed" in log
    log = bouncer.reload(one_pool({"uri": "http://10.0.0.7:19530", "allow_plaintext": True}))
    assert "it is at http://10.0.0.7:19530 now" in log and "differs" not in log


# ---- names ----


def named(port, **settings):
    return {"uri": f"http://{NAME}:{port}", "allow_plaintext": True, **settings}


def at_addresses(start_fake, count):
    """Fakes on the same port of 127.0.0.1, 127.0.0.2 and so on."""
    first = start_fake()
    return [first] + [start_fake(first.port, f"127.0.0.{number}") for number in range(2, count + 1)]


def test_addresses_of_a_name(start_bouncer, start_fake, start_names):
    fakes = at_addresses(start_fake, 3)
    names = start_names({NAME: ["127.0.0.1"]})
    bouncer = start_bouncer(one_pool(named(fakes[0].port)), names)
    with Reading(bouncer, CLIENTS) as reading:
        names.addresses[NAME] = ["127.0.0.1", "127.0.0.2"]
        bouncer.reload()
        eventually(lambda: reads(fakes[1]) > 10, "the address that was added is used")
        assert f"(http://{NAME}:{fakes[0].port}, 127.0.0.2:{fakes[0].port})" in bouncer.log_text()
        names.addresses[NAME] = ["127.0.0.3", "127.0.0.2"]
        bouncer.reload()
        eventually(lambda: reads(fakes[2]) > 10, "the next one too")
        before = settled(lambda: reads(fakes[0]), 0.3)
        reading.go_on()
        assert reads(fakes[0]) == before, "the address that was removed is used"
    assert reading.errors == []
    assert {kind for _, kind in names.asked} == {A}


def test_name_is_looked_up_in_time(start_bouncer, start_fake, start_names):
    fakes = at_addresses(start_fake, 2)
    names = start_names({NAME: ["127.0.0.1"]})
    start_bouncer(one_pool(named(fakes[0].port)), names)
    names.addresses[NAME] = ["127.0.0.2"]
    # The daemon asks as soon as it is connected.
    eventually(lambda: fakes[1].count("GetVersion"), "the new address is found within 35 s", 60)


def test_name_is_looked_up_when_its_address_is_dead(start_bouncer, start_fake, start_names):
    fakes = at_addresses(start_fake, 2)
    names = start_names({NAME: ["127.0.0.1"]})
    bouncer = start_bouncer(one_pool(named(fakes[0].port)), names)
    with bouncer.plain() as client:
        client.call("ShowCollections", QUESTION)
        names.addresses[NAME] = ["127.0.0.2"]
        fakes[0].stop()
        client.call("ShowCollections", QUESTION, timeout=20)
    assert reads(fakes[1]) == 1


def test_name_that_is_not_there_yet(start_bouncer, fake, start_names):
    names = start_names()
    upstream = named(fake.port, connect_timeout="20s")
    bouncer = start_bouncer(configuration(upstream), names)
    with bouncer.plain() as client:
        eventually(lambda: f"main: cannot resolve {NAME}: there is no such name" in bouncer.log_text(), "it is told")
        error = client.fails("Connect", milvus_pb2.ConnectRequest())
        assert is_own(error, UNAVAILABLE, CONNECT), error
        assert f"no connection to upstream main ({upstream['uri']}): cannot resolve {NAME}: " in error.message
        ident = client.send("ShowCollections", QUESTION, timeout=30)
        client.ping()
        names.addresses[NAME] = ["127.0.0.1"]
        assert client.reply(ident).code == 0


def test_name_server_that_is_silent(start_bouncer, fake, start_names):
    names = start_names({NAME: None})
    bouncer = start_bouncer(one_pool(named(fake.port, connect_timeout="300ms")), names)
    with bouncer.plain() as client:
        error = client.fails("ShowCollections", QUESTION)
        assert is_own(error, UNAVAILABLE, CONNECT), error
        eventually(
            lambda: "no name server has answered in time" in client.fails("ShowCollections", QUESTION).message,
            "the reason is told",
        )


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_localhost_with_a_server_on_one_family(start_bouncer, start_fake, start_names, host):
    fake = start_fake(host=host)
    names = start_names(hosts="127.0.0.1 localhost\n::1 localhost ip6-localhost\n")
    upstream = {"uri": f"http://localhost:{fake.port}"}
    with start_bouncer(one_pool(upstream), names).plain() as client:
        client.call("ShowCollections", QUESTION, timeout=20)
    assert names.asked == []


def test_name_of_ipv6_alone(start_bouncer, start_fake, start_names):
    fake = start_fake(host="[::1]")
    names = start_names({NAME: ["::1"]})
    with start_bouncer(one_pool(named(fake.port)), names).plain() as client:
        client.call("ShowCollections", QUESTION, timeout=20)
    assert names.asked[:2] == [(NAME, A), (NAME, AAAA)]


# ---- connections in time ----


def test_connections_are_replaced(start_bouncer, fakes):
    bouncer = start_bouncer(one_pool(uris(fakes[:2], server_lifetime="1s")))

    def connections():
        return [{call.connection for call in fake.asked("ShowCollections")} for fake in fakes[:2]]

    with Reading(bouncer, CLIENTS) as reading:
        eventually(lambda: all(len(one) >= 5 for one in connections()), "two of each were replaced, and again")
    assert reading.errors == []
    eventually(lambda: bouncer.count_upstream() in (4, 5), "what was replaced is closed")
    assert "no connection" not in bouncer.log_text()


def test_idle_connections_are_closed_and_opened_again(start_bouncer, fake):
    upstream = {**fake.upstream, "server_idle_timeout": "200ms"}
    bouncer = start_bouncer(one_pool(upstream))
    with bouncer.plain() as client:
        for _ in range(2):
            client.call("ShowCollections", QUESTION)
            eventually(lambda: bouncer.count_upstream() == 0, "idle connections are closed")
        client.call("GetVersion", milvus_pb2.GetVersionRequest())
    assert reads(fake) == 2
    assert "no connection" not in bouncer.log_text()


def test_dead_upstream_is_found_when_a_connection_is_opened_again(start_bouncer, fake):
    upstream = {**fake.upstream, "server_idle_timeout": "200ms", "connect_timeout": "1s"}
    bouncer = start_bouncer(one_pool(upstream))
    with bouncer.plain() as client:
        client.call("ShowCollections", QUESTION)
        eventually(lambda: bouncer.count_upstream() == 0, "idle connections are closed")
        fake.stop()
        error = client.fails("ShowCollections", QUESTION)
        assert is_own(error, UNAVAILABLE, CONNECT), error
