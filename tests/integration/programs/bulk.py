# SPDX-License-Identifier: Apache-2.0
"""The asynchronous sample of the SDK's announcement: a collection filled by many inserts at once, then many searches.

`bulk.py URI COLLECTION ROWS`, the user and password, if any, in SDK_TOKEN. Prints in JSON the rows that were
counted, the searches that did not find their own vector, and the seconds that both took.
"""
import asyncio
import json
import os
import sys
import time

import numpy
from pymilvus import AsyncMilvusClient, DataType

DIM, BATCH, SEARCHES = 128, 1000, 1000


def schema_and_index():
    schema = AsyncMilvusClient.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
    index = AsyncMilvusClient.prepare_index_params()
    index.add_index("vector", index_type="FLAT", metric_type="L2")
    return {"schema": schema, "index_params": index}


def vectors(first, count=BATCH):
    """Of the rows from first on: always the same."""
    return numpy.random.default_rng(first).random((count, DIM), dtype=numpy.float32)


async def insert(client, collection, first):
    rows = [{"id": first + n, "vector": vector} for n, vector in enumerate(vectors(first))]
    return (await client.insert(collection, rows))["insert_count"]


async def is_found(client, collection, ident, vector):
    found = await client.search(collection, [vector], limit=1)
    return found[0][0]["id"] == ident


async def fill(client, collection, rows):
    inserts = [insert(client, collection, first) for first in range(0, rows, BATCH)]
    assert sum(await asyncio.gather(*inserts)) == rows


async def search(client, collection, rows):
    """How many of the searches, for vectors from all over the collection, missed theirs."""
    step = rows // SEARCHES
    wanted = {first: vectors(first) for first in range(0, rows, BATCH)}
    searches = [
        is_found(client, collection, ident, wanted[ident // BATCH * BATCH][ident % BATCH])
        for ident in range(0, SEARCHES * step, step)
    ]
    return (await asyncio.gather(*searches)).count(False)


async def timed(work):
    start = time.monotonic()
    return await work, round(time.monotonic() - start, 2)


async def main(uri, collection, rows):
    client = AsyncMilvusClient(uri, token=os.environ.get("SDK_TOKEN", ""))
    await client.create_collection(collection, consistency_level="Strong", **schema_and_index())
    _, insert_time = await timed(fill(client, collection, rows))
    counted = (await client.query(collection, output_fields=["count(*)"]))[0]["count(*)"]
    missed, search_time = await timed(search(client, collection, rows))
    await client.drop_collection(collection)
    await client.close()
    times = {"insert_time": insert_time, "search_time": search_time}
    print(json.dumps({"rows": counted, "missed": missed, **times}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
