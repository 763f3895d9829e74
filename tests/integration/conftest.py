# SPDX-License-Identifier: Apache-2.0
"""Servers for the session, daemons for a test; a test that fails shows what its daemons logged."""
import contextlib
import itertools
import os
import uuid

import pytest

from bouncer import IS_SANITIZED, Bouncer, configuration
from certificates import SERVER_NAME, Authority
from fake import BlackHole, Fake
from fake_search import search_of
from fake_store import Store
from fake_streams import StreamFake
from goaway import GoawayProxy
from merge_held import Held, is_answered
from rest_place import Place
from sdk_client import direct_client
from servers import Lite, Milvus
from wire import WireFake

pytest.register_assert_rewrite("rest_cases_collections", "rest_cases_data", "rest_cases_users")
os.umask(0o027)  # the daemon takes no secret that others can read


def pytest_collection_modifyitems(config, items):
    left_out = [item for item in items if IS_SANITIZED and item.get_closest_marker("release_only")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    if report.failed and "start_bouncer" in item.funcargs:
        for bouncer in item.funcargs["start_bouncer"].started:
            last_lines = bouncer.log_text().splitlines()[-60:]
            report.sections.append((str(bouncer.process.log), "\n".join(last_lines)))


def stopped_at_end(server):
    yield server
    server.stop()


@pytest.fixture(scope="session")
def lite(tmp_path_factory):
    yield from stopped_at_end(Lite(tmp_path_factory.mktemp("lite") / "data"))


@pytest.fixture(scope="session")
def milvus(tmp_path_factory):
    yield from stopped_at_end(Milvus(tmp_path_factory.mktemp("milvus") / "data"))


@pytest.fixture
def direct(milvus):
    """Milvus without a daemon between, as root."""
    client = milvus.direct()
    yield client
    client.close()


@pytest.fixture(params=["lite", "milvus"])
def each_milvus(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls") / "authority")


def tls_arguments(authority, mode):
    certificate, key = authority.issue("server", f"DNS:{SERVER_NAME}")
    return ["--tls-mode", mode, "--server-pem-path", certificate, "--server-key-path", key,
            "--ca-pem-path", authority.certificate]  # fmt: skip


@pytest.fixture(scope="module")
def one_way_tls(tmp_path_factory, authority):
    directory = tmp_path_factory.mktemp("one_way_tls") / "data"
    yield from stopped_at_end(Milvus(directory, *tls_arguments(authority, 1), scheme="https"))


@pytest.fixture(scope="module")
def two_way_tls(tmp_path_factory, authority):
    directory = tmp_path_factory.mktemp("two_way_tls") / "data"
    yield from stopped_at_end(Milvus(directory, *tls_arguments(authority, 2), scheme="https"))


@pytest.fixture
def fake():
    yield from stopped_at_end(Fake())


@pytest.fixture
def stream_fake():
    yield from stopped_at_end(StreamFake())


@pytest.fixture
def wire():
    yield from stopped_at_end(WireFake())


@pytest.fixture
def black_hole():
    yield from stopped_at_end(BlackHole())


@pytest.fixture
def goaway_before_fake(tmp_path, fake):
    yield from stopped_at_end(GoawayProxy(tmp_path / "nginx", fake.port))


def pytest_generate_tests(metafunc):
    """Tests marked so are run over each transport."""
    if metafunc.definition.get_closest_marker("each_transport"):
        metafunc.parametrize("transport", ["h2", "grpc"])


@pytest.fixture
def transport():
    """The program's own choice."""
    return None


@pytest.fixture
def start_bouncer(tmp_path, transport):
    """start_bouncer(config): a daemon that is ready, in a folder of its own unless one is given. What is still running at the end is drained, and must exit 0."""
    numbers = itertools.count()
    started = []

    def start(config, network=None, wait=True, directory=None, **options):
        own = tmp_path / f"bouncer{next(numbers)}"
        own.mkdir()
        log = own / "milvus-bouncer.log"
        bouncer = Bouncer(directory or own, config, network, transport=transport, log=log, **options)
        started.append(bouncer)
        return bouncer.wait_ready() if wait else bouncer

    start.started = started
    yield start
    for bouncer in started:
        bouncer.stop()


@pytest.fixture
def hold(start_bouncer, fake):
    """hold(merge, behaviour, settings): a Held."""
    started = []

    def start(*arguments, **options):
        started.append(Held(start_bouncer, fake, *arguments, **options))
        return started[-1]

    yield start
    for held in started:
        held.let(1000)
        held.close()


@pytest.fixture
def under_way(hold):
    """A call of four searches that is held, and the one before it, which is over."""
    held = hold()
    held.asked = held.ask_all([search_of(number) for number in range(4)])
    held.let()
    assert is_answered(held.first)
    held.call = held.fake.wait_for("Search", 2)
    return held


@pytest.fixture
def name():
    """A collection's name that no other test has."""
    return "c_" + uuid.uuid4().hex


@pytest.fixture
def rest_at(request, start_bouncer, name):
    """rest_at("lite"), "milvus" or "fake", which keeps what it is given: a Place. sections: of the configuration."""
    with contextlib.ExitStack() as stack:

        def go(which, **sections):
            server = request.getfixturevalue(which)
            if which == "fake":
                Store(server)
            bouncer = start_bouncer(configuration(server.upstream, **sections), server.network)
            return Place(server, stack.enter_context(direct_client(server)), bouncer, name)

        yield go
