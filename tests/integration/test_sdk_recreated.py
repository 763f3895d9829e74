# SPDX-License-Identifier: Apache-2.0
"""A collection that somebody dropped and created anew, past the daemon: the SDK's memory of the schema is wrong, and so
is the daemon's. It inserts again without help."""
import asyncio

import pytest
from pymilvus import AsyncMilvusClient, DataType, MilvusClient

from bouncer import one_pool
from sdk_client import KEY, VECTOR, create_collection, direct_client, lite_always_milvus_once

LONG = {"ttl": "1h", "max_entries": 10}  # what heals is not that the memory ran out
TEXT, NUMBER = {"text": DataType.VARCHAR}, {"number": DataType.INT64}
SCHEMAS = [(4, {}), (8, {}), (8, TEXT), (8, {}), (4, NUMBER)]  # dimension and further fields, in turn
VALUES = {"text": "t", "number": 7}


def row(key, dim, more):
    return {KEY: key, VECTOR: [float(key)] * dim, **{field: VALUES[field] for field in more}}


class Sync:
    """The synchronous client, as if it were the other."""

    def __init__(self, uri, **options):
        self.client = MilvusClient(uri, **options)

    async def insert(self, name, data):
        return self.client.insert(name, data)

    async def close(self):
        self.client.close()


async def insert_into_each(make_client, uri, name, recreate):
    client = make_client(uri, dedicated=True)
    for key, schema in enumerate(SCHEMAS):
        recreate(*schema)
        await client.insert(name, [row(2 * key, *schema)])
        await client.insert(name, [row(2 * key + 1, *schema)])
    await client.close()


@lite_always_milvus_once
@pytest.mark.parametrize("make_client", [Sync, AsyncMilvusClient], ids=["sync", "async"])
def test_inserts_again(start_bouncer, each_milvus, name, make_client):
    bouncer = start_bouncer({**one_pool(each_milvus.upstream), "schema_cache": LONG}, each_milvus.network)

    def recreate(dim, more):
        with direct_client(each_milvus) as direct:
            direct.drop_collection(name)
            create_collection(direct, name, dim, **more)

    asyncio.run(insert_into_each(make_client, bouncer.address, name, recreate))
    with direct_client(each_milvus) as direct:
        rows = direct.query(name, filter=f"{KEY} >= 0", output_fields=[KEY], consistency_level="Strong")
        direct.drop_collection(name)
    last = 2 * len(SCHEMAS)
    assert sorted(each[KEY] for each in rows) == [last - 2, last - 1]
