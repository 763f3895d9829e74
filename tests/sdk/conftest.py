# SPDX-License-Identifier: Apache-2.0
"""Two servers for the session, a daemon before each; a test that fails shows what its daemon logged."""
from contextlib import ExitStack
from pathlib import Path

import pytest

import table
from bouncer import Bouncer
from sdks import Site
from servers import Lite, Milvus

SERVERS = {"lite": Lite, "milvus": Milvus}
SITES = pytest.StashKey()
pytest.register_assert_rewrite("sdk_load")


def pytest_addoption(parser):
    parser.addoption("--table", type=Path, metavar="FILE", help="if all passes, write which SDK can do what, in Markdown")


def pytest_configure(config):
    config.stash[SITES] = []


def bouncers_of(item):
    site, start = item.funcargs.get("site"), item.funcargs.get("start_bouncer")
    return ([site.bouncer] if site else []) + (start.started if start else [])


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    if report.failed:
        for bouncer in bouncers_of(item):
            report.sections.append((str(bouncer.process.log), "\n".join(bouncer.log_text().splitlines()[-60:])))


def pytest_sessionfinish(session, exitstatus):
    path = session.config.getoption("--table")
    if path and exitstatus == pytest.ExitCode.OK:
        path.write_text(table.markdown(session.config.stash[SITES]))


@pytest.fixture(scope="session", params=SERVERS)
def site(request, tmp_path_factory):
    name = request.param
    directory = tmp_path_factory.mktemp(name)
    with ExitStack() as stack:
        server = SERVERS[name](directory / "data")
        stack.callback(server.stop)
        site = Site(name, server, directory / "bouncer")
        stack.callback(site.stop)
        request.config.stash[SITES].append(site)
        yield site


@pytest.fixture
def start_bouncer(tmp_path):
    """start_bouncer(config): a daemon that is ready. What is still running at the end is drained, and must exit 0."""
    started = []

    def start(config, **options):
        started.append(Bouncer(tmp_path / f"bouncer{len(started)}", config, **options))
        return started[-1].wait_ready()

    start.started = started
    yield start
    for bouncer in started:
        bouncer.stop()
