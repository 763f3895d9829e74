# SPDX-License-Identifier: Apache-2.0
"""Clients of the SDK on several databases: two in one process, and one that changes over."""
import asyncio
import concurrent.futures

import grpc
import pytest
from pymilvus import AsyncMilvusClient, MilvusClient

from bouncer import configuration
from sdk_client import KEY, VECTOR, count, create_collection, direct_client, nearest

DIM, TIMES, THREADS = 4, 20, 8
ROWS = {0: 3, 1: 5}  # by database


@pytest.fixture
def databases(each_milvus, name):
    """Two, each with a collection of the same name, with other rows."""
    names = [f"{name}_{number}" for number in ROWS]
    for number, database in enumerate(names):
        with direct_client(each_milvus) as client:
            client.create_database(database)
        with direct_client(each_milvus, db_name=database) as client:
            create_collection(client, name, DIM)
            rows = [{KEY: 100 * number + key, VECTOR: [float(key)] * DIM} for key in range(ROWS[number])]
            client.insert(name, rows)
    yield names
    for database in names:
        with direct_client(each_milvus, db_name=database) as client:
            client.drop_collection(name)
            client.drop_database(database)


@pytest.fixture
def bouncer(start_bouncer, each_milvus):
    return start_bouncer(configuration(each_milvus.upstream), each_milvus.network)


def state(number):
    """What a client on this database sees."""
    return ROWS[number], 100 * number + 1


def seen_by(client, name):
    return count(client, name), nearest(client, name, [1.1] * DIM)


async def seen_by_async(client, name):
    found = await client.search(name, [[1.1] * DIM], limit=1)
    rows = await client.query(name, output_fields=["count(*)"], consistency_level="Strong")
    return rows[0]["count(*)"], found[0][0][KEY]


async def seen_by_two(uri, databases, name):
    clients = [AsyncMilvusClient(uri, db_name=database) for database in databases]
    seen = await asyncio.gather(*(seen_by_async(clients[n % 2], name) for n in range(TIMES)))
    for client in clients:
        await client.close()
    return seen


def test_two_clients_of_one_process(bouncer, databases, name):
    """They share a connection, and their requests cross on it."""
    in_turn = [state(number % 2) for number in range(TIMES)]
    clients = [MilvusClient(bouncer.address, db_name=database) for database in databases]
    with concurrent.futures.ThreadPoolExecutor(THREADS) as executor:
        assert list(executor.map(lambda n: seen_by(clients[n % 2], name), range(TIMES))) == in_turn
    assert bouncer.count_clients() == 1
    assert asyncio.run(seen_by_two(bouncer.address, databases, name)) == in_turn


def use_each(client, databases, name):
    """What a client sees of each database that it changes over to, or why it could not."""
    seen = []
    for database in [*databases, *databases]:
        try:
            client.use_database(database)
        except grpc.RpcError as error:
            seen.append((error.code(), error.details()))
        else:
            seen.append(seen_by(client, name))
    return seen


def test_change_over(bouncer, each_milvus, databases, name):
    """As it goes directly: Milvus 2.3.5 does not know the request by which this SDK asks for a database."""
    through = use_each(MilvusClient(bouncer.address), databases, name)
    with direct_client(each_milvus) as client:
        directly = use_each(client, databases, name)
    assert through == directly
    if each_milvus.network:
        assert {code for code, _ in through} == {grpc.StatusCode.UNIMPLEMENTED}
    else:
        assert through == [state(0), state(1)] * 2
