# SPDX-License-Identifier: Apache-2.0
"""Each feature of pymilvus' AsyncMilvusClient once."""
import asyncio
from contextlib import suppress

import grpc
from common import (ALIAS, BOOKS, CALL_LIMIT, CREDENTIAL, DATABASE, MANY, QUICK, STRONG, TIMES, TOO_SHORT, TWIN, URI,
                    error_text, hits, index, keys, own, row, schema, tell, the_same, titles,
                    vector)  # fmt: skip
from pymilvus import AnnSearchRequest, AsyncMilvusClient, RRFRanker


async def count(client, **options):
    return (await client.query(BOOKS, output_fields=["count(*)"], **options))[0]["count(*)"]


async def twins(client):
    return keys(await client.query(TWIN, filter="id > 0", output_fields=["id"]))


class Program:
    """A step a method, in the order in which they run."""

    async def connect(self):
        self.client = AsyncMilvusClient(URI, **CREDENTIAL)
        return own(await self.client.list_collections())

    async def connect_with_timeout(self):
        client = AsyncMilvusClient(URI, **CREDENTIAL, timeout=CALL_LIMIT, dedicated=True)
        found = own(await client.list_collections())
        await client.close()
        return found

    async def server_version(self):
        return await self.client.get_server_version()

    async def create_database(self):
        await self.client.create_database(DATABASE)
        return own(await self.client.list_databases())

    async def connect_with_database(self):
        self.beside = AsyncMilvusClient(URI, **CREDENTIAL, db_name=DATABASE)
        return own(await self.beside.list_collections())

    async def create_with_schema(self):
        await self.client.create_collection(BOOKS, schema=schema(), index_params=index(), **STRONG)
        return await self.client.list_indexes(BOOKS)

    async def create_by_dimension(self):
        await self.client.create_collection(QUICK, dimension=4, **STRONG)
        return await self.client.list_indexes(QUICK)

    async def insert(self):
        return (await self.client.insert(BOOKS, [row(key) for key in range(1, 11)]))["insert_count"]

    async def upsert(self):
        return (await self.client.upsert(BOOKS, [row(10, "new"), row(11, "new")]))["upsert_count"]

    async def search(self):
        found = await self.client.search(BOOKS, [vector(2.2)], limit=3, output_fields=["title"])
        return [hits(found), [hit["entity"]["title"] for hit in found[0]]]

    async def query(self):
        rows = await self.client.query(BOOKS, filter="id >= 9", output_fields=["id", "title"])
        return [titles(rows), await count(self.client)]

    async def get(self):
        return titles(await self.client.get(BOOKS, ids=[1, 11], output_fields=["id", "title"]))

    async def delete(self):
        await self.client.delete(BOOKS, ids=[1])
        await self.client.delete(BOOKS, filter="id in [2, 3]")
        return keys(await self.client.query(BOOKS, filter="id < 6", output_fields=["id"]))

    async def hybrid_search(self):
        requests = [AnnSearchRequest([vector(x)], "vector", {"metric_type": "L2"}, limit=3) for x in (5.2, 6.1)]
        return hits(await self.client.hybrid_search(BOOKS, requests, RRFRanker(), limit=4))

    async def describe(self):
        described = await self.client.describe_collection(BOOKS)
        names = [field["name"] for field in described["fields"]]
        return [names, (await self.client.describe_index(BOOKS, "vector"))["metric_type"]]

    async def alias(self):
        await self.client.create_alias(BOOKS, ALIAS)
        return keys(await self.client.get(ALIAS, ids=[7], output_fields=["id"]))

    async def describe_alias(self):
        return (await self.client.describe_alias(ALIAS))["collection_name"]

    async def drop_alias(self):
        await self.client.drop_alias(ALIAS)
        return await self.client.has_collection(ALIAS)

    async def partition(self):
        await self.client.create_partition(BOOKS, "p1")
        await self.client.insert(BOOKS, [row(101), row(102)], partition_name="p1")
        found = await self.client.query(BOOKS, filter="id > 0", output_fields=["id"], partition_names=["p1"])
        return [sorted(await self.client.list_partitions(BOOKS)), keys(found)]

    async def drop_partition(self):
        await self.client.release_collection(BOOKS)  # Milvus drops no partition that is loaded
        await self.client.drop_partition(BOOKS, "p1")
        await self.client.load_collection(BOOKS)
        return await self.client.list_partitions(BOOKS)

    async def two_clients(self):
        for client, first in ((self.client, 1), (self.beside, 4)):
            # Milvus Lite has no AllocTimestamp, which this SDK asks for once the index is made.
            with suppress(grpc.RpcError):
                await client.create_collection(TWIN, schema=schema(), index_params=index(), **STRONG)
            await client.insert(TWIN, [row(key) for key in range(first, first + 3)])
        found = await asyncio.gather(*(twins(client) for client in [self.client, self.beside] * TIMES))
        return [the_same(found[::2]), the_same(found[1::2])]

    async def switch_database(self):
        client = AsyncMilvusClient(URI, **CREDENTIAL)
        await client.use_database(DATABASE)
        found = [own(await client.list_collections()), await twins(client)]
        await client.use_database("default")
        return [*found, await twins(client)]

    async def deadline_kept(self):
        return await count(self.client, timeout=CALL_LIMIT)

    async def deadline_over(self):
        vectors = [vector(5)] * MANY
        return len(await self.client.search(BOOKS, vectors, limit=10, timeout=TOO_SHORT))

    async def missing_collection(self):
        return await self.client.query(f"{BOOKS}_missing", filter="id > 0")

    async def bad_filter(self):
        return await self.client.query(BOOKS, filter="no_such_field > 0", output_fields=["id"])

    async def drop(self):
        for name in (BOOKS, QUICK, TWIN):
            await self.client.drop_collection(name)
        return [own(await self.client.list_collections()), await self.client.has_collection(BOOKS)]

    async def drop_database(self):
        await self.beside.drop_collection(TWIN)
        await self.client.drop_database(DATABASE)
        return own(await self.client.list_databases())


async def main():
    program = Program()
    for step in vars(Program):
        if step.startswith("_"):
            continue
        try:
            result = await getattr(program, step)()
        except Exception as error:  # whatever the SDK throws is what is compared
            tell(step, error=error_text(error))
        else:
            tell(step, result)


asyncio.run(main())
