# SPDX-License-Identifier: Apache-2.0
"""Each feature of pymilvus' MilvusClient once."""
from concurrent.futures import ThreadPoolExecutor

from common import (ALIAS, BOOKS, CALL_LIMIT, CREDENTIAL, DATABASE, MANY, QUICK, STRONG, TIMES, TOO_SHORT, TWIN, URI,
                    error_text, hits, index, keys, own, row, schema, tell, the_same, titles,
                    vector)  # fmt: skip
from pymilvus import AnnSearchRequest, MilvusClient, RRFRanker


def count(client, **options):
    return client.query(BOOKS, output_fields=["count(*)"], **options)[0]["count(*)"]


def twins(client):
    return keys(client.query(TWIN, filter="id > 0", output_fields=["id"]))


class Program:
    """A step a method, in the order in which they run."""

    def connect(self):
        self.client = MilvusClient(URI, **CREDENTIAL)
        return own(self.client.list_collections())

    def connect_with_timeout(self):
        client = MilvusClient(URI, **CREDENTIAL, timeout=CALL_LIMIT, dedicated=True)
        found = own(client.list_collections())
        client.close()
        return found

    def server_version(self):
        return self.client.get_server_version()

    def create_database(self):
        self.client.create_database(DATABASE)
        return own(self.client.list_databases())

    def connect_with_database(self):
        self.beside = MilvusClient(URI, **CREDENTIAL, db_name=DATABASE)
        return own(self.beside.list_collections())

    def create_with_schema(self):
        self.client.create_collection(BOOKS, schema=schema(), index_params=index(), **STRONG)
        return self.client.list_indexes(BOOKS)

    def create_by_dimension(self):
        self.client.create_collection(QUICK, dimension=4, **STRONG)
        return self.client.list_indexes(QUICK)

    def insert(self):
        return self.client.insert(BOOKS, [row(key) for key in range(1, 11)])["insert_count"]

    def upsert(self):
        return self.client.upsert(BOOKS, [row(10, "new"), row(11, "new")])["upsert_count"]

    def search(self):
        found = self.client.search(BOOKS, [vector(2.2)], limit=3, output_fields=["title"])
        return [hits(found), [hit["entity"]["title"] for hit in found[0]]]

    def query(self):
        rows = self.client.query(BOOKS, filter="id >= 9", output_fields=["id", "title"])
        return [titles(rows), count(self.client)]

    def get(self):
        return titles(self.client.get(BOOKS, ids=[1, 11], output_fields=["id", "title"]))

    def delete(self):
        self.client.delete(BOOKS, ids=[1])
        self.client.delete(BOOKS, filter="id in [2, 3]")
        return keys(self.client.query(BOOKS, filter="id < 6", output_fields=["id"]))

    def hybrid_search(self):
        requests = [AnnSearchRequest([vector(x)], "vector", {"metric_type": "L2"}, limit=3) for x in (5.2, 6.1)]
        return hits(self.client.hybrid_search(BOOKS, requests, RRFRanker(), limit=4))

    def describe(self):
        described = self.client.describe_collection(BOOKS)
        names = [field["name"] for field in described["fields"]]
        return [names, self.client.describe_index(BOOKS, "vector")["metric_type"]]

    def alias(self):
        self.client.create_alias(BOOKS, ALIAS)
        return keys(self.client.get(ALIAS, ids=[7], output_fields=["id"]))

    def describe_alias(self):
        return self.client.describe_alias(ALIAS)["collection_name"]

    def drop_alias(self):
        self.client.drop_alias(ALIAS)
        return self.client.has_collection(ALIAS)

    def partition(self):
        self.client.create_partition(BOOKS, "p1")
        self.client.insert(BOOKS, [row(101), row(102)], partition_name="p1")
        found = self.client.query(BOOKS, filter="id > 0", output_fields=["id"], partition_names=["p1"])
        return [sorted(self.client.list_partitions(BOOKS)), keys(found)]

    def drop_partition(self):
        self.client.release_collection(BOOKS)  # Milvus drops no partition that is loaded
        self.client.drop_partition(BOOKS, "p1")
        self.client.load_collection(BOOKS)
        return self.client.list_partitions(BOOKS)

    def two_clients(self):
        for client, first in ((self.client, 1), (self.beside, 4)):
            client.create_collection(TWIN, schema=schema(), index_params=index(), **STRONG)
            client.insert(TWIN, [row(key) for key in range(first, first + 3)])
        with ThreadPoolExecutor(2 * TIMES) as pool:
            found = list(pool.map(twins, [self.client, self.beside] * TIMES))
        return [the_same(found[::2]), the_same(found[1::2])]

    def switch_database(self):
        client = MilvusClient(URI, **CREDENTIAL)
        client.use_database(DATABASE)
        found = [own(client.list_collections()), twins(client)]
        client.use_database("default")
        return [*found, twins(client)]

    def deadline_kept(self):
        return count(self.client, timeout=CALL_LIMIT)

    def deadline_over(self):
        vectors = [vector(5)] * MANY
        return len(self.client.search(BOOKS, vectors, limit=10, timeout=TOO_SHORT))

    def missing_collection(self):
        return self.client.query(f"{BOOKS}_missing", filter="id > 0")

    def bad_filter(self):
        return self.client.query(BOOKS, filter="no_such_field > 0", output_fields=["id"])

    def drop(self):
        for name in (BOOKS, QUICK, TWIN):
            self.client.drop_collection(name)
        return [own(self.client.list_collections()), self.client.has_collection(BOOKS)]

    def drop_database(self):
        self.beside.drop_collection(TWIN)
        self.client.drop_database(DATABASE)
        return own(self.client.list_databases())


def main():
    program = Program()
    for step in vars(Program):
        if step.startswith("_"):
            continue
        try:
            result = getattr(program, step)()
        except Exception as error:  # whatever the SDK throws is what is compared
            tell(step, error=error_text(error))
        else:
            tell(step, result)


main()
