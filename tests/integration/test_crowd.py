# SPDX-License-Identifier: Apache-2.0
"""Two hundred processes at once: few connections upstream, and to each its own reply."""
import json
import os
import subprocess
import sys

import pytest
from pymilvus.grpc_gen import milvus_pb2

import crowd
import messages
from bouncer import one_pool
from messages import checked
from waiting import LIMIT

POOL_SIZE = 2


@pytest.fixture
def collection(each_milvus, name):
    """A collection with one vector for each process."""
    direct = each_milvus.direct()
    named = {"collection_name": name}
    checked(direct.call("CreateCollection", messages.create_collection(name, crowd.DIM)))
    checked(direct.call("CreateIndex", messages.create_index(name)))
    checked(direct.call("LoadCollection", milvus_pb2.LoadCollectionRequest(**named)))
    checked(direct.call("Insert", messages.insert(name, range(crowd.PROCESSES), crowd.vectors())))
    yield name
    checked(direct.call("DropCollection", milvus_pb2.DropCollectionRequest(**named)))
    direct.close()


def test_two_hundred_processes(start_bouncer, each_milvus, collection):
    config = one_pool(each_milvus.upstream, pool_size=POOL_SIZE, queue_timeout="1m")
    bouncer = start_bouncer(config, each_milvus.network)
    command = [sys.executable, crowd.__file__, bouncer.address, collection]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as processes:
        found = json.loads(processes.stdout.readline())
        assert bouncer.count_clients() == crowd.PROCESSES
        assert 1 <= bouncer.count_upstream() <= POOL_SIZE
        processes.stdin.close()
        assert processes.wait(LIMIT) == 0
    assert found == {str(ident): [ident] * crowd.ROUNDS for ident in range(crowd.PROCESSES)}
