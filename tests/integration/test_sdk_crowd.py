# SPDX-License-Identifier: Apache-2.0
"""Two hundred processes with a client of the SDK each, all connecting at once (programs/many.py)."""
import json
import subprocess

import pytest

from bouncer import one_pool
from fake import answer
from programs.many import DIM, vectors
from sdk_client import (KEY, VECTOR, create_collection, direct_client, found_row, lite_always_milvus_once,
                        program)  # fmt: skip
from waiting import LIMIT

PROCESSES, POOL_SIZE = 200, 2
CONFIG = {"pool_size": POOL_SIZE, "queue_timeout": "1m"}


@pytest.fixture
def collection(each_milvus, name):
    """A collection with one vector for each process."""
    with direct_client(each_milvus) as client:
        create_collection(client, name, DIM)
        client.insert(name, [{KEY: key, VECTOR: vector} for key, vector in enumerate(vectors(PROCESSES))])
    yield name
    with direct_client(each_milvus) as client:
        client.drop_collection(name)


def run_many(bouncer, collection):
    """What each of them found; while all are connected."""
    command = program("many", bouncer.address, collection, PROCESSES)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as processes:
        found = json.loads(processes.stdout.readline())["found"]
        assert bouncer.count_clients() == PROCESSES
        assert 1 <= bouncer.count_upstream() <= POOL_SIZE
        processes.stdin.close()
        assert processes.wait(LIMIT) == 0
    return found


@lite_always_milvus_once
def test_two_hundred_processes(start_bouncer, each_milvus, collection):
    """Each gets its own answer."""
    bouncer = start_bouncer(one_pool(each_milvus.upstream, **CONFIG), each_milvus.network)
    found = run_many(bouncer, collection)
    assert found == {str(number): [[KEY, VECTOR], [number]] for number in range(PROCESSES)}


def test_what_the_upstream_sees_of_them(start_bouncer, fake):
    """No more Connects than connections, one description, and each search once, where none are merged."""
    fake.on("Search", answer(found_row(7)))
    found = run_many(start_bouncer(one_pool(fake.upstream, merge="off", **CONFIG)), "any")
    assert found == {str(number): [[], [7]] for number in range(PROCESSES)}
    assert 1 <= fake.count("Connect") <= POOL_SIZE
    assert fake.count("DescribeCollection") == 1
    assert fake.count("Search") == PROCESSES
