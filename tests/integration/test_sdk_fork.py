# SPDX-License-Identifier: Apache-2.0
"""The SDK in processes that fork: gunicorn's workers, and a process whose threads search while it forks."""
import collections
import concurrent.futures
import http.client
import json
import os
import socket

import pytest

from bouncer import one_pool
from processes import Process
from programs.many import DIM, vectors
from sdk_client import KEY, PROGRAMS, VECTOR, create_collection, direct_client, run_program
from servers import PROGRAMS as TOOLS
from waiting import LIMIT, eventually

COUNT, WORKERS, CHILDREN = 200, 4, 8


@pytest.fixture
def collection(lite, name):
    with direct_client(lite) as client:
        create_collection(client, name, DIM)
        client.insert(name, [{KEY: key, VECTOR: vector} for key, vector in enumerate(vectors(COUNT))])
    yield name
    with direct_client(lite) as client:
        client.drop_collection(name)


@pytest.fixture
def bouncer(start_bouncer, lite):
    return start_bouncer(one_pool(lite.upstream, queue_timeout="1m"))


class Gunicorn:
    """The application of programs/preloaded.py, which is loaded before the workers are forked."""

    def __init__(self, directory, **environment):
        self.path = directory / "gunicorn.sock"
        self.process = Process(
            [TOOLS / "gunicorn", "--preload", "--workers", WORKERS, "--bind", f"unix:{self.path}",
             "--pythonpath", PROGRAMS, "--no-control-socket", "preloaded:application"],
            directory / "gunicorn.log",
            env={**os.environ, **environment},
        )  # fmt: skip
        eventually(self.path.exists, "gunicorn listens")

    def get(self, number):
        """The worker's process, and whether it found the right row."""
        connection = http.client.HTTPConnection("gunicorn", timeout=LIMIT)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(LIMIT)
        connection.sock.connect(str(self.path))
        connection.request("GET", f"/?{number}")
        response = connection.getresponse()
        assert response.status == 200, self.process.log_text()
        answer = json.loads(response.read())
        connection.close()
        return answer["process"], answer["id"] == number


@pytest.mark.parametrize("client", ["parent", "worker"])
def test_preloaded_by_gunicorn(bouncer, collection, client, tmp_path):
    """A client that the parent made and used serves its workers too; each has a connection of its own."""
    environment = {"SDK_URI": bouncer.address, "SDK_COLLECTION": collection, "SDK_COUNT": str(COUNT)}
    gunicorn = Gunicorn(tmp_path, SDK_CLIENT=client, **environment)
    seen = collections.Counter()

    def all_were_asked():
        with concurrent.futures.ThreadPoolExecutor(2 * WORKERS) as executor:
            seen.update(executor.map(gunicorn.get, range(10 * WORKERS)))
        return len({process for process, _ in seen}) == WORKERS

    try:
        eventually(all_were_asked, "each worker answers")
        assert all(is_right for _, is_right in seen)
        assert bouncer.count_clients() >= WORKERS
    finally:
        gunicorn.process.kill()


def test_fork_while_threads_search(bouncer, collection):
    """The children's searches may hang in the SDK, directly as well as here; none is answered wrongly, and nobody else
    notices: neither the parent's threads nor other clients."""
    result = run_program("forking", bouncer.address, collection, CHILDREN, limit=LIMIT)
    assert result["right"] > 0
    assert result["wrong"] == 0
    assert result["errors"] == []
    assert len(result["children"]) == CHILDREN
    assert False not in [outcome for outcomes in result["children"] for outcome in outcomes]
    with bouncer.plain() as other:
        other.ping()
